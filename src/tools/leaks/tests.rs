//! Leaks of known shape, and what must not be taken for one.

use super::causes::Reason;
use super::cycles::components;
use super::graph::Graph;
use super::*;
use crate::format::heap::{BirthUnit, EdgeKind, HeapBegins, HeapEdge, HeapScalar, ScalarKind};
use crate::format::ids::{NodeId, PlaceId, StrId};
use crate::format::records::*;
use crate::format::Record;
use crate::tools::synthetic::Synthetic;
use proptest::prelude::*;

/// A program that calls `main::handler` (run.pl:10) from its line 5 for each of 40 marks.
struct Program {
    trace: Synthetic,
    handler: NodeId,
    run: StrId,
    places: Vec<PlaceId>,
    scalars: Vec<HeapScalar>,
    listed: u32,
    edges: Vec<HeapEdge>,
    has_marks: bool,
}

const MARKS: u64 = 40;
const WINDOW: std::ops::Range<u64> = 10..39;

impl Program {
    fn new() -> Self {
        let mut trace = Synthetic::new(Header { page_size_bytes: 4096, ..Header::default() });
        trace.push(&Record::Libraries(Libraries { folders: vec![b"/usr/share/perl5".to_vec()] }));
        let run = trace.string("run.pl");
        let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
        let sub = trace.sub(SubKind::Perl, "main", "handler", "run.pl", 10);
        let root = trace.root(main);
        let handler = trace.node(root, sub, run, 5);
        let (places, scalars, edges) = (vec![], vec![], vec![]);
        Program { trace, handler, run, places, scalars, listed: 0, edges, has_marks: true }
    }

    fn place(&mut self, node: NodeId, file: StrId, line: u32) -> PlaceId {
        let place = self.trace.place(node, file, line);
        self.places.push(place);
        place
    }

    fn line(&mut self, line: u32) -> PlaceId {
        self.place(self.handler, self.run, line)
    }

    fn listed(&mut self, kind: ScalarKind, birthplace: PlaceId, born: u64, references: u32) -> u32 {
        assert_eq!(self.listed as usize, self.scalars.len());
        self.listed += 1;
        self.holder(HeapScalar {
            birthplace: Some(birthplace),
            born,
            kind,
            references,
            body_bytes: 40,
            buffer_bytes: 60,
            buffer_place: Some(birthplace),
            ..HeapScalar::default()
        })
    }

    fn holder(&mut self, scalar: HeapScalar) -> u32 {
        self.scalars.push(scalar);
        self.scalars.len() as u32 - 1
    }

    fn edge(&mut self, kind: EdgeKind, from: u32, to: u32, key: StrId, index: u32) {
        self.edges.push(HeapEdge { from, to, kind, index, key });
    }

    /// `from{key}`, by way of a reference born at `place`.
    fn refers(&mut self, from: u32, key: StrId, to: u32, place: PlaceId, born: u64) {
        let reference = self.listed(ScalarKind::Reference, place, born, 1);
        self.edge(EdgeKind::Value, from, reference, key, 0);
        self.edge(EdgeKind::Referent, reference, to, StrId(0), 0);
    }

    /// What the program leaves: at mark `m`, place number `p` keeps `figures(p, m)`: bytes and scalars.
    fn leaks(mut self, figures: impl Fn(usize, u64) -> (u64, u64)) -> (Trace, Leaks) {
        let label = self.trace.string("request");
        for mark in 1..=MARKS {
            let row = |(at, &id): (usize, &PlaceId)| {
                let (live_bytes, scalars_born) = figures(at, mark);
                PlaceFigures { id, live_bytes, scalars_born, ..PlaceFigures::default() }
            };
            let places = self.places.iter().enumerate().map(row).collect();
            if self.has_marks {
                self.trace.marks(mark, label);
            }
            self.trace.figures(vec![NodeFigures { id: self.handler, calls: mark, ..Default::default() }], places);
            if mark == MARKS {
                let unit = if self.has_marks { BirthUnit::Marks } else { BirthUnit::Snapshots };
                let begins = HeapBegins {
                    unit,
                    from: WINDOW.start,
                    to: WINDOW.end,
                    listed: self.listed,
                    ..HeapBegins::default()
                };
                self.trace.sample(begins, &self.scalars, &self.edges, &[]);
            }
            let cause = if self.has_marks { Cause::Mark } else { Cause::Interval };
            self.trace.snapshot(mark * 1_000_000_000, cause, Totals::default());
        }
        self.trace.end(MARKS * 1_000_000_000, Cause::Exit);
        let trace = self.trace.read_with_history();
        assert_eq!(trace.warnings, []);
        let leaks = Leaks::new(&trace);
        (trace, leaks)
    }
}

fn line_of(trace: &Trace, leak: &Leak) -> (String, u32) {
    (String::from_utf8_lossy(trace.string(leak.site.file)).into_owned(), leak.site.line)
}

fn two_hashes(program: &mut Program) {
    let (parent, child) = (program.trace.string("parent"), program.trace.string("child"));
    let place = program.line(12);
    for mark in WINDOW {
        let one = program.listed(ScalarKind::Hash, place, mark, 1);
        let other = program.listed(ScalarKind::Hash, place, mark, 1);
        program.refers(one, child, other, place, mark);
        program.refers(other, parent, one, place, mark);
    }
}

#[test]
fn a_cycle_of_hashes_names_the_reference_to_weaken() {
    let mut program = Program::new();
    two_hashes(&mut program);
    let (trace, found) = program.leaks(|_, mark| (240 * mark, 4 * mark));
    let [leak] = &found.leaks[..] else { panic!("{found:?}") };
    assert_eq!(line_of(&trace, leak), ("run.pl".to_owned(), 12));
    let reason = Reason::Cycle { weakest: "{parent}".to_owned(), is_captured: false };
    assert_eq!((&leak.why, leak.path.as_str()), (&Why::Sampled(reason), "HASH{parent} → HASH{child}"));
    assert_eq!((leak.scalars.per_unit, leak.scalars_per_call, leak.instances), (4.0, Some(4.0), 29));
    // 240 bytes of blocks, and four bodies of 40 bytes.
    assert!((leak.bytes.per_unit - 400.0).abs() < 1e-6, "{}", leak.bytes.per_unit);
    assert_eq!(found.once, []);
}

#[test]
fn without_marks_growth_is_by_time_and_by_call() {
    let mut program = Program::new();
    program.has_marks = false;
    two_hashes(&mut program);
    let (_, found) = program.leaks(|_, mark| (240 * mark, 4 * mark));
    assert_eq!(found.axis.unit, Unit::Seconds);
    assert_eq!((found.leaks.len(), found.leaks[0].scalars_per_call), (1, Some(4.0)));
}

#[test]
fn a_closure_over_itself_names_the_line_of_the_sub_and_the_variable() {
    let mut program = Program::new();
    let name = program.trace.string("$self");
    let place = program.line(13);
    for mark in WINDOW {
        let code = program.listed(ScalarKind::Code, place, mark, 1);
        let pad = program.listed(ScalarKind::Array, place, mark, 1);
        let variable = program.listed(ScalarKind::Reference, place, mark, 1);
        program.scalars[code as usize].variables = vec![(3, name)];
        program.edge(EdgeKind::Variables, code, pad, StrId(0), 1);
        program.edge(EdgeKind::Element, pad, variable, StrId(0), 3);
        program.edge(EdgeKind::Referent, variable, code, StrId(0), 0);
    }
    let (trace, found) = program.leaks(|_, mark| (180 * mark, 3 * mark));
    let [leak] = &found.leaks[..] else { panic!("{found:?}") };
    assert_eq!(line_of(&trace, leak).1, 13);
    assert_eq!(leak.why, Why::Sampled(Reason::Cycle { weakest: "$self".to_owned(), is_captured: true }));
    assert_eq!(leak.path, "CODE captures $self");
}

/// Strings in `%main::CACHE`, put there by a line of a library that line 14 calls.
fn cache(program: &mut Program) {
    let (key, name, slot) =
        (program.trace.string(""), program.trace.string("main::CACHE"), program.trace.string("HASH"));
    let file = program.trace.string("/usr/share/perl5/Cache.pm");
    let sub = program.trace.sub(SubKind::Perl, "Cache", "set", "/usr/share/perl5/Cache.pm", 7);
    let node = program.trace.node(program.handler, sub, program.run, 14);
    let place = program.place(node, file, 8);
    let values: Vec<u32> = WINDOW.map(|mark| program.listed(ScalarKind::Plain, place, mark, 1)).collect();
    let hash = program.holder(HeapScalar { kind: ScalarKind::Hash, references: 1, ..HeapScalar::default() });
    let glob = program.holder(HeapScalar { kind: ScalarKind::Glob, name, references: 1, ..HeapScalar::default() });
    program.edge(EdgeKind::Slot, glob, hash, slot, 0);
    for value in values {
        program.edge(EdgeKind::Value, hash, value, key, 0);
    }
}

#[test]
fn a_cache_names_what_holds_it_and_the_line_of_the_program_that_fills_it() {
    let mut program = Program::new();
    cache(&mut program);
    let (trace, found) = program.leaks(|_, mark| (100 * mark, mark));
    let [leak] = &found.leaks[..] else { panic!("{found:?}") };
    assert_eq!(line_of(&trace, leak), ("run.pl".to_owned(), 14));
    assert_eq!(leak.born.map(|born| born.line), Some(8));
    let reason = Reason::Held { holder: "%main::CACHE".to_owned(), kind: ScalarKind::Hash, is_element: true };
    assert_eq!(leak.why, Why::Sampled(reason));
}

#[test]
fn variables_and_objects_that_hold_are_named() {
    let mut program = Program::new();
    let [queue, app, sub, class] =
        ["queue", "$app", "(main program)", "My::App"].map(|text| program.trace.string(text));
    let place = program.line(18);
    let values: Vec<u32> = WINDOW.map(|mark| program.listed(ScalarKind::Plain, place, mark, 1)).collect();
    let holder = |kind| HeapScalar { kind, references: 1, ..HeapScalar::default() };
    let array = program.holder(holder(ScalarKind::Array));
    let to_array = program.holder(holder(ScalarKind::Reference));
    let object = program.holder(HeapScalar { class, ..holder(ScalarKind::Hash) });
    let variable = program.holder(holder(ScalarKind::Reference));
    let pad = program.holder(holder(ScalarKind::Array));
    let code = program.holder(HeapScalar { name: sub, variables: vec![(7, app)], ..holder(ScalarKind::Code) });
    values.iter().for_each(|&value| program.edge(EdgeKind::Element, array, value, StrId(0), 0));
    program.edge(EdgeKind::Referent, to_array, array, StrId(0), 0);
    program.edge(EdgeKind::Value, object, to_array, queue, 0);
    program.edge(EdgeKind::Referent, variable, object, StrId(0), 0);
    program.edge(EdgeKind::Element, pad, variable, StrId(0), 7);
    program.edge(EdgeKind::Variables, code, pad, StrId(0), 1);
    let (_, found) = program.leaks(|_, mark| (100 * mark, mark));
    let holder = "my $app->{queue} of the main program (in a My::App object)".to_owned();
    let reason = Reason::Held { holder, kind: ScalarKind::Array, is_element: true };
    assert_eq!(found.leaks.iter().map(|leak| leak.why.clone()).collect::<Vec<_>>(), [Why::Sampled(reason)]);
}

#[test]
fn the_newest_entries_of_a_bounded_cache_are_no_leak() {
    let mut program = Program::new();
    cache(&mut program);
    let (_, found) = program.leaks(|_, mark| (100 * mark.min(10), mark.min(10)));
    assert_eq!((found.verdict, found.leaks.len(), found.once.len()), (Verdict::Told, 0, 0));
}

#[test]
fn a_string_that_grows_is_a_leak_of_bytes_and_is_named() {
    let mut program = Program::new();
    let place = program.line(15);
    let (name, slot) = (program.trace.string("main::log"), program.trace.string("SCALAR"));
    let text =
        program.holder(HeapScalar { buffer_place: Some(place), buffer_bytes: 9, references: 1, ..Default::default() });
    let glob = program.holder(HeapScalar { kind: ScalarKind::Glob, name, references: 1, ..HeapScalar::default() });
    program.edge(EdgeKind::Slot, glob, text, slot, 0);
    // perl makes a text that does not fit a quarter longer.
    let size = |mark: u64| 1.25f64.powf(((mark * 1000) as f64).log(1.25).ceil()) as u64;
    let (trace, found) = program.leaks(|_, mark| (size(mark), 0));
    let [leak] = &found.leaks[..] else { panic!("{found:?}") };
    assert_eq!(line_of(&trace, leak).1, 15);
    assert_eq!(leak.why, Why::Blocks { buffer_of: "$main::log".to_owned() });
}

#[test]
fn what_grew_once_is_told_apart() {
    let mut program = Program::new();
    program.line(16);
    let (_, found) = program.leaks(|_, mark| (if mark > 20 { 1 << 20 } else { 0 }, 0));
    assert_eq!((found.leaks.len(), found.once.len()), (0, 1));
}

#[test]
fn growth_without_a_sample_is_told_without_a_reason() {
    let mut program = Program::new();
    program.line(17);
    let (_, found) = program.leaks(|_, mark| (200 * mark, 2 * mark));
    assert_eq!((found.leaks.len(), &found.leaks[0].why), (1, &Why::NotSampled));
}

#[test]
fn a_trace_without_history_tells_nothing() {
    let trace = Synthetic::new(Header::default()).read().unwrap();
    assert_eq!(Leaks::new(&trace), Leaks::default());
}

proptest! {
    /// Against a model that takes away, again and again, whatever has a reference from outside.
    #[test]
    fn what_is_called_unreachable_is_unreachable(
        count in 1..12u32,
        pairs in prop::collection::vec((0..12u32, 0..12u32), 0..30),
        outside in prop::collection::vec(0..12u32, 0..4),
    ) {
        let edges: Vec<HeapEdge> = pairs
            .into_iter()
            .map(|(from, to)| HeapEdge { from: from % count, to: to % count, ..HeapEdge::default() })
            .collect();
        let references = |at: u32| {
            let inside = edges.iter().filter(|edge| edge.to == at).count();
            (inside + outside.iter().filter(|&&held| held % count == at).count()) as u32
        };
        let scalars = (0..count).map(|at| HeapScalar { references: references(at), ..HeapScalar::default() }).collect();
        let begins = HeapBegins { listed: count, ..HeapBegins::default() };
        let sample = Sample { begins, scalars, edges: edges.clone(), ..Sample::default() };

        let mut unreachable: Vec<bool> = vec![true; count as usize];
        while let Some(held) = (0..count).find(|&at| {
            let inside = edges.iter().filter(|edge| edge.to == at && unreachable[edge.from as usize]).count();
            unreachable[at as usize] && references(at) as usize > inside
        }) {
            unreachable[held as usize] = false;
        }
        let graph = Graph::new(&sample);
        let nearest = graph.nearest(&graph.entries());
        let found: Vec<bool> = nearest.iter().map(Option::is_none).collect();
        prop_assert_eq!(&found, &unreachable);

        let mut reaches = vec![vec![false; count as usize]; count as usize];
        edges.iter().for_each(|edge| reaches[edge.from as usize][edge.to as usize] = true);
        for by in 0..count as usize {
            for from in 0..count as usize {
                for to in 0..count as usize {
                    reaches[from][to] |= reaches[from][by] && reaches[by][to];
                }
            }
        }
        let on_cycle: Vec<u32> = (0..count).filter(|&at| reaches[at as usize][at as usize]).collect();
        let components = components(&graph, |_| true);
        let mut members: Vec<u32> = components.iter().flatten().copied().collect();
        members.sort_unstable();
        prop_assert_eq!(members, on_cycle);
        for component in &components {
            prop_assert!(component.iter().all(|&a| component.iter().all(|&b| reaches[a as usize][b as usize])));
        }
    }
}
