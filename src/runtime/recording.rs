//! The way into the recorder from every hook: is there one, is this thread outside of it, lock if need be.
//!
//! Nothing here is ever entered twice by one thread: what the profiler itself asks of the allocator, directly or through
//! libc, passes by.

#![allow(non_upper_case_globals)] // the one that C knows too

use super::block_table::{Block, Near};
use super::complaint::announce_end;
use super::hurdles::{self, VISITOR};
use super::interp::{Interp, InterpView};
use super::interpose::{usable_bytes_plain, usable_bytes_told};
use super::lock;
use super::own_heap;
use super::recorder::{Recorder, LARGE_BYTES};
use super::running;
use super::thread::{self, Thread};
use super::watch::{self, Watch, NOT, PLAINLY, WITH_CARE};
use super::writer;
use std::hint::black_box;
use std::sync::atomic::{
    compiler_fence, AtomicBool, AtomicPtr, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
    Ordering::SeqCst,
};

/// The recorder, from the first start to the end of the process.
static RECORDER: AtomicPtr<Recorder> = AtomicPtr::new(std::ptr::null_mut());

/// Are calls, statements and allocations recorded? What was recorded is followed to its end even when not. The shim
/// looks here before it tells anything.
#[no_mangle]
pub static mprof_recording: AtomicBool = AtomicBool::new(false);

/// Allocator calls of threads that began unseen.
pub static MISSED: AtomicU64 = AtomicU64::new(0);

/// A block that is about to be resized.
pub struct Freed {
    /// What was known of it.
    block: Option<Block>,
    /// Its usable bytes.
    bytes: u64,
}

/// Makes `recorder` the one, for good.
pub fn install(recorder: Box<Recorder>) {
    watch::begin(recorder.blocks());
    RECORDER.store(Box::leak(recorder), Release);
    mprof_recording.store(true, Relaxed);
}

/// Nothing new is recorded.
pub fn stop() {
    mprof_recording.store(false, Relaxed);
    running::is_nobody();
}

/// Takes the recorder away from the hooks. It is not freed: another thread may be inside.
pub fn uninstall() {
    stop();
    RECORDER.store(std::ptr::null_mut(), Relaxed);
}

/// Ends the recording for good, and says why: once, in a process and its forked children.
pub fn end(why: &str) {
    uninstall();
    announce_end(&format!("{why}; recording stops, what was written stays readable"));
}

/// A panic anywhere in the profiler ends the recording, in one line.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        end(&format!("internal error{place}"));
    }));
}

/// Is there a recorder?
pub fn installed() -> bool {
    !RECORDER.load(Relaxed).is_null()
}

/// This thread, if it is one of the program's and can be told from others.
#[cold]
fn meet() -> Option<&'static Thread> {
    if writer::is_beginning() {
        return None;
    }
    if thread::any() && !lock::threads_expected() {
        // It began unseen, and the first thread takes no lock.
        MISSED.fetch_add(1, Relaxed);
        return None;
    }
    thread::hide();
    Some(register())
}

/// Makes this thread known, one of the program's.
pub fn register() -> &'static Thread {
    let (thread, is_new) = {
        let _held = lock::hold();
        thread::register(false)
    };
    if is_new && thread.enter() {
        writer::prepare_to_wait();
        thread.leave();
    }
    thread
}

/// The thread is inside the recorder already. Mostly what it does there led here. But the program may have a signal handler
/// that runs at once and dies: nobody knows in which state that has left the recorder.
#[cold]
fn refused<R>(thread: &Thread) -> Option<R> {
    if thread.has_jumped_out() {
        own_heap::give_up_if_inside();
        end("a signal handler has died in the midst of the profiler");
        lock::give_up();
        thread.leave();
    }
    None
}

/// Runs `f` with the recorder, unless there is none or this thread is inside already.
#[inline(always)]
pub fn with<R>(f: impl FnOnce(&mut Recorder, &'static Thread) -> R) -> Option<R> {
    let recorder = RECORDER.load(Relaxed);
    if recorder.is_null() {
        return None;
    }
    let thread = match thread::current() {
        Some(thread) => thread,
        None => meet()?,
    };
    if !thread.enter() {
        return refused(thread);
    }
    let held = lock::hold();
    // SAFETY: the recorder is never freed, and the lock, or being the only thread, makes the reference unique; `busy` keeps
    // this thread out meanwhile.
    let result = f(unsafe { &mut *recorder }, thread);
    drop(held);
    thread.leave();
    Some(result)
}

/// Runs `f` with the recorder on behalf of the program, in a thread that is not the program's, unless one of its threads
/// is inside. None can enter meanwhile.
pub fn visit<R>(f: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    let recorder = RECORDER.load(Acquire);
    if recorder.is_null() {
        return None;
    }
    // SAFETY: the recorder is never freed; `lock::visit` keeps everybody else out.
    lock::visit(thread::is_any_busy, || f(unsafe { &mut *recorder }))
}

/// As [`with`], with the interpreter that the shim speaks of, which this thread runs.
#[inline(always)]
pub fn with_interp<R>(view: *mut InterpView, f: impl FnOnce(&mut Recorder, &mut Interp) -> R) -> Option<R> {
    with(|recorder, _| {
        // SAFETY: the shim hands back a pointer it got from `Recorder::interp`: the head of an `Interp` that is never
        // freed, used by one thread at a time.
        f(recorder, unsafe { &mut *view.cast::<Interp>() })
    })
}

/// The thread that runs that interpreter.
#[inline(always)]
fn thread_of(view: *mut InterpView) -> &'static Thread {
    // SAFETY: the shim hands over what it got from `Recorder::interp`, which has told that interpreter its thread: the head of
    // a `Thread` that is never freed.
    unsafe { &*(*view).thread.cast::<Thread>() }
}

/// As [`with_interp`], where there is no hurdle. `None`: the rest of what is to be done is to be done by way of
/// [`with_interp`].
#[inline(always)]
pub fn shortly<R>(view: *mut InterpView, f: impl FnOnce(&mut Recorder, &mut Interp) -> Option<R>) -> Option<R> {
    let recorder = RECORDER.load(Relaxed);
    if view.is_null() || recorder.is_null() {
        return None;
    }
    let thread = thread_of(view);
    if !thread.enter() {
        return None;
    }
    // As in `lock::hold`: the visitor sees to the processor.
    compiler_fence(SeqCst);
    let result = if hurdles::any() {
        None
    } else {
        // SAFETY: as in `with`, without a lock; and as in `with_interp`.
        f(unsafe { &mut *recorder }, unsafe { &mut *view.cast::<Interp>() })
    };
    thread.leave();
    result
}

/// Runs `f` so that nothing it does is recorded.
pub fn unobserved<R>(f: impl FnOnce() -> R) -> R {
    let thread = thread::current();
    let entered = thread.filter(|thread| thread.enter());
    let result = f();
    if let Some(thread) = entered {
        thread.leave();
    }
    result
}

/// As [`with`], with the interpreter that the thread runs, where there is no other thread. `None`: all is to be done by way
/// of [`with`].
#[inline(always)]
fn alone<R>(f: impl FnOnce(&mut Recorder, &'static Thread, &mut Interp) -> R) -> Option<R> {
    let recorder = RECORDER.load(Relaxed);
    let thread = thread::current_or_null();
    let view = running::of(thread.cast())?;
    // SAFETY: whoever runs an interpreter is no null.
    let thread = unsafe { &*thread };
    if recorder.is_null() || !thread.enter() {
        return None;
    }
    // As in `lock::hold`: the visitor sees to the processor.
    compiler_fence(SeqCst);
    // SAFETY: as in `with_interp`, and as in `with`, without a lock.
    let (recorder, interp) = unsafe { (&mut *recorder, &mut *view.cast::<Interp>()) };
    let result = if hurdles::any_of(VISITOR) || interp.has_moved() { None } else { Some(f(recorder, thread, interp)) };
    thread.leave();
    result
}

/// A block was allocated. Returns its address. One function for all hooks, with all that an allocation usually takes in it:
/// it calls nobody but in its last step, and needs little of a stack frame.
#[inline(never)]
pub fn allocated<const WATCH: Watch>(address: usize, requested: usize) -> usize {
    let bytes = small_bytes::<WATCH>(address);
    if bytes == NOT_SMALL {
        return allocated_at_length(address, requested);
    }
    let done = alone(
        #[inline(always)]
        |recorder, thread, interp| match WATCH {
            PLAINLY => recorder.allocated_watched_shortly(thread, interp, address, bytes),
            NOT => recorder.allocated_shortly(thread, interp, bytes),
            _ => Near::Refused,
        },
    );
    match done {
        Some(Near::Done) => address,
        Some(Near::Elsewhere(block)) => allocated_elsewhere(address, block),
        _ => allocated_at_length(address, SMALL),
    }
}

/// See [`small_bytes`].
const NOT_SMALL: u64 = u64::MAX;

/// Usable bytes of a block if the short ways may be taken with it, or [`NOT_SMALL`].
#[inline(always)]
fn small_bytes<const WATCH: Watch>(address: usize) -> u64 {
    let bytes = match WATCH {
        PLAINLY => usable_bytes_plain(address),
        NOT => usable_bytes_told(address),
        _ => None,
    };
    match bytes {
        Some(bytes) if bytes < LARGE_BYTES => bytes,
        _ => NOT_SMALL,
    }
}

/// Instead of what was requested: not much, whatever it was.
const SMALL: usize = 0;

/// The table of blocks has nothing to note that block in, or not at hand.
#[inline(never)]
fn allocated_elsewhere(address: usize, block: Block) -> usize {
    if alone(|recorder, thread, _| recorder.allocated_elsewhere(thread, address, block)) == Some(true) {
        address
    } else {
        allocated_at_length(address, SMALL)
    }
}

#[inline(never)]
fn allocated_at_length(address: usize, requested: usize) -> usize {
    with(|recorder, thread| recorder.allocated(thread, address, requested));
    // Whoever is known to return its argument is not called in a last step.
    black_box(address)
}

/// A block is about to be freed. `false`: that is to be told by [`freed_at_length`].
#[inline(always)]
pub fn freed<const WATCH: Watch>(address: usize) -> bool {
    let is_done = match WATCH {
        NOT => alone(
            #[inline(always)]
            |recorder, thread, interp| {
                usable_bytes_told(address).is_some_and(|bytes| recorder.freed_shortly(thread, interp, bytes))
            },
        ),
        PLAINLY => alone(
            #[inline(always)]
            |recorder, thread, interp| recorder.freed_watched_shortly(thread, interp, address),
        ),
        _ => None,
    };
    is_done == Some(true)
}

/// A block is about to be freed.
pub fn freed_at_length(address: usize) {
    with(|recorder, thread| recorder.freed(thread, address));
}

/// Where there is but one thread, it is enough to tell of a resize when it is done: nobody else has been given the old
/// address. If so, the usable bytes that the block at `address` has until then.
#[inline(always)]
pub fn may_tell_later<const WATCH: Watch>(address: usize) -> Option<u64> {
    let is_alone = WATCH != WITH_CARE && running::of(thread::current_or_null().cast()).is_some();
    if is_alone {
        usable_bytes_told(address)
    } else {
        None
    }
}

/// After that: the block of so many bytes at `old` has been resized, and is at `new` now. Returns that.
#[inline(always)]
pub fn resized_alone<const WATCH: Watch>(old: usize, bytes: u64, new: usize, requested: usize) -> usize {
    if WATCH == PLAINLY && new == old {
        resized_in_place::<WATCH>(old, bytes, requested)
    } else {
        moved::<WATCH>(old, bytes, new, requested)
    }
}

/// The block is where it was.
#[inline(never)]
fn resized_in_place<const WATCH: Watch>(address: usize, bytes: u64, requested: usize) -> usize {
    let new_bytes = small_bytes::<WATCH>(address);
    if new_bytes == NOT_SMALL {
        return moved::<WATCH>(address, bytes, address, requested);
    }
    let is_done = alone(
        #[inline(always)]
        |recorder, thread, interp| recorder.resized_watched_shortly(thread, interp, address, new_bytes),
    );
    if is_done == Some(true) {
        address
    } else {
        moved::<WATCH>(address, bytes, address, SMALL)
    }
}

/// A block is gone, and another is there.
#[inline(never)]
fn moved<const WATCH: Watch>(old: usize, bytes: u64, new: usize, requested: usize) -> usize {
    let is_freed = alone(
        #[inline(always)]
        |recorder, thread, interp| match WATCH {
            PLAINLY => recorder.freed_watched_shortly(thread, interp, old),
            NOT => recorder.freed_shortly(thread, interp, bytes),
            _ => false,
        },
    );
    if is_freed != Some(true) {
        freed_by_resize(old, bytes);
    }
    allocated::<WATCH>(new, requested)
}

#[inline(never)]
fn freed_by_resize(address: usize, bytes: u64) {
    with(|recorder, thread| recorder.freed_by_resize(thread, address, bytes));
}

/// A block is about to be resized; tell what became of it with one of the three functions below.
pub fn resizing(address: usize) -> Option<Freed> {
    with(|recorder, _| {
        let (block, bytes) = recorder.take_block(address);
        Freed { block, bytes }
    })
}

/// The resized block is at `address` now.
pub fn resized<const WATCH: Watch>(old: Option<Freed>, address: usize, requested: usize) {
    if let Some(old) = old {
        with(|recorder, thread| recorder.freed_taken(thread, old.block, old.bytes));
    }
    allocated::<WATCH>(address, requested);
}

/// The resize failed; the block is as it was.
pub fn not_resized(old: Freed, address: usize) {
    with(|recorder, _| {
        if let Some(block) = old.block {
            recorder.put_block_back(address, block, old.bytes);
        }
    });
}

/// The resize was to no bytes, and freed the block.
pub fn resized_to_nothing(old: Freed) {
    with(|recorder, thread| recorder.freed_taken(thread, old.block, old.bytes));
}

/// The program mapped and unmapped so many bytes itself.
pub fn mapped(mapped_bytes: usize, unmapped_bytes: usize) {
    with(|recorder, _| recorder.mapped(mapped_bytes as u64, unmapped_bytes as u64));
}
