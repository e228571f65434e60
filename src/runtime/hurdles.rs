//! What keeps an event from going the short way: one word, for it is asked at every event.

#![allow(non_upper_case_globals)] // C knows it too

use std::sync::atomic::{AtomicU32, Ordering::AcqRel, Ordering::Relaxed};

/// There is more than one thread, or there will be soon: the recorder is locked on each use.
pub(super) const THREADS: u32 = 1;
/// The writer's thread is inside the recorder, or about to be.
pub(super) const VISITOR: u32 = 2;
/// Something waits for the next boundary: a tick, a snapshot that is due, a pool that may have grown, a fork.
pub const MPROF_WAITS: u32 = 4;
/// Somebody but the tree needs to know of entries and exits: the stream of calls, or a mark.
pub(super) const EXITS: u32 = 8;

/// All there are. The shim looks here at every statement.
#[no_mangle]
pub static mprof_hurdles: AtomicU32 = AtomicU32::new(0);

/// Is any there?
#[inline(always)]
pub fn any() -> bool {
    mprof_hurdles.load(Relaxed) != 0
}

/// Is any of those there?
#[inline(always)]
pub fn any_of(hurdles: u32) -> bool {
    mprof_hurdles.load(Relaxed) & hurdles != 0
}

/// Puts one up, and tells which there were.
pub fn put_up(hurdle: u32) -> u32 {
    mprof_hurdles.fetch_or(hurdle, AcqRel)
}

/// Takes one down.
pub fn take_down(hurdle: u32) {
    mprof_hurdles.fetch_and(!hurdle, AcqRel);
}

/// Something waits from now on.
pub fn let_wait() {
    put_up(MPROF_WAITS);
}
