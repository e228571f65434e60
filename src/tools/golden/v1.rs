//! The golden trace of version 1: a small program with every kind of sub.

use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::*;
use crate::tools::synthetic::Synthetic;

fn header() -> Header {
    let option = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Header {
        mprof_version: "0.01".to_owned(),
        perl_version: "v5.36.0".to_owned(),
        perl_archname: "x86_64-linux-gnu-thread-multi".to_owned(),
        perl_threaded: true,
        pid: 4242,
        parent_pid: 4000,
        parent_trace: None,
        command_line: ["perl", "-d:MProf", "run.pl", "--name", "a b"].map(|word| word.as_bytes().to_vec()).to_vec(),
        cwd: b"/home/me/work".to_vec(),
        hostname: "box".to_owned(),
        start_unix_ns: 1_795_554_018_000_000_000,
        options: vec![option("interval", "1"), option("hook", "op"), option("statm", "auto")],
        page_size_bytes: 4096,
        start_size_pages: 5000,
        start_resident_pages: 1500,
        start_scalars: 12_000,
    }
}

fn node(id: NodeId, calls: u64, freed_bytes: u64) -> NodeFigures {
    NodeFigures { id, calls, freed_bytes, freed_blocks: freed_bytes / 100, size_pages: 3, resident_pages: 2 }
}

fn place(id: PlaceId, allocated_bytes: u64, live_bytes: u64, peak_number: u64) -> PlaceFigures {
    PlaceFigures {
        id,
        allocated_bytes,
        allocated_blocks: allocated_bytes / 100,
        live_bytes,
        live_blocks: live_bytes / 100,
        at_peak_bytes: live_bytes + 100,
        at_peak_blocks: live_bytes / 100 + 1,
        peak_number,
        scalars_born: allocated_bytes / 50,
        scalars_died: (allocated_bytes - live_bytes) / 50,
    }
}

fn totals(live_bytes: u64) -> Totals {
    Totals {
        allocated_bytes: 20 * live_bytes,
        allocated_blocks: live_bytes / 10,
        freed_bytes: 19 * live_bytes,
        freed_blocks: live_bytes / 12,
        older_freed_bytes: 4096,
        older_freed_blocks: 7,
        live_bytes,
        live_blocks: live_bytes / 60,
        peak_bytes: 3 * live_bytes,
        peak_blocks: live_bytes / 20,
        peak_number: 9,
        peak_time_ns: 1_250_000_000,
        mapped_bytes: 1 << 20,
        unmapped_bytes: 1 << 19,
        scalars_born: 50_000,
        scalars_died: 40_000,
        older_scalars_died: 12,
        scalars: 22_000,
        size_pages: 6000,
        resident_pages: 2500,
        peak_resident_bytes: 12 << 20,
        statm_reads: 321,
        profiler_bytes: 400_000,
        profiler_peak_bytes: 500_000,
        depth_capped_calls: 3,
        missed_events: 1,
    }
}

fn point(time_ns: u64, live_bytes: u64) -> TimePoint {
    TimePoint { time_ns, live_bytes, scalars: 12_000 + live_bytes / 100, size_pages: 5000, resident_pages: 2000 }
}

/// A program with all that a trace can hold: recursion, XSUBs, evals, a module that loads another, pools, a thread, and
/// names that no one should see raw.
pub(super) fn trace() -> Synthetic {
    let mut trace = Synthetic::new(header());
    let run = trace.string("run.pl");
    let foo = trace.string("lib/Foo.pm");
    let odd = trace.string(b"/srv/caf\xe9/evil\x1b[31m\n.pl");
    let subs = [
        trace.sub(SubKind::Main, "", "", "run.pl", 0),
        trace.sub(SubKind::Require, "", "Foo.pm", "lib/Foo.pm", 0),
        trace.sub(SubKind::Require, "", "Foo/Bar.pm", "lib/Foo/Bar.pm", 0),
        trace.sub(SubKind::Perl, "Foo", "new", "lib/Foo.pm", 10),
        trace.sub(SubKind::Perl, "Foo", "walk", "lib/Foo.pm", 20),
        trace.sub(SubKind::Perl, "Foo", "visit", "lib/Foo.pm", 30),
        trace.sub(SubKind::Xsub, "List::Util", "first", "", 0),
        trace.sub(SubKind::Eval, "", "(eval)[run.pl:9]", "run.pl", 9),
        trace.sub(SubKind::Perl, "main", "__ANON__[run.pl:12]", "run.pl", 12),
        trace.sub(SubKind::Perl, "Evil", "\u{1b}[31mred\u{202e}", "run.pl", 40),
        trace.sub(SubKind::Thread, "", "(thread 1)", "", 0),
        trace.sub(SubKind::Pools, "", "", "", 0),
    ];
    let [main, load_foo, load_bar, new, walk, visit, first, eval, anon, evil, thread, pools] = subs;
    let root = trace.root(main);
    let in_foo = trace.node(root, load_foo, run, 1);
    let in_bar = trace.node(in_foo, load_bar, foo, 2);
    let in_new = trace.node(root, new, run, 5);
    let in_walk = trace.node(root, walk, run, 6);
    let in_visit = trace.node(in_walk, visit, foo, 22);
    let again = trace.node(in_visit, walk, foo, 31);
    let in_visit_again = trace.node(again, visit, foo, 22);
    let in_first = trace.node(in_visit, first, foo, 32);
    let in_eval = trace.node(root, eval, run, 9);
    let in_anon = trace.node(in_eval, anon, run, 9);
    let in_evil = trace.node(root, evil, odd, 7);
    let in_thread = trace.root(thread);
    let in_pools = trace.root(pools);
    let nodes = [
        root,
        in_foo,
        in_bar,
        in_new,
        in_walk,
        in_visit,
        again,
        in_visit_again,
        in_first,
        in_eval,
        in_anon,
        in_evil,
        in_thread,
    ];
    let places = [
        trace.place(root, run, 5),
        trace.place(in_foo, foo, 2),
        trace.place(in_bar, foo, 3),
        trace.place(in_new, foo, 11),
        trace.place(in_walk, foo, 22),
        trace.place(in_visit, foo, 31),
        trace.place(again, foo, 22),
        trace.place(in_visit_again, foo, 31),
        trace.place(in_first, foo, 32),
        trace.place(in_eval, run, 9),
        trace.place(in_anon, run, 12),
        trace.place(in_evil, odd, 7),
        trace.place(in_thread, run, 50),
        trace.place(in_pools, Default::default(), 0),
        trace.place(in_new, Default::default(), 0),
    ];
    trace.figures(vec![node(root, 1, 0)], vec![place(places[0], 500, 500, 1)]);
    trace.full_snapshot(Snapshot {
        number: 0,
        time_ns: 1_000_000_000,
        cause: Cause::Interval,
        totals: totals(5_000),
        threads: vec![ThreadFigures { tid: 4242, runs_perl: true, allocated_bytes: 9, ..Default::default() }],
        timeline: vec![point(0, 0), point(500_000_000, 5_000)],
    });
    let figures = |(at, id): (u64, NodeId)| node(id, 1 + at * at, at * 900);
    let nodes = (0..).zip(nodes).map(figures).collect();
    let figures = |(at, id): (u64, PlaceId)| place(id, 1000 << at, 100 << at, 7 + at % 3);
    let places = (0..).zip(places).map(figures).collect();
    trace.figures(nodes, places);
    trace.full_snapshot(Snapshot {
        number: 1,
        time_ns: 2_345_678_901,
        cause: Cause::Exit,
        totals: totals(3_300_000),
        threads: vec![
            ThreadFigures { tid: 4242, runs_perl: true, allocated_bytes: 60_000_000, ..Default::default() },
            ThreadFigures { tid: 4243, runs_perl: false, allocated_bytes: 6_000_000, ..Default::default() },
        ],
        timeline: vec![point(1_250_000_000, 9_900_000), point(2_345_678_901, 3_300_000)],
    });
    trace.end(2_345_678_901, Cause::Exit);
    trace
}
