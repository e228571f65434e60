//! Memory put by for the end of a recording: where the system has no more, the profiler must not end the program.
//!
//! Rust ends the process where an allocation fails. The first that does ends the recording instead, and is served from here,
//! as are those that follow: enough to finish what is under way. Blocks are of powers of two, and what is given back is used
//! again for blocks of its size: figures are collected and written a chunk at a time, however many there are.

use super::own_heap;
use super::recording;
use super::thread::ErrnoKept;
use std::alloc::Layout;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// Bytes of address space; memory only once they are used.
const BYTES: usize = 8 << 20;
/// Alignments up to this, and log2 of the smallest block.
const MOST_ALIGNED: usize = 4096;
const SMALLEST_BITS: u32 = 4;
/// Sizes of blocks.
const SIZES: usize = (BYTES.ilog2() - SMALLEST_BITS + 1) as usize;

static START: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);
static IS_TOUCHED: AtomicBool = AtomicBool::new(false);

/// By size: the block that was given back last; each has the address of the one before in it. Nobody waits for the lock: a
/// forked child would wait for ever for a thread that it does not have. Who does not get it does without.
static GIVEN_BACK: [AtomicUsize; SIZES] = [const { AtomicUsize::new(0) }; SIZES];
static IS_LOCKED: AtomicBool = AtomicBool::new(false);

fn locked<R>(what: impl FnOnce() -> R) -> Option<R> {
    if IS_LOCKED.swap(true, Acquire) {
        return None;
    }
    let result = what();
    IS_LOCKED.store(false, Release);
    Some(result)
}

/// The bytes of the block for that layout, and their place among the sizes; `None` where it is too large.
fn size_for(layout: Layout) -> Option<(usize, &'static AtomicUsize)> {
    let bits = layout.size().max(layout.align()).max(1 << SMALLEST_BITS).checked_next_power_of_two()?.ilog2();
    Some((1 << bits, GIVEN_BACK.get((bits - SMALLEST_BITS) as usize)?))
}

/// Puts it by, unless it is.
pub fn put_by() {
    if START.load(Relaxed) != 0 {
        return;
    }
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let mut flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    if !cfg!(miri) {
        flags |= libc::MAP_NORESERVE;
    }
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
    let Some((size, given_back)) = size_for(layout).filter(|_| start != 0 && layout.align() <= MOST_ALIGNED) else {
        return std::ptr::null_mut();
    };
    // A signal handler that comes back to the heap from within it has come to no end of memory.
    if !own_heap::is_barred() && !IS_TOUCHED.swap(true, Relaxed) {
        recording::end("there is no memory left");
    }
    let again = locked(|| {
        let block = given_back.load(Relaxed) as *mut usize;
        if !block.is_null() {
            // SAFETY: a block of that size that was given back, with the address of the one before; it is nobody's but ours.
            unsafe {
                given_back.store(*block, Relaxed);
                block.cast::<u8>().write_bytes(0, size);
            }
        }
        block.cast::<u8>()
    });
    if let Some(block) = again.filter(|block| !block.is_null()) {
        return block;
    }
    // Room to align it in, unless blocks before it were as large.
    let aligned = size.min(MOST_ALIGNED);
    let block = |used: usize| used.next_multiple_of(aligned);
    let taken = USED.fetch_update(Relaxed, Relaxed, |used| block(used).checked_add(size).filter(|&end| end <= BYTES));
    taken.map_or(std::ptr::null_mut(), |used| (start + block(used)) as *mut u8)
}

/// Takes a block back that [`take`] gave.
///
/// # Safety
/// It was of that layout, and nobody uses it any more.
#[cold]
pub unsafe fn give_back(block: *mut u8, layout: Layout) {
    let Some((_, given_back)) = size_for(layout) else { return };
    locked(|| {
        // SAFETY: the caller's promise; blocks are of 16 bytes at least, and aligned to as many.
        unsafe { *block.cast::<usize>() = given_back.load(Relaxed) };
        given_back.store(block as usize, Relaxed);
    });
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

    /// One test, for there is one reserve.
    #[test]
    fn what_is_given_back_is_used_again_and_only_that() {
        // The heap of a program that is no PIE follows the program, which begins at 4 MiB.
        assert_eq!(START.load(Relaxed), 0, "put by only where a recording starts");
        assert!(!has(std::ptr::without_provenance_mut(0x78_0000)));
        assert!(take(Layout::new::<u64>()).is_null());

        put_by();
        let layout = |size, align| Layout::from_size_align(size, align).unwrap();
        let (of_24, of_page, too_large) = (layout(24, 8), layout(300_000, 4096), layout(BYTES + 1, 8));
        assert!(take(too_large).is_null());
        let (small, other, aligned) = (take(of_24), take(of_24), take(of_page));
        assert!([small, other, aligned].iter().all(|&block| has(block)));
        assert!(small != other && aligned as usize % 4096 == 0);
        // SAFETY: blocks of these layouts, used no more after they are given back.
        unsafe {
            small.write_bytes(0xff, 24);
            other.write_bytes(0xff, 24);
            give_back(small, of_24);
            give_back(other, of_24);
            let again = [take(of_24), take(of_24), take(of_24)];
            assert_eq!(again[..2], [other, small]);
            assert!(again.iter().all(|block| std::slice::from_raw_parts(*block, 24).iter().all(|&byte| byte == 0)));
            give_back(aligned, of_page);
            (0..1000).for_each(|_| give_back(take(of_page), of_page));
            assert_eq!(take(of_page), aligned);
        }
        let rest = (0..).take_while(|_| !take(of_page).is_null()).count();
        assert!(rest > 10 && rest < BYTES / 300_000, "{rest}");
    }
}
