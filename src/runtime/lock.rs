//! One lock over the recorder, taken only once the process has (or is about to have) more than one thread, or while the
//! writer's thread is inside.
//!
//! A thread cannot begin unseen by `pthread_create`, which is hooked, so the first switch happens while its only thread is
//! outside of the recorder, and needs no fence on the fast path.
//!
//! The second has its fence on the side of the visitor. Who enters the recorder says that it is busy, and then looks whether
//! to take the lock; who visits says that the lock is to be taken, and then looks whether anyone is busy. Between the two
//! the visitor has the kernel run a barrier on every processor that runs the process (`membarrier`): so either the visitor
//! sees that the other is busy, and goes away, or the other sees that it has to wait.

use super::hurdles::{self, THREADS, VISITOR};
use super::running;
use parking_lot::lock_api::RawMutex as _;
use parking_lot::RawMutex;
use std::sync::atomic::{compiler_fence, AtomicBool, Ordering};

static LOCK: RawMutex = RawMutex::INIT;
/// Was the lock taken for a fork?
static HELD_FOR_FORK: AtomicBool = AtomicBool::new(false);

/// From now on the recorder is locked.
pub fn expect_threads() {
    hurdles::put_up(THREADS);
    running::is_nobody();
}

/// Is the recorder locked on each use?
pub fn threads_expected() -> bool {
    hurdles::any_of(THREADS)
}

/// Makes visits possible. A kernel without `membarrier` gets a lock that is taken on each use.
pub fn expect_visits() {
    const REGISTER_PRIVATE_EXPEDITED: i32 = 1 << 4;
    if !membarrier(REGISTER_PRIVATE_EXPEDITED) {
        expect_threads();
    }
}

fn membarrier(command: i32) -> bool {
    // SAFETY: the call reads and writes no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// The lock, held if there is a reason.
pub struct Held(bool);

/// Takes the lock if there is a reason to. The thread has said that it is busy.
#[inline(always)]
pub fn hold() -> Held {
    // Costs nothing: it keeps the compiler from looking first. The visitor sees to the processor.
    compiler_fence(Ordering::SeqCst);
    let locked = hurdles::any_of(THREADS | VISITOR);
    if locked {
        LOCK.lock();
    }
    Held(locked)
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0 {
            // SAFETY: taken by `hold`, and nobody else gives it back.
            unsafe { LOCK.unlock() }
        }
    }
}

/// The recorder is given up, and whoever was inside will not come out: nobody is to wait for that.
pub fn give_up() {
    if LOCK.is_locked() {
        // SAFETY: the recorder is gone, so the lock guards nothing any more. If a thread has it that is still inside, that
        // one unlocks it once more, which wakes nobody.
        unsafe { LOCK.unlock() }
    }
}

/// Runs `f` while no thread is inside, and keeps all out meanwhile. Never waits: `None`, and `f` is not run, where one is
/// inside. `is_any_busy`: has a thread said that it is, and not yet that it no longer is?
pub fn visit<R>(is_any_busy: impl FnOnce() -> bool, f: impl FnOnce() -> R) -> Option<R> {
    const PRIVATE_EXPEDITED: i32 = 1 << 3;
    if !LOCK.try_lock() {
        return None;
    }
    let is_locked_on_each_use = hurdles::put_up(VISITOR) & THREADS != 0;
    let is_alone = is_locked_on_each_use || (membarrier(PRIVATE_EXPEDITED) && !is_any_busy());
    let result = is_alone.then(f);
    hurdles::take_down(VISITOR);
    // SAFETY: taken above.
    unsafe { LOCK.unlock() }
    result
}

/// Before a fork: nobody else is inside while the process is copied. `is_busy`: a signal handler forks, and what it
/// interrupted was inside, perhaps with the lock.
pub fn before_fork(is_busy: bool) {
    if !is_busy {
        LOCK.lock();
        HELD_FOR_FORK.store(true, Ordering::Relaxed);
    }
}

/// After a fork, in the parent and in the child, which has the forking thread only.
pub fn after_fork() {
    if HELD_FOR_FORK.swap(false, Ordering::Relaxed) {
        // SAFETY: taken in `before_fork` by this thread.
        unsafe { LOCK.unlock() }
    }
}
