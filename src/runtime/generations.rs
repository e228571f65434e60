//! Is what was learnt from an address still true? perl frees statements and subs and gives their addresses to others.
//!
//! Each address falls into one of a few thousand classes; a class has a generation, which rises when anything at one of
//! its addresses is freed. What is remembered of an address is remembered with its class's generation, and holds while
//! that stands. So a string eval that comes and goes makes a few entries out of date, and not all.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Classes; a power of two.
const CLASSES: usize = 4096;

/// Op trees are shared between ithreads, so these are too.
static GENERATIONS: [AtomicU32; CLASSES] = [const { AtomicU32::new(0) }; CLASSES];

/// Counts all that was freed.
static FREED: AtomicU32 = AtomicU32::new(0);

#[inline]
fn class(address: usize) -> &'static AtomicU32 {
    let mixed = (address >> 3) ^ (address >> 15);
    // SAFETY: masked to the length.
    unsafe { GENERATIONS.get_unchecked(mixed & (CLASSES - 1)) }
}

/// The generation of an address.
#[inline]
pub fn of(address: usize) -> u32 {
    class(address).load(Relaxed)
}

/// perl frees the statement or sub at that address.
pub fn freed(address: usize) {
    class(address).fetch_add(1, Relaxed);
    FREED.fetch_add(1, Relaxed);
}

/// Counts all that perl has freed: has anything been, since this was last so?
#[inline]
pub fn all() -> u32 {
    FREED.load(Relaxed)
}
