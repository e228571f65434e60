//! From the first start to the end of the process: begins the trace, takes snapshots, and sees to it that the trace is
//! complete however the process ends, forks or becomes another program.

use super::call_stream::CallStream;
use super::complaint::{announce_end, complain, share_with_children};
use super::interp::{Interp, PerlLayout};
use super::marks::FIRST_FULL;
use super::options::{FullMode, Options, StatmMode};
use super::recorder::Recorder;
use super::recording::{self, unobserved, with};
use super::thread::{ErrnoKept, Thread};
use super::trace_file::{self, absolute, TraceFile};
use super::trace_state::TraceState;
use super::writer::{Writer, TICKS};
use super::{
    header, heap_sample, hurdles, interpose, libc_threads, lock, own_heap, reserve, snapshot, statm, system_words,
    thread, writer,
};
use crate::format::records::{Cause, End, Libraries, TimePoint};
use crate::format::Record;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// What the shim says of perl, once.
#[derive(Clone, Default)]
pub struct PerlBuild {
    /// `v5.36.0`.
    pub version: String,
    /// `$Config{archname}`.
    pub archname: String,
    /// Built with ithreads?
    pub threaded: bool,
    /// Where its modules are.
    pub libraries: Libraries,
}

/// What the process is asked to do, before and after a fork.
#[derive(Clone, Default)]
struct Plan {
    options: Options,
    build: PerlBuild,
    path: PathBuf,
}

static PLAN: Mutex<Option<Plan>> = Mutex::new(None);
static FINISHED: AtomicBool = AtomicBool::new(false);
/// This is a forked child that has yet to begin its own trace.
static FORKED: AtomicBool = AtomicBool::new(false);
/// The signal that is a mark has come, and the next boundary will make it one.
static SIGNALLED: AtomicBool = AtomicBool::new(false);

/// A snapshot that nobody asked for comes no sooner than so many times the time that the last one took.
const PAUSES_APART: u32 = 30;

/// The heap has changed much since the last snapshot when more than this part of it has come or gone, and more than so
/// many bytes.
const PART_OF_HEAP: u64 = 32;
const LITTLE_BYTES: u64 = 1 << 20;
/// The same of a sample of the heap, by what it is expected to take.
const SAMPLES_APART: u32 = 20;
/// What a sample takes for each scalar there is, about.
const SAMPLE_PER_SCALAR: Duration = Duration::from_nanos(200);
/// A sample that takes less is taken whenever it is due.
const TRIFLE: Duration = Duration::from_millis(5);
/// Snapshots at marks that are taken whatever they cost: growth cannot be told from fewer.
const MARKS_IN_ANY_CASE: u64 = 64;
/// With more scalars than this the program would notice the pause: then only who asks for a sample gets one, and the end.
const MOST_SCALARS_UNASKED: isize = 350_000;

/// A snapshot that is due is taken after that time, however much there still is to be written ahead of it.
const LONGEST_AHEAD: Duration = Duration::from_secs(1);

/// Least distance between two points of the time line.
const POINT_EVERY: Duration = Duration::from_millis(100);

/// Notes the options and where the trace is to be, whatever directory the program goes to.
pub fn plan(options: Options, build: PerlBuild) {
    let path = absolute(&options.file);
    *PLAN.lock() = Some(Plan { options, build, path });
}

fn pid() -> u32 {
    std::process::id()
}

/// Is the trace this process's own? In the child of a vfork the memory is the parent's; a forked child that has run nothing
/// has nothing to say.
fn is_trace_ours(recorder: &Recorder) -> bool {
    recorder.trace.pid == pid() && !FORKED.load(Relaxed)
}

/// Starts recording, or goes on with it.
///
/// # Errors
/// A sentence that says why there is no trace.
pub fn start(layout: PerlLayout) -> Result<(), String> {
    if FINISHED.load(Relaxed) {
        return Ok(());
    }
    if recording::installed() {
        with(|recorder, thread| {
            recorder.paused = false;
            let interp = recorder.interp(layout, thread);
            // SAFETY: an interpreter of ours, which this thread runs.
            recorder.settle_pending(unsafe { &mut *interp });
        });
        recording::mprof_recording.store(true, Relaxed);
        return Ok(());
    }
    recording::end_on_panic();
    share_with_children();
    reserve::put_by();
    libc_threads::look_up();
    system_words::look_up();
    let plan = PLAN.lock().clone().unwrap_or_default();
    let file = TraceFile::create(&plan.path, pid()).map_err(|error| error.to_string())?;
    interpose::prove_allocator();
    let mut recorder = Box::new(Recorder::new(plan.options.clone(), TraceState::new(pid())));
    let writer = Writer::start(file, plan.options.shortest_interval())
        .map_err(|error| format!("cannot start the writer thread: {error}"))?;
    writer.send(header::record(&plan.options, &plan.build, &recorder, &layout, None));
    writer.send(Record::Libraries(plan.build.libraries.clone()));
    recorder.trace.writer = Some(writer);
    let thread = thread::current().unwrap_or_else(recording::register);
    recorder.interp(layout, thread);
    if procfs::process::Process::myself().ok().and_then(|me| me.stat().ok()).is_some_and(|stat| stat.num_threads > 2) {
        lock::expect_threads();
    }
    thread::watch_ends();
    // SAFETY: the handlers are functions that stay loaded as long as the process.
    unsafe {
        libc::atexit(at_exit);
        libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
    }
    recording::install(recorder);
    if let Some((signal, _)) = plan.options.signal {
        watch_signal(signal);
    }
    if unobserved(interpose::patch_all) == 0 {
        complain("no call of the allocator was found to hook; heap figures will be empty");
    }
    Ok(())
}

/// Stops recording. What was recorded is followed to its end.
pub fn stop() {
    recording::stop();
    with(|recorder, thread| {
        recorder.paused = true;
        if let Some(interp) = Recorder::interp_of(thread) {
            recorder.settle_pending(interp);
            recorder.close_all(interp);
        }
    });
}

/// Something waits at a boundary.
pub fn attend(recorder: &mut Recorder, interp: &mut Interp) {
    if FORKED.swap(false, Relaxed) {
        begin_child(recorder, interp);
    }
    if let Some((_, name)) = recorder.options.signal.filter(|_| SIGNALLED.swap(false, Relaxed)) {
        mark_signal(recorder, interp, name);
    }
    let ticks = TICKS.load(Relaxed);
    if ticks == recorder.trace.ticks {
        return;
    }
    recorder.trace.ticks = ticks;
    interpose::patch_all();
    if recorder.options.statm == StatmMode::Auto {
        recorder.want_statm();
    }
    let now = look_at_time(recorder);
    let since = now.saturating_sub(recorder.trace.last_snapshot);
    let pause = pause_between(recorder, now);
    if since >= pause && snapshot::is_due(recorder) && is_writer_idle(recorder) {
        if since < pause + LONGEST_AHEAD && !write_ahead(recorder) {
            return;
        }
        before_snapshot(recorder, interp);
        let seconds = now.as_secs();
        let is_full = recorder.marks.made == 0 && seconds > 0 && is_sample_due(recorder, interp, now, seconds);
        send_snapshot(recorder, Cause::Interval, is_full.then_some(interp));
    }
}

/// What goes with the time alone: when the peak was, and the time line. Returns the time since the start.
fn look_at_time(recorder: &mut Recorder) -> Duration {
    let now = recorder.trace.started.elapsed();
    recorder.trace.see_peak(recorder.counters.peak_number, now);
    note_point(recorder, now);
    now
}

/// The program has come to no boundary for a while: it waits, or is in C code. If a snapshot is due, this takes it, in
/// another thread, while no thread of the program is in the recorder; perl is anywhere, so nothing of it is looked at but
/// the number of scalars. Returns when to come again, if there is no boundary until then.
pub fn snapshot_unattended(recorder: &mut Recorder, put: &mut dyn FnMut(Record)) -> Duration {
    let later = recorder.options.shortest_interval();
    let Some(calls_bytes) = recorder.trace.writer.as_ref().map(Writer::calls_bytes) else { return later };
    if !is_trace_ours(recorder) {
        return later;
    }
    // The newest of the program's threads come first, so the last is the one it began with.
    if let Some(interp) = thread::all().filter_map(Recorder::interp_of).last() {
        if recorder.options.statm != StatmMode::Off {
            recorder.read_statm(interp);
        }
    }
    let now = look_at_time(recorder);
    let (since, pause) = (now.saturating_sub(recorder.trace.last_snapshot), pause_between(recorder, now));
    if since < pause {
        // If the heap changes much meanwhile, it is time sooner.
        return later.min(pause - since);
    }
    for interp in recorder.interps.clone() {
        // SAFETY: interpreters are leaked, and whoever runs one looks at its stream of calls in the recorder only.
        put_calls(recorder, unsafe { &mut *interp }, calls_bytes, put);
    }
    if snapshot::is_due(recorder) {
        snapshot::take(recorder, Cause::Interval, None, put);
    }
    later
}

/// Least time between two snapshots that nobody asked for. A program without marks is known by its snapshots alone, and
/// may end soon: at first they are nearer to each other than the interval, as long as that costs little.
fn pause_between(recorder: &Recorder, now: Duration) -> Duration {
    let (was, is) = (recorder.trace.last_live_bytes, recorder.counters.live_bytes);
    let interval = if is.abs_diff(was) > was / PART_OF_HEAP + LITTLE_BYTES {
        recorder.options.shortest_interval()
    } else {
        recorder.options.interval_at(now)
    };
    if recorder.marks.made > 0 {
        return interval;
    }
    interval.min((now / 4).max(recorder.trace.last_pause * PAUSES_APART))
}

/// At a boundary at which a snapshot is to be taken. It reads the pages itself, so what they grew is booked first.
fn before_snapshot(recorder: &mut Recorder, interp: &mut Interp) {
    if recorder.options.statm != StatmMode::Off {
        recorder.read_statm(interp);
    }
    recorder.verify_scalars(interp);
    send_calls(recorder, interp);
}

fn is_writer_idle(recorder: &Recorder) -> bool {
    recorder.trace.writer.as_ref().is_some_and(Writer::is_idle)
}

/// Is a sample of the heap due, now that `number` marks have been made, or seconds have gone by? Never where it would
/// cost more than a few hundredths of the time since the last.
fn is_sample_due(recorder: &mut Recorder, interp: &Interp, now: Duration, number: u64) -> bool {
    let next = recorder.trace.next_sample.max(match recorder.options.full {
        FullMode::Auto if recorder.marks.made > 0 => FIRST_FULL,
        FullMode::Auto => 1,
        FullMode::Every(marks) => marks,
        FullMode::Off => return false,
    });
    if number < next {
        return false;
    }
    let is_auto = recorder.options.full == FullMode::Auto;
    if is_auto && !(is_sample_cheap(recorder, interp, now) && interp.scalars() < MOST_SCALARS_UNASKED) {
        return false;
    }
    recorder.trace.next_sample = match recorder.options.full {
        FullMode::Every(marks) => number + marks,
        _ if recorder.marks.made > 0 => number * 2,
        _ => number * 4,
    };
    true
}

fn is_sample_cheap(recorder: &Recorder, interp: &Interp, now: Duration) -> bool {
    let cost = SAMPLE_PER_SCALAR * u32::try_from(interp.scalars()).unwrap_or(u32::MAX);
    // A small program may do all of its work in less time than that; one of many short-lived children may not.
    let is_trifle = cost < TRIFLE && recorder.trace.snapshots_inherited == 0;
    is_trifle || now.saturating_sub(recorder.trace.last_sample) > cost * SAMPLES_APART
}

/// A unit of the program's work is done, at the statement that runs.
pub fn mark_now(recorder: &mut Recorder, interp: &mut Interp, label: &[u8]) {
    recorder.settle_running(interp);
    mark(recorder, interp, if label.is_empty() { b"(mark)" } else { label });
}

/// A unit of the program's work is done. To be called at a boundary.
pub fn mark(recorder: &mut Recorder, interp: &mut Interp, label: &[u8]) {
    if !is_trace_ours(recorder) || recorder.paused {
        return;
    }
    let _errno = ErrnoKept::new();
    recorder.marks.make(label, &mut recorder.strings);
    recorder.births_go_on();
    let now = recorder.trace.started.elapsed();
    let made = recorder.marks.made;
    if made == 1 {
        // It was seconds that counted until now.
        recorder.trace.next_sample = 0;
    }
    let is_full = is_sample_due(recorder, interp, now, made);
    let is_cheap = recorder.trace.mark_snapshots < MARKS_IN_ANY_CASE
        || (now.saturating_sub(recorder.trace.last_snapshot) >= recorder.trace.last_pause * PAUSES_APART
            && is_writer_idle(recorder));
    if is_full || (recorder.marks.is_snapshot_due() && is_cheap) {
        recorder.marks.snapshot_taken();
        recorder.trace.mark_snapshots += 1;
        before_snapshot(recorder, interp);
        send_snapshot(recorder, Cause::Mark, is_full.then_some(interp));
    }
}

/// The signal has come: a mark, and a full snapshot.
fn mark_signal(recorder: &mut Recorder, interp: &mut Interp, name: &str) {
    recorder.marks.make(format!("(signal {name})").as_bytes(), &mut recorder.strings);
    recorder.births_go_on();
    before_snapshot(recorder, interp);
    send_snapshot(recorder, Cause::Mark, Some(interp));
}

/// Has the signal `number` make marks. A handler that the program sets later takes its place.
fn watch_signal(number: i32) {
    extern "C" fn signalled(_: i32) {
        SIGNALLED.store(true, Relaxed);
        hurdles::let_wait();
    }
    // SAFETY: all zero is an action without flags and mask; the handler only stores to two atomics.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = signalled as extern "C" fn(i32) as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(number, &action, std::ptr::null_mut());
    }
}

/// How many figures [`stats`] gives.
pub const STATS: usize = 12;

/// Figures of the process as of now.
pub fn stats(recorder: &mut Recorder, interp: &mut Interp) -> [u64; STATS] {
    let _errno = ErrnoKept::new();
    recorder.settle_running(interp);
    let totals = snapshot::totals(recorder);
    [
        totals.allocated_bytes,
        totals.allocated_blocks,
        totals.freed_bytes,
        totals.freed_blocks,
        totals.live_bytes,
        totals.live_blocks,
        totals.peak_bytes,
        totals.scalars,
        totals.resident_pages * statm::page_bytes(),
        recorder.marks.made,
        recorder.trace.snapshot,
        totals.profiler_bytes,
    ]
}

/// A point of the time line, if enough has changed since the last.
fn note_point(recorder: &mut Recorder, now: Duration) {
    let (at, live, resident) = recorder.trace.last_point;
    let pages = recorder.statm.last;
    let moved = |old: u64, new: u64| old.abs_diff(new) > old / 64;
    let live_bytes = recorder.counters.live_bytes;
    if now.saturating_sub(at) < POINT_EVERY || !(moved(live, live_bytes) || moved(resident, pages.resident)) {
        return;
    }
    recorder.trace.last_point = (now, live_bytes, pages.resident);
    let scalars = snapshot::scalars(recorder);
    recorder.timeline.push(TimePoint {
        time_ns: now.as_nanos() as u64,
        live_bytes,
        scalars,
        size_pages: pages.size,
        resident_pages: pages.resident,
    });
}

/// `sampled`: whose scalars a sample is taken of, in a full snapshot.
fn send_snapshot(recorder: &mut Recorder, cause: Cause, sampled: Option<&Interp>) {
    if let Some(interp) = sampled.filter(|_| recorder.options.verify) {
        let (wrong, example) = heap_sample::verify(interp);
        if wrong > 0 {
            complain(&format!("{wrong} scalars are referred to more often than perl counts: {example}"));
        }
    }
    // Out of the recorder meanwhile, and back: taking a snapshot changes the rest of it.
    if let Some(writer) = recorder.trace.writer.take() {
        snapshot::take(recorder, cause, sampled, |record| writer.send(record));
        recorder.trace.writer = Some(writer);
    }
}

/// Some of the next snapshot, for a big one would make the program wait. Returns whether there is no more to do.
fn write_ahead(recorder: &mut Recorder) -> bool {
    let Some(writer) = recorder.trace.writer.take() else { return true };
    let is_all = snapshot::write_ahead(recorder, |record| writer.send(record));
    recorder.trace.writer = Some(writer);
    is_all
}

/// Hands the events of an interpreter's stream of calls over, if there are any.
pub fn send_calls(recorder: &mut Recorder, interp: &mut Interp) {
    if FORKED.load(Relaxed) {
        return;
    }
    if let Some(writer) = recorder.trace.writer.take() {
        put_calls(recorder, interp, writer.calls_bytes(), &mut |record| writer.send(record));
        recorder.trace.writer = Some(writer);
    }
}

/// Puts the events of an interpreter's stream of calls, if there are any. A stream that has become too long ends.
fn put_calls(recorder: &mut Recorder, interp: &mut Interp, bytes_so_far: u64, put: &mut dyn FnMut(Record)) {
    let Some(mut calls) = interp.calls.as_mut().and_then(CallStream::take) else { return };
    if bytes_so_far > recorder.options.calls_max_bytes {
        calls.is_cut = true;
        interp.calls = None;
        if std::mem::take(&mut recorder.options.calls) {
            complain(
                "the stream of calls has reached calls_max; later calls are not in it, all else is recorded as before",
            );
        }
    }
    snapshot::define(recorder, put);
    put(Record::Calls(calls));
}

/// When a snapshot outside of a boundary is to be a full one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Full {
    /// In any case.
    Yes,
    /// If that costs little.
    IfCheap,
    /// Never: there may be no telling what state perl is in.
    No,
}

/// A snapshot outside of a boundary. `false`: this process has no trace to say it in.
fn send_last(recorder: &mut Recorder, thread: &Thread, cause: Cause, full: Full) -> bool {
    if !is_trace_ours(recorder) {
        return false;
    }
    let mut sampled = None;
    if let Some(interp) = Recorder::interp_of(thread) {
        recorder.settle_pending(interp);
        recorder.verify_scalars(interp);
        send_calls(recorder, interp);
        for &other in recorder.interps.clone().iter().filter(|&&other| !std::ptr::eq(other, interp)) {
            // SAFETY: interpreters are leaked, and this thread looks at none but its own and, here, another.
            send_calls(recorder, unsafe { &mut *other });
        }
        recorder.in_each_that_waits(interp, send_calls);
        let now = recorder.trace.started.elapsed();
        let is_full = match full {
            Full::Yes => true,
            Full::IfCheap => recorder.options.full != FullMode::Off && is_sample_cheap(recorder, interp, now),
            Full::No => false,
        };
        sampled = (is_full && !interp.view.perl.is_null()).then_some(&*interp);
    }
    if matches!(cause, Cause::Exit | Cause::QuickExit) {
        recorder.look_up_no_more();
    }
    send_snapshot(recorder, cause, sampled);
    true
}

/// The process is about to become another program: all there is is written. A forked child that has not lived for an
/// interval, and has written nothing, was forked for that, and leaves no trace.
pub fn before_exec() {
    let is_of_note = |recorder: &Recorder| {
        let is_child = recorder.trace.parent.is_some();
        !is_child || trace_file::is_open() || recorder.trace.started.elapsed() >= recorder.options.shortest_interval()
    };
    if with(|recorder, _| is_of_note(recorder)) == Some(true) {
        flush(Cause::Exec, false);
    }
}

/// Takes a snapshot now, perhaps a full one, and waits until it has been written.
pub fn flush(cause: Cause, full: bool) {
    let _errno = ErrnoKept::new();
    with(|recorder, thread| {
        if send_last(recorder, thread, cause, if full { Full::Yes } else { Full::No }) {
            if let Some(writer) = &recorder.trace.writer {
                writer.flush();
            }
        }
    });
}

/// The process ends in good order: the last snapshot, and the trace is closed.
pub fn finish(cause: Cause) {
    finish_with(cause, Full::IfCheap);
}

/// The process ends by `abort`.
pub fn finish_aborted() {
    finish_with(Cause::QuickExit, Full::No);
}

fn finish_with(cause: Cause, full: Full) {
    let _errno = ErrnoKept::new();
    let finished = with(|recorder, thread| {
        if !send_last(recorder, thread, cause, full) {
            return false;
        }
        if let Some(writer) = recorder.trace.writer.take() {
            let time_ns = recorder.trace.started.elapsed().as_nanos() as u64;
            writer.send(Record::End(End { time_ns, cause }));
            writer.finish();
        }
        true
    });
    if finished == Some(true) {
        FINISHED.store(true, Relaxed);
        recording::uninstall();
    }
}

extern "C" fn at_exit() {
    finish(Cause::Exit);
}

extern "C" fn before_fork() {
    lock::before_fork(thread::current().is_some_and(Thread::is_busy));
    // The second lock: who has the first may need memory.
    own_heap::before_fork();
}

extern "C" fn after_fork_in_parent() {
    own_heap::after_fork();
    lock::after_fork();
}

extern "C" fn after_fork_in_child() {
    own_heap::after_fork();
    lock::after_fork();
    // Whatever a signal handler that forks has interrupted: the thread of the writer is not there any more.
    thread::only_this_is_left();
    writer::abandon_all();
    trace_file::close_inherited();
    FORKED.store(true, Relaxed);
    hurdles::let_wait();
}

/// The first boundary in a forked child: its own trace begins with all that it inherited.
fn begin_child(recorder: &mut Recorder, interp: &mut Interp) {
    let Some(plan) = PLAN.lock().clone() else { return };
    let parent = recorder.trace.pid;
    let mut path = plan.path.clone().into_os_string();
    path.push(format!(".{}", pid()));
    if let Some(writer) = recorder.trace.writer.take() {
        writer.abandon();
    }
    let snapshots_inherited = recorder.trace.snapshots_inherited + recorder.trace.snapshot;
    recorder.trace = TraceState { parent: Some(parent), snapshots_inherited, ..TraceState::new(pid()) };
    recorder.marks.begin_child();
    let writer = match Writer::start(TraceFile::later(&PathBuf::from(path), pid()), plan.options.shortest_interval()) {
        Ok(writer) => writer,
        Err(error) => {
            recording::uninstall();
            announce_end(&format!("cannot start the writer thread of a child: {error}; it is not profiled"));
            return;
        }
    };
    recorder.statm.reopen();
    recorder.statm.read();
    recorder.timeline.clear();
    recorder.tree.change_all();
    recorder.places.change_all();
    writer.send(header::record(&plan.options, &plan.build, recorder, &interp.layout, Some((parent, &plan.path))));
    writer.send(Record::Libraries(plan.build.libraries.clone()));
    recorder.trace.writer = Some(writer);
    recorder.begin_calls_anew(interp);
    send_snapshot(recorder, Cause::Base, None);
}
