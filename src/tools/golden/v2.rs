//! The golden trace of version 2: a server that leaks in four ways, with marks and a heap sample.

use crate::format::heap::{CensusGroup, EdgeKind, HeapBegins, HeapEdge, HeapScalar, ScalarKind};
use crate::format::ids::{PlaceId, StrId};
use crate::format::records::*;
use crate::format::Record;
use crate::tools::synthetic::Synthetic;

const MARKS: u64 = 32;

/// Bytes and scalars that each place keeps after so many marks: a cycle, a cache, a text, what grew once, what is bounded.
fn kept(at: usize, mark: u64) -> (u64, u64) {
    match at {
        0 => (240 * mark, 4 * mark),
        1 => (180 * mark, mark),
        2 => (1000 * mark, 0),
        3 => (if mark > 16 { 100_000 } else { 0 }, 0),
        _ => (4096, 12),
    }
}

/// The scalars of a sample, the listed ones first, and their references.
#[derive(Default)]
struct Heap {
    scalars: Vec<HeapScalar>,
    edges: Vec<HeapEdge>,
}

impl Heap {
    fn scalar(&mut self, kind: ScalarKind, birthplace: Option<PlaceId>, born: u64) -> u32 {
        let scalar = HeapScalar {
            birthplace,
            born,
            kind,
            references: 1,
            body_bytes: 40,
            buffer_bytes: 60,
            buffer_place: birthplace,
            ..HeapScalar::default()
        };
        self.scalars.push(scalar);
        self.scalars.len() as u32 - 1
    }

    fn edge(&mut self, kind: EdgeKind, from: u32, to: u32, key: StrId) {
        self.edges.push(HeapEdge { from, to, kind, index: 0, key });
    }
}

fn group(kind: ScalarKind, class: StrId, scalars: u64) -> CensusGroup {
    CensusGroup {
        kind,
        class,
        scalars,
        body_bytes: 40 * scalars,
        buffer_bytes: 60 * scalars,
        scalars_in_window: scalars / 2,
        bytes_in_window: 50 * scalars,
    }
}

pub(super) fn trace() -> Synthetic {
    let mut trace = Synthetic::new(Header {
        mprof_version: "0.01".to_owned(),
        perl_version: "v5.36.0".to_owned(),
        pid: 4242,
        command_line: ["perl", "-d:MProf", "server.pl"].map(|word| word.as_bytes().to_vec()).to_vec(),
        start_unix_ns: 1_795_554_018_000_000_000,
        options: vec![("mark".to_owned(), "My::Server::handle".to_owned())],
        page_size_bytes: 4096,
        ..Header::default()
    });
    trace.push(&Record::Libraries(Libraries { folders: vec![b"/usr/share/perl5".to_vec()] }));
    let [server, library, label] =
        ["server.pl", "/usr/share/perl5/Cache.pm", "My::Server::handle"].map(|s| trace.string(s));
    let [parent, child, hash_slot, scalar_slot, key, class] =
        ["parent", "child", "HASH", "SCALAR", "user:1", "My::Node"].map(|s| trace.string(s));
    let [cache_name, log_name] = ["My::Server::CACHE\x1b[31m", "My::Server::log"].map(|s| trace.string(s));
    let main = trace.sub(SubKind::Main, "", "", "server.pl", 0);
    let handle = trace.sub(SubKind::Perl, "My::Server", "handle", "server.pl", 10);
    let set = trace.sub(SubKind::Perl, "Cache", "set", "/usr/share/perl5/Cache.pm", 5);
    let root = trace.root(main);
    let handler = trace.node(root, handle, server, 40);
    let setter = trace.node(handler, set, server, 13);
    let places = [
        trace.place(handler, server, 12),
        trace.place(setter, library, 6),
        trace.place(handler, server, 14),
        trace.place(handler, server, 15),
        trace.place(handler, server, 16),
    ];
    let mut heap = Heap::default();
    let mut values = Vec::new();
    for mark in 8..MARKS - 1 {
        let [one, other] = [ScalarKind::Hash; 2].map(|kind| heap.scalar(kind, Some(places[0]), mark));
        heap.scalars[one as usize].class = class;
        for (from, key, to) in [(one, child, other), (other, parent, one)] {
            let reference = heap.scalar(ScalarKind::Reference, Some(places[0]), mark);
            heap.edge(EdgeKind::Value, from, reference, key);
            heap.edge(EdgeKind::Referent, reference, to, StrId(0));
        }
        values.push(heap.scalar(ScalarKind::Plain, Some(places[1]), mark));
    }
    let listed = heap.scalars.len() as u32;
    let [cache, cache_glob] = [ScalarKind::Hash, ScalarKind::Glob].map(|kind| heap.scalar(kind, None, 0));
    let [log, log_glob] = [ScalarKind::Plain, ScalarKind::Glob].map(|kind| heap.scalar(kind, None, 0));
    heap.scalars[cache_glob as usize].name = cache_name;
    heap.scalars[log_glob as usize].name = log_name;
    heap.scalars[log as usize].buffer_place = Some(places[2]);
    heap.edge(EdgeKind::Slot, cache_glob, cache, hash_slot);
    heap.edge(EdgeKind::Slot, log_glob, log, scalar_slot);
    values.iter().for_each(|&value| heap.edge(EdgeKind::Value, cache, value, key));

    for mark in 1..=MARKS {
        let row = |(at, &id): (usize, &PlaceId)| {
            let (live_bytes, scalars_born) = kept(at, mark);
            PlaceFigures { id, live_bytes, allocated_bytes: live_bytes, scalars_born, ..PlaceFigures::default() }
        };
        let places = places.iter().enumerate().map(row).collect();
        let calls = [root, handler, setter].map(|id| NodeFigures { id, calls: mark, ..NodeFigures::default() });
        trace.marks(mark, label);
        trace.figures(calls.to_vec(), places);
        if mark == MARKS / 2 || mark == MARKS {
            let begins = HeapBegins {
                unit: crate::format::heap::BirthUnit::Marks,
                from: 8,
                to: MARKS - 1,
                scalars: 10_000,
                scalars_in_window: 200,
                listed,
                ..HeapBegins::default()
            };
            let (of_class, of_none) =
                (group(ScalarKind::Hash, class, mark), group(ScalarKind::Plain, StrId(0), 100 * mark));
            trace.sample(begins, &heap.scalars, &heap.edges, &[of_class, of_none]);
        }
        trace.snapshot(mark * 250_000_000, Cause::Mark, Totals { live_bytes: 1500 * mark, ..Totals::default() });
    }
    trace.snapshot(MARKS * 250_000_000 + 5, Cause::Exit, Totals { live_bytes: 1500 * MARKS, ..Totals::default() });
    trace.end(MARKS * 250_000_000 + 5, Cause::Exit);
    trace
}
