//! Chunks to records, on several threads, in the order of the chunks. Knows nothing of files and of what records mean.
//!
//! Checking, unpacking and decoding a chunk takes some thirty times as long as fetching it and three times as long as
//! putting its figures in place, and needs nothing but its bytes. So the thread that reads hands the chunks out, and takes
//! the records in one after the other.

use crate::format::chunk::plain_bytes;
use crate::format::{decode_chunk, ChunkError, Record};
use crossbeam_channel::{bounded, unbounded, Receiver, Sender};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::thread;

/// So many bytes are decoded by the thread that reads, before others are called: a small trace is read by then.
const ALONE_BYTES: usize = 256 << 10;

/// Chunks that may be on their way, for each thread: enough that none waits, and few enough to keep memory small.
const CHUNKS_A_THREAD: usize = 6;

/// Payload, unpacked, that may be on its way, in bytes; a single chunk may have more. A record takes a few times as much.
const UNDER_WAY_BYTES: usize = 32 << 20;

/// More threads than these would wait for the one that puts figures in place.
const THREADS: usize = 4;

/// What became of a chunk.
pub(super) struct Decoded {
    /// The record.
    pub(super) record: Result<Record, ChunkError>,
    /// Bytes of the chunk.
    pub(super) stored_bytes: usize,
}

impl Decoded {
    fn of(chunk: &[u8]) -> Self {
        Decoded { record: decode_chunk(chunk).map(|(record, _)| record), stored_bytes: chunk.len() }
    }
}

/// A chunk, and who waits for its record.
type Job = (Vec<u8>, Sender<Decoded>);

/// A record that is to come.
enum Awaited {
    Here(Box<Decoded>),
    /// The other end hangs up without a word only where its thread has died.
    Coming(Receiver<Decoded>),
}

/// Chunks on their way to be records.
pub(super) struct Pipeline {
    jobs: Option<Sender<Job>>,
    alone_bytes: usize,
    under_way: VecDeque<(Awaited, usize)>,
    under_way_bytes: usize,
    most: usize,
}

impl Pipeline {
    /// A pipeline with nothing in it, and no thread as yet.
    pub(super) fn new() -> Self {
        Pipeline { jobs: None, alone_bytes: 0, under_way: VecDeque::new(), under_way_bytes: 0, most: 1 }
    }

    /// Is there room for another chunk?
    pub(super) fn has_room(&self) -> bool {
        self.under_way.is_empty() || (self.under_way.len() < self.most && self.under_way_bytes < UNDER_WAY_BYTES)
    }

    /// Takes a chunk in, or the bytes that are no chunk.
    pub(super) fn push(&mut self, chunk: Vec<u8>) {
        if self.jobs.is_none() {
            self.alone_bytes += chunk.len();
            if self.alone_bytes > ALONE_BYTES {
                self.call_threads();
            }
        }
        let bytes = plain_bytes(&chunk).max(chunk.len());
        let awaited = match &self.jobs {
            None => Awaited::Here(Box::new(Decoded::of(&chunk))),
            Some(jobs) => {
                let (done, coming) = bounded(1);
                match jobs.send((chunk, done)) {
                    Ok(()) => Awaited::Coming(coming),
                    Err(crossbeam_channel::SendError((chunk, _))) => Awaited::Here(Box::new(Decoded::of(&chunk))),
                }
            }
        };
        self.under_way_bytes += bytes;
        self.under_way.push_back((awaited, bytes));
    }

    /// The record of the oldest chunk; `None` where there is none under way.
    pub(super) fn pop(&mut self) -> Option<Decoded> {
        let (awaited, bytes) = self.under_way.pop_front()?;
        self.under_way_bytes -= bytes;
        match awaited {
            Awaited::Here(decoded) => Some(*decoded),
            Awaited::Coming(coming) => coming.recv().ok(),
        }
    }

    fn call_threads(&mut self) {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS);
        if threads == 1 {
            self.alone_bytes = 0;
            return;
        }
        let (jobs, waiting) = unbounded::<Job>();
        // They end when the pipeline does, and with it the sender of their jobs.
        let called = (0..threads).filter(|_| {
            let waiting = waiting.clone();
            let work = move || {
                for (chunk, done) in waiting {
                    // Nobody waits any more where reading has stopped early.
                    let _ = done.send(Decoded::of(&chunk));
                }
            };
            thread::Builder::new().name("mprof-decode".to_owned()).spawn(work).is_ok()
        });
        let called = called.count();
        if called > 0 {
            self.jobs = Some(jobs);
            self.most = called * CHUNKS_A_THREAD;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::encode_chunk;
    use crate::format::ids::StrId;
    use crate::format::records::Strings;

    fn chunk(number: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let strings = vec![vec![b'x'; 1 + number as usize * 37 % 5000]; 9];
        encode_chunk(&Record::Strings(Strings { first: StrId(number), strings }), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn records_come_out_in_the_order_in_which_chunks_went_in() {
        let mut pipeline = Pipeline::new();
        pipeline.call_threads();
        let mut seen = Vec::new();
        let mut take = |pipeline: &mut Pipeline| match pipeline.pop().map(|decoded| decoded.record) {
            Some(Ok(Record::Strings(strings))) => seen.push(strings.first.0),
            Some(other) => panic!("{other:?}"),
            None => (),
        };
        for number in 0..500 {
            while !pipeline.has_room() {
                take(&mut pipeline);
            }
            pipeline.push(chunk(number));
        }
        while !pipeline.under_way.is_empty() {
            take(&mut pipeline);
        }
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
        assert_eq!(pipeline.under_way_bytes, 0);
    }

    #[test]
    fn what_is_no_chunk_is_told_in_its_place() {
        let mut pipeline = Pipeline::new();
        pipeline.call_threads();
        let mut damaged = chunk(1);
        damaged[12] ^= 1;
        for bytes in [chunk(0), damaged, chunk(2)] {
            pipeline.push(bytes);
        }
        let seen: Vec<bool> = std::iter::from_fn(|| pipeline.pop()).map(|decoded| decoded.record.is_ok()).collect();
        assert_eq!(seen, [true, false, true]);
    }
}
