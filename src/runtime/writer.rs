//! The writer thread: encodes and appends what the recorder hands over, gives the ticks, and takes the snapshots that the
//! program's own threads do not come to take.
//!
//! It touches the recorder only while no thread of the program is inside, and never waits for one. Nothing it does is
//! recorded, and no signal of the program is delivered to it.

use super::compressor::Compressor;
use super::hurdles::{self, MPROF_WAITS};
use super::recording;
use super::trace_file::TraceFile;
use super::{libc_threads, lock, session, thread};
use crate::format::records::{Cause, Snapshot};
use crate::format::{Encoder, Record};
use crossbeam_channel::{bounded, Receiver, RecvTimeoutError, Sender};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two ticks: how stale pages and the time line may be.
const TICK: Duration = Duration::from_millis(20);
/// The writer's stack, in bytes.
const STACK_BYTES: usize = 256 << 10;

/// Ticks so far.
pub static TICKS: AtomicU32 = AtomicU32::new(0);

/// In a forked child, until it has a writer of its own: there is nobody at the other end.
static ABANDONED: AtomicBool = AtomicBool::new(false);

/// A writer's thread is beginning, and not yet known as ours. What it allocates meanwhile is not the program's, and must not
/// wait for the recorder, where a forked child's only thread waits for it.
static BEGINS: AtomicBool = AtomicBool::new(false);

/// May a thread that is not known yet be a writer's?
pub fn is_beginning() -> bool {
    BEGINS.load(Relaxed)
}

enum Message {
    Record(Box<Record>),
    /// Answer when all before this has been written.
    Flush(Sender<()>),
}

/// The recorder's end.
pub struct Writer {
    channel: Sender<Message>,
    progress: Arc<Progress>,
    thread: JoinHandle<()>,
}

/// What the thread tells of its work.
#[derive(Default)]
struct Progress {
    /// Bytes that the stream of calls has taken in the trace.
    calls_bytes: AtomicU64,
    is_writing: AtomicBool,
}

impl Writer {
    /// Starts the thread on a trace that has just begun. A trace whose file is yet to be created gets it after `interval`
    /// at the latest, or when it ends.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(file: TraceFile, interval: Duration) -> std::io::Result<Self> {
        // Nothing waits in it: a record is handed over when the one before has been written. Chunks of figures are large.
        let (channel, messages) = bounded(0);
        let (begun, wait) = bounded(1);
        let progress = Arc::new(Progress::default());
        let output = Output { file, has_failed: false, progress: Arc::clone(&progress), encoder: Encoder::default() };
        lock::expect_visits();
        let believed = libc_threads::belief();
        let mask = block_signals();
        BEGINS.store(true, Relaxed);
        let thread = std::thread::Builder::new().name("mprof".into()).stack_size(STACK_BYTES).spawn(move || {
            thread::register(true);
            // What the thread needs of libc to wait, it takes before libc is told that there is no such thread.
            prepare_to_wait();
            let _ = begun.send(());
            write_all(output, &messages, interval);
        });
        restore_signals(&mask);
        if thread.is_ok() {
            let _ = wait.recv();
        }
        libc_threads::restore(believed, u64::from(thread.is_ok()));
        BEGINS.store(false, Relaxed);
        let thread = thread?;
        ABANDONED.store(false, Relaxed);
        Ok(Self { channel, progress, thread })
    }

    /// Bytes that the stream of calls has taken in the trace.
    pub fn calls_bytes(&self) -> u64 {
        self.progress.calls_bytes.load(Relaxed)
    }

    /// Has the writer written what it was given?
    pub fn is_idle(&self) -> bool {
        !self.progress.is_writing.load(Relaxed)
    }

    /// Hands a record over, and waits until the one before has been written.
    pub fn send(&self, record: Record) {
        if ABANDONED.load(Relaxed) {
            return;
        }
        // The channel is closed only when the thread has gone, and then nothing is written any more.
        let _ = self.channel.send(Message::Record(Box::new(record)));
    }

    /// Waits until all that was sent has been written.
    pub fn flush(&self) {
        let (done, wait) = bounded(1);
        if !ABANDONED.load(Relaxed) && self.channel.send(Message::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    /// Waits until all has been written and the thread has ended.
    pub fn finish(self) {
        // The end of a thread is libc's work, and so it is to know of it.
        libc_threads::truly(|| {
            drop(self.channel);
            let _ = self.thread.join();
        });
    }

    /// In a forked child, where the thread does not exist: gives everything up without touching it.
    pub fn abandon(self) {
        std::mem::forget(self);
    }
}

/// In a forked child, where no writer's thread exists.
pub fn abandon_all() {
    ABANDONED.store(true, Relaxed);
}

/// Has a thread what it needs to wait: one of the program's for the writer, and the writer. std gives it out when it is first
/// asked for, takes a lock of the loader's then, and ends the process where there is no memory: so not while the recorder is
/// held, and not late.
pub fn prepare_to_wait() {
    let (_open, nothing) = bounded::<()>(0);
    let _ = nothing.recv_timeout(Duration::ZERO);
}

fn block_signals() -> libc::sigset_t {
    // SAFETY: both sets are ours; a thread inherits the mask, so none of the program's handlers ever runs in it.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        before
    }
}

fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: `mask` is what `block_signals` returned.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
}

/// What the thread writes to.
struct Output {
    file: TraceFile,
    has_failed: bool,
    progress: Arc<Progress>,
    encoder: Encoder<Compressor>,
}

impl Output {
    fn put(&mut self, record: Record) {
        if self.has_failed {
            return;
        }
        match self.write(&record) {
            Ok(bytes) if matches!(record, Record::Calls(_)) => {
                self.progress.calls_bytes.fetch_add(bytes as u64, Relaxed);
            }
            Ok(_) => {}
            Err(why) => self.fail(&why),
        }
    }

    /// How many bytes were written.
    fn write(&mut self, record: &Record) -> Result<usize, String> {
        let is_of_note = match record {
            Record::Snapshot(Snapshot { cause, .. }) => !matches!(cause, Cause::Base | Cause::Interval),
            _ => false,
        };
        let mut bytes = Vec::new();
        let encoded = self.encoder.encode(record, &mut bytes);
        if matches!(record, Record::Snapshot(_)) {
            // It may be long until the next record; and what is kept here when the program forks, the child never gets rid of.
            self.encoder.compressor.rest();
        }
        encoded.map_err(|error| error.to_string())?;
        self.file.append(&bytes, is_of_note).map_err(|error| error.to_string())?;
        Ok(bytes.len())
    }

    /// An interval has passed since the start: all that waits is of note.
    fn write_waiting(&mut self) {
        if let Err(why) = self.file.write_waiting() {
            self.fail(&why.to_string());
        }
    }

    fn fail(&mut self, why: &str) {
        self.has_failed = true;
        recording::end(why);
    }
}

fn write_all(mut output: Output, messages: &Receiver<Message>, interval: Duration) {
    let mut next_tick = Instant::now() + TICK;
    let first_interval_ends = Instant::now() + interval;
    let mut next_visit = next_tick;
    loop {
        match messages.recv_deadline(next_tick) {
            Ok(Message::Record(record)) => {
                output.progress.is_writing.store(true, Relaxed);
                output.put(*record);
                output.progress.is_writing.store(false, Relaxed);
            }
            Ok(Message::Flush(done)) => drop(done.send(())),
            Err(RecvTimeoutError::Timeout) => {
                let now = Instant::now();
                next_tick = now + TICK;
                if now >= first_interval_ends && output.file.is_waiting() && !output.has_failed {
                    output.write_waiting();
                }
                TICKS.fetch_add(1, Relaxed);
                let is_unattended = hurdles::put_up(MPROF_WAITS) & MPROF_WAITS != 0;
                if !is_unattended {
                    next_visit = next_tick;
                } else if now >= next_visit {
                    if let Some(pause) = visit(messages, &mut output) {
                        next_visit = Instant::now() + pause;
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Nobody has attended to the last tick: takes the snapshot here, if one is due. Returns when to come again; `None`: it is
/// not the time for visits.
fn visit(messages: &Receiver<Message>, output: &mut Output) -> Option<Duration> {
    // What the program has handed over is older; nothing more can come while it is out of the recorder.
    let mut snapshot = |recorder: &mut _| session::snapshot_unattended(recorder, &mut |record| output.put(record));
    recording::visit(|recorder| messages.is_empty().then(|| snapshot(recorder))).flatten()
}
