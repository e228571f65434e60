//! What a trace is, byte by byte. Plain records and their coding: no clock, no threads, no perl, no files.
//!
//! # A trace, version 3
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
//! | `Nodes`, `Places` | `first`; the number of rows as `u64`; the rows |
//! | `Calls` | its fields up to `start_resident_pages`; `is_cut`; the number of events as `u64`, their columns; the number of readings of the pages as `u64`, their columns |
//! | `HeapEdges` | `snapshot`; the number of rows as `u64`; their columns |
//! | `Figures` | `snapshot`; the number of nodes as `u64`, their rows; the number of places as `u64`, their rows |
//!
//! A table has at most 2^20 rows in one record. A row is a few numbers, each a `u64`. The first of them, its *head*, says
//! which others follow. *Signed* is the coding of an `i64`; *bytes* of so many blocks are coded as the signed (bytes −
//! 24 × blocks), modulo 2^64, rotated right by 4 bits. "The row before" is that in the same record and table; where there is
//! none, its numbers are 0.
//!
//! | row of | numbers, in this order |
//! |---|---|
//! | nodes | 2 × (own id − `parent`, modulo 2^32) + (1 if elsewhere); the statement, `call_file` and `call_line`, of the node `parent`; `sub` less that of the row before, signed |
//! | places | 2 × (`node` less that of the row before, signed) + (1 if elsewhere); the statement, `file` and `line`, of the node `node` |
//! | figures of nodes | the head, see below; unless it is 1: `id` less that of the row before, signed; unless it is 1: `calls`; the freed; unless both are 0: `size_pages`, `resident_pages`, signed |
//! | figures of places | the head, see below; unless it is 1: `id` less that of the row before, signed; the allocated; the live; unless both are as those that live: `at_peak_blocks` − `live_blocks`, signed, the bytes `at_peak_bytes` − `live_bytes` of so many blocks; `scalars_born`; `scalars_died` |
//!
//! A statement of a node is guessed: it is the newest of those in the rows before whose nodes are the same modulo 256, if it
//! is of the same node; else that of the row before. If its file is not the guessed one, the statement is *elsewhere*: its
//! file and its line follow. Else its line less the guessed one follows, signed.
//!
//! The head of figures is a sum of choices. The first counts as it is, each other times the product of the numbers of
//! choices before it:
//!
//! | head of | choices |
//! |---|---|
//! | figures of nodes | `id` less that of the row before: 0 is 1, 1 stored; freed: 0 none, 1 one block, 2 stored; `calls`: 0 is 1, 1 stored; pages: 0 none, 1 stored |
//! | figures of places | `id` less that of the row before: 0 is 1, 1 stored; live: 0 none, 1 all that was allocated, 2 stored; allocated: 0 none, 1 one block, 2 stored; died: 0 none, 1 all that were born, 2 stored; born: 0 none, 1 is 1, 2 stored; at the peak: 0 what lives, 1 stored |
//!
//! Only what is stored follows. Of blocks that is their number, and their bytes; of one block its bytes. No blocks are 0
//! blocks of 0 bytes.
//!
//! Other tables are stored by columns. A column is the values of one field in all rows, each as a `u64`, coded as said here:
//!
//! | table | columns, in this order |
//! |---|---|
//! | references of a sample | `from` less that of the row before (of the first: less 0), modulo 2^32; `to` − `from` (as an `i64`); `kind` as its index in [`heap::EdgeKind::ALL`]; `index`; `key` |
//! | events of calls | 0 for an exit, for an entry 1 + (its node less that of the entry before in this record, of the first: less 0, as an `i64`); `live_bytes` (as an `i64`, that number rotated right by 4 bits); `scalars` (as an `i64`) |
//! | readings of pages | `event` less that of the row before; `size_pages`, `resident_pages` (as an `i64`) |
//!
//! | kind | record | when |
//! |---|---|---|
//! | 1 | [`records::Header`] | first, once |
//! | 2 | [`records::Strings`] | before the first record that names one of them |
//! | 3 | [`records::Subs`] | likewise |
//! | 7 | [`records::Snapshot`] | makes the figures before it count |
//! | 8 | [`records::End`] | last, where the process could still write it |
//! | 9 | [`records::Libraries`] | after the header, once |
//! | 10 | [`records::Marks`] | before a snapshot, where marks have been made since the one before |
//! | 11 | [`heap::HeapBegins`] | before a full snapshot; the next three follow it |
//! | 12 | [`heap::HeapScalars`] | any number of them |
//! | 13 | [`heap::HeapEdges`] | any number of them; may name scalars that follow |
//! | 14 | [`heap::Census`] | once, the last of a sample |
//! | 15 | [`calls::Calls`] | any number of them; they count as soon as they are there |
//! | 16 | [`records::Nodes`] | as kind 2 |
//! | 17 | [`records::Places`] | likewise |
//! | 18 | [`records::Figures`] | any number of them before their snapshot |
//!
//! A trace only ever grows at its end, so whatever was cut off, all up to the last whole snapshot can be read. Chunks of a
//! kind that a reader does not know are an error of that version: a new kind is a new version.
//!
//! # Versions 1 and 2
//!
//! This crate reads them as well. In version 2 nodes, places and figures are the kinds 4, 5 and 6, and kinds 16 to 18 are
//! not there. Their tables are stored by columns like the others, each after its number of rows:
//!
//! | table | columns, in this order |
//! |---|---|
//! | nodes | own id − `parent`, modulo 2^32; `sub`; `call_file`; `call_line` |
//! | places | `node` less that of the row before (of the first: less 0), modulo 2^32; `file`; `line` |
//! | figures of nodes | `id` less that of the row before; `calls`; `freed_bytes`*; `freed_blocks`; `size_pages`, `resident_pages` (as an `i64`) |
//! | figures of places | `id` less that of the row before; `allocated_bytes`*; `allocated_blocks`; `live_bytes`*; `live_blocks`; `at_peak_bytes` − `live_bytes`*; `at_peak_blocks` − `live_blocks` (as an `i64`); `scalars_born`; `scalars_died` |
//!
//! *) rotated right by 3 bits, for most sizes are multiples of 8.
//!
//! Version 1 is version 2 without kinds 9 to 15 and [`records::Cause::Mark`].

#![forbid(unsafe_code)]

pub mod calls;
pub mod chunk;
mod columns;
mod figure_rows;
pub mod heap;
pub mod ids;
mod numbers;
mod old_tables;
pub mod records;
mod rows;
mod statement_rows;

pub use chunk::{
    decode_chunk, decode_chunk_by, encode_chunk, encode_prefix, ChunkError, Compress, Encoder, Record, LEVEL,
    MAX_CHUNK_BYTES,
};

/// The first eight bytes of every trace.
pub const MAGIC: [u8; 8] = *b"MPROF\x1a\n\0";

/// The version this crate writes, and the highest it reads.
pub const VERSION: u32 = 3;

/// Length of the prefix before the first chunk, in bytes.
pub const PREFIX_BYTES: usize = MAGIC.len() + 4;
