//! One lock over the recorder, taken only once the process has (or is about to have) more than one thread.
//!
//! A thread cannot begin unseen by `pthread_create`, which is hooked, so the switch happens while its only thread is
//! outside of the recorder, and needs no fence on the fast path.

use parking_lot::lock_api::RawMutex as _;
use parking_lot::RawMutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static LOCK: RawMutex = RawMutex::INIT;
static THREADS_EXPECTED: AtomicBool = AtomicBool::new(false);

/// From now on the recorder is locked.
pub fn expect_threads() {
    THREADS_EXPECTED.store(true, Relaxed);
}

/// Is the recorder locked on each use?
pub fn threads_expected() -> bool {
    THREADS_EXPECTED.load(Relaxed)
}

/// The lock, held if threads are expected.
pub struct Held(bool);

/// Takes the lock if threads are expected.
#[inline(always)]
pub fn hold() -> Held {
    let locked = THREADS_EXPECTED.load(Relaxed);
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

/// Before a fork: no other thread is inside while the process is copied.
pub fn before_fork() {
    if threads_expected() {
        LOCK.lock();
    }
}

/// After a fork, in the parent and in the child, which has the forking thread only.
pub fn after_fork() {
    if threads_expected() && LOCK.is_locked() {
        // SAFETY: taken in `before_fork` by this thread.
        unsafe { LOCK.unlock() }
    }
}
