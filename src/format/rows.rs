//! Tables, row by row. What a program does it does again, in other call paths, and then whole rows compress as one where
//! each column would take its own part.
//!
//! A row is a few numbers, as bincode writes a `u64`. The first, its *head*, says which others follow: what is as it
//! mostly is has none. Differences are *signed*: `2n` for n ≥ 0 and `-2n-1` for n < 0. Bytes are stored as what they are
//! beyond 24 for each block, the least that glibc gives, signed and rotated right by 4 bits, for sizes are mostly
//! multiples of 8.

use super::numbers::{narrow, number, row_count, unzigzag, zigzag, Writer, ROWS_AHEAD};
use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};

impl<E: Encoder> Writer<'_, E> {
    pub(super) fn put_rows<R>(&mut self, rows: &[R], mut put: impl FnMut(&mut Self, &R)) -> Result<(), EncodeError> {
        self.put(rows.len() as u64);
        self.make_room()?;
        for row in rows {
            put(self, row);
            self.make_room()?;
        }
        Ok(())
    }

    pub(super) fn put_signed(&mut self, number: i64) {
        self.put(zigzag(number));
    }

    pub(super) fn put_bytes(&mut self, bytes: u64, blocks: u64) {
        let beyond = bytes.wrapping_sub(blocks.wrapping_mul(LEAST_BLOCK));
        self.put(zigzag(beyond as i64).rotate_right(4));
    }
}

/// Bytes of the smallest block that glibc gives.
const LEAST_BLOCK: u64 = 24;

pub(super) fn read_rows<D: Decoder<Context = ()>, R>(
    decoder: &mut D,
    mut read: impl FnMut(&mut D) -> Result<R, DecodeError>,
) -> Result<Vec<R>, DecodeError> {
    let count = row_count(decoder)?;
    let mut rows = Vec::with_capacity(ROWS_AHEAD.min(count));
    for _ in 0..count {
        rows.push(read(decoder)?);
    }
    Ok(rows)
}

pub(super) fn read_signed<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<i64, DecodeError> {
    Ok(unzigzag(number(decoder)?))
}

pub(super) fn read_bytes<D: Decoder<Context = ()>>(decoder: &mut D, blocks: u64) -> Result<u64, DecodeError> {
    let beyond = unzigzag(number(decoder)?.rotate_left(4));
    Ok((beyond as u64).wrapping_add(blocks.wrapping_mul(LEAST_BLOCK)))
}

/// An id or a line that differs from another by so much.
pub(super) fn apart(from: u32, difference: i64) -> Result<u32, DecodeError> {
    narrow(i64::from(from).wrapping_add(difference) as u64)
}

pub(super) fn difference(from: u32, to: u32) -> i64 {
    i64::from(to) - i64::from(from)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::format::chunk::config;
    use bincode::error::DecodeError;
    use bincode::{Decode, Encode};
    use proptest::prelude::*;
    use std::fmt::Debug;

    /// Few enough that rows meet again what rows before had, and the bounds.
    pub(in crate::format) fn id() -> impl Strategy<Value = u32> {
        prop_oneof![6 => 0u32..600, 1 => u32::MAX - 2..=u32::MAX, 1 => any::<u32>()]
    }

    pub(in crate::format) fn coded(table: &impl Encode) -> Vec<u8> {
        bincode::encode_to_vec(table, config()).unwrap()
    }

    pub(in crate::format) fn decoded<T: Decode<()>>(bytes: &[u8]) -> Result<T, DecodeError> {
        bincode::decode_from_slice(bytes, config()).map(|(table, _)| table)
    }

    pub(in crate::format) fn comes_back<T: Encode + Decode<()> + PartialEq + Debug>(
        table: &T,
    ) -> Result<(), TestCaseError> {
        let bytes = coded(table);
        let (read, used): (T, _) = bincode::decode_from_slice(&bytes, config()).unwrap();
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(&read, table);
        Ok(())
    }
}
