//! Which id has the entry that is looked for? A hash table of ids that are given out one after the other.
//!
//! It grows by one bucket at a time (Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980): no
//! entry is moved but those of the bucket that is divided, nothing is copied, and half of it is never empty.
//!
//! Beside each id are bits of its hash, so that other entries than the right one are seldom looked at, and none when it
//! grows: the bit that divides a bucket is among them.

use super::paged::Paged;

/// Ids for each bucket, on average; a power of two.
const A_BUCKET: usize = 4;

/// Where the hash begins in a link, in bits. Of 2ⁿ buckets or more the link's bit n + `HASH_AT` divides the next one, and
/// the id is below.
const HASH_AT: u32 = A_BUCKET.trailing_zeros() + 2;

/// Buckets at most: then the hash's bits are used up.
const MOST_BUCKETS: usize = 1 << (u32::BITS - HASH_AT);

/// The table. A link is an id and 1, for 0 is the end of a bucket, and as much of the hash as there is room for above it.
pub struct IdTable {
    buckets: Paged<u32>,
    /// By id: the link to the next one in its bucket.
    next: Paged<u32>,
    /// The bits of a link that are of the id.
    id_bits: u32,
}

impl Default for IdTable {
    fn default() -> Self {
        Self::new()
    }
}

impl IdTable {
    /// Empty.
    pub fn new() -> Self {
        let mut buckets = Paged::new();
        buckets.push(0);
        Self { buckets, next: Paged::new(), id_bits: (1 << HASH_AT) - 1 }
    }

    /// Buckets from 2ⁿ on are the upper halves of those that have been divided since there were 2ⁿ.
    #[inline]
    fn bucket(&self, hash: u32) -> usize {
        let divided = self.buckets.len().next_power_of_two();
        let bucket = hash as usize & (divided - 1);
        if bucket < self.buckets.len() {
            bucket
        } else {
            bucket - divided / 2
        }
    }

    fn next(&self, id: u32) -> u32 {
        self.next.get(id as usize).copied().unwrap_or(0)
    }

    /// What the link of an id with that hash has above the id.
    #[inline]
    fn tag(&self, hash: u32) -> u32 {
        hash << HASH_AT & !self.id_bits
    }

    /// The id with that hash that is looked for. The high half of the hash counts.
    #[inline]
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = (hash >> 32) as u32;
        let tag = self.tag(hash);
        let mut at = self.buckets.get(self.bucket(hash)).copied()?;
        while let Some(id) = (at & self.id_bits).checked_sub(1) {
            if at & !self.id_bits == tag && is_it(id) {
                return Some(id);
            }
            at = self.next(id);
        }
        None
    }

    /// Adds an id that is greater than all before.
    pub fn insert(&mut self, id: u32, hash: u64) {
        let hash = (hash >> 32) as u32;
        while self.next.len() <= id as usize {
            self.next.push(0);
        }
        while self.next.len() > self.buckets.len() * A_BUCKET && self.buckets.len() < MOST_BUCKETS {
            self.divide();
        }
        self.put(self.bucket(hash), (id + 1) | self.tag(hash));
    }

    fn put(&mut self, bucket: usize, link: u32) {
        let id = (link & self.id_bits) - 1;
        if let (Some(first), Some(next)) = (self.buckets.get_mut(bucket), self.next.get_mut(id as usize)) {
            *next = std::mem::replace(first, link);
        }
    }

    #[cold]
    fn divide(&mut self) {
        let new = self.buckets.len();
        self.buckets.push(0);
        let upper_bit = self.id_bits + 1;
        let old = new - (upper_bit >> HASH_AT) as usize;
        let Some(first) = self.buckets.get_mut(old) else { return };
        let mut at = std::mem::take(first);
        while let Some(id) = (at & self.id_bits).checked_sub(1) {
            let link = at;
            at = self.next(id);
            self.put(if link & upper_bit == 0 { old } else { new }, link);
        }
        if (new + 1).is_power_of_two() && new + 1 < MOST_BUCKETS {
            self.widen_ids();
        }
    }

    /// All buckets are divided by this bit: the ids have it from now on.
    fn widen_ids(&mut self) {
        let bit = self.id_bits + 1;
        self.id_bits |= bit;
        self.buckets.iter_mut().chain(self.next.iter_mut()).for_each(|link| *link &= !bit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_is_found_and_no_other(
            hashes in prop::collection::vec(prop_oneof![(0u64..40).prop_map(|hash| hash << 32), any::<u64>()], 0..600),
            first in prop_oneof![0u32..3, 0u32..5000],
        ) {
            let mut table = IdTable::new();
            // Not every id has an entry.
            let has_entry = |id: u32| id >= first && id % 5 != 3;
            let hash_of = |id: u32| hashes[(id - first) as usize];
            let ids = first..first + hashes.len() as u32;
            for id in ids.clone() {
                prop_assert_eq!(table.find(hash_of(id), |found| found == id), None);
                if has_entry(id) {
                    table.insert(id, hash_of(id));
                }
            }
            for id in ids {
                prop_assert_eq!(table.find(hash_of(id), |found| found == id), Some(id).filter(|&id| has_entry(id)));
            }
        }
    }

    #[test]
    fn few_others_are_looked_at() {
        let mut table = IdTable::new();
        let hash_of = |id: u32| u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..200_000).for_each(|id| table.insert(id, hash_of(id)));
        let looked_at = std::cell::Cell::new(0);
        for id in 0..400_000 {
            let is_it = |found| {
                looked_at.set(looked_at.get() + 1);
                found == id
            };
            assert_eq!(table.find(hash_of(id), is_it), Some(id).filter(|&id| id < 200_000));
        }
        assert!(looked_at.get() < 205_000, "{looked_at:?}");
    }
}
