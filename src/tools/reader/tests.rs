//! What the reader promises of damaged, cut off and foreign files.

use super::*;
use crate::format::encode_prefix;
use crate::format::heap::*;
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::*;
use crate::tools::synthetic::Synthetic;
use proptest::prelude::*;

/// Two snapshots: 100 live bytes at the first, 250 at the second.
fn sample() -> Synthetic {
    let mut trace = Synthetic::new(Header { pid: 7, page_size_bytes: 4096, ..Header::default() });
    let file = trace.string("run.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let root = trace.root(main);
    let place = trace.place(root, file, 3);
    let live = |live_bytes| PlaceFigures { id: place, live_bytes, ..PlaceFigures::default() };
    let totals = |live_bytes| Totals { live_bytes, ..Totals::default() };
    trace.figures(vec![NodeFigures { id: root, calls: 1, ..Default::default() }], vec![live(100)]);
    trace.snapshot(1_000, Cause::Interval, totals(100));
    trace.figures(vec![], vec![live(200)]);
    trace.figures(vec![], vec![live(250)]);
    trace.snapshot(2_000, Cause::Exit, totals(250));
    trace.end(2_000, Cause::Exit);
    trace
}

fn read_bytes(bytes: &[u8]) -> Result<Trace, ReadError> {
    read(Path::new("x.mprof"), bytes)
}

fn live_bytes(trace: &Trace) -> u64 {
    trace.figures.place(PlaceId(0)).live_bytes
}

fn has_left_out(trace: &Trace) -> bool {
    trace.warnings.iter().any(|warning| matches!(warning, Warning::LeftOut { .. }))
}

#[test]
fn a_whole_trace_is_read_without_a_warning() {
    let trace = sample().read().unwrap();
    assert_eq!(live_bytes(&trace), 250);
    assert_eq!(trace.snapshots.len(), 2);
    assert_eq!(trace.warnings, []);
    assert_eq!(trace.end, Some(End { time_ns: 2_000, cause: Cause::Exit }));
    assert_eq!(trace.file_bytes, trace.chunk_counts.iter().map(|count| count.stored_bytes).sum::<u64>() + 12);
}

#[test]
fn a_trace_cut_anywhere_shows_the_figures_of_its_last_whole_snapshot() {
    let bytes = sample().bytes;
    for cut in 0..bytes.len() {
        let trace = match read_bytes(&bytes[..cut]) {
            Ok(trace) => trace,
            Err(ReadError::Empty(_)) => {
                assert_eq!(cut, 0);
                continue;
            }
            Err(ReadError::NoHeader { .. }) => continue,
            Err(error) => panic!("{error} at {cut}"),
        };
        assert_eq!(live_bytes(&trace), trace.last_totals().live_bytes, "cut at {cut}");
        assert_eq!(trace.snapshots.is_empty(), trace.warnings.contains(&Warning::NoSnapshot), "cut at {cut}");
        let left_out: u64 = trace
            .warnings
            .iter()
            .map(|warning| match warning {
                Warning::LeftOut { bytes, .. } => *bytes,
                _ => 0,
            })
            .sum();
        assert!(left_out <= cut as u64);
        crate::tools::profile::Profile::new(trace);
    }
}

#[test]
fn a_damaged_byte_is_never_taken_for_a_figure() {
    let bytes = sample().bytes;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        let Ok(trace) = read_bytes(&damaged) else { continue };
        assert_eq!(live_bytes(&trace), trace.last_totals().live_bytes, "damaged at {at}");
        assert!(has_left_out(&trace), "damaged at {at}");
    }
}

#[test]
fn the_warning_says_how_many_bytes_were_left_out() {
    let mut trace = sample();
    let whole = trace.bytes.len() as u64;
    trace.bytes.extend([9; 33]);
    let trace = trace.read().unwrap();
    let fault = Fault::Chunk(ChunkError::Unknown { kind: 9, codec: 9 });
    assert_eq!(trace.warnings, [Warning::LeftOut { bytes: 33, offset: whole, fault }]);
    assert_eq!(
        trace.warnings[0].to_string(),
        format!(
            "33 bytes after the last whole snapshot were left out: at offset {whole}, unknown chunk kind 9 or codec 9"
        )
    );
}

#[test]
fn what_is_no_trace_is_told_in_one_sentence() {
    let newer = {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(7u32.to_le_bytes());
        bytes
    };
    let mut headless = encode_prefix();
    headless.extend_from_slice(&sample().bytes[sample().bytes.len() - 20..]);
    for (bytes, sentence) in [
        (vec![], "x.mprof is empty"),
        (b"#!/usr/bin/perl".to_vec(), "x.mprof is no trace of Devel::MProf"),
        (b"#!".to_vec(), "x.mprof is no trace of Devel::MProf"),
        (newer, "x.mprof is a trace of version 7; this mprof-dump reads up to version 3"),
        (encode_prefix(), "x.mprof is a trace without a header: the chunk is cut off"),
        (MAGIC[..5].to_vec(), "x.mprof is a trace without a header: the chunk is cut off"),
    ] {
        assert_eq!(read_bytes(&bytes).unwrap_err().to_string(), sentence);
    }
    assert!(matches!(read_bytes(&headless), Err(ReadError::NoHeader { .. })));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for path in ["/nonexistent/x.mprof", "/"] {
        let error = read_file(Path::new(path)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot read {path}: ")), "{error}");
    }
}

#[test]
fn a_record_that_breaks_a_rule_ends_the_trace_there() {
    let node =
        |parent, sub, file| Node { parent: NodeId(parent), sub: SubId(sub), call_file: StrId(file), call_line: 1 };
    let nodes = |first, nodes| Record::Nodes(Nodes { first: NodeId(first), nodes });
    let place = |node, file| Place { node: NodeId(node), file: StrId(file), line: 1 };
    let figures = |snapshot, node, place| {
        let nodes = vec![NodeFigures { id: NodeId(node), ..Default::default() }];
        let places = vec![PlaceFigures { id: PlaceId(place), live_bytes: 9, ..Default::default() }];
        Record::Figures(Figures { snapshot, nodes, places })
    };
    let broken = [
        Record::Header(Header::default()),
        Record::Strings(Strings { first: StrId(9), strings: vec![] }),
        Record::Strings(Strings { first: StrId(0), strings: vec![vec![]] }),
        Record::Subs(Subs { first: SubId(0), subs: vec![] }),
        Record::Subs(Subs { first: SubId(1), subs: vec![Sub { name: StrId(99), ..Sub::default() }] }),
        nodes(0, vec![]),
        nodes(1, vec![node(2, 0, 0)]),
        nodes(1, vec![node(2, 0, 0), node(0, 0, 0)]),
        nodes(1, vec![node(0, 1, 0)]),
        nodes(1, vec![node(0, 0, 99)]),
        Record::Places(Places { first: PlaceId(2), places: vec![] }),
        Record::Places(Places { first: PlaceId(1), places: vec![place(1, 0)] }),
        Record::Places(Places { first: PlaceId(1), places: vec![place(0, 99)] }),
        figures(1, 0, 0),
        figures(3, 0, 0),
        figures(2, 1, 0),
        figures(2, 0, 1),
        Record::Marks(Marks { snapshot: 3, ..Marks::default() }),
        Record::Marks(Marks { snapshot: 2, marks: 1, labels: vec![MarkLabel { label: StrId(99), marks: 1 }] }),
        Record::HeapBegins(HeapBegins { snapshot: 3, ..HeapBegins::default() }),
        Record::HeapBegins(HeapBegins { snapshot: 2, from: 2, to: 1, ..HeapBegins::default() }),
        Record::HeapBegins(HeapBegins { snapshot: 2, listed: 1, ..HeapBegins::default() }),
        Record::HeapScalars(HeapScalars { snapshot: 2, ..HeapScalars::default() }),
        Record::HeapEdges(HeapEdges { snapshot: 2, ..HeapEdges::default() }),
        Record::Census(Census { snapshot: 2, ..Census::default() }),
        Record::Snapshot(Snapshot { number: 3, ..Snapshot::default() }),
        Record::Snapshot(Snapshot { number: 1, ..Snapshot::default() }),
    ];
    for record in broken {
        let mut trace = sample();
        // Without its end record; that nothing follows it is a rule of its own.
        trace.bytes.truncate(trace.bytes.len() - 14);
        trace.push(&record);
        trace.snapshot(9, Cause::Exit, Totals { live_bytes: 9, ..Totals::default() });
        let read = trace.read().unwrap();
        let rule = |warning: &Warning| matches!(warning, Warning::LeftOut { fault: Fault::Rule(_), .. });
        assert!(read.warnings.iter().any(rule), "{record:?}: {:?}", read.warnings);
        assert_eq!((live_bytes(&read), read.snapshots.len()), (250, 2), "{record:?}");
    }
}

#[test]
fn a_sample_that_breaks_a_rule_does_not_count() {
    let begins = || Record::HeapBegins(HeapBegins { snapshot: 2, listed: 1, ..HeapBegins::default() });
    let scalars =
        |first, scalar: HeapScalar| Record::HeapScalars(HeapScalars { snapshot: 2, first, scalars: vec![scalar] });
    let edges = |from, to, key| {
        let edge = HeapEdge { from, to, key: StrId(key), ..HeapEdge::default() };
        Record::HeapEdges(HeapEdges { snapshot: 2, edges: vec![edge] })
    };
    let sound = || scalars(0, HeapScalar { birthplace: Some(PlaceId(0)), ..HeapScalar::default() });
    let groups = || vec![CensusGroup { class: StrId(99), ..CensusGroup::default() }];
    let read = |records: Vec<Record>| {
        let mut trace = sample();
        trace.bytes.truncate(trace.bytes.len() - 14);
        records.iter().for_each(|record| trace.push(record));
        trace.snapshot(9, Cause::Exit, Totals::default());
        trace.read().unwrap()
    };
    assert_eq!(read(vec![begins(), sound(), edges(0, 0, 0)]).sample.map(|sample| sample.edges.len()), Some(1));
    for records in [
        vec![begins(), begins()],
        vec![begins(), scalars(1, HeapScalar::default())],
        vec![begins(), scalars(0, HeapScalar { birthplace: Some(PlaceId(9)), ..HeapScalar::default() })],
        vec![begins(), scalars(0, HeapScalar { buffer_place: Some(PlaceId(9)), ..HeapScalar::default() })],
        vec![begins(), scalars(0, HeapScalar { class: StrId(99), ..HeapScalar::default() })],
        vec![begins(), scalars(0, HeapScalar { variables: vec![(0, StrId(99))], ..HeapScalar::default() })],
        vec![begins(), sound(), edges(0, 1, 0)],
        vec![begins(), sound(), edges(1, 0, 0)],
        vec![begins(), sound(), edges(0, 0, 99)],
        vec![begins(), sound(), Record::Census(Census { snapshot: 2, groups: groups() })],
    ] {
        let trace = read(records.clone());
        assert!(has_left_out(&trace), "{records:?}");
        assert_eq!((trace.sample, trace.censuses.len(), trace.snapshots.len()), (None, 0, 2), "{records:?}");
    }
}

#[test]
fn nothing_counts_after_the_end_record() {
    let mut trace = sample();
    trace.snapshot(9, Cause::Exit, Totals::default());
    let trace = trace.read().unwrap();
    assert!(has_left_out(&trace));
    assert_eq!(trace.snapshots.len(), 2);
}

#[test]
fn a_writer_may_spell_out_the_empty_string() {
    let mut trace = Synthetic::new(Header::default());
    trace.push(&Record::Strings(Strings { first: StrId(0), strings: vec![vec![], b"a".to_vec()] }));
    trace.push(&Record::Strings(Strings { first: StrId(2), strings: vec![b"b".to_vec()] }));
    assert_eq!(trace.read().unwrap().strings, [b"".to_vec(), b"a".to_vec(), b"b".to_vec()]);
}

#[test]
fn a_fork_without_its_base_is_told() {
    let mut trace = Synthetic::new(Header { parent_trace: Some(b"mprof.bin".to_vec()), ..Header::default() });
    trace.snapshot(1, Cause::Exit, Totals::default());
    trace.end(1, Cause::Exit);
    assert_eq!(trace.read().unwrap().warnings, [Warning::NoBase]);
}

proptest! {
    #[test]
    fn noise_after_the_prefix_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = encode_prefix();
        bytes.extend(noise);
        let _ = read_bytes(&bytes);
    }

    #[test]
    fn whatever_a_sample_says_never_panics(records in prop::collection::vec(forged_sample(), 0..12), marks in 6..9u64) {
        let mut trace = Synthetic::new(Header::default());
        let file = trace.string("run.pl");
        let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
        let root = trace.root(main);
        let places = [trace.place(root, file, 3), trace.place(root, file, 4)];
        for mark in 1..=marks {
            trace.marks(mark, file);
            let row = |&id: &PlaceId| PlaceFigures { id, live_bytes: 99 * mark, scalars_born: mark, ..Default::default() };
            trace.figures(vec![], places.iter().map(row).collect());
            if mark == 2 {
                records.iter().for_each(|record| trace.push(record));
            }
            trace.snapshot(mark, Cause::Mark, Totals::default());
        }
        let profile = crate::tools::profile::Profile::new(trace.read_with_history());
        for report in ["leaks", "classes"].iter().filter_map(|name| crate::tools::report::find(name)) {
            crate::tools::report::document(report, &profile, &Default::default()).unwrap();
        }
    }

    #[test]
    fn whatever_whole_chunks_say_never_panics(records in prop::collection::vec(forged(), 0..30)) {
        let mut trace = Synthetic::new(Header::default());
        records.iter().for_each(|record| trace.push(record));
        let profile = crate::tools::profile::Profile::new(trace.read_with_history());
        for report in crate::tools::report::REPORTS {
            crate::tools::report::document(*report, &profile, &Default::default()).unwrap();
        }
    }
}

/// Records whose handles and figures are nearly right: the kind a checksum does not protect from.
fn forged() -> impl Strategy<Value = Record> {
    let id = || 0..4u32;
    let big = || prop_oneof![0..9u64, Just(u64::MAX)];
    let node =
        (id(), id()).prop_map(|(parent, sub)| Node { parent: NodeId(parent), sub: SubId(sub), ..Default::default() });
    let nodes = (id(), prop::collection::vec(node, 0..3))
        .prop_map(|(first, nodes)| Record::Nodes(Nodes { first: NodeId(first), nodes }));
    let places = (id(), id()).prop_map(|(first, node)| {
        let place = Place { node: NodeId(node), ..Place::default() };
        Record::Places(Places { first: PlaceId(first), places: vec![place] })
    });
    let subs = id().prop_map(|first| Record::Subs(Subs { first: SubId(first), subs: vec![Sub::default()] }));
    let figures = (id(), id(), big(), big(), 0..3u64).prop_map(|(node, place, one, other, snapshot)| {
        let nodes = vec![NodeFigures { id: NodeId(node), calls: one, freed_bytes: other, ..Default::default() }];
        let place = PlaceFigures { id: PlaceId(place), allocated_bytes: one, live_bytes: other, ..Default::default() };
        Record::Figures(Figures { snapshot, nodes, places: vec![place] })
    });
    let snapshot = (0..3u64, big(), any::<bool>()).prop_map(|(number, time_ns, base)| {
        let totals = Totals { allocated_bytes: time_ns, resident_pages: time_ns, ..Totals::default() };
        let timeline = vec![TimePoint { time_ns, live_bytes: time_ns, size_pages: time_ns, ..TimePoint::default() }];
        let cause = if base { Cause::Base } else { Cause::Interval };
        Record::Snapshot(Snapshot { number, time_ns, cause, totals, timeline, ..Snapshot::default() })
    });
    prop_oneof![subs, nodes, places, figures, snapshot, forged_marks(), forged_sample()]
}

fn forged_marks() -> impl Strategy<Value = Record> {
    let big = || prop_oneof![0..9u64, Just(u64::MAX)];
    let marks = (0..3u64, big(), 0..2u32, big()).prop_map(|(snapshot, marks, label, of_label)| {
        Record::Marks(Marks { snapshot, marks, labels: vec![MarkLabel { label: StrId(label), marks: of_label }] })
    });
    let libraries = Just(Record::Libraries(Libraries { folders: vec![vec![], b"/".to_vec(), b"/usr".to_vec()] }));
    prop_oneof![marks, libraries]
}

fn forged_sample() -> impl Strategy<Value = Record> {
    let big = || prop_oneof![0..9u64, Just(u64::MAX)];
    let id = || 0..4u32;
    let begins = (0..3u64, big(), big(), 0..6u32, any::<bool>()).prop_map(|(snapshot, from, to, listed, marks)| {
        let unit = if marks { BirthUnit::Marks } else { BirthUnit::Snapshots };
        Record::HeapBegins(HeapBegins { snapshot, unit, from, to, listed, ..HeapBegins::default() })
    });
    let kinds = prop_oneof![
        Just(ScalarKind::Reference),
        Just(ScalarKind::Hash),
        Just(ScalarKind::Array),
        Just(ScalarKind::Code),
        Just(ScalarKind::Glob),
        Just(ScalarKind::Root),
    ];
    let scalar =
        (prop::option::of(0..2u32), big(), kinds, id(), big()).prop_map(|(place, born, kind, references, bytes)| {
            let place = place.map(PlaceId);
            let variables = vec![(references, StrId(0))];
            HeapScalar {
                birthplace: place,
                born,
                kind,
                references,
                buffer_bytes: bytes,
                buffer_place: place,
                variables,
                ..HeapScalar::default()
            }
        });
    let scalars = (0..3u64, prop_oneof![Just(0), id()], prop::collection::vec(scalar, 0..6))
        .prop_map(|(snapshot, first, scalars)| Record::HeapScalars(HeapScalars { snapshot, first, scalars }));
    let edge = (0..6u32, 0..6u32, 0..EdgeKind::ALL.len(), id(), 0..2u32).prop_map(|(from, to, kind, index, key)| {
        HeapEdge { from, to, kind: EdgeKind::ALL[kind], index, key: StrId(key) }
    });
    let edges = (0..3u64, prop::collection::vec(edge, 0..12))
        .prop_map(|(snapshot, edges)| Record::HeapEdges(HeapEdges { snapshot, edges }));
    let census = (0..3u64, big(), id()).prop_map(|(snapshot, scalars, class)| {
        let group = CensusGroup { class: StrId(class), scalars, body_bytes: scalars, ..CensusGroup::default() };
        Record::Census(Census { snapshot, groups: vec![group] })
    });
    prop_oneof![begins, scalars, edges, census]
}
