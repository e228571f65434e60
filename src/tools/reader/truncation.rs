//! What the reader promises of a trace that ends anywhere: at every single byte of the golden traces.
//!
//! Where chunks end is found here by the table in [`crate::format`], not with the reader's own code.

use super::*;
use std::ops::Range;

/// A chunk of a whole trace: its kind, and which bytes it takes.
struct Chunk {
    kind: u8,
    bytes: Range<usize>,
}

/// Bytes of a chunk before its payload: kind, codec, length, checksum.
const HEAD_BYTES: usize = 10;

const SNAPSHOT_KIND: u8 = 7;
const END_KIND: u8 = 8;

fn chunks_of(trace: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut start = PREFIX_BYTES;
    while start < trace.len() {
        let length = u32::from_le_bytes(trace[start + 2..start + 6].try_into().unwrap());
        let end = start + HEAD_BYTES + length as usize;
        chunks.push(Chunk { kind: trace[start], bytes: start..end });
        start = end;
    }
    assert_eq!(start, trace.len());
    chunks
}

fn read_bytes(bytes: &[u8]) -> Result<Trace, ReadError> {
    read_keeping(Path::new("cut.mprof"), Keep::History, bytes)
}

/// `trace` with all that no snapshot made count put to what it is in `at_snapshot`: tables may have grown since, and
/// what was seen of the file is another matter.
fn figures_of(mut trace: Trace, at_snapshot: &Trace) -> Trace {
    trace.strings.truncate(at_snapshot.strings.len());
    trace.subs.truncate(at_snapshot.subs.len());
    trace.nodes.truncate(at_snapshot.nodes.len());
    trace.places.truncate(at_snapshot.places.len());
    trace.libraries.truncate(at_snapshot.libraries.len());
    let Trace { chunk_counts, file_bytes, .. } = *at_snapshot;
    Trace { chunk_counts, file_bytes, warnings: at_snapshot.warnings.clone(), ..trace }
}

/// The warnings that a trace of `cut` bytes is to have.
fn warnings_of(chunks: &[Chunk], cut: usize) -> Vec<Warning> {
    let whole = || chunks.iter().filter(|chunk| chunk.bytes.end <= cut);
    let is_counted = |chunk: &&Chunk| [SNAPSHOT_KIND, END_KIND].contains(&chunk.kind);
    // The header counts as soon as it is there.
    let counted_to = whole().rfind(is_counted).map_or(chunks[0].bytes.end, |chunk| chunk.bytes.end);
    let stopped_at = whole().next_back().map_or(PREFIX_BYTES, |chunk| chunk.bytes.end);
    let mut warnings = Vec::new();
    if cut > counted_to {
        let fault = if cut > stopped_at { Fault::Chunk(ChunkError::Truncated) } else { Fault::NoSnapshot };
        let (bytes, offset) = ((cut - counted_to) as u64, stopped_at as u64);
        warnings.push(Warning::LeftOut { bytes, offset, fault });
    }
    if !whole().any(|chunk| chunk.kind == SNAPSHOT_KIND) {
        warnings.push(Warning::NoSnapshot);
    }
    warnings
}

/// Checks a trace whose snapshots are of that many different figures.
fn is_right_at_every_length(bytes: &[u8], different: usize) {
    let chunks = chunks_of(bytes);
    let header = &chunks[0];
    let mut at_snapshot = read_bytes(&bytes[..header.bytes.end]).unwrap();
    let (mut snapshots_seen, mut different_seen) = (0, 0);
    for cut in 0..=bytes.len() {
        let read = read_bytes(&bytes[..cut]);
        if cut < header.bytes.end {
            let error = read.expect_err("no header is there").to_string();
            let sentence = if cut == 0 { "is empty" } else { "is a trace without a header: the chunk is cut off" };
            assert_eq!(error, format!("cut.mprof {sentence}"), "cut at {cut}");
            continue;
        }
        let trace = read.unwrap_or_else(|error| panic!("{error}, cut at {cut}"));
        assert_eq!(trace.warnings, warnings_of(&chunks, cut), "cut at {cut}");
        assert_eq!(trace.file_bytes, cut as u64);
        // Only a trace that is whole says how the process ended.
        assert_eq!(trace.end.is_some(), cut == bytes.len(), "cut at {cut}");
        if chunks.iter().any(|chunk| chunk.kind == SNAPSHOT_KIND && chunk.bytes.end == cut) {
            snapshots_seen += 1;
            assert_eq!(trace.snapshots.len(), snapshots_seen, "cut at {cut}");
            different_seen += usize::from(trace.figures != at_snapshot.figures);
            at_snapshot = trace;
        } else {
            let expected = Trace { end: trace.end.clone(), ..at_snapshot.clone() };
            assert_eq!(figures_of(trace, &at_snapshot), expected, "cut at {cut}");
        }
    }
    assert_eq!(different_seen, different);
}

#[test]
fn the_trace_of_version_1_ends_at_any_byte() {
    is_right_at_every_length(&std::fs::read("t/data/v1.mprof").unwrap(), 2);
}

#[test]
fn the_trace_of_version_2_ends_at_any_byte() {
    is_right_at_every_length(&std::fs::read("t/data/v2.mprof").unwrap(), 32);
}

#[test]
fn the_trace_of_version_3_ends_at_any_byte() {
    is_right_at_every_length(&std::fs::read("t/data/v3.mprof").unwrap(), 2);
}
