//! From the first start to the end of the process: begins the trace, takes snapshots, and sees to it that the trace is
//! complete however the process ends, forks or becomes another program.

use super::complaint::complain;
use super::interp::{Interp, PerlLayout};
use super::options::{Options, StatmMode};
use super::recorder::Recorder;
use super::recording::{self, mprof_attention, unobserved, with};
use super::thread::{ErrnoKept, Thread};
use super::trace_file::{absolute, TraceFile};
use super::trace_state::TraceState;
use super::writer::{Writer, TICKS};
use super::{header, interpose, lock, snapshot};
use crate::format::records::{Cause, End, TimePoint};
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
            thread.view.interp.set(interp.cast());
            // SAFETY: an interpreter of ours, which this thread runs.
            recorder.settle_pending(unsafe { &mut *interp });
        });
        recording::mprof_recording.store(true, Relaxed);
        return Ok(());
    }
    let plan = PLAN.lock().clone().unwrap_or_default();
    let file = TraceFile::create(&plan.path, pid()).map_err(|error| error.to_string())?;
    let mut recorder = Box::new(Recorder::new(plan.options.clone(), TraceState::new(pid())));
    let writer = Writer::start(file).map_err(|error| format!("cannot start the writer thread: {error}"))?;
    writer.send(header::record(&plan.options, &plan.build, &recorder, &layout, None));
    recorder.trace.writer = Some(writer);
    let thread = super::thread::current().unwrap_or_else(|| super::thread::register(false));
    thread.view.interp.set(recorder.interp(layout, thread).cast());
    if procfs::process::Process::myself().ok().and_then(|me| me.stat().ok()).is_some_and(|stat| stat.num_threads > 2) {
        lock::expect_threads();
    }
    // SAFETY: the handlers are functions that stay loaded as long as the process.
    unsafe {
        libc::atexit(at_exit);
        libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
    }
    recording::install(recorder);
    if unobserved(interpose::patch_all) == 0 {
        complain("no call of the allocator was found to hook; heap figures will be empty");
    }
    Ok(())
}

/// Stops recording. What was recorded is followed to its end.
pub fn stop() {
    recording::mprof_recording.store(false, Relaxed);
    with(|recorder, thread| {
        recorder.paused = true;
        if let Some(interp) = Recorder::interp_of(thread) {
            recorder.settle_pending(interp);
            interp.pop_to(0);
        }
    });
}

/// Something waits at a boundary.
pub fn attend(recorder: &mut Recorder, interp: &mut Interp) {
    if recorder.trace.forked {
        begin_child(recorder, interp);
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
    let now = recorder.trace.started.elapsed();
    recorder.trace.see_peak(recorder.counters.peak_number, now);
    note_point(recorder, now);
    let due = now.saturating_sub(recorder.trace.last_snapshot) >= recorder.options.interval;
    if due && snapshot::is_due(recorder) && recorder.trace.writer.as_ref().is_some_and(Writer::is_idle) {
        recorder.verify_scalars(interp);
        send_snapshot(recorder, Cause::Interval);
    }
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

fn send_snapshot(recorder: &mut Recorder, cause: Cause) {
    // Out of the recorder meanwhile, and back: taking a snapshot changes the rest of it.
    if let Some(writer) = recorder.trace.writer.take() {
        snapshot::take(recorder, cause, |record| writer.send(record));
        recorder.trace.writer = Some(writer);
    }
}

/// A snapshot outside of a boundary. `false`: this process has no trace to say it in.
fn send_last(recorder: &mut Recorder, thread: &Thread, cause: Cause) -> bool {
    // In the child of a vfork the memory is the parent's; a forked child that has run nothing has nothing to say.
    if recorder.trace.pid != pid() || recorder.trace.forked {
        return false;
    }
    if let Some(interp) = Recorder::interp_of(thread) {
        recorder.settle_pending(interp);
        recorder.verify_scalars(interp);
    }
    send_snapshot(recorder, cause);
    true
}

/// Takes a snapshot now and waits until it has been written.
pub fn flush(cause: Cause) {
    let _errno = ErrnoKept::new();
    with(|recorder, thread| {
        if send_last(recorder, thread, cause) {
            if let Some(writer) = &recorder.trace.writer {
                writer.flush();
            }
        }
    });
}

/// The process ends: the last snapshot, and the trace is closed.
pub fn finish(cause: Cause) {
    let _errno = ErrnoKept::new();
    let finished = with(|recorder, thread| {
        if !send_last(recorder, thread, cause) {
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
    lock::before_fork();
}

extern "C" fn after_fork_in_parent() {
    lock::after_fork();
}

extern "C" fn after_fork_in_child() {
    lock::after_fork();
    with(|recorder, _| {
        recorder.trace.forked = true;
        if let Some(writer) = recorder.trace.writer.take() {
            writer.abandon();
        }
    });
    mprof_attention.store(1, Relaxed);
}

/// The first boundary in a forked child: its own trace begins with all that it inherited.
fn begin_child(recorder: &mut Recorder, interp: &Interp) {
    let Some(plan) = PLAN.lock().clone() else { return };
    let parent = recorder.trace.pid;
    let mut path = plan.path.clone().into_os_string();
    path.push(format!(".{}", pid()));
    recorder.trace = TraceState::new(pid());
    let writer = TraceFile::create(&PathBuf::from(path), pid())
        .map_err(|error| error.to_string())
        .and_then(|file| Writer::start(file).map_err(|error| format!("cannot start the writer thread: {error}")));
    let writer = match writer {
        Ok(writer) => writer,
        Err(why) => {
            complain(&format!("{why}; this child is not profiled"));
            recording::uninstall();
            return;
        }
    };
    recorder.statm.reopen();
    recorder.statm.read();
    recorder.timeline.clear();
    recorder.tree.change_all();
    recorder.places.change_all();
    writer.send(header::record(&plan.options, &plan.build, recorder, &interp.layout, Some((parent, &plan.path))));
    recorder.trace.writer = Some(writer);
    send_snapshot(recorder, Cause::Base);
}
