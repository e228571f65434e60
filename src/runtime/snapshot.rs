//! The recorder's state as records: what is new in the tables, what has changed in the figures.

use super::interp::Interp;
use super::recorder::Recorder;
use super::{heap_sample, own_memory, statm, thread};
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::{Cause, Figures, Nodes, Places, Snapshot, Strings, Subs, ThreadFigures, Totals};
use crate::format::Record;
use rustc_hash::FxHashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Strings, subs or figures that go into one chunk at most: what waits for the writer stays small.
const RECORDS_A_CHUNK: usize = 1 << 11;

/// Nodes or places that go into one, which are a fourth of the size of figures: the more of them, the better they compress. Coded, so
/// many take less than 64 KiB; zstd's memory grows with more.
const PATHS_A_CHUNK: usize = 3 << 12;

/// Records that are written ahead of a snapshot at a time: the program waits for these.
const RECORDS_AHEAD: usize = 1 << 15;

/// Has anything changed since the last snapshot?
pub fn is_due(recorder: &mut Recorder) -> bool {
    recorder.settle_hot();
    let is_begun = !recorder.trace.ahead_took.is_zero();
    is_begun || recorder.tree.has_changed() || recorder.places.has_changed() || !recorder.timeline.is_empty()
}

/// With more definitions and nodes to write than these a snapshot makes the program wait for some ten milliseconds.
const MANY_AT_ONCE: usize = 1 << 17;

/// Is the next snapshot so big that some of it should be written ahead?
fn is_big(recorder: &Recorder) -> bool {
    let [_, _, nodes, places] = recorder.trace.written;
    let undefined = (recorder.tree.len() - nodes) + (recorder.places.count() - places);
    undefined as usize + recorder.tree.most_changed() > MANY_AT_ONCE
}

/// Writes some of a big snapshot's definitions and nodes before it is taken, so that little is left for then. A node that
/// changes until the snapshot is written once more, and its last figures count. Places are not written ahead: what they
/// had at the peak is as of the snapshot's. Returns whether there is no more of it.
pub fn write_ahead(recorder: &mut Recorder, mut put: impl FnMut(Record)) -> bool {
    if recorder.trace.ahead_took.is_zero() && !is_big(recorder) {
        return true;
    }
    let begun = Instant::now();
    recorder.settle_hot();
    let snapshot = recorder.trace.snapshot;
    let mut is_all = false;
    let mut left = define_some(recorder, RECORDS_AHEAD, &mut put);
    while left > 0 && !is_all {
        let most = RECORDS_A_CHUNK.min(left);
        let nodes = recorder.tree.take_changed(most);
        is_all = nodes.len() < most;
        left -= nodes.len();
        if !nodes.is_empty() {
            put(Record::Figures(Figures { snapshot, nodes, places: Vec::new() }));
        }
    }
    recorder.trace.ahead_took += begun.elapsed();
    is_all
}

/// Takes a snapshot: definitions first, then figures, then what makes them count. A full one has a sample of the scalars
/// of `sampled`. Records are handed to `put` as they are made.
pub fn take(recorder: &mut Recorder, cause: Cause, sampled: Option<&Interp>, mut put: impl FnMut(Record)) {
    let time = recorder.trace.started.elapsed();
    recorder.settle_hot();
    recorder.trace.see_peak(recorder.counters.peak_number, time);
    let snapshot = recorder.trace.snapshot;
    let newest_peak = recorder.counters.peak_number;
    define(recorder, &mut put);
    let mut figures = |nodes, places| put(Record::Figures(Figures { snapshot, nodes, places }));
    for nodes in chunks(|| recorder.tree.take_changed(RECORDS_A_CHUNK)) {
        figures(nodes, Vec::new());
    }
    for places in chunks(|| recorder.places.take_changed(RECORDS_A_CHUNK, newest_peak)) {
        figures(Vec::new(), places);
    }
    let figures_took = recorder.trace.started.elapsed().saturating_sub(time);
    if let Some(interp) = sampled {
        heap_sample::take(recorder, interp, matches!(cause, Cause::Exit | Cause::QuickExit), &mut put);
        recorder.trace.last_sample = time;
    }
    if let Some(marks) = recorder.marks.take_changed(snapshot) {
        define_strings(recorder, &mut put);
        put(Record::Marks(marks));
    }
    let timeline = std::mem::take(&mut recorder.timeline);
    let totals = totals(recorder);
    let threads = changed_threads();
    let time_ns = nanoseconds(time);
    put(Record::Snapshot(Snapshot { number: snapshot, time_ns, cause, totals, threads, timeline }));
    recorder.trace.snapshot += 1;
    recorder.births_go_on();
    recorder.trace.last_snapshot = time;
    recorder.trace.last_live_bytes = recorder.counters.live_bytes;
    recorder.trace.last_pause = figures_took + std::mem::take(&mut recorder.trace.ahead_took);
}

/// What `take` returns, until that is nothing.
fn chunks<T>(mut take: impl FnMut() -> Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || Some(take()).filter(|chunk| !chunk.is_empty()))
}

/// Writes the strings that have not been written yet.
pub fn define_strings(recorder: &mut Recorder, put: &mut dyn FnMut(Record)) {
    let [strings, ..] = &mut recorder.trace.written;
    for chunk in recorder.strings.from(*strings).chunks(RECORDS_A_CHUNK) {
        let all = chunk.iter().map(|string| string.to_vec()).collect();
        put(Record::Strings(Strings { first: StrId(*strings), strings: all }));
        *strings += chunk.len() as u32;
    }
}

/// Writes what has not been written yet of the tables.
pub fn define(recorder: &mut Recorder, put: &mut dyn FnMut(Record)) {
    define_some(recorder, usize::MAX, put);
}

/// Writes what has not been written yet of the tables, and of nodes and places at most so many. Returns how many of these
/// are left; only if there are any, all nodes and places have been written.
fn define_some(recorder: &mut Recorder, mut left: usize, put: &mut dyn FnMut(Record)) -> usize {
    define_strings(recorder, put);
    let [_, subs, nodes, places] = &mut recorder.trace.written;
    for chunk in recorder.tree.subs_from(*subs).chunks(RECORDS_A_CHUNK) {
        put(Record::Subs(Subs { first: SubId(*subs), subs: chunk.to_vec() }));
        *subs += chunk.len() as u32;
    }
    while *nodes < recorder.tree.len() && left > 0 {
        let count = PATHS_A_CHUNK.min(left);
        let new: Vec<_> = recorder.tree.nodes_from(*nodes, count, &recorder.locations).collect();
        left -= new.len();
        let first = NodeId(*nodes);
        *nodes += new.len() as u32;
        put(Record::Nodes(Nodes { first, nodes: new }));
    }
    while *places < recorder.places.count() && left > 0 {
        let count = PATHS_A_CHUNK.min(left);
        let new: Vec<_> = recorder.places.from(*places, count, &recorder.locations).collect();
        left -= new.len();
        let first = PlaceId(*places);
        *places += new.len() as u32;
        put(Record::Places(Places { first, places: new }));
    }
    left
}

/// Those that changed, by the kernel's number: a thread that frees something after its end may be known twice.
fn changed_threads() -> Vec<ThreadFigures> {
    let mut rows: FxHashMap<u32, (ThreadFigures, bool)> = FxHashMap::default();
    for thread in thread::all() {
        let figures = thread.figures();
        let (row, has_changed) = rows.entry(thread.tid).or_default();
        row.add(&figures);
        *has_changed |= thread.written.replace(figures) != figures;
    }
    let mut changed: Vec<_> = rows.into_values().filter(|row| row.1).map(|row| row.0).collect();
    changed.sort_unstable_by_key(|row| row.tid);
    changed
}

/// Live scalars in all interpreters that are still there.
pub fn scalars(recorder: &Recorder) -> u64 {
    let counts = recorder.interps.iter().map(|&interp| {
        // SAFETY: interpreters are leaked; the counter of one that is gone is not read.
        unsafe {
            if (*interp).view.perl.is_null() {
                0
            } else {
                (*interp).scalars() as u64
            }
        }
    });
    counts.sum()
}

/// The process's counters as of now.
pub fn totals(recorder: &mut Recorder) -> Totals {
    recorder.statm.check();
    recorder.statm.read();
    let counters = recorder.counters;
    let sum = |figure: fn(&ThreadFigures) -> u64| thread::all().map(|thread| figure(&thread.figures())).sum();
    // With `live=0` blocks that are older than the start are freed as well, and the difference may fall below nothing.
    let at_least_0 = |n: u64| if n > i64::MAX as u64 { 0 } else { n };
    Totals {
        allocated_bytes: sum(|figures| figures.allocated_bytes),
        allocated_blocks: sum(|figures| figures.allocated_blocks),
        freed_bytes: sum(|figures| figures.freed_bytes),
        freed_blocks: sum(|figures| figures.freed_blocks),
        older_freed_bytes: counters.older_freed_bytes,
        older_freed_blocks: counters.older_freed_blocks,
        live_bytes: at_least_0(counters.live_bytes),
        live_blocks: at_least_0(counters.live_blocks),
        peak_bytes: counters.peak_bytes,
        peak_blocks: counters.peak_blocks,
        peak_number: counters.peak_number,
        peak_time_ns: nanoseconds(recorder.trace.peak_seen.1),
        mapped_bytes: counters.mapped_bytes,
        unmapped_bytes: counters.unmapped_bytes,
        scalars_born: counters.scalars_born,
        scalars_died: counters.scalars_died,
        older_scalars_died: counters.older_scalars_died,
        scalars: scalars(recorder),
        size_pages: recorder.statm.last.size,
        resident_pages: recorder.statm.last.resident,
        // The kernel updates its own maximum late.
        peak_resident_bytes: peak_resident_bytes().max(recorder.statm.peak_resident * statm::page_bytes()),
        statm_reads: recorder.statm.reads,
        profiler_bytes: own_memory::live_bytes(),
        profiler_peak_bytes: own_memory::peak_bytes(),
        depth_capped_calls: recorder.tree.depth_capped_calls,
        missed_events: super::recording::MISSED.load(Relaxed),
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// The highest resident set of the process so far, in bytes.
fn peak_resident_bytes() -> u64 {
    // SAFETY: an all-zero `rusage` is valid, and getrusage only writes to it.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage.ru_maxrss as u64 * 1024
    }
}
