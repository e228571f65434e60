//! Profiles made up for the tests of the formats: recursion, names that no format expects, and the golden trace.

use super::*;
use crate::format::records::*;
use crate::tools::reader::{read_file, read_file_through};
use crate::tools::synthetic::Synthetic;

fn figures(id: crate::format::ids::PlaceId, allocated_bytes: u64) -> PlaceFigures {
    let live_bytes = allocated_bytes / 2;
    PlaceFigures { id, allocated_bytes, live_bytes, ..PlaceFigures::default() }
}

/// A chain main ─► a ─► b ─► a ─► b, each of them allocating 1, 10, 100, 1000, 10000 bytes on a line of its sub.
pub(super) fn recursive() -> Profile {
    let mut trace = Synthetic::new(Header::default());
    let file = trace.string("run.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let a = trace.sub(SubKind::Perl, "P", "a", "run.pl", 10);
    let b = trace.sub(SubKind::Perl, "Q", "b", "run.pl", 20);
    let mut node = trace.root(main);
    let (mut places, mut calls) = (Vec::new(), vec![NodeFigures { id: node, calls: 1, ..Default::default() }]);
    for (bytes, sub, line, call_line) in
        [(1, main, 1, 0), (10, a, 10, 1), (100, b, 20, 11), (1000, a, 10, 21), (10000, b, 20, 11)]
    {
        if sub != main {
            node = trace.node(node, sub, file, call_line);
            calls.push(NodeFigures { id: node, calls: 2, freed_bytes: bytes / 10, ..Default::default() });
        }
        places.push(figures(trace.place(node, file, line), bytes));
    }
    trace.figures(calls, places);
    trace.snapshot(1, Cause::Exit, Totals { allocated_bytes: 11_111, ..Totals::default() });
    Profile::new(trace.read().unwrap())
}

/// Subs whose names mean something to some format, called by one another.
pub(super) fn evil() -> Profile {
    let header = Header {
        command_line: vec![b"perl".to_vec(), b"a\nb".to_vec()],
        hostname: "../evil host\n".to_owned(),
        ..Header::default()
    };
    let mut trace = Synthetic::new(header);
    let file = trace.string(b"caf\xe9/evil\x1b[31m\n.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let mut node = trace.root(main);
    let mut places = vec![figures(trace.place(node, file, 1), 1)];
    let names: [&[u8]; 8] = [
        b"a;b,\"c\" 12",
        b"two\nlines",
        b"\x1b[31mred",
        b"caf\xe9",
        b"nul\0",
        "\u{202e}right to left".as_bytes(),
        b"</script>",
        b"(1) fn=2",
    ];
    for (bytes, name) in (2..).zip(names) {
        let [package, name] = [b"Evil".as_slice(), name].map(|text| trace.string(text));
        let sub = Sub { kind: SubKind::Perl, package, name, file, line: 7 };
        let sub = trace.sub_of(sub);
        node = trace.node(node, sub, file, 3);
        places.push(figures(trace.place(node, file, 9), bytes));
    }
    trace.figures(vec![], places);
    trace.snapshot(1, Cause::Exit, Totals { allocated_bytes: 45, ..Totals::default() });
    Profile::new(trace.read().unwrap())
}

/// The golden trace of version 1.
pub(super) fn golden() -> Profile {
    Profile::new(read_file(Path::new("t/data/v1.mprof")).unwrap())
}

/// The golden trace of version 2: of marks, with leaks.
pub(super) fn leaking() -> Profile {
    Profile::new(read_file_through(Path::new("t/data/v2.mprof"), Keep::History, |file| file).unwrap())
}

/// Those without marks.
pub(super) fn profiles() -> Vec<Profile> {
    vec![recursive(), evil(), golden()]
}

/// Profiles as they would come from files.
pub(super) fn all(profiles: Vec<Profile>) -> impl Iterator<Item = Result<Profile, ReadError>> {
    profiles.into_iter().map(Ok)
}

/// What a format makes of profiles. None of these have anything that must be left out.
pub(super) fn bytes(profiles: Vec<Profile>, options: &Options, write: ToStream) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(write(&mut all(profiles), options, &mut out).unwrap(), LeftOut::default());
    out
}

/// As [`bytes`], of a format of text.
pub(super) fn text(profiles: Vec<Profile>, options: &Options, write: ToStream) -> String {
    String::from_utf8(bytes(profiles, options, write)).unwrap()
}

#[test]
fn a_trace_that_cannot_be_read_leaves_no_file() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut traces = all(vec![recursive()]).chain(std::iter::once(Err(ReadError::Empty("x".into()))));
        let result = export_to::<&Path>(format, &Options::default(), &mut traces, &path, false, &[]);
        assert!(matches!(result, Err(ExportError::Read(_))), "{}", format.name);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{}", format.name);
    }
}

#[test]
fn an_export_is_the_same_every_time() {
    for format in FORMATS {
        let export = || {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out");
            export_to::<&Path>(format, &Options::default(), &mut all(profiles()), &path, false, &[]).unwrap();
            if path.is_dir() {
                return std::fs::read(path.join("host=box/run=20261124T210018.000000000Z-4242/places.parquet"))
                    .unwrap();
            }
            std::fs::read(path).unwrap()
        };
        assert_eq!(export(), export(), "{}", format.name);
    }
}

#[test]
fn scalars_that_are_fewer_than_none_are_said_to_be_left_out() {
    let mut trace = Synthetic::new(Header::default());
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let root = trace.root(main);
    let id = trace.place(root, Default::default(), 0);
    trace.figures(vec![], vec![PlaceFigures { id, scalars_born: 2, scalars_died: 9, ..PlaceFigures::default() }]);
    trace.snapshot(1, Cause::Exit, Totals::default());
    let profile = Profile::new(trace.read().unwrap());
    let options = Options { metric: metric("scalars").unwrap(), ..Options::default() };
    let mut out = Vec::new();
    let left_out = folded::write(&mut all(vec![profile]), &options, &mut out).unwrap();
    assert_eq!((left_out.negative, out.len()), (7, 0));
}
