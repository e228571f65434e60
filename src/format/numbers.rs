//! Numbers as the tables have them: coded as bincode codes a `u64`, at a fraction of its time, for the profiled program pays
//! for each that is written, and a big trace has a billion to be read.

use bincode::de::read::Reader as _;
use bincode::de::Decoder;
use bincode::enc::write::Writer as _;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::Decode;

/// Rows that are made room for before any has been read: a forged number of rows costs no memory.
pub(super) const ROWS_AHEAD: usize = 4096;

/// Most rows of a table in one record. A forged record, which compresses to nothing, must not fill the memory.
const MOST_ROWS: u64 = 1 << 20;

/// What a number counts for against the limit of what may be decoded.
const NUMBER_BYTES: usize = size_of::<u64>();

/// The longest coding of a number, in bytes.
const LONGEST: usize = 1 + NUMBER_BYTES;

/// The largest number that bincode codes as one byte.
const LARGEST_BYTE: u64 = 250;

/// Numbers that may be put after [`Writer::make_room`], before it is called again: as many as the longest row has.
const ROOM: usize = 10;

const CODED_BYTES: usize = 512;

/// `2n` for n ≥ 0 and `-2n-1` for n < 0.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Undoes [`zigzag`].
pub(super) fn unzigzag(code: u64) -> i64 {
    (code >> 1) as i64 ^ -((code & 1) as i64)
}

/// Writes numbers, several at a time.
pub(super) struct Writer<'a, E> {
    encoder: &'a mut E,
    coded: [u8; CODED_BYTES],
    filled: usize,
}

impl<'a, E: Encoder> Writer<'a, E> {
    /// There is room.
    pub(super) fn new(encoder: &'a mut E) -> Self {
        Self { encoder, coded: [0; CODED_BYTES], filled: 0 }
    }

    /// There must be room for it.
    #[inline]
    pub(super) fn put(&mut self, number: u64) {
        debug_assert!(self.filled + LONGEST <= CODED_BYTES);
        if number <= LARGEST_BYTE {
            if let Some(byte) = self.coded.get_mut(self.filled) {
                *byte = number as u8;
            }
            self.filled += 1;
        } else {
            self.put_long(number);
        }
    }

    fn put_long(&mut self, number: u64) {
        let (tag, length) = match number {
            0..=0xffff => (251, 2),
            0x1_0000..=0xffff_ffff => (252, 4),
            _ => (253, 8),
        };
        if let Some([first, rest @ ..]) = self.coded.get_mut(self.filled..self.filled + LONGEST) {
            *first = tag;
            rest.copy_from_slice(&number.to_le_bytes());
        }
        self.filled += 1 + length;
    }

    #[inline]
    pub(super) fn make_room(&mut self) -> Result<(), EncodeError> {
        if self.filled > CODED_BYTES - ROOM * LONGEST {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), EncodeError> {
        let filled = std::mem::take(&mut self.filled);
        self.encoder.writer().write(self.coded.get(..filled).unwrap_or_default())
    }

    /// Writes what has not been written yet.
    pub(super) fn finish(mut self) -> Result<(), EncodeError> {
        self.write()
    }
}

/// How many rows a table has.
pub(super) fn row_count(decoder: &mut impl Decoder<Context = ()>) -> Result<usize, DecodeError> {
    match u64::decode(decoder)? {
        count @ 0..=MOST_ROWS => Ok(count as usize),
        _ => Err(DecodeError::Other("more rows than a table may have")),
    }
}

/// Counts so many numbers against the limit of what may be decoded, before any is.
pub(super) fn claim(decoder: &mut impl Decoder, numbers: usize) -> Result<(), DecodeError> {
    decoder.claim_bytes_read(numbers.saturating_mul(NUMBER_BYTES))
}

/// The next number, which has been claimed.
#[inline]
pub(super) fn claimed_number<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<u64, DecodeError> {
    if let Some(number) = quick_number(decoder)? {
        return Ok(number);
    }
    decoder.unclaim_bytes_read(NUMBER_BYTES);
    u64::decode(decoder)
}

/// The next number. Only the payload's last are counted against the limit: what is made of them has one of its own.
#[inline]
pub(super) fn number<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<u64, DecodeError> {
    match quick_number(decoder)? {
        Some(number) => Ok(number),
        None => u64::decode(decoder),
    }
}

/// As `u64::decode`, at a third of its time; `None` for the payload's last bytes.
#[inline]
fn quick_number<D: Decoder>(decoder: &mut D) -> Result<Option<u64>, DecodeError> {
    let Some(&[tag, b0, b1, b2, b3, b4, b5, b6, b7]) =
        decoder.reader().peek_read(LONGEST).and_then(|bytes| bytes.first_chunk())
    else {
        return Ok(None);
    };
    let (number, used) = match tag {
        0..=250 => (tag.into(), 1),
        251 => (u16::from_le_bytes([b0, b1]).into(), 3),
        252 => (u32::from_le_bytes([b0, b1, b2, b3]).into(), 5),
        253 => (u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]), LONGEST),
        _ => return Err(DecodeError::Other("no coding of a number")),
    };
    decoder.reader().consume(used);
    Ok(Some(number))
}

pub(super) fn narrow(number: u64) -> Result<u32, DecodeError> {
    u32::try_from(number).map_err(|_| DecodeError::Other("an id or line above 2^32"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bincode::config::standard;
    use bincode::Encode;
    use proptest::prelude::*;

    struct Numbers(Vec<u64>);

    impl Encode for Numbers {
        fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
            let mut numbers = Writer::new(encoder);
            for &number in &self.0 {
                numbers.put(number);
                numbers.make_room()?;
            }
            numbers.finish()
        }
    }

    fn near_the_bounds() -> impl Strategy<Value = u64> {
        (prop::sample::select(vec![0u64, 250, 0xffff, 0xffff_ffff, u64::MAX]), 0u64..3, any::<bool>())
            .prop_map(|(bound, by, up)| if up { bound.wrapping_add(by) } else { bound.wrapping_sub(by) })
    }

    proptest! {
        #[test]
        fn numbers_are_coded_as_bincode_codes_them(
            numbers in prop::collection::vec(prop_oneof![4 => 0u64..300, 2 => near_the_bounds(), 1 => any::<u64>()], 0..400)
        ) {
            let by_bincode: Vec<u8> =
                numbers.iter().flat_map(|number| bincode::encode_to_vec(number, standard()).unwrap()).collect();
            prop_assert_eq!(bincode::encode_to_vec(Numbers(numbers), standard()).unwrap(), by_bincode);
        }
    }
}
