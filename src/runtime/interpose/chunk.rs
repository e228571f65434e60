//! How large a block is, read from what glibc's malloc keeps before it.
//!
//! `malloc_usable_size` also looks at the chunk behind the block, which is seldom in cache. Where the allocator is proven
//! to be glibc's, the word before the block says enough (glibc's malloc/malloc.c, `struct malloc_chunk`): the chunk's
//! bytes, a multiple of 16, of which 8 are not the block's, and three flags. A block of another allocator (jemalloc, a
//! sanitizer, valgrind) is asked about as always.

use libc::{c_void, size_t};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

extern "C" {
    fn malloc_usable_size(block: *mut c_void) -> size_t;
    fn gnu_get_libc_version() -> *const libc::c_char;
}

/// Is the allocator glibc's?
static IS_GLIBC: AtomicBool = AtomicBool::new(false);

/// Is the allocator proven to be glibc's? Its smallest chunk is of 32 bytes, so two blocks are no nearer than that.
pub fn is_glibc() -> bool {
    IS_GLIBC.load(Relaxed)
}

/// Flags of a chunk's size.
const FLAGS: usize = 7;
/// The flag of a chunk that is a mapping of its own.
const MAPPED: usize = 2;
/// Bytes of a chunk that are not the block's, unless it is mapped.
const OVERHEAD_BYTES: usize = 8;

/// Usable bytes of a block, as the allocator counts them.
///
/// `block` is one that the allocator has handed out and not yet taken back.
#[inline(always)]
pub fn usable_bytes(block: usize) -> u64 {
    usable_bytes_told(block).unwrap_or_else(|| {
        // SAFETY: as the caller promises.
        unsafe { malloc_usable_size(block as *mut c_void) as u64 }
    })
}

/// [`usable_bytes`], where the word before the block tells.
#[inline(always)]
pub fn usable_bytes_told(block: usize) -> Option<u64> {
    if IS_GLIBC.load(Relaxed) {
        usable_bytes_plain(block)
    } else {
        None
    }
}

/// As [`usable_bytes_told`], where the allocator is proven to be glibc's.
#[inline(always)]
pub fn usable_bytes_plain(block: usize) -> Option<u64> {
    if !cfg!(target_arch = "x86_64") {
        return None;
    }
    // SAFETY: before each of its blocks glibc keeps the chunk's size; that it is glibc's was proven.
    let size = unsafe { *((block - size_of::<usize>()) as *const usize) };
    (size & MAPPED == 0).then(|| ((size & !FLAGS) - OVERHEAD_BYTES) as u64)
}

/// Looks whether the allocator is glibc's: its functions are in the same object as others of glibc, and blocks of some
/// sizes are as large as the words before them say. To be called before anything is hooked.
pub fn prove() {
    IS_GLIBC.store(are_functions_of_glibc() && are_words_true(), Relaxed);
}

fn are_functions_of_glibc() -> bool {
    let functions: [*const c_void; 6] = [
        libc::malloc as *const c_void,
        libc::calloc as *const c_void,
        libc::realloc as *const c_void,
        libc::free as *const c_void,
        malloc_usable_size as *const c_void,
        gnu_get_libc_version as *const c_void,
    ];
    let objects = functions.map(|function| {
        // SAFETY: an all-zero `Dl_info` is valid, and dladdr only writes to it.
        unsafe {
            let mut found: libc::Dl_info = std::mem::zeroed();
            if libc::dladdr(function, &mut found) == 0 {
                std::ptr::null_mut()
            } else {
                found.dli_fbase
            }
        }
    });
    objects.iter().all(|&object| !object.is_null() && object == objects[0])
}

fn are_words_true() -> bool {
    // No large ones: glibc learns from a mapping that is freed, and the program would be given its memory otherwise.
    [1, 24, 25, 40, 100, 1000].into_iter().all(|asked: usize| {
        let least = ((asked + OVERHEAD_BYTES).next_multiple_of(16) - OVERHEAD_BYTES).max(24);
        // SAFETY: the block is freed once. The word before it is read only if the block's size is one that glibc gives; of
        // the others known none has that for all of these, and each keeps its blocks in larger pieces of memory.
        unsafe {
            let block = libc::malloc(asked);
            if block.is_null() {
                return false;
            }
            let told = malloc_usable_size(block);
            let is_true = (told == least || told == least + 16) && {
                let size = *((block as usize - size_of::<usize>()) as *const usize);
                size & MAPPED == 0 && (size & !FLAGS) - OVERHEAD_BYTES == told
            };
            libc::free(block);
            is_true
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the blocks' history.
        #[test]
        fn words_say_what_the_allocator_says(
            steps in prop::collection::vec((0usize..8, prop_oneof![1usize..300, 300usize..300_000], 0u8..4), 1..200)
        ) {
            prove();
            let mut blocks = [std::ptr::null_mut::<c_void>(); 8];
            for (at, bytes, step) in steps {
                // SAFETY: a block is used until it is freed or resized, and no longer.
                unsafe {
                    let old = std::mem::replace(&mut blocks[at], std::ptr::null_mut());
                    blocks[at] = match step {
                        0 => libc::realloc(old, bytes),
                        _ => {
                            libc::free(old);
                            match step {
                                1 => libc::malloc(bytes),
                                2 => libc::calloc(1, bytes),
                                _ => libc::memalign(64, bytes),
                            }
                        }
                    };
                    for &block in blocks.iter().filter(|block| !block.is_null()) {
                        prop_assert_eq!(usable_bytes(block as usize), malloc_usable_size(block) as u64);
                    }
                }
            }
            // SAFETY: each is freed once.
            blocks.iter().for_each(|&block| unsafe { libc::free(block) });
        }
    }

    #[test]
    fn the_allocator_of_these_tests_is_proven() {
        prove();
        assert!(IS_GLIBC.load(Relaxed));
    }
}
