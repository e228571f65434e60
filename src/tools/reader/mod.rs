//! File to [`Trace`], chunk by chunk.
//!
//! A trace that was cut off or damaged is read up to there, with a [`Warning`]; what is no trace at all is a
//! [`ReadError`]. Whatever the bytes, this never panics, never loops and never holds more than a few chunks and
//! the tables. It never sums: see [`crate::tools::profile`].

mod builder;
mod chunks;
mod error;
mod follow;
mod pipeline;
mod sampling;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod truncation;

pub use error::{Fault, ReadError};
pub use follow::{Follower, Look};

use super::trace::Trace;
use super::warning::Warning;
use crate::format::calls::Calls;
use crate::format::{ChunkError, Record, MAGIC, PREFIX_BYTES, VERSION};
use builder::Builder;
use chunks::Chunks;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Bytes asked of the system at once.
const BUFFER_BYTES: usize = 64 << 10;

/// What is kept of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The last figures.
    #[default]
    Last,
    /// How they came to be as well ([`Trace::history`]): more memory, for reports that tell growth.
    History,
}

/// Reads the trace in the file at `path`; no history.
///
/// # Errors
/// Where there is nothing to show: no such file, no trace, an unknown version, no header.
pub fn read_file(path: &Path) -> Result<Trace, ReadError> {
    read_file_through(path, Keep::Last, |file| file)
}

/// As [`read_file`], through what `wrap` makes of the open file: to watch the reading.
///
/// # Errors
/// As [`read_file`].
pub fn read_file_through<R: Read>(path: &Path, keep: Keep, wrap: impl FnOnce(File) -> R) -> Result<Trace, ReadError> {
    read_file_watched(path, keep, wrap, |_, _| {})
}

/// As [`read_file_through`] and [`read_watched`] together.
///
/// # Errors
/// As [`read_file`].
pub fn read_file_watched<R: Read>(
    path: &Path,
    keep: Keep,
    wrap: impl FnOnce(File) -> R,
    watch: impl FnMut(&Trace, &Calls),
) -> Result<Trace, ReadError> {
    let file = File::open(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    read_watched(path, keep, BufReader::with_capacity(BUFFER_BYTES, wrap(file)), watch)
}

/// Reads a trace from `input`, without its history; `path` is what errors and reports call it.
///
/// # Errors
/// As [`read_file`].
pub fn read(path: &Path, input: impl Read) -> Result<Trace, ReadError> {
    read_keeping(path, Keep::Last, input)
}

/// As [`read`]; `keep` says what.
///
/// # Errors
/// As [`read_file`].
pub fn read_keeping(path: &Path, keep: Keep, input: impl Read) -> Result<Trace, ReadError> {
    read_watched(path, keep, input, |_, _| {})
}

/// As [`read_keeping`]; `watch` is shown each record of the stream of calls as soon as it has been read, with the tables
/// as of there.
///
/// # Errors
/// As [`read_file`].
pub fn read_watched(
    path: &Path,
    keep: Keep,
    input: impl Read,
    mut watch: impl FnMut(&Trace, &Calls),
) -> Result<Trace, ReadError> {
    let failed = |source: io::Error| ReadError::Io { path: path.to_owned(), source };
    let mut chunks = Chunks::new(input);
    check_prefix(path, &chunks.prefix(PREFIX_BYTES).map_err(failed)?)?;

    let no_header = |fault| ReadError::NoHeader { path: path.to_owned(), fault };
    let mut builder = match chunks.next().map_err(failed)? {
        Some(Ok(Record::Header(header))) => Builder::new(header),
        Some(Ok(_)) => return Err(no_header(Fault::Rule("it is no header"))),
        None => return Err(no_header(Fault::Chunk(ChunkError::Truncated))),
        Some(Err(error)) => return Err(no_header(error.into())),
    };
    if keep == Keep::History {
        builder.keep_history();
    }
    count(builder.trace(), 0, chunks.offset_bytes() - PREFIX_BYTES as u64);

    let mut counted_to = chunks.offset_bytes();
    let (fault, fault_at) = loop {
        let start = chunks.offset_bytes();
        let record = match chunks.next().map_err(failed)? {
            Some(Ok(record)) => record,
            None => break (Fault::NoSnapshot, start),
            Some(Err(error)) => break (error.into(), start),
        };
        let kind = kind_index(&record);
        let applied = match record {
            Record::Calls(calls) => builder.calls(&calls).map(|()| watch(builder.trace(), &calls)),
            record => builder.apply(record),
        };
        if let Err(fault) = applied {
            break (fault, start);
        }
        count(builder.trace(), kind, chunks.offset_bytes() - start);
        if matches!(kind, SNAPSHOT | END | CALLS) {
            counted_to = chunks.offset_bytes();
        }
    };
    let file_bytes = chunks.drain().map_err(failed)?;

    let mut trace = builder.finish();
    trace.path = path.to_owned();
    trace.file_bytes = file_bytes;
    if file_bytes > counted_to {
        trace.warnings.push(Warning::LeftOut { bytes: file_bytes - counted_to, offset: fault_at, fault });
    }
    if trace.snapshots.is_empty() {
        trace.warnings.push(Warning::NoSnapshot);
    } else if trace.header.parent_trace.is_some() && trace.base.is_none() {
        trace.warnings.push(Warning::NoBase);
    }
    Ok(trace)
}

fn check_prefix(path: &Path, prefix: &[u8]) -> Result<(), ReadError> {
    if prefix.is_empty() {
        return Err(ReadError::Empty(path.to_owned()));
    }
    let Some((magic, version)) = prefix.split_first_chunk::<{ MAGIC.len() }>() else {
        return Err(if MAGIC.starts_with(prefix) {
            ReadError::NoHeader { path: path.to_owned(), fault: Fault::Chunk(ChunkError::Truncated) }
        } else {
            ReadError::NotATrace(path.to_owned())
        });
    };
    if *magic != MAGIC {
        return Err(ReadError::NotATrace(path.to_owned()));
    }
    let Ok(version) = version.try_into().map(u32::from_le_bytes) else {
        return Err(ReadError::NoHeader { path: path.to_owned(), fault: Fault::Chunk(ChunkError::Truncated) });
    };
    match version {
        0 => Err(ReadError::NotATrace(path.to_owned())),
        1..=VERSION => Ok(()),
        _ => Err(ReadError::NewerVersion { path: path.to_owned(), version }),
    }
}

const SNAPSHOT: usize = 6;
const END: usize = 7;
const CALLS: usize = 14;

/// Index of a record's kind in [`Trace::chunk_counts`].
fn kind_index(record: &Record) -> usize {
    match record {
        Record::Header(_) => 0,
        Record::Strings(_) => 1,
        Record::Subs(_) => 2,
        Record::Nodes(_) => 3,
        Record::Places(_) => 4,
        Record::Figures(_) => 5,
        Record::Snapshot(_) => SNAPSHOT,
        Record::End(_) => END,
        Record::Libraries(_) => 8,
        Record::Marks(_) => 9,
        Record::HeapBegins(_) => 10,
        Record::HeapScalars(_) => 11,
        Record::HeapEdges(_) => 12,
        Record::Census(_) => 13,
        Record::Calls(_) => CALLS,
    }
}

fn count(trace: &mut Trace, kind: usize, stored_bytes: u64) {
    if let Some(count) = trace.chunk_counts.get_mut(kind) {
        count.chunks += 1;
        count.stored_bytes += stored_bytes;
    }
}
