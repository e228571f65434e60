//! Where the profiler's own memory comes from: a heap apart from the program's.
//!
//! In the program's heap blocks of ours would lie between its own, and each that is not small has glibc tidy up all its small
//! free chunks, which it would have handed out again as they are: programs that allocate much took a tenth longer for that.
//!
//! The heap is dlmalloc's, behind a lock of its own, for a lock here has to cope with what others need not: a signal handler
//! may come back to it from within, or never let it go on; and a fork may leave it locked by a thread that is not there any
//! more.

#[cfg(not(any(miri, mprof_libc_heap)))]
use super::thread;
use std::alloc::Layout;
use std::mem::MaybeUninit;

#[cfg(not(any(miri, mprof_libc_heap)))]
mod heap {
    use super::{thread, Layout};
    use dlmalloc::Dlmalloc;
    use std::cell::UnsafeCell;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

    struct Heap(UnsafeCell<Dlmalloc>);
    // SAFETY: only who has the lock looks inside.
    unsafe impl Sync for Heap {}

    static HEAP: Heap = Heap(UnsafeCell::new(Dlmalloc::new()));
    /// The [identity](thread::identity) of the thread that is inside; 0 while none is.
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    /// The heap was left in the middle of something: nothing is taken from it or given back to it any more.
    static IS_GIVEN_UP: AtomicBool = AtomicBool::new(false);

    /// Was the lock taken for a fork?
    static HELD_FOR_FORK: AtomicBool = AtomicBool::new(false);

    /// Who waits sleeps after so many rounds.
    const SLEEPS_AFTER: u32 = 64;

    /// Takes the lock. `false`: this thread has it already, or the heap is given up.
    #[inline]
    fn lock() -> bool {
        let me = thread::identity();
        let mut rounds = 0;
        while let Err(other) = INSIDE.compare_exchange_weak(0, me, Acquire, Relaxed) {
            if other == me || IS_GIVEN_UP.load(Relaxed) {
                return false;
            }
            // What the other does takes a few hundred instructions, or a call of the kernel. But it may be one that does not
            // run as long as this one is ready to.
            rounds += 1;
            // SAFETY: no precondition.
            unsafe {
                if rounds < SLEEPS_AFTER {
                    libc::sched_yield();
                } else {
                    libc::usleep(50);
                }
            }
        }
        true
    }

    fn unlock() {
        INSIDE.store(0, Release);
    }

    #[inline]
    fn with<R>(what: impl FnOnce(&mut Dlmalloc) -> R) -> Option<R> {
        let _errno = thread::ErrnoKept::new();
        if IS_GIVEN_UP.load(Relaxed) || !lock() {
            return None;
        }
        // SAFETY: the lock is this thread's.
        let result = what(unsafe { &mut *HEAP.0.get() });
        unlock();
        Some(result)
    }

    /// A block; null where there is none.
    pub fn alloc(layout: Layout) -> *mut u8 {
        // SAFETY: a layout is of a size and an alignment that dlmalloc takes.
        with(|heap| unsafe { heap.malloc(layout.size(), layout.align()) }).unwrap_or(std::ptr::null_mut())
    }

    /// A block, all zero; null where there is none.
    pub fn alloc_zeroed(layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        with(|heap| unsafe { heap.calloc(layout.size(), layout.align()) }).unwrap_or(std::ptr::null_mut())
    }

    /// # Safety
    /// A block of this heap with its layout, which nobody uses any more.
    pub unsafe fn dealloc(block: *mut u8, layout: Layout) {
        // Otherwise it is lost, which happens once in a program's life, if ever.
        // SAFETY: the caller's promise.
        with(|heap| unsafe { heap.free(block, layout.size(), layout.align()) });
    }

    /// A block of `new_size` with what was in that one; null where there is none, and the old one is as it was.
    ///
    /// # Safety
    /// A block of this heap with its layout.
    pub unsafe fn realloc(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        with(|heap| unsafe { heap.realloc(block, layout.size(), layout.align(), new_size) })
            .unwrap_or(std::ptr::null_mut())
    }

    /// Is the heap closed to this thread, though there is memory: given up, or interrupted in the midst of something?
    pub fn is_barred() -> bool {
        IS_GIVEN_UP.load(Relaxed) || INSIDE.load(Relaxed) == thread::identity()
    }

    /// This thread ends, or a signal handler has died in it, perhaps in the midst of its use of the heap. The lock is never
    /// given back then: whoever waits for it sees that the heap is given up.
    pub fn give_up_if_inside() {
        if INSIDE.load(Relaxed) == thread::identity() {
            IS_GIVEN_UP.store(true, Relaxed);
        }
    }

    /// Before a fork: nobody else is inside while the process is copied. This thread may be, if a signal handler forks.
    pub fn before_fork() {
        HELD_FOR_FORK.store(lock(), Relaxed);
    }

    /// After it, in the parent and in the child.
    pub fn after_fork() {
        if HELD_FOR_FORK.swap(false, Relaxed) {
            unlock();
        }
    }
}

#[cfg(not(any(miri, mprof_libc_heap)))]
pub use heap::*;

/// For what watches each block, and wants to see it taken from libc.
#[cfg(any(miri, mprof_libc_heap))]
mod libc_heap {
    use super::Layout;
    use std::alloc::{GlobalAlloc, System};

    pub fn alloc(layout: Layout) -> *mut u8 {
        // SAFETY: Rust asks for no block without a size.
        unsafe { System.alloc(layout) }
    }

    pub fn alloc_zeroed(layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    /// # Safety
    /// A block of this heap with its layout, which nobody uses any more.
    pub unsafe fn dealloc(block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    /// # Safety
    /// A block of this heap with its layout.
    pub unsafe fn realloc(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, new_size) }
    }

    pub fn is_barred() -> bool {
        false
    }

    pub fn give_up_if_inside() {}

    pub fn before_fork() {}

    pub fn after_fork() {}
}

#[cfg(any(miri, mprof_libc_heap))]
pub use libc_heap::*;

/// The system may have the memory of a block, as far as it is whole pages, until it is used again. The heap keeps what is
/// given back to it, and finds it hard to make large blocks of many small ones.
pub fn discard<T>(unused: &mut [MaybeUninit<T>]) {
    #[cfg(not(miri))]
    {
        let page = super::statm::page_bytes() as usize;
        let range = unused.as_mut_ptr_range();
        let (start, end) = (range.start.addr().next_multiple_of(page), range.end.addr() / page * page);
        if start < end {
            // SAFETY: these pages lie in memory that is ours alone, and nobody expects anything there.
            unsafe { libc::madvise(range.start.with_addr(start).cast(), end - start, libc::MADV_DONTNEED) };
        }
    }
    #[cfg(miri)]
    let _ = unused;
}
