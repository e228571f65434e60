//! When was a scalar born: how many marks, or snapshots, had been made by then, in two bytes.
//!
//! Marks count in a program that makes them, snapshots in one that does not; one bit says which. The number is kept as a
//! small floating-point one: exact up to 2047, above that rounded down by less than one part in 1024. Codes of one unit
//! are in the order of their numbers.

use crate::format::heap::BirthUnit;

/// Set for marks.
const MARKS: u16 = 1 << 15;
/// log2 of the smallest mantissa of a rounded number.
const BITS: u32 = 10;

/// A time of birth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BornAt(u16);

impl BornAt {
    /// Before anything has been counted.
    pub const ZERO: Self = BornAt(0);

    /// The time at which `number` marks, or snapshots, have been made.
    pub fn new(unit: BirthUnit, number: u64) -> Self {
        let exponent = (number.max(1).ilog2()).saturating_sub(BITS);
        let code = (u64::from(exponent) << BITS) + (number >> exponent);
        let code = code.min(u64::from(MARKS - 1)) as u16;
        BornAt(if unit == BirthUnit::Marks { code | MARKS } else { code })
    }

    /// The number, if it is of that unit: what was born before the first mark is of another.
    pub fn number(self, unit: BirthUnit) -> Option<u64> {
        if (self.0 & MARKS != 0) != (unit == BirthUnit::Marks) {
            return None;
        }
        let code = u64::from(self.0 & !MARKS);
        let exponent = (code >> BITS).saturating_sub(1);
        Some((code - (exponent << BITS)) << exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_exactly_and_then_rounded_down() {
        let back = |number| BornAt::new(BirthUnit::Marks, number).number(BirthUnit::Marks).unwrap();
        assert!((0..2048).all(|number| back(number) == number));
        let mut last = 0;
        for number in (0..40).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + (1 << bit) / 3]) {
            let near = back(number);
            assert!(near <= number && number - near <= number / 1024, "{number} {near}");
        }
        for number in 0..100_000 {
            assert!(back(number) >= last);
            last = back(number);
        }
    }

    #[test]
    fn units_are_told_apart() {
        assert_eq!(BornAt::new(BirthUnit::Marks, 7).number(BirthUnit::Snapshots), None);
        assert_eq!(BornAt::new(BirthUnit::Snapshots, 7).number(BirthUnit::Snapshots), Some(7));
        assert_eq!(BornAt::default().number(BirthUnit::Snapshots), Some(0));
    }
}
