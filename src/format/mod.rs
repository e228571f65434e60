//! What a trace is, byte by byte. Plain records and their coding: no clock, no threads, no perl, no files.
//!
//! # A trace, version 2
//!
//! | bytes | what |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 4 | version, unsigned, little endian: [`VERSION`] |
//! | … | chunks, one after the other, to the end of the file |
//!
//! A chunk:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | kind, see [`Record`] |
//! | 1 | codec: 0 the payload as it is; 1 a zstd frame (RFC 8878) that says its length before compression |
//! | 4 | length of the payload as stored, little endian, at most [`MAX_CHUNK_BYTES`] (before compression as well) |
//! | 4 | CRC-32 (ISO-HDLC, as in zlib) of all the chunk's bytes but these four, little endian |
//! | … | the payload |
//!
//! The payload is one record in bincode 2's standard configuration:
//!
//! | type | bytes |
//! |---|---|
//! | `u8`, `bool` | one byte |
//! | `u16` `u32` `u64`, lengths, the number of an enum's variant | below 251: one byte; else the byte 251, 252, 253 and 2, 4, 8 bytes little endian, the shortest that holds it |
//! | `i64` | as the `u64` `2n` for n ≥ 0, `-2n-1` for n < 0 |
//! | `String`, `Vec` | length, then the elements |
//! | `Option` | 0, or 1 and the value |
//! | a struct | its fields in the order of their declaration in [`records`], [`heap`] and [`calls`] |
//! | `Nodes`, `Places` | `first`; the number of rows as `u64`; their columns |
//! | `Calls` | its fields up to `start_resident_pages`; `is_cut`; the number of events as `u64`, their columns; the number of readings of the pages as `u64`, their columns |
//! | `HeapEdges` | `snapshot`; the number of rows as `u64`; their columns |
//! | `Figures` | `snapshot`; the number of nodes as `u64`, their columns; the number of places as `u64`, their columns |
//!
//! A table has at most 2^20 rows in one record. A column is the values of one field in all rows, each as a `u64`, coded as said here:
//!
//! | table | columns, in this order |
//! |---|---|
//! | nodes | own id − `parent`; `sub`; `call_file`; `call_line` |
//! | places | `node` less that of the row before (of the first: less 0), modulo 2^32; `file`; `line` |
//! | figures of nodes | `id` less that of the row before; `calls`; `freed_bytes`*; `freed_blocks`; `size_pages`, `resident_pages` (as an `i64`) |
//! | figures of places | `id` less that of the row before; `allocated_bytes`*; `allocated_blocks`; `live_bytes`*; `live_blocks`; `at_peak_bytes` − `live_bytes`*; `at_peak_blocks` − `live_blocks` (as an `i64`); `scalars_born`; `scalars_died` |
//! | references of a sample | `from` less that of the row before (of the first: less 0), modulo 2^32; `to` − `from` (as an `i64`); `kind` as its index in [`heap::EdgeKind::ALL`]; `index`; `key` |
//! | events of calls | 0 for an exit, for an entry 1 + (its node less that of the entry before in this record, of the first: less 0, as an `i64`); `live_bytes` (as an `i64`, that number rotated right by 4 bits); `scalars` (as an `i64`) |
//! | readings of pages | `event` less that of the row before; `size_pages`, `resident_pages` (as an `i64`) |
//!
//! *) rotated right by 3 bits, for most sizes are multiples of 8.
//!
//! | kind | record | when |
//! |---|---|---|
//! | 1 | [`records::Header`] | first, once |
//! | 2 | [`records::Strings`] | before the first record that names one of them |
//! | 3 | [`records::Subs`] | likewise |
//! | 4 | [`records::Nodes`] | likewise |
//! | 5 | [`records::Places`] | likewise |
//! | 6 | [`records::Figures`] | any number of them before their snapshot |
//! | 7 | [`records::Snapshot`] | makes the figures before it count |
//! | 8 | [`records::End`] | last, where the process could still write it |
//! | 9 | [`records::Libraries`] | after the header, once |
//! | 10 | [`records::Marks`] | before a snapshot, where marks have been made since the one before |
//! | 11 | [`heap::HeapBegins`] | before a full snapshot; the next three follow it |
//! | 12 | [`heap::HeapScalars`] | any number of them |
//! | 13 | [`heap::HeapEdges`] | any number of them; may name scalars that follow |
//! | 14 | [`heap::Census`] | once, the last of a sample |
//! | 15 | [`calls::Calls`] | any number of them; they count as soon as they are there |
//!
//! A trace only ever grows at its end, so whatever was cut off, all up to the last whole snapshot can be read. Chunks of a
//! kind that a reader does not know are an error of that version: a new kind is a new version.
//!
//! Version 1 is the same without kinds 9 to 15 and [`records::Cause::Mark`]; this crate reads both.

#![forbid(unsafe_code)]

pub mod calls;
pub mod chunk;
mod columns;
pub mod heap;
pub mod ids;
pub mod records;

pub use chunk::{
    decode_chunk, decode_chunk_by, encode_chunk, encode_prefix, ChunkError, Compress, Encoder, Record, LEVEL,
    MAX_CHUNK_BYTES,
};

/// The first eight bytes of every trace.
pub const MAGIC: [u8; 8] = *b"MPROF\x1a\n\0";

/// The version this crate writes, and the highest it reads.
pub const VERSION: u32 = 2;

/// Length of the prefix before the first chunk, in bytes.
pub const PREFIX_BYTES: usize = MAGIC.len() + 4;
