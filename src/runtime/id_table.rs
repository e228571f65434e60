//! Which id has the entry that is looked for? A hash table of ids that are given out one after the other.
//!
//! It grows by one bucket at a time (Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980): no
//! entry is moved but those of the bucket that is divided, nothing is copied, and half of it is never empty.

use super::paged::Paged;

/// Ids for each bucket, on average.
const A_BUCKET: usize = 4;

/// The table. What is kept in it is the id and 1, for 0 is the end of a bucket.
pub struct IdTable {
    buckets: Paged<u32>,
    /// By id: the next one in its bucket.
    next: Paged<u32>,
    length: usize,
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
        Self { buckets, next: Paged::new(), length: 0 }
    }

    /// Buckets from 2ⁿ on are the upper halves of those that have been divided since there were 2ⁿ.
    #[inline]
    fn bucket(&self, hash: u64) -> usize {
        let divided = self.buckets.len().next_power_of_two();
        let bucket = (hash >> 32) as usize & (divided - 1);
        if bucket < self.buckets.len() {
            bucket
        } else {
            bucket - divided / 2
        }
    }

    fn next(&self, id: u32) -> u32 {
        self.next.get(id as usize).copied().unwrap_or(0)
    }

    /// The id with that hash that is looked for. The high half of the hash counts.
    #[inline]
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.buckets.get(self.bucket(hash)).copied()?;
        while at != 0 && !is_it(at - 1) {
            at = self.next(at - 1);
        }
        at.checked_sub(1)
    }

    /// Adds an id that is greater than all before. `hash_of` tells the hash of every id.
    pub fn insert(&mut self, id: u32, hash_of: impl Fn(u32) -> u64) {
        while self.next.len() <= id as usize {
            self.next.push(0);
        }
        self.length += 1;
        if self.length > self.buckets.len() * A_BUCKET {
            self.divide(&hash_of);
        }
        self.put(id, hash_of(id));
    }

    fn put(&mut self, id: u32, hash: u64) {
        let bucket = self.bucket(hash);
        if let (Some(first), Some(next)) = (self.buckets.get_mut(bucket), self.next.get_mut(id as usize)) {
            *next = std::mem::replace(first, id + 1);
        }
    }

    #[cold]
    fn divide(&mut self, hash_of: &impl Fn(u32) -> u64) {
        let new = self.buckets.len();
        self.buckets.push(0);
        let Some(old) = self.buckets.get_mut(new - (new + 1).next_power_of_two() / 2) else { return };
        let mut at = std::mem::take(old);
        while let Some(id) = at.checked_sub(1) {
            at = self.next(id);
            self.put(id, hash_of(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_is_found_and_no_other(hashes in prop::collection::vec(prop_oneof![(0u64..40).prop_map(|hash| hash << 32), any::<u64>()], 0..600)) {
            let mut table = IdTable::new();
            let hash_of = |id: u32| hashes[id as usize];
            for id in 0..hashes.len() as u32 {
                prop_assert_eq!(table.find(hash_of(id), |found| found == id), None);
                // Not every id has an entry.
                if id % 5 != 3 {
                    table.insert(id, hash_of);
                }
            }
            for id in 0..hashes.len() as u32 {
                prop_assert_eq!(table.find(hash_of(id), |found| found == id), Some(id).filter(|id| id % 5 != 3));
            }
        }
    }

    #[test]
    fn buckets_stay_short() {
        let mut table = IdTable::new();
        let hash_of = |id: u32| u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut probes = 0;
        for id in 0..10_000 {
            table.insert(id, hash_of);
        }
        for id in 0..10_000 {
            let probed = std::cell::Cell::new(0);
            let is_it = |found| {
                probed.set(probed.get() + 1);
                found == id
            };
            assert_eq!(table.find(hash_of(id), is_it), Some(id));
            probes += probed.get();
        }
        assert!(probes < 40_000, "{probes}");
    }
}
