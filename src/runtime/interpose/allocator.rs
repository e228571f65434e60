//! The allocator's functions as the program sees them: each calls the real one and tells the recorder.
//!
//! Nothing here allocates or locks unless the recorder has to learn a new place, and errno stays what the real function
//! made it.

use super::slots::Hook;
use crate::runtime::recording::{self, Freed};
use crate::runtime::watch::{self, Watch, NOT, PLAINLY, WITH_CARE};
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

/// A hook that is another for each way of watching.
macro_rules! hook {
    ($name:literal, $ours:ident) => {
        || {
            let ours = match watch::way() {
                NOT => $ours::<NOT> as *const () as usize,
                PLAINLY => $ours::<PLAINLY> as *const () as usize,
                _ => $ours::<WITH_CARE> as *const () as usize,
            };
            Hook { name: $name, ours }
        }
    };
}

/// All hooks of this file.
pub const HOOKS: &[fn() -> Hook] = &[
    hook!(c"malloc", our_malloc),
    hook!(c"calloc", our_calloc),
    hook!(c"realloc", our_realloc),
    hook!(c"reallocarray", our_reallocarray),
    hook!(c"free", our_free),
    hook!(c"cfree", our_free),
    hook!(c"posix_memalign", our_posix_memalign),
    hook!(c"aligned_alloc", our_aligned_alloc),
    hook!(c"memalign", our_memalign),
    hook!(c"valloc", our_valloc),
    hook!(c"pvalloc", our_pvalloc),
    || Hook { name: c"mmap", ours: our_mmap as *const () as usize },
    || Hook { name: c"mmap64", ours: our_mmap64 as *const () as usize },
    || Hook { name: c"munmap", ours: our_munmap as *const () as usize },
    || Hook { name: c"mremap", ours: our_mremap as *const () as usize },
];

/// Tells of a new block, which there may not be.
#[inline(always)]
fn born<const WATCH: Watch>(block: *mut c_void, requested: size_t) -> *mut c_void {
    if block.is_null() {
        return block;
    }
    block.with_addr(recording::allocated::<WATCH>(block as usize, requested))
}

unsafe extern "C" fn our_malloc<const WATCH: Watch>(size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born::<WATCH>(unsafe { libc::malloc(size) }, size)
}

unsafe extern "C" fn our_calloc<const WATCH: Watch>(count: size_t, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came. The product did not overflow if a block came back.
    born::<WATCH>(unsafe { libc::calloc(count, size) }, count.wrapping_mul(size))
}

unsafe extern "C" fn our_free<const WATCH: Watch>(block: *mut c_void) {
    if !block.is_null() && !recording::freed::<WATCH>(block as usize) {
        // SAFETY: passed on as it came.
        return unsafe { free_at_length(block) };
    }
    // SAFETY: passed on as it came.
    unsafe { libc::free(block) }
}

/// Apart, so that the hook calls nobody but in its last step.
#[inline(never)]
unsafe extern "C" fn free_at_length(block: *mut c_void) {
    recording::freed_at_length(block as usize);
    // SAFETY: passed on as it came.
    unsafe { libc::free(block) }
}

/// A block may come back at its old address, move, or stay as it was; in each case its old life ends before another
/// thread can be given the address.
fn reborn<const WATCH: Watch>(
    block: *mut c_void,
    requested: size_t,
    resize: impl FnOnce() -> *mut c_void,
) -> *mut c_void {
    if block.is_null() {
        return born::<WATCH>(resize(), requested);
    }
    let old: Option<Freed> = recording::resizing(block as usize);
    let new = resize();
    match (new.is_null(), old) {
        (false, old) => recording::resized::<WATCH>(old, new as usize, requested),
        // A resize to nothing is a free; any other failure leaves the block alone.
        (true, Some(old)) if requested != 0 => recording::not_resized(old, block as usize),
        (true, Some(old)) => recording::resized_to_nothing(old),
        (true, None) => {}
    }
    new
}

unsafe extern "C" fn our_realloc<const WATCH: Watch>(block: *mut c_void, size: size_t) -> *mut c_void {
    if !block.is_null() && size != 0 {
        if let Some(bytes) = recording::may_tell_later::<WATCH>(block as usize) {
            // SAFETY: passed on as it came.
            let new = unsafe { libc::realloc(block, size) };
            if new.is_null() {
                return new;
            }
            return new.with_addr(recording::resized_alone::<WATCH>(block as usize, bytes, new as usize, size));
        }
    }
    realloc_at_length::<WATCH>(block, size)
}

#[inline(never)]
fn realloc_at_length<const WATCH: Watch>(block: *mut c_void, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    reborn::<WATCH>(block, size, || unsafe { libc::realloc(block, size) })
}

unsafe extern "C" fn our_reallocarray<const WATCH: Watch>(
    block: *mut c_void,
    count: size_t,
    size: size_t,
) -> *mut c_void {
    // SAFETY: passed on as it came. An overflowing product fails, and is then not taken for a free.
    reborn::<WATCH>(block, count.saturating_mul(size), || unsafe { reallocarray(block, count, size) })
}

unsafe extern "C" fn our_posix_memalign<const WATCH: Watch>(
    out: *mut *mut c_void,
    alignment: size_t,
    size: size_t,
) -> c_int {
    // SAFETY: passed on as it came; `out` is written where the call succeeded.
    unsafe {
        let status = libc::posix_memalign(out, alignment, size);
        if status == 0 {
            born::<WATCH>(*out, size);
        }
        status
    }
}

unsafe extern "C" fn our_aligned_alloc<const WATCH: Watch>(alignment: size_t, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born::<WATCH>(unsafe { libc::aligned_alloc(alignment, size) }, size)
}

unsafe extern "C" fn our_memalign<const WATCH: Watch>(alignment: size_t, size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born::<WATCH>(unsafe { memalign(alignment, size) }, size)
}

unsafe extern "C" fn our_valloc<const WATCH: Watch>(size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born::<WATCH>(unsafe { valloc(size) }, size)
}

unsafe extern "C" fn our_pvalloc<const WATCH: Watch>(size: size_t) -> *mut c_void {
    // SAFETY: passed on as it came.
    born::<WATCH>(unsafe { pvalloc(size) }, size)
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
