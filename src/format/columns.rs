//! Tables, column by column. The rows of a table resemble one another, so columns compress far better than rows: the
//! figures of a big program to a third.
//!
//! A column is all rows' values of one field, one after the other, as bincode writes a `u64`. Three codings make values
//! small: *ascending* stores the difference to the row before (the first row's to 0), modulo 2^64; *bytes* stores the
//! value rotated right by 3 bits, for sizes are mostly multiples of 8; *signed* stores `2n` for n ≥ 0 and `-2n-1` for
//! n < 0, *signed bytes* that number rotated right by 4 bits.

use super::calls::{CallEvent, CallStep, Calls, PagesRead};
use super::heap::{EdgeKind, HeapEdge, HeapEdges};
use super::ids::{NodeId, PlaceId, StrId, SubId};
use super::records::{Figures, Node, NodeFigures, Nodes, Place, PlaceFigures, Places};
use bincode::de::read::Reader as _;
use bincode::de::Decoder;
use bincode::enc::write::Writer as _;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

/// Rows that are made room for before any has been read: a forged number of rows costs no memory.
const ROWS_AHEAD: usize = 4096;

/// Most rows of a table in one record. A forged record, which compresses to nothing, must not fill the memory.
const MOST_ROWS: u64 = 1 << 20;

/// `2n` for n ≥ 0 and `-2n-1` for n < 0.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Undoes [`zigzag`].
fn unzigzag(code: u64) -> i64 {
    (code >> 1) as i64 ^ -((code & 1) as i64)
}

struct Writer<'a, E>(&'a mut E);

impl<E: Encoder> Writer<'_, E> {
    /// Codes values as `u64::encode` does, at a fifth of its time: the profiled program pays for each.
    fn plain(&mut self, column: impl Iterator<Item = u64>) -> Result<(), EncodeError> {
        let mut coded = [0; CODED_BYTES];
        let mut filled = 0;
        for value in column {
            if value <= LARGEST_BYTE {
                if let Some(byte) = coded.get_mut(filled) {
                    *byte = value as u8;
                }
                filled += 1;
            } else {
                filled = put_long(&mut coded, filled, value);
            }
            if filled > CODED_BYTES - LONGEST {
                self.write(&coded, &mut filled)?;
            }
        }
        self.write(&coded, &mut filled)
    }

    fn write(&mut self, coded: &[u8], filled: &mut usize) -> Result<(), EncodeError> {
        self.0.writer().write(coded.get(..std::mem::take(filled)).unwrap_or_default())
    }

    fn ascending(&mut self, column: impl Iterator<Item = u64>) -> Result<(), EncodeError> {
        let mut before = 0u64;
        self.plain(column.map(|value| {
            let step = value.wrapping_sub(before);
            before = value;
            step
        }))
    }

    fn bytes(&mut self, column: impl Iterator<Item = u64>) -> Result<(), EncodeError> {
        self.plain(column.map(|value| value.rotate_right(3)))
    }

    fn signed(&mut self, column: impl Iterator<Item = i64>) -> Result<(), EncodeError> {
        self.plain(column.map(zigzag))
    }

    fn signed_bytes(&mut self, column: impl Iterator<Item = i64>) -> Result<(), EncodeError> {
        self.plain(column.map(|value| zigzag(value).rotate_right(4)))
    }
}

const CODED_BYTES: usize = 256;

/// The largest value that bincode codes as one byte.
const LARGEST_BYTE: u64 = 250;

/// Puts the coding of a larger value at `filled`, where there is room for the longest. Returns where it ends.
fn put_long(coded: &mut [u8; CODED_BYTES], filled: usize, value: u64) -> usize {
    let (tag, length) = match value {
        0..=0xffff => (251, 2),
        0x1_0000..=0xffff_ffff => (252, 4),
        _ => (253, 8),
    };
    if let Some([first, rest @ ..]) = coded.get_mut(filled..filled + LONGEST) {
        *first = tag;
        rest.copy_from_slice(&value.to_le_bytes());
    }
    filled + 1 + length
}

struct Reader<'a, D, R> {
    decoder: &'a mut D,
    rows: Vec<R>,
}

impl<'a, D: Decoder<Context = ()>, R: Default + Copy> Reader<'a, D, R> {
    /// The first column is read by making the rows.
    fn new(decoder: &'a mut D, set: impl Fn(&mut R, u64)) -> Result<Self, DecodeError> {
        let count = u64::decode(decoder)?;
        if count > MOST_ROWS {
            return Err(DecodeError::Other("more rows than a table may have"));
        }
        let count = count as usize;
        claim(decoder, count)?;
        let mut rows = Vec::with_capacity(ROWS_AHEAD.min(count));
        for _ in 0..count {
            let mut row = R::default();
            set(&mut row, claimed_u64(decoder)?);
            rows.push(row);
        }
        Ok(Self { decoder, rows })
    }

    fn column(&mut self, set: impl Fn(&mut R, u64)) -> Result<(), DecodeError> {
        claim(self.decoder, self.rows.len())?;
        for row in &mut self.rows {
            set(row, claimed_u64(self.decoder)?);
        }
        Ok(())
    }

    fn id_column(&mut self, set: impl Fn(&mut R, u32)) -> Result<(), DecodeError> {
        claim(self.decoder, self.rows.len())?;
        for row in &mut self.rows {
            set(row, narrow(claimed_u64(self.decoder)?)?);
        }
        Ok(())
    }

    fn bytes(&mut self, set: impl Fn(&mut R, u64)) -> Result<(), DecodeError> {
        self.column(|row, value| set(row, value.rotate_left(3)))
    }

    fn signed(&mut self, set: impl Fn(&mut R, i64)) -> Result<(), DecodeError> {
        self.column(|row, code| set(row, unzigzag(code)))
    }

    fn signed_bytes(&mut self, set: impl Fn(&mut R, i64)) -> Result<(), DecodeError> {
        self.column(|row, code| set(row, unzigzag(code.rotate_left(4))))
    }
}

/// Counts a column of so many values against the limit of what may be decoded, before any is.
fn claim(decoder: &mut impl Decoder, values: usize) -> Result<(), DecodeError> {
    decoder.claim_bytes_read(values.saturating_mul(VALUE_BYTES))
}

/// What a value counts for against the limit.
const VALUE_BYTES: usize = size_of::<u64>();

/// The longest coding of a value, in bytes.
const LONGEST: usize = 1 + VALUE_BYTES;

/// The next value, which has been claimed. As `u64::decode`, at a third of its time: a big trace has a billion of them.
#[inline]
fn claimed_u64<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<u64, DecodeError> {
    if let Some(&[tag, b0, b1, b2, b3, b4, b5, b6, b7]) =
        decoder.reader().peek_read(LONGEST).and_then(|b| b.first_chunk())
    {
        let (value, used) = match tag {
            0..=250 => (tag.into(), 1),
            251 => (u16::from_le_bytes([b0, b1]).into(), 3),
            252 => (u32::from_le_bytes([b0, b1, b2, b3]).into(), 5),
            253 => (u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]), LONGEST),
            _ => return Err(DecodeError::Other("no coding of a number")),
        };
        decoder.reader().consume(used);
        return Ok(value);
    }
    // The payload's last bytes.
    decoder.unclaim_bytes_read(VALUE_BYTES);
    u64::decode(decoder)
}

fn narrow(value: u64) -> Result<u32, DecodeError> {
    u32::try_from(value).map_err(|_| DecodeError::Other("an id or line above 2^32"))
}

/// Undoes *ascending* on the values of a first column.
fn ascend<R>(rows: &mut [R], value: impl Fn(&mut R) -> &mut u32) {
    let mut before = 0u32;
    for row in rows {
        let value = value(row);
        before = before.wrapping_add(*value);
        *value = before;
    }
}

impl Encode for Nodes {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.first.encode(encoder)?;
        (self.nodes.len() as u64).encode(encoder)?;
        let mut columns = Writer(encoder);
        // A parent is near its child, or at the child's own id for a root: the distance is small.
        let distance = |(row, node): (usize, &Node)| u64::from((self.first.0 + row as u32).wrapping_sub(node.parent.0));
        columns.plain(self.nodes.iter().enumerate().map(distance))?;
        columns.plain(self.nodes.iter().map(|node| u64::from(node.sub.0)))?;
        columns.plain(self.nodes.iter().map(|node| u64::from(node.call_file.0)))?;
        columns.plain(self.nodes.iter().map(|node| u64::from(node.call_line)))
    }
}

impl Decode<()> for Nodes {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let first = NodeId::decode(decoder)?;
        let mut columns = Reader::new(decoder, |node: &mut Node, distance| node.parent = NodeId(distance as u32))?;
        columns.id_column(|node, sub| node.sub = SubId(sub))?;
        columns.id_column(|node, file| node.call_file = StrId(file))?;
        columns.id_column(|node, line| node.call_line = line)?;
        let mut nodes = columns.rows;
        for (row, node) in nodes.iter_mut().enumerate() {
            node.parent = NodeId(first.0.wrapping_add(row as u32).wrapping_sub(node.parent.0));
        }
        Ok(Self { first, nodes })
    }
}

impl Encode for Places {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.first.encode(encoder)?;
        (self.places.len() as u64).encode(encoder)?;
        let mut columns = Writer(encoder);
        let mut before = 0u32;
        // Mostly ascending, so modulo 2^32 and not 2^64: a step back is five bytes, not nine.
        columns.plain(self.places.iter().map(|place| {
            let step = place.node.0.wrapping_sub(before);
            before = place.node.0;
            u64::from(step)
        }))?;
        columns.plain(self.places.iter().map(|place| u64::from(place.file.0)))?;
        columns.plain(self.places.iter().map(|place| u64::from(place.line)))
    }
}

impl Decode<()> for Places {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let first = PlaceId::decode(decoder)?;
        let mut columns = Reader::new(decoder, |place: &mut Place, step| place.node = NodeId(step as u32))?;
        columns.id_column(|place, file| place.file = StrId(file))?;
        columns.id_column(|place, line| place.line = line)?;
        let mut places = columns.rows;
        ascend(&mut places, |place| &mut place.node.0);
        Ok(Self { first, places })
    }
}

impl Encode for Figures {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.snapshot.encode(encoder)?;
        (self.nodes.len() as u64).encode(encoder)?;
        let mut columns = Writer(encoder);
        let nodes = || self.nodes.iter();
        columns.ascending(nodes().map(|node| u64::from(node.id.0)))?;
        columns.plain(nodes().map(|node| node.calls))?;
        columns.bytes(nodes().map(|node| node.freed_bytes))?;
        columns.plain(nodes().map(|node| node.freed_blocks))?;
        columns.signed(nodes().map(|node| node.size_pages))?;
        columns.signed(nodes().map(|node| node.resident_pages))?;
        (self.places.len() as u64).encode(columns.0)?;
        let places = || self.places.iter();
        columns.ascending(places().map(|place| u64::from(place.id.0)))?;
        columns.bytes(places().map(|place| place.allocated_bytes))?;
        columns.plain(places().map(|place| place.allocated_blocks))?;
        columns.bytes(places().map(|place| place.live_bytes))?;
        columns.plain(places().map(|place| place.live_blocks))?;
        // Mostly what lives now lived at the peak.
        columns.bytes(places().map(|place| place.at_peak_bytes.wrapping_sub(place.live_bytes)))?;
        columns.signed(places().map(|place| place.at_peak_blocks.wrapping_sub(place.live_blocks) as i64))?;
        columns.plain(places().map(|place| place.scalars_born))?;
        columns.plain(places().map(|place| place.scalars_died))
    }
}

impl Decode<()> for Figures {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let snapshot = u64::decode(decoder)?;
        let mut columns = Reader::new(decoder, |node: &mut NodeFigures, step| node.id = NodeId(step as u32))?;
        columns.column(|node, calls| node.calls = calls)?;
        columns.bytes(|node, bytes| node.freed_bytes = bytes)?;
        columns.column(|node, blocks| node.freed_blocks = blocks)?;
        columns.signed(|node, pages| node.size_pages = pages)?;
        columns.signed(|node, pages| node.resident_pages = pages)?;
        let mut nodes = columns.rows;
        ascend(&mut nodes, |node| &mut node.id.0);
        let mut columns = Reader::new(decoder, |place: &mut PlaceFigures, step| place.id = PlaceId(step as u32))?;
        columns.bytes(|place, bytes| place.allocated_bytes = bytes)?;
        columns.column(|place, blocks| place.allocated_blocks = blocks)?;
        columns.bytes(|place, bytes| place.live_bytes = bytes)?;
        columns.column(|place, blocks| place.live_blocks = blocks)?;
        columns.bytes(|place, more| place.at_peak_bytes = place.live_bytes.wrapping_add(more))?;
        columns.signed(|place, more| place.at_peak_blocks = place.live_blocks.wrapping_add(more as u64))?;
        columns.column(|place, scalars| place.scalars_born = scalars)?;
        columns.column(|place, scalars| place.scalars_died = scalars)?;
        let mut places = columns.rows;
        ascend(&mut places, |place| &mut place.id.0);
        Ok(Self { snapshot, nodes, places })
    }
}

impl Encode for HeapEdges {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.snapshot.encode(encoder)?;
        (self.edges.len() as u64).encode(encoder)?;
        let mut columns = Writer(encoder);
        let mut before = 0u32;
        columns.plain(self.edges.iter().map(|edge| {
            let step = edge.from.wrapping_sub(before);
            before = edge.from;
            u64::from(step)
        }))?;
        columns.signed(self.edges.iter().map(|edge| i64::from(edge.to) - i64::from(edge.from)))?;
        columns.plain(self.edges.iter().map(|edge| edge.kind as u64))?;
        columns.plain(self.edges.iter().map(|edge| u64::from(edge.index)))?;
        columns.plain(self.edges.iter().map(|edge| u64::from(edge.key.0)))
    }
}

impl Decode<()> for HeapEdges {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let snapshot = u64::decode(decoder)?;
        let mut columns = Reader::new(decoder, |edge: &mut HeapEdge, step| edge.from = step as u32)?;
        ascend(&mut columns.rows, |edge| &mut edge.from);
        columns.signed(|edge, distance| edge.to = i64::from(edge.from).wrapping_add(distance) as u32)?;
        for edge in &mut columns.rows {
            let kind = usize::try_from(u64::decode(columns.decoder)?).unwrap_or(usize::MAX);
            edge.kind = *EdgeKind::ALL.get(kind).ok_or(DecodeError::Other("an unknown kind of reference"))?;
        }
        columns.id_column(|edge, index| edge.index = index)?;
        columns.id_column(|edge, key| edge.key = StrId(key))?;
        Ok(HeapEdges { snapshot, edges: columns.rows })
    }
}

/// The distance as the `u64` that *signed* makes of it, and 0 for an exit.
fn step_code(step: CallStep, entered: &mut u32) -> u64 {
    match step {
        CallStep::Exit => 0,
        CallStep::Enter(node) => {
            let distance = i64::from(node.0) - i64::from(std::mem::replace(entered, node.0));
            1 + zigzag(distance)
        }
    }
}

impl Encode for Calls {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.interpreter.encode(encoder)?;
        self.first.encode(encoder)?;
        self.start_live_bytes.encode(encoder)?;
        self.start_scalars.encode(encoder)?;
        self.start_size_pages.encode(encoder)?;
        self.start_resident_pages.encode(encoder)?;
        self.is_cut.encode(encoder)?;
        (self.events.len() as u64).encode(encoder)?;
        let mut columns = Writer(encoder);
        let mut entered = 0;
        columns.plain(self.events.iter().map(|event| step_code(event.step, &mut entered)))?;
        columns.signed_bytes(self.events.iter().map(|event| event.live_bytes))?;
        columns.signed(self.events.iter().map(|event| event.scalars))?;
        (self.pages.len() as u64).encode(columns.0)?;
        columns.ascending(self.pages.iter().map(|read| u64::from(read.event)))?;
        columns.signed(self.pages.iter().map(|read| read.size_pages))?;
        columns.signed(self.pages.iter().map(|read| read.resident_pages))
    }
}

impl Decode<()> for Calls {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let mut calls = Calls {
            interpreter: u32::decode(decoder)?,
            first: u64::decode(decoder)?,
            start_live_bytes: u64::decode(decoder)?,
            start_scalars: u64::decode(decoder)?,
            start_size_pages: u64::decode(decoder)?,
            start_resident_pages: u64::decode(decoder)?,
            is_cut: bool::decode(decoder)?,
            ..Calls::default()
        };
        let entered = std::cell::Cell::new(0u32);
        let mut columns = Reader::new(decoder, |event: &mut CallEvent, code| {
            let Some(code) = code.checked_sub(1) else { return };
            entered.set((i64::from(entered.get()).wrapping_add(unzigzag(code))) as u32);
            event.step = CallStep::Enter(NodeId(entered.get()));
        })?;
        columns.signed_bytes(|event, bytes| event.live_bytes = bytes)?;
        columns.signed(|event, scalars| event.scalars = scalars)?;
        calls.events = columns.rows;
        let mut columns = Reader::new(decoder, |read: &mut PagesRead, step| read.event = step as u32)?;
        ascend(&mut columns.rows, |read| &mut read.event);
        columns.signed(|read, pages| read.size_pages = pages)?;
        columns.signed(|read, pages| read.resident_pages = pages)?;
        calls.pages = columns.rows;
        Ok(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bincode::config::standard;
    use proptest::prelude::*;

    /// A column of its own.
    struct Column(Vec<u64>);

    impl Encode for Column {
        fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
            Writer(encoder).plain(self.0.iter().copied())
        }
    }

    fn near_the_bounds() -> impl Strategy<Value = u64> {
        (prop::sample::select(vec![0u64, 250, 0xffff, 0xffff_ffff, u64::MAX]), 0u64..3, any::<bool>())
            .prop_map(|(bound, by, up)| if up { bound.wrapping_add(by) } else { bound.wrapping_sub(by) })
    }

    proptest! {
        #[test]
        fn a_column_is_coded_as_bincode_codes_it(
            values in prop::collection::vec(prop_oneof![4 => 0u64..300, 2 => near_the_bounds(), 1 => any::<u64>()], 0..400)
        ) {
            let by_bincode: Vec<u8> =
                values.iter().flat_map(|value| bincode::encode_to_vec(value, standard()).unwrap()).collect();
            prop_assert_eq!(bincode::encode_to_vec(Column(values), standard()).unwrap(), by_bincode);
        }
    }
}
