//! Which id has the entry that is looked for? A hash table of ids that are given out one after the other.
//!
//! It grows by one bucket at a time (Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980): no
//! entry is moved but those of the bucket that is divided, nothing is copied, and half of it is never empty.
//!
//! A bucket is a line of cache, and a search mostly ends there: most are for what is not in the table yet. Beside each id are
//! bits of its hash, so that other entries than the right one are seldom looked at, and none when it grows: the bit that
//! divides a bucket is among them.

use super::paged::Paged;

/// Ids for each bucket, on average. Those that are yet to be divided have twice as many as those that are.
const A_BUCKET: usize = 12;

/// Where the hash begins in a link, in bits. Of 2ⁿ buckets or more the link's bit n + `HASH_AT` divides the next one, and
/// the id is below.
const HASH_AT: u32 = A_BUCKET.ilog2() + 2;

/// Buckets at most: then the hash's bits are used up.
const MOST_BUCKETS: usize = 1 << (u32::BITS - HASH_AT);

/// log2 of the buckets that memory is taken for at once.
const PAGE_BITS: u32 = 8;

/// Links of a bucket, and of one of those that have what did not fit.
const LINKS: usize = 15;
const FEWER: usize = 7;

/// Links, of which those that there are come first, and where there are more.
type Bucket = [u32; LINKS + 1];
type Small = [u32; FEWER + 1];

/// The table. A link is an id and 1, for 0 is none, and as much of the hash as there is room for above it.
pub struct IdTable {
    buckets: Paged<Bucket, PAGE_BITS>,
    /// What did not fit in its bucket. One more than the number of one is where there are more.
    more: Paged<Small, PAGE_BITS>,
    /// The number and 1 of one of those that is not used; where there are more, the number and 1 of another.
    unused: u32,
    /// The bits of a link that are of the id.
    id_bits: u32,
}

impl Default for IdTable {
    fn default() -> Self {
        Self::new()
    }
}

/// Which of the links have that tag, as bits. All at once, for the processor does four in one.
#[inline(always)]
fn alike<const N: usize>(links: &[u32; N], tag: u32, id_bits: u32) -> u32 {
    links.iter().enumerate().fold(0, |alike, (at, link)| alike | u32::from(link & !id_bits == tag) << at)
}

/// Puts a link where there is none. Was there room?
#[inline(always)]
fn put(links: &mut [u32], link: u32) -> bool {
    let free = links.iter_mut().find(|link| **link == 0);
    free.map(|free| *free = link).is_some()
}

impl IdTable {
    /// Empty.
    pub fn new() -> Self {
        let mut buckets = Paged::new();
        buckets.push(Bucket::default());
        Self { buckets, more: Paged::new(), unused: 0, id_bits: (1 << HASH_AT) - 1 }
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
        let id_of = |alike: u32, links: &[u32]| {
            let mut alike = alike;
            while alike != 0 {
                // Where that is no link, those before were all.
                let id = (links.get(alike.trailing_zeros() as usize)? & self.id_bits).checked_sub(1)?;
                if is_it(id) {
                    return Some(id);
                }
                alike &= alike - 1;
            }
            None
        };
        let [links @ .., more] = self.buckets.get(self.bucket(hash))?;
        let (mut found, mut more) = (id_of(alike(links, tag, self.id_bits), links), *more);
        while found.is_none() {
            let [links @ .., next] = self.more.get(more.checked_sub(1)? as usize)?;
            (found, more) = (id_of(alike(links, tag, self.id_bits), links), *next);
        }
        found
    }

    /// Adds an id that is greater than all before.
    pub fn insert(&mut self, id: u32, hash: u64) {
        let hash = (hash >> 32) as u32;
        while id as usize >= self.buckets.len() * A_BUCKET && self.buckets.len() < MOST_BUCKETS {
            self.divide();
        }
        self.put(self.bucket(hash), (id + 1) | self.tag(hash));
    }

    fn put(&mut self, bucket: usize, link: u32) {
        let Some([links @ .., more]) = self.buckets.get_mut(bucket) else { return };
        if put(links, link) {
            return;
        }
        // Of those beside all are full but for the first.
        let first = *more;
        if let Some([links @ .., _]) = self.more.get_mut((first as usize).wrapping_sub(1)) {
            if put(links, link) {
                return;
            }
        }
        let number = self.add_more(first, link);
        if let Some([.., more]) = self.buckets.get_mut(bucket) {
            *more = number;
        }
    }

    /// One more for what does not fit, with that link, before the one of number `next` and 1: its own number and 1.
    #[cold]
    fn add_more(&mut self, next: u32, link: u32) -> u32 {
        let mut new = Small::default();
        (new[0], new[FEWER]) = (link, next);
        let number = self.unused;
        match self.more.get_mut((number as usize).wrapping_sub(1)) {
            Some(again) => {
                self.unused = again[FEWER];
                *again = new;
                number
            }
            None => {
                self.more.push(new);
                self.more.len() as u32
            }
        }
    }

    #[cold]
    fn divide(&mut self) {
        let new = self.buckets.len();
        self.buckets.push(Bucket::default());
        let upper_bit = self.id_bits + 1;
        let old = new - (upper_bit >> HASH_AT) as usize;
        let Some([links @ .., more]) = self.buckets.get_mut(old).map(std::mem::take) else { return };
        let share = |table: &mut Self, links: &[u32]| {
            for &link in links.iter().take_while(|&&link| link != 0) {
                table.put(if link & upper_bit == 0 { old } else { new }, link);
            }
        };
        share(self, &links);
        let mut number = more;
        while let Some(beside) = self.more.get_mut((number as usize).wrapping_sub(1)) {
            let [links @ .., next] = *beside;
            beside[FEWER] = std::mem::replace(&mut self.unused, number);
            number = next;
            share(self, &links);
        }
        if (new + 1).is_power_of_two() && new + 1 < MOST_BUCKETS {
            self.widen_ids();
        }
    }

    /// All buckets are divided by this bit: the ids have it from now on.
    fn widen_ids(&mut self) {
        let bit = self.id_bits + 1;
        self.id_bits |= bit;
        for [links @ .., _] in self.buckets.iter_mut() {
            links.iter_mut().for_each(|link| *link &= !bit);
        }
        for [links @ .., _] in self.more.iter_mut() {
            links.iter_mut().for_each(|link| *link &= !bit);
        }
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
