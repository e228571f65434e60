//! What a trace is, byte by byte. Plain records and their coding: no clock, no threads, no perl, no files.
//!
//! # A trace, version 1
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
//! | 1 | codec: 0 the payload as it is; 1 its length before compression (4 bytes, little endian), then an LZ4 block |
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
//! | a struct | its fields in the order of their declaration in [`records`] |
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
//!
//! A trace only ever grows at its end, so whatever was cut off, all up to the last whole snapshot can be read. Chunks of a
//! kind that a reader does not know are an error of that version: a new kind is a new version.

#![forbid(unsafe_code)]

pub mod chunk;
pub mod ids;
pub mod records;

pub use chunk::{decode_chunk, encode_chunk, encode_prefix, ChunkError, Record, MAX_CHUNK_BYTES};

/// The first eight bytes of every trace.
pub const MAGIC: [u8; 8] = *b"MPROF\x1a\n\0";

/// The version this crate writes, and the highest it reads.
pub const VERSION: u32 = 1;

/// Length of the prefix before the first chunk, in bytes.
pub const PREFIX_BYTES: usize = MAGIC.len() + 4;
