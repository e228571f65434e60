//! A stream of bytes, chunk by chunk. Holds one chunk at a time; knows nothing of what the records mean.

use crate::format::chunk::CHUNK_HEAD_BYTES;
use crate::format::{decode_chunk, ChunkError, Record, MAX_CHUNK_BYTES};
use std::io::{self, Read};

/// Reads chunks off a stream.
pub(super) struct Chunks<R> {
    input: R,
    buffer: Vec<u8>,
    offset_bytes: u64,
    taken_bytes: u64,
}

impl<R: Read> Chunks<R> {
    /// A stream that begins with the trace's prefix.
    pub(super) fn new(input: R) -> Self {
        Chunks { input, buffer: Vec::new(), offset_bytes: 0, taken_bytes: 0 }
    }

    /// Takes the first `count` bytes of the stream, or fewer where it ends before.
    pub(super) fn prefix(&mut self, count: usize) -> io::Result<&[u8]> {
        self.buffer.clear();
        self.fill(count)?;
        self.offset_bytes = self.taken_bytes;
        Ok(&self.buffer)
    }

    /// Where the next chunk begins, or the one that was no chunk, in bytes from the start of the stream.
    pub(super) fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    /// The next chunk; `None` where the stream ends after the chunk before. Nothing after bytes that are no chunk can be
    /// read.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<Record, ChunkError>>> {
        self.buffer.clear();
        self.fill(CHUNK_HEAD_BYTES)?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        if let Some(&[_, _, l0, l1, l2, l3, ..]) = self.buffer.first_chunk::<CHUNK_HEAD_BYTES>() {
            let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
            // A forged length is refused by decode_chunk; until then it must not make us read gigabytes.
            self.fill(length.min(MAX_CHUNK_BYTES))?;
        }
        let decoded = decode_chunk(&self.buffer).map(|(record, _)| record);
        if decoded.is_ok() {
            self.offset_bytes = self.taken_bytes;
        }
        Ok(Some(decoded))
    }

    /// Reads the rest of the stream without keeping it, and returns the length of the whole, in bytes.
    pub(super) fn drain(&mut self) -> io::Result<u64> {
        self.taken_bytes += io::copy(&mut self.input, &mut io::sink())?;
        Ok(self.taken_bytes)
    }

    fn fill(&mut self, count: usize) -> io::Result<()> {
        // The buffer grows with what is there, not with what the chunk claims.
        self.taken_bytes += self.input.by_ref().take(count as u64).read_to_end(&mut self.buffer)? as u64;
        Ok(())
    }
}
