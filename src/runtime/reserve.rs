//! Memory put by for the end of a recording: where the system has no more, the profiler must not end the program.
//!
//! Rust ends the process where an allocation fails. The first that does ends the recording instead, and is served from here,
//! as are those that follow: enough to finish what is under way. What is given back is not used again.

use super::recording;
use super::thread::ErrnoKept;
use std::alloc::Layout;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Bytes of address space; memory only once they are used.
const BYTES: usize = 8 << 20;

static START: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);
static IS_TOUCHED: AtomicBool = AtomicBool::new(false);

/// Puts it by, unless it is.
pub fn put_by() {
    if START.load(Relaxed) != 0 {
        return;
    }
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), BYTES, protection, flags, -1, 0) };
    if start != libc::MAP_FAILED {
        START.store(start as usize, Relaxed);
    }
}

/// A block, all zero, where the system has none; null when the reserve is used up.
#[cold]
pub fn take(layout: Layout) -> *mut u8 {
    let _errno = ErrnoKept::new();
    let start = START.load(Relaxed);
    // Alignments are powers of two, and the mapping is aligned to a page.
    let size = layout.size() + layout.align().max(16);
    let at = USED.fetch_add(size, Relaxed);
    if start == 0 || layout.align() > 4096 || at.checked_add(size).is_none_or(|end| end > BYTES) {
        return std::ptr::null_mut();
    }
    if !IS_TOUCHED.swap(true, Relaxed) {
        recording::end("there is no memory left");
    }
    (start + at).next_multiple_of(layout.align().max(16)) as *mut u8
}

/// Is the block one of the reserve's?
#[inline]
pub fn has(block: *mut u8) -> bool {
    let start = START.load(Relaxed);
    // Until there is one, low addresses are not its: a perl that is no PIE has its heap there.
    start != 0 && (block as usize).wrapping_sub(start) < BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_block_is_of_a_reserve_that_was_not_put_by() {
        // The heap of a program that is no PIE follows the program, which begins at 4 MiB.
        assert_eq!(START.load(Relaxed), 0, "put by only where a recording starts");
        assert!(!has(std::ptr::without_provenance_mut(0x78_0000)));
    }
}
