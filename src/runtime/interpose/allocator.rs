//! The allocator's functions as the program sees them: each calls the real one and tells the recorder.
//!
//! Nothing here allocates or locks unless the recorder has to learn a new place, and errno stays what the real function
//! made it.

use super::slots::Hook;
use crate::runtime::recording::{self, Freed};
use libc::{c_int, c_void, off64_t, off_t, size_t};

extern "C" {
    fn reallocarray(block: *mut c_void, count: size_t, size: size_t) -> *mut c_void;
    fn memalign(alignment: size_t, size: size_t) -> *mut c_void;
    fn valloc(size: size_t) -> *mut c_void;
    fn pvalloc(size: size_t) -> *mut c_void;
    fn mmap64(
        at: *mut c_void,
        length: size_t,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: off64_t,
    ) -> *mut c_void;
}

/// All hooks of this file.
pub const HOOKS: &[fn() -> Hook] = &[
    || Hook { name: c"malloc", ours: our_malloc as *const () as usize },
    || Hook { name: c"calloc", ours: our_calloc as *const () as usize },
    || Hook { name: c"realloc", ours: our_realloc as *const () as usize },
    || Hook { name: c"reallocarray", ours: our_reallocarray as *const () as usize },
    || Hook { name: c"free", ours: our_free as *const () as usize },
    || Hook { name: c"cfree", ours: our_free as *const () as usize },
    || Hook { name: c"posix_memalign", ours: our_posix_memalign as *const () as usize },
    || Hook { name: c"aligned_alloc", ours: our_aligned_alloc as *const () as usize },
    || Hook { name: c"memalign", ours: our_memalign as *const () as usize },
    || Hook { name: c"valloc", ours: our_valloc as *const () as usize },
    || Hook { name: c"pvalloc", ours: our_pvalloc as *const () as usize },
    || Hook { name: c"mmap", ours: our_mmap as *const () as usize },
    || Hook { name: c"mmap64", ours: our_mmap64 as *const () as usize },
    || Hook { name: c"munmap", ours: our_munmap as *const () as usize },
    || Hook { name: c"mremap", ours: our_mremap as *const () as usize },
];

/// Tells of a new block, which there may not be.
#[inline(always)]
fn born(block: *mut c_void, requested: size_t) -> *mut c_void {
    if !block.is_null() {
        recording::allocated(block as usize, requested);
    }
    block
}

unsafe extern "C" fn our_malloc(size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born(unsafe { libc::malloc(size) }, size)
}

unsafe extern "C" fn our_calloc(count: size_t, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came. The product did not overflow if a block came back.
    born(unsafe { libc::calloc(count, size) }, count.wrapping_mul(size))
}

unsafe extern "C" fn our_free(block: *mut c_void) {
    if !block.is_null() {
        recording::freed(block as usize);
    }
    // SAFETY: passed on as it came.
    unsafe { libc::free(block) }
}

/// A block may come back at its old address, move, or stay as it was; in each case its old life ends before another
/// thread can be given the address.
#[inline]
fn reborn(block: *mut c_void, requested: size_t, resize: impl FnOnce() -> *mut c_void) -> *mut c_void {
    if block.is_null() {
        return born(resize(), requested);
    }
    let old: Option<Freed> = recording::resizing(block as usize);
    let new = resize();
    match (new.is_null(), old) {
        (false, old) => recording::resized(old, new as usize, requested),
        // A resize to nothing is a free; any other failure leaves the block alone.
        (true, Some(old)) if requested != 0 => recording::not_resized(old, block as usize),
        (true, Some(old)) => recording::resized_to_nothing(old),
        (true, None) => {}
    }
    new
}

unsafe extern "C" fn our_realloc(block: *mut c_void, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    reborn(block, size, || unsafe { libc::realloc(block, size) })
}

unsafe extern "C" fn our_reallocarray(block: *mut c_void, count: size_t, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came. An overflowing product fails, and is then not taken for a free.
    reborn(block, count.saturating_mul(size), || unsafe { reallocarray(block, count, size) })
}

unsafe extern "C" fn our_posix_memalign(out: *mut *mut c_void, alignment: size_t, size: size_t) -> c_int {
    // SAFETY: passed on as it came; `out` is written where the call succeeded.
    unsafe {
        let status = libc::posix_memalign(out, alignment, size);
        if status == 0 {
            born(*out, size);
        }
        status
    }
}

unsafe extern "C" fn our_aligned_alloc(alignment: size_t, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born(unsafe { libc::aligned_alloc(alignment, size) }, size)
}

unsafe extern "C" fn our_memalign(alignment: size_t, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born(unsafe { memalign(alignment, size) }, size)
}

unsafe extern "C" fn our_valloc(size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born(unsafe { valloc(size) }, size)
}

unsafe extern "C" fn our_pvalloc(size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born(unsafe { pvalloc(size) }, size)
}

unsafe extern "C" fn our_mmap(
    at: *mut c_void,
    length: size_t,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    offset: off_t,
) -> *mut c_void {
    // SAFETY: passed on as it came.
    let mapped = unsafe { libc::mmap(at, length, protection, flags, fd, offset) };
    if mapped != libc::MAP_FAILED {
        recording::mapped(length, 0);
    }
    mapped
}

unsafe extern "C" fn our_mmap64(
    at: *mut c_void,
    length: size_t,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    offset: off64_t,
) -> *mut c_void {
    // SAFETY: passed on as it came.
    let mapped = unsafe { mmap64(at, length, protection, flags, fd, offset) };
    if mapped != libc::MAP_FAILED {
        recording::mapped(length, 0);
    }
    mapped
}

unsafe extern "C" fn our_munmap(at: *mut c_void, length: size_t) -> c_int {
    // SAFETY: passed on as it came.
    let status = unsafe { libc::munmap(at, length) };
    if status == 0 {
        recording::mapped(0, length);
    }
    status
}

/// `new_at` is read by the real function only with the flag that says it was passed.
unsafe extern "C" fn our_mremap(
    at: *mut c_void,
    old_length: size_t,
    new_length: size_t,
    flags: c_int,
    new_at: *mut c_void,
) -> *mut c_void {
    // SAFETY: passed on as it came.
    let mapped = unsafe { libc::mremap(at, old_length, new_length, flags, new_at) };
    if mapped != libc::MAP_FAILED {
        recording::mapped(new_length, old_length);
    }
    mapped
}
