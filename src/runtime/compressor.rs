//! zstd with the profiler's own memory: libc's allocator is the program's, and the writer's thread must not call it (see
//! `libc_threads`).

use crate::format::{Compress, LEVEL};
use std::alloc::{alloc, dealloc, Layout};
use std::ffi::c_void;
use std::ptr::NonNull;
use zstd::zstd_safe::zstd_sys::{
    ZSTD_CCtx, ZSTD_CCtx_reset, ZSTD_CCtx_setParameter, ZSTD_ResetDirective, ZSTD_cParameter, ZSTD_compress2,
    ZSTD_compressBound, ZSTD_createCCtx_advanced, ZSTD_createDCtx_advanced, ZSTD_customMem, ZSTD_decompressDCtx,
    ZSTD_freeCCtx, ZSTD_freeDCtx, ZSTD_isError,
};

/// Bytes before each block, which say how long it is.
const HEAD_BYTES: usize = 16;

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(HEAD_BYTES)?, HEAD_BYTES).ok()
}

/// Memory for zstd; null where there is none.
unsafe extern "C" fn take(_: *mut c_void, bytes: usize) -> *mut c_void {
    let Some(layout) = layout(bytes) else { return std::ptr::null_mut() };
    // SAFETY: the layout is not empty; its head holds a `usize`.
    unsafe {
        let block = alloc(layout);
        if block.is_null() {
            return std::ptr::null_mut();
        }
        block.cast::<usize>().write(bytes);
        block.add(HEAD_BYTES).cast()
    }
}

/// Takes memory back from zstd.
unsafe extern "C" fn give_back(_: *mut c_void, block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: zstd gives back what `take` gave it, of which the head says the length.
    unsafe {
        let block = block.cast::<u8>().sub(HEAD_BYTES);
        if let Some(layout) = layout(block.cast::<usize>().read()) {
            dealloc(block, layout);
        }
    }
}

const OWN_MEMORY: ZSTD_customMem =
    ZSTD_customMem { customAlloc: Some(take), customFree: Some(give_back), opaque: std::ptr::null_mut() };

/// A compressor that is there from the first payload on.
#[derive(Default)]
pub struct Compressor {
    context: Option<NonNull<ZSTD_CCtx>>,
}

// SAFETY: the context is used by one thread at a time, whichever that is.
unsafe impl Send for Compressor {}

impl Compressor {
    /// Gives its memory back, until there is something to compress again.
    pub fn rest(&mut self) {
        if let Some(context) = self.context.take() {
            // SAFETY: created below, and not freed yet.
            unsafe { ZSTD_freeCCtx(context.as_ptr()) };
        }
    }

    fn context(&mut self) -> Option<NonNull<ZSTD_CCtx>> {
        if self.context.is_none() {
            // SAFETY: the two functions keep what zstd expects of an allocator.
            let new = NonNull::new(unsafe { ZSTD_createCCtx_advanced(OWN_MEMORY) })?;
            // SAFETY: the context is there.
            unsafe { ZSTD_CCtx_setParameter(new.as_ptr(), ZSTD_cParameter::ZSTD_c_compressionLevel, LEVEL) };
            self.context = Some(new);
        }
        self.context
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Compress for Compressor {
    fn compress(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let context = self.context()?;
        // SAFETY: no precondition.
        let mut packed: Vec<u8> = Vec::with_capacity(unsafe { ZSTD_compressBound(payload.len()) });
        // SAFETY: the context is there; both buffers are as long as said, and what is said to be filled is.
        unsafe {
            let (to, room) = (packed.as_mut_ptr().cast(), packed.capacity());
            let filled = ZSTD_compress2(context.as_ptr(), to, room, payload.as_ptr().cast(), payload.len());
            if ZSTD_isError(filled) != 0 {
                // It has left the frame open.
                ZSTD_CCtx_reset(context.as_ptr(), ZSTD_ResetDirective::ZSTD_reset_session_only);
                return None;
            }
            packed.set_len(filled);
        }
        Some(packed)
    }
}

/// Unpacks a frame of at most so many bytes; `None` where it is none, or there is no memory.
pub fn decompress(stored: &[u8], most_bytes: usize) -> Option<Vec<u8>> {
    let mut plain: Vec<u8> = Vec::with_capacity(most_bytes);
    // SAFETY: the context is there and freed once; both buffers are as long as said, and what is said to be filled is.
    unsafe {
        let context = NonNull::new(ZSTD_createDCtx_advanced(OWN_MEMORY))?;
        let (to, room) = (plain.as_mut_ptr().cast(), plain.capacity());
        let filled = ZSTD_decompressDCtx(context.as_ptr(), to, room, stored.as_ptr().cast(), stored.len());
        ZSTD_freeDCtx(context.as_ptr());
        if ZSTD_isError(filled) != 0 {
            return None;
        }
        plain.set_len(filled);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::records::{End, Strings};
    use crate::format::{decode_chunk, decode_chunk_by, encode_chunk, Encoder, Record};

    #[test]
    fn chunks_are_the_same_in_whoevers_memory() {
        let mut own = Encoder::<Compressor>::default();
        for round in 0..3u32 {
            let strings = (0..2000).map(|n| format!("string {}", n * round).into_bytes()).collect();
            for record in [Record::Strings(Strings { first: Default::default(), strings }), Record::End(End::default())]
            {
                let (mut by_own, mut by_libc) = (Vec::new(), Vec::new());
                own.encode(&record, &mut by_own).unwrap();
                encode_chunk(&record, &mut by_libc).unwrap();
                assert_eq!(by_own, by_libc);
                assert_eq!(decode_chunk_by(&by_own, decompress), decode_chunk(&by_own));
            }
            own.compressor.rest();
        }
    }

    #[test]
    fn what_is_no_frame_is_none() {
        assert_eq!(decompress(b"no frame at all", 100), None);
        let mut packed = Compressor::default().compress(&[7; 1000]).unwrap();
        assert_eq!(decompress(&packed, 1000), Some(vec![7; 1000]));
        assert_eq!(decompress(&packed, 999), None, "no room");
        packed.pop();
        assert_eq!(decompress(&packed, 1000), None);
    }
}
