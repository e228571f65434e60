//! A set of small numbers, a bit for each.

use super::paged::Paged;

/// log2 of the words of a page.
const PAGE_BITS: u32 = 9;

/// The set.
pub struct BitSet {
    words: Paged<u64, PAGE_BITS>,
}

impl BitSet {
    /// Empty.
    pub fn new() -> Self {
        Self { words: Paged::new() }
    }

    /// Is that number there?
    #[inline]
    pub fn contains(&self, number: u32) -> bool {
        self.words.get((number / u64::BITS) as usize).is_some_and(|word| word >> (number % u64::BITS) & 1 != 0)
    }

    /// Puts a number in. Was it not there?
    #[inline]
    pub fn insert(&mut self, number: u32) -> bool {
        let (index, bit) = ((number / u64::BITS) as usize, 1 << (number % u64::BITS));
        let Some(word) = self.words.get_or_fill(index, 0) else { return true };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_is_new_once(numbers in prop::collection::vec(prop_oneof![0u32..200, 0u32..1 << 20], 0..300)) {
            let (mut set, mut model) = (BitSet::new(), std::collections::HashSet::new());
            for number in numbers {
                prop_assert_eq!(set.contains(number), model.contains(&number));
                prop_assert_eq!(set.insert(number), model.insert(number));
            }
        }
    }
}
