//! The profiler's own memory, counted apart from the program's.
//!
//! Every Rust allocation of the shared object goes through here to a heap of its own, so it is in no figure of the program.
//! Where that has no more, the reserve is used. What zstd keeps, a library of C, is told.

use super::{own_heap, reserve};
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

/// # Safety
/// A block of ours, with its layout, that nobody uses any more.
unsafe fn give_back(block: *mut u8, layout: Layout) {
    // SAFETY: the caller's promise.
    unsafe {
        if reserve::has(block) {
            reserve::give_back(block, layout);
        } else {
            own_heap::dealloc(block, layout);
        }
    }
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn grown(bytes: usize) {
    let live = LIVE_BYTES.fetch_add(bytes, Relaxed) + bytes;
    PEAK_BYTES.fetch_max(live, Relaxed);
}

fn or_reserve(block: *mut u8, layout: Layout) -> *mut u8 {
    if block.is_null() {
        reserve::take(layout)
    } else {
        block
    }
}

// SAFETY: every call is handed to the heap unchanged, or served from the reserve, whose blocks are nobody
// else's; the counters never touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        or_reserve(own_heap::alloc(layout), layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // Untouched pages of large zeroed blocks cost nothing, so this must not become alloc + memset.
        or_reserve(own_heap::alloc_zeroed(layout), layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller hands back a block of ours with its layout.
        unsafe { give_back(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        grown(new_size);
        LIVE_BYTES.fetch_sub(layout.size(), Relaxed);
        if !reserve::has(block) {
            // SAFETY: the caller keeps `realloc`'s contract; the block is not the reserve's.
            let resized = unsafe { own_heap::realloc(block, layout, new_size) };
            if !resized.is_null() {
                return resized;
            }
        }
        // SAFETY: the caller's promise that the size is a valid one for the alignment; the new block is as long as what is
        // copied, and another one. The old one is whole: what could not be resized is still there.
        unsafe {
            let moved = reserve::take(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                give_back(block, layout);
            }
            moved
        }
    }
}

/// Bytes the profiler holds now.
pub fn live_bytes() -> u64 {
    LIVE_BYTES.load(Relaxed) as u64
}

/// The most bytes the profiler has held at once.
pub fn peak_bytes() -> u64 {
    PEAK_BYTES.load(Relaxed) as u64
}
