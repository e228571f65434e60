//! A stream of bytes, chunk by chunk. Holds the few chunks that are being decoded; knows nothing of what the records mean.

use super::pipeline::{Decoded, Pipeline};
use crate::format::chunk::CHUNK_HEAD_BYTES;
use crate::format::{ChunkError, Record, MAX_CHUNK_BYTES};
use std::io::{self, Read};

/// Reads chunks off a stream.
pub(super) struct Chunks<R> {
    input: R,
    pipeline: Pipeline,
    offset_bytes: u64,
    taken_bytes: u64,
    /// Why no more can be fetched: told once what was fetched before has been.
    failed: Option<io::Error>,
    ended: bool,
}

impl<R: Read> Chunks<R> {
    /// A stream that begins with the trace's prefix.
    pub(super) fn new(input: R) -> Self {
        Chunks { input, pipeline: Pipeline::new(), offset_bytes: 0, taken_bytes: 0, failed: None, ended: false }
    }

    /// Takes the first `count` bytes of the stream, or fewer where it ends before.
    pub(super) fn prefix(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut prefix = Vec::new();
        self.fill(&mut prefix, count)?;
        self.offset_bytes = self.taken_bytes;
        Ok(prefix)
    }

    /// Where the next chunk begins, or the one that was no chunk, in bytes from the start of the stream.
    pub(super) fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    /// The next chunk; `None` where the stream ends after the chunk before. Nothing after bytes that are no chunk can be
    /// read.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<Record, ChunkError>>> {
        while !self.ended && self.pipeline.has_room() {
            match self.fetch() {
                Ok(chunk) if chunk.is_empty() => self.ended = true,
                Ok(chunk) => self.pipeline.push(chunk),
                Err(error) => (self.ended, self.failed) = (true, Some(error)),
            }
        }
        let Some(Decoded { record, stored_bytes }) = self.pipeline.pop() else {
            return self.failed.take().map_or(Ok(None), Err);
        };
        match record {
            Ok(_) => self.offset_bytes += stored_bytes as u64,
            Err(_) => self.ended = true,
        }
        Ok(Some(record))
    }

    /// The bytes of the next chunk, fewer where the stream ends within it, none where it ends before.
    fn fetch(&mut self) -> io::Result<Vec<u8>> {
        let mut chunk = Vec::new();
        self.fill(&mut chunk, CHUNK_HEAD_BYTES)?;
        if let Some(&[_, _, l0, l1, l2, l3, ..]) = chunk.first_chunk::<CHUNK_HEAD_BYTES>() {
            let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
            // A forged length is refused by decode_chunk; until then it must not make us read gigabytes.
            self.fill(&mut chunk, length.min(MAX_CHUNK_BYTES))?;
        }
        Ok(chunk)
    }

    /// Reads the rest of the stream without keeping it, and returns the length of the whole, in bytes.
    pub(super) fn drain(&mut self) -> io::Result<u64> {
        self.taken_bytes += io::copy(&mut self.input, &mut io::sink())?;
        Ok(self.taken_bytes)
    }

    fn fill(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<()> {
        // The buffer grows with what is there, not with what the chunk claims.
        self.taken_bytes += self.input.by_ref().take(count as u64).read_to_end(buffer)? as u64;
        Ok(())
    }
}
