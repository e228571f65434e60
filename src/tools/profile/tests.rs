//! What a profile promises: sums that agree with one another, whoever called whom.

use super::*;
use crate::format::ids::{PlaceId, StrId};
use crate::format::records::*;
use crate::tools::synthetic::Synthetic;
use proptest::prelude::*;

fn allocated(id: PlaceId, allocated_bytes: u64) -> PlaceFigures {
    PlaceFigures { id, allocated_bytes, live_bytes: allocated_bytes / 2, ..PlaceFigures::default() }
}

/// A chain main ─► a ─► b ─► a ─► b, each of them allocating 1, 10, 100, 1000, 10000 bytes on a line of its sub.
fn recursive() -> Profile {
    let mut trace = Synthetic::new(Header::default());
    let file = trace.string("run.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let a = trace.sub(SubKind::Perl, "P", "a", "run.pl", 10);
    let b = trace.sub(SubKind::Perl, "Q", "b", "run.pl", 20);
    let mut node = trace.root(main);
    let mut figures = Vec::new();
    let mut calls = vec![NodeFigures { id: node, calls: 1, ..Default::default() }];
    for (bytes, sub, line, call_line) in
        [(1, main, 1, 0), (10, a, 10, 1), (100, b, 20, 11), (1000, a, 10, 21), (10000, b, 20, 11)]
    {
        if sub != main {
            node = trace.node(node, sub, file, call_line);
            calls.push(NodeFigures { id: node, calls: 2, freed_bytes: bytes / 10, ..Default::default() });
        }
        let place = trace.place(node, file, line);
        figures.push(allocated(place, bytes));
    }
    trace.figures(calls, figures);
    trace.snapshot(1, Cause::Exit, Totals { allocated_bytes: 11_200, ..Totals::default() });
    Profile::new(trace.read().unwrap())
}

fn sub<'a>(profile: &'a Profile, name: &str) -> &'a SubRow {
    profile.subs.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn inclusive_figures_of_a_recursive_sub_count_what_is_below_it_once() {
    let profile = recursive();
    for (name, calls, own, inclusive) in
        [("(main program)", 1, 1, 11_111), ("P::a", 4, 1010, 11_110), ("Q::b", 4, 10_100, 11_100)]
    {
        let row = sub(&profile, name);
        let measures = (row.own.calls, row.own.allocated_bytes, row.inclusive.allocated_bytes);
        assert_eq!(measures, (calls, own, inclusive), "{name}");
    }
    assert_eq!(sub(&profile, "Q::b").own.net_bytes(), 10_100 - 1010);
}

#[test]
fn inclusive_figures_of_a_line_count_what_it_calls_once() {
    let profile = recursive();
    let line = |line| profile.lines().iter().find(|row| row.line == line).unwrap();
    for (number, calls, own, inclusive) in
        [(1, 2, 1, 11_111), (10, 0, 1010, 1010), (11, 4, 0, 11_100), (21, 2, 0, 11_000)]
    {
        let row = line(number);
        let measures = (row.calls, row.own.allocated_bytes, row.inclusive.allocated_bytes);
        assert_eq!(measures, (calls, own, inclusive), "line {number}");
    }
    assert_eq!((&*line(20).sub, line(20).subs), ("Q::b", 1));
}

#[test]
fn a_line_below_its_own_call_counts_once() {
    let mut trace = Synthetic::new(Header::default());
    let file = trace.string("run.pl");
    let f = trace.sub(SubKind::Perl, "P", "f", "run.pl", 1);
    let root = trace.root(f);
    let called = trace.node(root, f, file, 5);
    let places = [(root, 7), (called, 30)].map(|(node, bytes)| (trace.place(node, file, 5), bytes));
    trace.figures(vec![], places.iter().map(|&(place, bytes)| allocated(place, bytes)).collect());
    trace.snapshot(1, Cause::Exit, Totals::default());
    let profile = Profile::new(trace.read().unwrap());
    assert_eq!(profile.lines().len(), 1);
    assert_eq!((profile.lines()[0].own.allocated_bytes, profile.lines()[0].inclusive.allocated_bytes), (37, 37));
}

#[test]
fn what_no_place_accounts_for_is_told() {
    assert_eq!(recursive().unplaced_allocated_bytes, 11_200 - 11_111);
}

#[test]
fn a_forked_child_counts_from_the_fork_and_shows_what_it_inherited_apart() {
    let mut trace = Synthetic::new(Header { parent_trace: Some(b"mprof.bin".to_vec()), ..Header::default() });
    let file = trace.string("run.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let root = trace.root(main);
    let (old, new) = (trace.place(root, file, 1), trace.place(root, file, 2));
    let figures = |id, allocated_bytes, live_bytes, scalars_born| PlaceFigures {
        id,
        allocated_bytes,
        live_bytes,
        live_blocks: live_bytes / 10,
        scalars_born,
        ..PlaceFigures::default()
    };
    let calls = |calls, freed_bytes, resident_pages| {
        vec![NodeFigures { id: root, calls, freed_bytes, resident_pages, ..NodeFigures::default() }]
    };
    let totals = |allocated_bytes, freed_bytes, live_bytes| Totals {
        allocated_bytes,
        freed_bytes,
        live_bytes,
        peak_bytes: 900,
        ..Totals::default()
    };
    trace.figures(calls(5, 300, 8), vec![figures(old, 1000, 700, 40)]);
    trace.snapshot(0, Cause::Base, totals(1000, 300, 700));
    trace.figures(calls(6, 500, 7), vec![figures(old, 1200, 600, 45), figures(new, 50, 50, 2)]);
    trace.snapshot(9, Cause::Exit, totals(1250, 500, 650));
    trace.end(9, Cause::Exit);

    let profile = Profile::new(trace.read().unwrap());
    assert!(profile.is_child() && profile.warnings.is_empty());
    let row = sub(&profile, "(main program)").own;
    assert_eq!((row.calls, row.allocated_bytes, row.freed_bytes, row.net_bytes()), (1, 250, 200, 50));
    assert_eq!((row.live_bytes, row.live_blocks), (650, 65));
    assert_eq!((row.base_live_bytes, row.base_live_blocks), (700, 70));
    assert_eq!((row.scalars_born, row.resident_pages), (7, -1));
    let totals = profile.totals;
    assert_eq!((totals.allocated_bytes, totals.freed_bytes), (250, 200));
    assert_eq!((totals.live_bytes, totals.peak_bytes), (650, 900));
}

#[test]
fn loading_a_module_is_inclusive_and_its_own_code_is_its_own() {
    let mut trace = Synthetic::new(Header::default());
    let main = trace.sub(SubKind::Main, "", "", "", 0);
    let [foo, bar] = ["Foo.pm", "Foo/Bar.pm"].map(|file| trace.sub(SubKind::Require, "", file, file, 0));
    let import = trace.sub(SubKind::Perl, "Foo::Bar", "import", "Foo/Bar.pm", 3);
    let root = trace.root(main);
    let in_foo = trace.node(root, foo, StrId(0), 1);
    let in_bar = trace.node(in_foo, bar, StrId(0), 2);
    let importing = trace.node(in_foo, import, StrId(0), 2);
    let places = [(root, 1), (in_foo, 10), (in_bar, 100), (importing, 1000)];
    let places: Vec<_> = places.iter().map(|&(node, bytes)| allocated(trace.place(node, StrId(0), 0), bytes)).collect();
    trace.figures(vec![], places);
    trace.snapshot(1, Cause::Exit, Totals::default());
    let profile = Profile::new(trace.read().unwrap());
    let modules = profile.modules();
    let rows: Vec<_> = modules
        .iter()
        .map(|row| (row.module.as_str(), row.subs, row.own.allocated_bytes, row.load.allocated_bytes))
        .collect();
    assert_eq!(rows, [("Foo", 0, 10, 1110), ("Foo::Bar", 1, 1100, 100), ("main", 1, 1, 0)]);
}

#[test]
fn a_tree_of_a_million_levels_overflows_no_stack() {
    let mut trace = Trace { strings: vec![vec![]], ..Trace::default() };
    trace.subs = vec![Sub::default()];
    let node = |id: u32| Node { parent: NodeId(id.saturating_sub(1)), ..Node::default() };
    trace.nodes = (0..1_000_000).map(node).collect();
    trace.figures.nodes = vec![NodeFigures { calls: 1, ..NodeFigures::default() }; 1_000_000];
    let profile = Profile::new(trace);
    assert_eq!(profile.tree.inclusive(NodeId(0)).calls, 1_000_000);
}

prop_compose! {
    /// Parents, subs, and bytes of nodes; each parent is of a lower id.
    fn nodes()(nodes in prop::collection::vec((any::<prop::sample::Index>(), 0..5u32, 0..1000u64), 1..60))
        -> Vec<(u32, u32, u64)>
    {
        let parent = |at: usize, index: &prop::sample::Index| index.index(at + 1) as u32;
        nodes.iter().enumerate().map(|(at, (index, sub, bytes))| (parent(at, index), *sub, *bytes)).collect()
    }
}

fn random(nodes: &[(u32, u32, u64)]) -> Profile {
    let mut trace = Synthetic::new(Header::default());
    let file = trace.string("run.pl");
    let subs: Vec<_> = (0..5).map(|n| trace.sub(SubKind::Perl, "P", &format!("s{n}"), "run.pl", n)).collect();
    let mut figures = Vec::new();
    for &(parent, sub, bytes) in nodes {
        let node = trace.node(NodeId(parent), subs[sub as usize], file, sub);
        figures.push(allocated(trace.place(node, file, 100 + sub), bytes));
        figures.push(allocated(trace.place(node, StrId(0), 0), bytes / 3));
    }
    trace.figures(vec![], figures);
    trace.snapshot(1, Cause::Exit, Totals::default());
    Profile::new(trace.read().unwrap())
}

proptest! {
    #[test]
    fn inclusive_is_self_and_children_at_every_node(nodes in nodes()) {
        let profile = random(&nodes);
        for id in (0..).map(NodeId).take(nodes.len()) {
            let mut sum = profile.own(id);
            profile.tree.children(id).iter().for_each(|&child| sum.add(&profile.tree.inclusive(child)));
            prop_assert_eq!(sum, profile.tree.inclusive(id));
        }
    }

    #[test]
    fn every_table_sums_up_to_the_whole(nodes in nodes()) {
        let profile = random(&nodes);
        let sum = |measures: &mut dyn Iterator<Item = Measures>| {
            measures.fold(Measures::default(), |mut sum, more| { sum.add(&more); sum })
        };
        prop_assert_eq!(sum(&mut profile.subs.iter().map(|row| row.own)), profile.all);
        prop_assert_eq!(sum(&mut profile.lines().iter().map(|row| row.own)), profile.all);
        prop_assert_eq!(sum(&mut profile.files().iter().map(|row| row.own)), profile.all);
        prop_assert_eq!(sum(&mut profile.modules().iter().map(|row| row.own)), profile.all);
    }

    #[test]
    fn inclusive_lies_between_self_and_the_whole(nodes in nodes()) {
        let profile = random(&nodes);
        for row in &profile.subs {
            prop_assert!(row.own.allocated_bytes <= row.inclusive.allocated_bytes);
            prop_assert!(row.inclusive.allocated_bytes <= profile.all.allocated_bytes);
        }
        for row in profile.lines() {
            prop_assert!(row.own.allocated_bytes <= row.inclusive.allocated_bytes);
            prop_assert!(row.inclusive.allocated_bytes <= profile.all.allocated_bytes);
        }
    }

    #[test]
    fn the_lines_with_most_are_those_that_sorting_all_lines_brings_first(nodes in nodes(), most in 0..9usize) {
        let profile = random(&nodes);
        let figures: [LineFigure; 2] = [|own| own.allocated_bytes, |own| own.live_bytes];
        let top = profile.lines_with_most(&figures, most);
        prop_assert_eq!(top.len(), 2);
        for (figure, top) in figures.into_iter().zip(top) {
            let mut all: Vec<&LineRow> = profile.lines().iter().filter(|row| !row.is_pools && figure(&row.own) > 0).collect();
            prop_assert_eq!(top.rows_in_all, all.len());
            all.sort_by_key(|row| std::cmp::Reverse(figure(&row.own)));
            prop_assert_eq!(top.rows.iter().collect::<Vec<_>>(), all.into_iter().take(most).collect::<Vec<_>>());
        }
    }
}
