//! Is what was learnt from an address still true? perl frees statements and subs and gives their addresses to others.
//!
//! Each address falls into one of a few thousand classes; a class has a generation, which rises when anything at one of
//! its addresses is freed. What is remembered of an address is remembered with its class's generation, and holds while
//! that stands. So a string eval that comes and goes makes a few entries out of date, and not all.

#![allow(non_upper_case_globals)] // one that C knows too

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Classes; a power of two.
const CLASSES: usize = 4096;

/// Op trees are shared between ithreads, so these are too.
type Generations = [AtomicU32; CLASSES];
static OF_STATEMENTS: Generations = [const { AtomicU32::new(0) }; CLASSES];
static OF_SUBS: Generations = [const { AtomicU32::new(0) }; CLASSES];

/// Counts all that was freed. The shim looks here.
#[no_mangle]
pub static mprof_freed: AtomicU32 = AtomicU32::new(0);

#[inline]
fn class(generations: &Generations, address: usize) -> &AtomicU32 {
    let mixed = (address >> 3) ^ (address >> 15);
    // SAFETY: masked to the length.
    unsafe { generations.get_unchecked(mixed & (CLASSES - 1)) }
}

/// The generation of a statement.
#[inline]
pub fn of(cop: usize) -> u32 {
    class(&OF_STATEMENTS, cop).load(Relaxed)
}

/// The generation of a sub's code. Statements are freed more often than subs, and it costs more to ask perl about a sub.
#[inline]
pub fn of_sub(code: usize) -> u32 {
    class(&OF_SUBS, code).load(Relaxed)
}

/// perl frees the statement at that address.
pub fn freed(cop: usize) {
    class(&OF_STATEMENTS, cop).fetch_add(1, Relaxed);
    mprof_freed.fetch_add(1, Relaxed);
}

/// perl frees the code at that address.
pub fn sub_freed(code: usize) {
    class(&OF_SUBS, code).fetch_add(1, Relaxed);
    mprof_freed.fetch_add(1, Relaxed);
}

/// Counts all that perl has freed, statements and subs: as long as it stands, no generation has risen.
#[inline]
pub fn all_freed() -> u32 {
    mprof_freed.load(Relaxed)
}
