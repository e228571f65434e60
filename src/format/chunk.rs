//! One record to one chunk and back. Never touches a file and never panics, whatever the bytes.

use super::calls::Calls;
use super::heap::{Census, HeapBegins, HeapEdges, HeapScalars};
use super::old_tables::Old;
use super::records::{End, Figures, Header, Libraries, Marks, Nodes, Places, Snapshot, Strings, Subs};
use super::{MAGIC, VERSION};
use bincode::config::{standard, Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::enc::Encode;
use bincode::error::EncodeError;
use thiserror::Error;
use zstd::zstd_safe::{compress_bound, CCtx, CParameter, ResetDirective};

/// Largest payload of a chunk, in bytes, before and after compression.
pub const MAX_CHUNK_BYTES: usize = 64 << 20;

/// Bytes of a chunk before its payload.
pub const CHUNK_HEAD_BYTES: usize = 10;

/// Payloads shorter than this, in bytes, are stored as they are: compression gains nothing on them.
const COMPRESS_FROM_BYTES: usize = 256;

/// zstd's level: the fastest, for the profiled program pays for it.
pub const LEVEL: i32 = 1;

/// Any record of a trace, by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Kind 1.
    Header(Header),
    /// Kind 2.
    Strings(Strings),
    /// Kind 3.
    Subs(Subs),
    /// Kind 16; before version 3 kind 4.
    Nodes(Nodes),
    /// Kind 17; before version 3 kind 5.
    Places(Places),
    /// Kind 18; before version 3 kind 6.
    Figures(Figures),
    /// Kind 7.
    Snapshot(Snapshot),
    /// Kind 8.
    End(End),
    /// Kind 9.
    Libraries(Libraries),
    /// Kind 10.
    Marks(Marks),
    /// Kind 11.
    HeapBegins(HeapBegins),
    /// Kind 12.
    HeapScalars(HeapScalars),
    /// Kind 13.
    HeapEdges(HeapEdges),
    /// Kind 14.
    Census(Census),
    /// Kind 15.
    Calls(Calls),
}

/// Why bytes are no chunk.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChunkError {
    /// The bytes end before the chunk does.
    #[error("the chunk is cut off")]
    Truncated,
    /// The checksum does not fit the bytes.
    #[error("the chunk's checksum does not match its bytes")]
    Checksum,
    /// The chunk names a kind or codec that this version does not have.
    #[error("unknown chunk kind {kind} or codec {codec}")]
    Unknown {
        /// The kind byte.
        kind: u8,
        /// The codec byte.
        codec: u8,
    },
    /// The chunk claims to be longer than any chunk may be.
    #[error("the chunk claims {0} bytes, more than a chunk may have")]
    TooLong(usize),
    /// The checksum fits but the payload is no record of its kind.
    #[error("the chunk's payload is malformed")]
    Malformed,
    /// The record does not fit into a chunk.
    #[error("the record is too large for a chunk")]
    RecordTooLarge,
}

type Config = Configuration<LittleEndian, Varint, Limit<MAX_CHUNK_BYTES>>;

pub(super) fn config() -> Config {
    // The limit bounds what a forged length can make the decoder allocate.
    standard().with_limit::<MAX_CHUNK_BYTES>()
}

/// The bytes that every trace begins with.
pub fn encode_prefix() -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// Appends `record` to `out` as one chunk. For many of them, an [`Encoder`] is quicker.
///
/// # Errors
/// [`ChunkError::RecordTooLarge`]; `out` is then as it was.
pub fn encode_chunk(record: &Record, out: &mut Vec<u8>) -> Result<(), ChunkError> {
    Encoder::<Compressor>::default().encode(record, out)
}

/// Compresses one payload after the other.
pub trait Compress {
    /// A frame of zstd's at [`LEVEL`] that says how long the payload is; `None` where it cannot, for there is no memory.
    fn compress(&mut self, payload: &[u8]) -> Option<Vec<u8>>;
}

/// A compressor in libc's memory. It is there from the first payload on.
#[derive(Default)]
pub struct Compressor(Option<CCtx<'static>>);

impl Compress for Compressor {
    /// `zstd::bulk` would panic where there is no memory.
    fn compress(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        if self.0.is_none() {
            let mut new = CCtx::try_create()?;
            new.set_parameter(CParameter::CompressionLevel(LEVEL)).ok()?;
            self.0 = Some(new);
        }
        let compressor = self.0.as_mut()?;
        let mut packed = Vec::with_capacity(compress_bound(payload.len()));
        if compressor.compress2(&mut packed, payload).is_err() {
            // It has left the frame open.
            let _cannot_fail = compressor.reset(ResetDirective::SessionOnly);
            return None;
        }
        Some(packed)
    }
}

/// Makes chunks of records, one after the other, in memory that it keeps.
#[derive(Default)]
pub struct Encoder<C = Compressor> {
    /// What compresses their payloads.
    pub compressor: C,
}

impl<C: Compress> Encoder<C> {
    /// Appends `record` to `out` as one chunk.
    ///
    /// # Errors
    /// [`ChunkError::RecordTooLarge`]; `out` is then as it was.
    pub fn encode(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<(), ChunkError> {
        let (kind, payload) = payload(record)?;
        let packed = if payload.len() >= COMPRESS_FROM_BYTES { self.compressor.compress(&payload) } else { None };
        let (codec, stored) = match &packed {
            Some(packed) if packed.len() < payload.len() => (1u8, packed),
            _ => (0u8, &payload),
        };
        let length = u32::try_from(stored.len()).map_err(|_| ChunkError::RecordTooLarge)?;
        let mut head = [kind, codec, 0, 0, 0, 0];
        head[2..].copy_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(&checksum(&head, stored).to_le_bytes());
        out.extend_from_slice(stored);
        Ok(())
    }
}

/// The bytes of a payload as they come: `bincode::encode_to_vec` encodes everything twice, to know their number first.
struct Payload(Vec<u8>);

impl Writer for Payload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn encoded(record: impl Encode) -> Result<Vec<u8>, ChunkError> {
    let mut payload = Payload(Vec::new());
    bincode::encode_into_writer(record, &mut payload, config()).map_err(|_| ChunkError::RecordTooLarge)?;
    Ok(payload.0)
}

/// A record's kind and its payload.
fn payload(record: &Record) -> Result<(u8, Vec<u8>), ChunkError> {
    let (kind, payload) = match record {
        Record::Header(r) => (1, encoded(r)),
        Record::Strings(r) => (2, encoded(r)),
        Record::Subs(r) => (3, encoded(r)),
        Record::Nodes(r) => (16, encoded(r)),
        Record::Places(r) => (17, encoded(r)),
        Record::Figures(r) => (18, encoded(r)),
        Record::Snapshot(r) => (7, encoded(r)),
        Record::End(r) => (8, encoded(r)),
        Record::Libraries(r) => (9, encoded(r)),
        Record::Marks(r) => (10, encoded(r)),
        Record::HeapBegins(r) => (11, encoded(r)),
        Record::HeapScalars(r) => (12, encoded(r)),
        Record::HeapEdges(r) => (13, encoded(r)),
        Record::Census(r) => (14, encoded(r)),
        Record::Calls(r) => (15, encoded(r)),
    };
    let payload = payload?;
    if payload.len() > MAX_CHUNK_BYTES {
        return Err(ChunkError::RecordTooLarge);
    }
    Ok((kind, payload))
}

/// Reads the chunk that `bytes` begins with: the record, and how many bytes it took.
///
/// # Errors
/// [`ChunkError::Truncated`] where more bytes might make a chunk of it; any other where they could not.
pub fn decode_chunk(bytes: &[u8]) -> Result<(Record, usize), ChunkError> {
    decode_chunk_by(bytes, |stored, plain_bytes| zstd::bulk::decompress(stored, plain_bytes).ok())
}

/// As [`decode_chunk`]; `decompress` unpacks a frame of zstd's to at most so many bytes, or not.
///
/// # Errors
/// As there.
pub fn decode_chunk_by(
    bytes: &[u8],
    decompress: impl FnOnce(&[u8], usize) -> Option<Vec<u8>>,
) -> Result<(Record, usize), ChunkError> {
    let (head, rest) = bytes.split_at_checked(CHUNK_HEAD_BYTES).ok_or(ChunkError::Truncated)?;
    let &[kind, codec, l0, l1, l2, l3, c0, c1, c2, c3] = head else { return Err(ChunkError::Truncated) };
    if !(1..=18).contains(&kind) || codec > 1 {
        return Err(ChunkError::Unknown { kind, codec });
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_CHUNK_BYTES {
        return Err(ChunkError::TooLong(length));
    }
    let stored = rest.get(..length).ok_or(ChunkError::Truncated)?;
    if checksum(&[kind, codec, l0, l1, l2, l3], stored) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(ChunkError::Checksum);
    }
    let unpacked;
    let payload = if codec == 0 {
        stored
    } else {
        let plain_length =
            zstd::zstd_safe::get_frame_content_size(stored).ok().flatten().ok_or(ChunkError::Malformed)?;
        let plain_length = usize::try_from(plain_length).unwrap_or(usize::MAX);
        if plain_length > MAX_CHUNK_BYTES {
            return Err(ChunkError::TooLong(plain_length));
        }
        unpacked = decompress(stored, plain_length).ok_or(ChunkError::Malformed)?;
        &unpacked
    };
    let record = match kind {
        1 => Record::Header(decode(payload)?),
        2 => Record::Strings(decode(payload)?),
        3 => Record::Subs(decode(payload)?),
        4 => Record::Nodes(decode::<Old<Nodes>>(payload)?.0),
        5 => Record::Places(decode::<Old<Places>>(payload)?.0),
        6 => Record::Figures(decode::<Old<Figures>>(payload)?.0),
        7 => Record::Snapshot(decode(payload)?),
        8 => Record::End(decode(payload)?),
        9 => Record::Libraries(decode(payload)?),
        10 => Record::Marks(decode(payload)?),
        11 => Record::HeapBegins(decode(payload)?),
        12 => Record::HeapScalars(decode(payload)?),
        13 => Record::HeapEdges(decode(payload)?),
        14 => Record::Census(decode(payload)?),
        15 => Record::Calls(decode(payload)?),
        16 => Record::Nodes(decode(payload)?),
        17 => Record::Places(decode(payload)?),
        _ => Record::Figures(decode(payload)?),
    };
    Ok((record, CHUNK_HEAD_BYTES + length))
}

/// Bytes that the payload of the chunk at the start of `bytes` has once it is unpacked, as far as that can be told from
/// the chunk's own word, of which nothing is checked here; 0 where it cannot.
pub fn plain_bytes(bytes: &[u8]) -> usize {
    let Some((&[_, codec, ..], stored)) = bytes.split_first_chunk::<CHUNK_HEAD_BYTES>() else { return 0 };
    if codec == 0 {
        return stored.len();
    }
    let claimed = zstd::zstd_safe::get_frame_content_size(stored).ok().flatten().unwrap_or(0);
    usize::try_from(claimed).unwrap_or(usize::MAX).min(MAX_CHUNK_BYTES)
}

fn decode<R: bincode::Decode<()>>(payload: &[u8]) -> Result<R, ChunkError> {
    match bincode::decode_from_slice(payload, config()) {
        Ok((record, used)) if used == payload.len() => Ok(record),
        _ => Err(ChunkError::Malformed),
    }
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::calls::{CallEvent, CallStep, PagesRead};
    use crate::format::heap::{EdgeKind, HeapEdge};
    use crate::format::ids::{NodeId, PlaceId, StrId};
    use crate::format::records::{NodeFigures, PlaceFigures};
    use proptest::prelude::*;

    fn figures() -> impl Strategy<Value = Record> {
        let node = (any::<u32>(), any::<u64>(), any::<i64>()).prop_map(|(id, calls, size_pages)| NodeFigures {
            id: NodeId(id),
            calls,
            size_pages,
            ..Default::default()
        });
        let place = (any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(id, a, b, c)| PlaceFigures {
            id: PlaceId(id),
            allocated_bytes: a,
            live_bytes: b,
            at_peak_blocks: c,
            ..Default::default()
        });
        (any::<u64>(), prop::collection::vec(node, 0..50), prop::collection::vec(place, 0..50))
            .prop_map(|(snapshot, nodes, places)| Record::Figures(Figures { snapshot, nodes, places }))
    }

    fn references() -> impl Strategy<Value = Record> {
        let edge = (any::<u32>(), any::<u32>(), 0..EdgeKind::ALL.len(), any::<u32>(), any::<u32>()).prop_map(
            |(from, to, kind, index, key)| HeapEdge { from, to, kind: EdgeKind::ALL[kind], index, key: StrId(key) },
        );
        (any::<u64>(), prop::collection::vec(edge, 0..50))
            .prop_map(|(snapshot, edges)| Record::HeapEdges(HeapEdges { snapshot, edges }))
    }

    fn calls() -> impl Strategy<Value = Record> {
        let step = prop_oneof![Just(CallStep::Exit), any::<u32>().prop_map(|node| CallStep::Enter(NodeId(node)))];
        let event = (step, any::<i64>(), any::<i64>()).prop_map(|(step, live_bytes, scalars)| CallEvent {
            step,
            live_bytes,
            scalars,
        });
        let read = (any::<u32>(), any::<i64>(), any::<i64>())
            .prop_map(|(event, size_pages, resident_pages)| PagesRead { event, size_pages, resident_pages });
        let rows = (prop::collection::vec(event, 0..50), prop::collection::vec(read, 0..5));
        (any::<u32>(), any::<u64>(), any::<bool>(), rows).prop_map(|(interpreter, first, is_cut, (events, pages))| {
            Record::Calls(Calls { interpreter, first, is_cut, events, pages, ..Calls::default() })
        })
    }

    #[test]
    fn each_kind_of_reference_stands_at_its_index() {
        assert!(EdgeKind::ALL.into_iter().enumerate().all(|(index, kind)| kind as usize == index));
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was(record in prop_oneof![figures(), references(), calls()]) {
            let mut bytes = Vec::new();
            encode_chunk(&record, &mut bytes).unwrap();
            prop_assert_eq!(decode_chunk(&bytes), Ok((record, bytes.len())));
        }

        #[test]
        fn a_chunk_cut_anywhere_is_truncated(record in figures(), cut in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode_chunk(&record, &mut bytes).unwrap();
            prop_assert_eq!(decode_chunk(&bytes[..cut.index(bytes.len())]), Err(ChunkError::Truncated));
        }

        #[test]
        fn a_flipped_bit_is_noticed(record in figures(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let mut bytes = Vec::new();
            encode_chunk(&record, &mut bytes).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode_chunk(&bytes).is_err());
        }

        #[test]
        fn noise_is_an_error_not_a_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_chunk(&noise);
        }
    }

    #[test]
    fn long_payloads_are_compressed_and_come_back() {
        let strings = vec![b"lib/Foo/Bar.pm".to_vec(); 1000];
        let record = Record::Strings(Strings { first: StrId(1), strings });
        let mut bytes = Vec::new();
        encode_chunk(&record, &mut bytes).unwrap();
        assert_eq!(bytes[1], 1, "codec");
        assert!(bytes.len() < 1000, "{} bytes", bytes.len());
        assert_eq!(decode_chunk(&bytes), Ok((record, bytes.len())));
    }

    /// The bytes in the module's documentation are these; a change here is a new version of the format.
    #[test]
    fn the_bytes_of_a_chunk_are_as_documented() {
        let record = Record::Figures(Figures {
            snapshot: 300,
            nodes: vec![NodeFigures { id: NodeId(1), calls: 2, size_pages: -1, ..Default::default() }],
            places: vec![],
        });
        let mut bytes = Vec::new();
        encode_chunk(&record, &mut bytes).unwrap();
        assert_eq!(&bytes[..6], &[18, 0, 9, 0, 0, 0]);
        assert_eq!(&bytes[CHUNK_HEAD_BYTES..], &[251, 44, 1, 1, 18, 2, 1, 0, 0]);

        // As version 2 has it.
        let payload = [251, 44, 1, 1, 1, 2, 0, 0, 1, 0, 0];
        let mut old = vec![6, 0, 11, 0, 0, 0];
        old.extend(checksum(&old, &payload).to_le_bytes());
        old.extend(payload);
        assert_eq!(decode_chunk(&old), Ok((record, old.len())));
    }
}
