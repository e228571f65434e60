//! What a merge promises: sums to the last unit, nothing twice, a trace that every report reads.

use super::*;
use crate::format::records::{SubKind, TimePoint};
use crate::tools::profile::{Measures, Profile};
use crate::tools::reader::read;
use crate::tools::synthetic::Synthetic;
use proptest::prelude::*;
use std::path::Path;

/// A place's figures: allocated, live, at peak.
type Row = (u32, u64, u64, u64);

/// What a process did: its name for `main::f`'s file, and figures of places on lines, at the fork and at the end.
struct Process {
    pid: u32,
    parent: Option<u32>,
    base: Option<Vec<Row>>,
    end: Vec<Row>,
    new_peak: bool,
}

fn trace_of(process: &Process) -> Trace {
    let parent_trace = process.parent.map(|pid| format!("/t/m.bin.{pid}").into_bytes());
    let mut trace = Synthetic::new(Header {
        pid: process.pid,
        parent_pid: process.parent.unwrap_or(1),
        parent_trace,
        start_unix_ns: 1_000 + u64::from(process.pid),
        page_size_bytes: 4096,
        start_scalars: 50,
        ..Header::default()
    });
    // Ids differ from trace to trace.
    for n in 0..process.pid {
        trace.string(format!("only here {n}"));
    }
    let file = trace.string("run.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let f = trace.sub(SubKind::Perl, "main", "f", "run.pl", 5);
    let root = trace.root(main);
    let called = trace.node(root, f, file, 3);
    let mut places = BTreeMap::new();
    let mut put = |trace: &mut Synthetic, rows: &[Row]| {
        let mut sum = (0, 0, 0);
        let mut figures = Vec::new();
        for &(line, allocated_bytes, live_bytes, at_peak_bytes) in rows {
            let node = if line % 2 == 0 { root } else { called };
            let id = *places.entry(line).or_insert_with(|| trace.place(node, file, line));
            figures.push(PlaceFigures {
                id,
                allocated_bytes,
                allocated_blocks: 3 * allocated_bytes,
                live_bytes,
                live_blocks: 3 * live_bytes,
                at_peak_bytes,
                at_peak_blocks: 3 * at_peak_bytes,
                scalars_born: allocated_bytes / 5,
                scalars_died: (allocated_bytes - live_bytes) / 5,
                ..PlaceFigures::default()
            });
            sum = (sum.0 + allocated_bytes, sum.1 + live_bytes, sum.2 + at_peak_bytes);
        }
        let blocks = |of: fn(&PlaceFigures) -> u64| figures.iter().map(of).sum::<u64>();
        let totals = Totals {
            allocated_bytes: sum.0,
            live_bytes: sum.1,
            freed_bytes: sum.0 - sum.1,
            allocated_blocks: blocks(|row| row.allocated_blocks),
            live_blocks: blocks(|row| row.live_blocks),
            freed_blocks: blocks(|row| row.allocated_blocks) - blocks(|row| row.live_blocks),
            peak_bytes: sum.2,
            peak_blocks: blocks(|row| row.at_peak_blocks),
            scalars: 50 + sum.1 / 5,
            ..Totals::default()
        };
        let freed = totals.freed_bytes;
        let nodes = [(root, freed / 3), (called, freed - freed / 3)].map(|(id, freed_bytes)| NodeFigures {
            id,
            calls: freed_bytes % 7,
            freed_bytes,
            freed_blocks: if id == root { totals.freed_blocks } else { 0 },
            ..NodeFigures::default()
        });
        trace.figures(nodes.to_vec(), figures);
        totals
    };
    if let Some(base) = &process.base {
        let totals = put(&mut trace, base);
        trace.snapshot(0, Cause::Base, Totals { peak_number: 1, ..totals });
    }
    let totals = put(&mut trace, &process.end);
    let peak_number = if process.new_peak { 2 } else { 1 };
    trace.snapshot(100, Cause::Exit, Totals { peak_number, ..totals });
    trace.end(100, Cause::Exit);
    let mut trace = trace.read().unwrap();
    trace.path = format!("/t/m.bin.{}", process.pid).into();
    trace
}

fn merged(processes: &[Process]) -> Trace {
    let mut merger = Merger::default();
    for process in processes {
        merger.add(&trace_of(process)).unwrap();
    }
    merger.finish("merged".into())
}

fn parent() -> Process {
    Process { pid: 7, parent: None, base: None, end: vec![(2, 1000, 600, 700), (5, 300, 0, 100)], new_peak: true }
}

/// Inherits 500 and 100, frees 200 of the one, allocates 50 at the other and 90 of its own.
fn child() -> Process {
    Process {
        pid: 8,
        parent: Some(7),
        base: Some(vec![(2, 900, 500, 500), (5, 300, 100, 100)]),
        end: vec![(2, 900, 300, 450), (5, 350, 150, 140), (9, 90, 90, 95)],
        new_peak: true,
    }
}

fn adds_up(trace: Trace) -> Profile {
    let profile = Profile::new(trace);
    let Totals { allocated_bytes, freed_bytes, live_bytes, allocated_blocks, freed_blocks, live_blocks, .. } =
        profile.totals;
    assert_eq!(live_bytes, allocated_bytes - freed_bytes);
    assert_eq!(live_blocks, allocated_blocks - freed_blocks);
    let all = profile.all;
    assert_eq!((all.allocated_bytes, all.freed_bytes, all.live_bytes), (allocated_bytes, freed_bytes, live_bytes));
    assert_eq!(
        (all.allocated_blocks, all.freed_blocks, all.live_blocks),
        (allocated_blocks, freed_blocks, live_blocks)
    );
    assert_eq!((all.at_peak_bytes, all.at_peak_blocks), (profile.totals.peak_bytes, profile.totals.peak_blocks));
    profile
}

#[test]
fn a_child_adds_what_it_did_itself() {
    let profile = adds_up(merged(&[parent(), child()]));
    let line = |number: u32| profile.lines().iter().find(|row| row.line == number).unwrap().own;
    let figures = |own: Measures| (own.allocated_bytes, own.live_bytes, own.at_peak_bytes);
    assert_eq!(figures(line(2)), (1000, 600, 700), "the child only freed there");
    assert_eq!(figures(line(5)), (350, 50, 140));
    assert_eq!(figures(line(9)), (90, 90, 95));
    let totals = profile.totals;
    assert_eq!((totals.allocated_bytes, totals.live_bytes, totals.peak_bytes), (1440, 740, 935));
    assert_eq!(totals.older_freed_bytes, 200, "what the child freed of its inheritance is older than itself");
    assert_eq!(profile.subs.len(), 2);
    let members = members(&profile.trace.header);
    assert_eq!(
        members.iter().map(|member| (member.run, member.child_of_member)).collect::<Vec<_>>(),
        [(1, false), (1, true)]
    );
    assert_eq!(members.iter().map(|member| member.live_bytes).sum::<u64>(), totals.live_bytes);
    assert_eq!(profile.warnings[0], Warning::Merged { traces: 2, runs: 1 });
    assert_eq!(profile.warnings.len(), 1, "{:?}", profile.warnings);
}

#[test]
fn the_order_of_traces_does_not_matter() {
    let figures = |trace: Trace| {
        let profile = adds_up(trace);
        let lines: Vec<_> = profile.lines().iter().map(|row| (row.line, row.own)).collect();
        let mut lines = lines;
        lines.sort_by_key(|row| row.0);
        (lines, profile.totals)
    };
    assert_eq!(figures(merged(&[parent(), child()])), figures(merged(&[child(), parent()])));
}

#[test]
fn a_child_that_was_never_bigger_than_at_the_fork_adds_what_it_holds_to_the_peak() {
    let child = Process { new_peak: false, ..child() };
    let profile = adds_up(merged(&[parent(), child]));
    assert_eq!(profile.totals.peak_bytes, 800 + 50 + 90);
}

#[test]
fn a_merge_is_written_and_read_and_merged_again() {
    let once = merged(&[parent(), child()]);
    let mut bytes = Vec::new();
    write(&once, &mut bytes).unwrap();
    let again = read(Path::new("merged"), bytes.as_slice()).unwrap();
    assert_eq!(again.warnings, []);
    let figures =
        |trace: &Trace| (trace.figures.clone(), trace.header.clone(), trace.last_totals(), trace.timeline.clone());
    assert_eq!(figures(&again), figures(&once));

    let other = Process { pid: 20, ..parent() };
    let mut merger = Merger::default();
    for trace in [&again, &trace_of(&other)] {
        merger.add(trace).unwrap();
    }
    let profile = adds_up(merger.finish("all".into()));
    assert_eq!(profile.totals.live_bytes, 740 + 600);
    assert_eq!(members(&profile.trace.header).iter().map(|member| member.run).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn what_does_not_fit_together_is_told() {
    let mut traces = [trace_of(&parent()), trace_of(&child()), trace_of(&parent())];
    traces[1].header.mprof_version = "0.02".to_owned();
    traces[1].header.parent_pid = 999;
    traces[1].header.parent_trace = Some(b"/elsewhere".to_vec());
    traces[1].warnings.push(Warning::NoSnapshot);
    let mut merger = Merger::default();
    traces.iter().for_each(|trace| merger.add(trace).unwrap());
    let profile = Profile::new(merger.finish("all".into()));
    let texts: Vec<String> = profile.warnings.iter().map(ToString::to_string).collect();
    for expected in [
        "of 3 runs",
        "different versions of Devel::MProf: , 0.02",
        "counted twice",
        "is not here",
        "m.bin.8: the trace holds no",
    ] {
        assert!(texts.iter().any(|text| text.contains(expected)), "{expected}: {texts:?}");
    }
}

#[test]
fn pages_of_two_sizes_are_brought_to_the_smaller() {
    for order in [[4096u32, 65536], [65536, 4096]] {
        let mut merger = Merger::default();
        for page_size_bytes in order {
            let mut trace = Trace { strings: vec![vec![]], ..Trace::default() };
            trace.header = Header { page_size_bytes, start_size_pages: 1, ..Header::default() };
            trace.timeline.push(TimePoint { resident_pages: 3, ..TimePoint::default() });
            let totals = Totals { resident_pages: 2, ..Totals::default() };
            trace.snapshots.push(SnapshotTotals { time_ns: 0, cause: Cause::Exit, totals, marks: 0 });
            merger.add(&trace).unwrap();
        }
        let trace = merger.finish("all".into());
        assert_eq!(trace.header.page_size_bytes, 4096);
        let pages =
            (trace.header.start_size_pages, trace.last_totals().resident_pages, trace.timeline[0].resident_pages);
        assert_eq!(pages, (17, 34, 51));
    }
}

prop_compose! {
    /// Places that a process may have: what was allocated at the fork and after it, and how much of it is left.
    fn rows()(rows in prop::collection::vec((0..500u64, 0..500u64, 0..=100u64, 0..=100u64), 1..8)) -> (Vec<Row>, Vec<Row>) {
        let mut both = (Vec::new(), Vec::new());
        for (line, (before, after, kept, left)) in (2..).zip(rows) {
            let (inherited, live) = (before * kept / 100, (before * kept / 100 + after) * left / 100);
            both.0.push((line, before, inherited, inherited));
            both.1.push((line, before + after, live, live + 3));
        }
        both
    }
}

proptest! {
    #[test]
    fn whatever_children_do_it_adds_up(children in prop::collection::vec(rows(), 0..4), parent in rows()) {
        let mut processes = vec![Process { pid: 7, parent: None, base: None, end: parent.1, new_peak: true }];
        for (pid, (base, end)) in (8..).zip(children) {
            processes.push(Process { pid, parent: Some(7), base: Some(base), end, new_peak: pid % 2 == 0 });
        }
        adds_up(merged(&processes));
    }
}
