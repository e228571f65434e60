//! Tables, column by column: where the rows of a table resemble one another in some fields only, columns compress better
//! than rows.
//!
//! A column is all rows' values of one field, one after the other, as bincode writes a `u64`. Three codings make values
//! small: *ascending* stores the difference to the row before (the first row's to 0), modulo 2^64; *signed* stores `2n`
//! for n ≥ 0 and `-2n-1` for n < 0, *signed bytes* that number rotated right by 4 bits, for sizes are mostly multiples
//! of 8.

use super::calls::{CallEvent, CallStep, Calls, PagesRead};
use super::heap::{EdgeKind, HeapEdge, HeapEdges};
use super::ids::{NodeId, StrId};
use super::numbers::{claim, claimed_number, narrow, row_count, unzigzag, zigzag, Writer, ROWS_AHEAD};
use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

impl<E: Encoder> Writer<'_, E> {
    fn plain(&mut self, column: impl Iterator<Item = u64>) -> Result<(), EncodeError> {
        for value in column {
            self.put(value);
            self.make_room()?;
        }
        Ok(())
    }

    fn ascending(&mut self, column: impl Iterator<Item = u64>) -> Result<(), EncodeError> {
        let mut before = 0u64;
        self.plain(column.map(|value| {
            let step = value.wrapping_sub(before);
            before = value;
            step
        }))
    }

    fn signed(&mut self, column: impl Iterator<Item = i64>) -> Result<(), EncodeError> {
        self.plain(column.map(zigzag))
    }

    fn signed_bytes(&mut self, column: impl Iterator<Item = i64>) -> Result<(), EncodeError> {
        self.plain(column.map(|value| zigzag(value).rotate_right(4)))
    }
}

pub(super) struct Reader<'a, D, R> {
    decoder: &'a mut D,
    pub(super) rows: Vec<R>,
}

impl<'a, D: Decoder<Context = ()>, R: Default + Copy> Reader<'a, D, R> {
    /// The first column is read by making the rows.
    pub(super) fn new(decoder: &'a mut D, set: impl Fn(&mut R, u64)) -> Result<Self, DecodeError> {
        let count = row_count(decoder)?;
        claim(decoder, count)?;
        let mut rows = Vec::with_capacity(ROWS_AHEAD.min(count));
        for _ in 0..count {
            let mut row = R::default();
            set(&mut row, claimed_number(decoder)?);
            rows.push(row);
        }
        Ok(Self { decoder, rows })
    }

    pub(super) fn column(&mut self, set: impl Fn(&mut R, u64)) -> Result<(), DecodeError> {
        claim(self.decoder, self.rows.len())?;
        for row in &mut self.rows {
            set(row, claimed_number(self.decoder)?);
        }
        Ok(())
    }

    pub(super) fn id_column(&mut self, set: impl Fn(&mut R, u32)) -> Result<(), DecodeError> {
        claim(self.decoder, self.rows.len())?;
        for row in &mut self.rows {
            set(row, narrow(claimed_number(self.decoder)?)?);
        }
        Ok(())
    }

    pub(super) fn signed(&mut self, set: impl Fn(&mut R, i64)) -> Result<(), DecodeError> {
        self.column(|row, code| set(row, unzigzag(code)))
    }

    pub(super) fn signed_bytes(&mut self, set: impl Fn(&mut R, i64)) -> Result<(), DecodeError> {
        self.column(|row, code| set(row, unzigzag(code.rotate_left(4))))
    }
}

/// Undoes *ascending* on the values of a first column.
pub(super) fn ascend<R>(rows: &mut [R], value: impl Fn(&mut R) -> &mut u32) {
    let mut before = 0u32;
    for row in rows {
        let value = value(row);
        before = before.wrapping_add(*value);
        *value = before;
    }
}

impl Encode for HeapEdges {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.snapshot.encode(encoder)?;
        let mut columns = Writer::new(encoder);
        columns.put(self.edges.len() as u64);
        let mut before = 0u32;
        columns.plain(self.edges.iter().map(|edge| {
            let step = edge.from.wrapping_sub(before);
            before = edge.from;
            u64::from(step)
        }))?;
        columns.signed(self.edges.iter().map(|edge| i64::from(edge.to) - i64::from(edge.from)))?;
        columns.plain(self.edges.iter().map(|edge| edge.kind as u64))?;
        columns.plain(self.edges.iter().map(|edge| u64::from(edge.index)))?;
        columns.plain(self.edges.iter().map(|edge| u64::from(edge.key.0)))?;
        columns.finish()
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
        let mut columns = Writer::new(encoder);
        columns.put(self.events.len() as u64);
        let mut entered = 0;
        columns.plain(self.events.iter().map(|event| step_code(event.step, &mut entered)))?;
        columns.signed_bytes(self.events.iter().map(|event| event.live_bytes))?;
        columns.signed(self.events.iter().map(|event| event.scalars))?;
        columns.put(self.pages.len() as u64);
        columns.ascending(self.pages.iter().map(|read| u64::from(read.event)))?;
        columns.signed(self.pages.iter().map(|read| read.size_pages))?;
        columns.signed(self.pages.iter().map(|read| read.resident_pages))?;
        columns.finish()
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
