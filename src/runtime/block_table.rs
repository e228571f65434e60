//! Which place does a live block belong to, and how many bytes does it have? Address → (place, bytes).
//!
//! A heap is dense, so the table follows it: one small open-addressed table for each 64 KiB of addresses, found through
//! a hash of segments. Neighbouring blocks have their entries in one small table, an entry takes 8 bytes, and growing
//! means rehashing one segment (at most 4096 entries), never the whole heap. Within a segment slots come from Fibonacci
//! hashing (Knuth, The Art of Computer Programming 6.4), which spreads runs of equal steps evenly; slots in the order of
//! the addresses were tried and cost ten times as much, for heaps are dense here and empty there.
//!
//! Never calls the allocator's hooks, never locks: the caller sees to it that one thread is in here at a time.

use crate::format::ids::PlaceId;
use hashbrown::HashTable;

/// log2 of the bytes a segment covers.
const SEGMENT_BITS: u32 = 16;
/// log2 of the distance between two possible block addresses: malloc aligns to 16.
const GRANULE_BITS: u32 = 4;
/// Bits of an entry that say where in its segment the block is.
const OFFSET_BITS: u32 = SEGMENT_BITS - GRANULE_BITS;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
/// Bits of an entry for the size in units of 8 bytes; all ones means "ask the allocator".
const SIZE_BITS: u32 = 24;
const SIZE_MASK: u64 = (1 << SIZE_BITS) - 1;
/// Most places that fit in what is left, less one so that no entry is all zeros.
pub const MAX_PLACES: u32 = (1 << (64 - OFFSET_BITS - SIZE_BITS)) - 2;
const SMALLEST_TABLE: usize = 16;

/// A live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The place that allocated it.
    pub place: PlaceId,
    /// Usable size in bytes; `None` for a block too large for an entry: ask the allocator.
    pub bytes: Option<u64>,
}

struct Segment {
    /// Address >> SEGMENT_BITS.
    number: u64,
    /// Slots: 0 is free, else an entry. The length is a power of two.
    slots: Box<[u64]>,
    used: u32,
    /// 32 − log2 of the number of slots.
    shift: u32,
}

fn offset_of(entry: u64) -> u64 {
    entry & OFFSET_MASK
}

impl Segment {
    fn new(number: u64) -> Self {
        Self {
            number,
            slots: vec![0; SMALLEST_TABLE].into_boxed_slice(),
            used: 0,
            shift: 32 - SMALLEST_TABLE.trailing_zeros(),
        }
    }

    #[inline]
    fn home(&self, offset: u64) -> usize {
        ((offset as u32).wrapping_mul(0x9e37_79b1) >> self.shift) as usize
    }

    /// The slot of `offset`, or the free one where it would go.
    #[inline]
    fn find(&self, offset: u64) -> (usize, u64) {
        let mask = self.slots.len() - 1;
        let mut at = self.home(offset);
        loop {
            // SAFETY: `at` is masked to the length. The table is never full, so the loop ends.
            let entry = unsafe { *self.slots.get_unchecked(at) };
            if entry == 0 || offset_of(entry) == offset {
                return (at, entry);
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    fn insert(&mut self, entry: u64) -> u64 {
        let (at, old) = self.find(offset_of(entry));
        // SAFETY: `find` returns an index within the table.
        unsafe { *self.slots.get_unchecked_mut(at) = entry };
        if old == 0 {
            self.used += 1;
            if self.used as usize * 8 > self.slots.len() * 5 {
                self.grow();
            }
        }
        old
    }

    #[cold]
    fn grow(&mut self) {
        let bigger = vec![0; self.slots.len() * 2].into_boxed_slice();
        let old = std::mem::replace(&mut self.slots, bigger);
        self.shift -= 1;
        for &entry in old.iter().filter(|&&entry| entry != 0) {
            let (at, _) = self.find(offset_of(entry));
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = entry;
            }
        }
    }

    #[inline]
    fn remove(&mut self, offset: u64) -> u64 {
        let (mut hole, found) = self.find(offset);
        if found == 0 {
            return 0;
        }
        self.used -= 1;
        let mask = self.slots.len() - 1;
        let mut at = hole;
        // Close the gap (Knuth, The Art of Computer Programming 6.4, algorithm R): move back what may move.
        loop {
            at = (at + 1) & mask;
            // SAFETY: masked to the length; a free slot exists, so the loop ends.
            let entry = unsafe { *self.slots.get_unchecked(at) };
            if entry == 0 {
                break;
            }
            let home = self.home(offset_of(entry));
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                // SAFETY: both indexes are masked to the length.
                unsafe { *self.slots.get_unchecked_mut(hole) = entry };
                hole = at;
            }
        }
        // SAFETY: `hole` is masked to the length.
        unsafe { *self.slots.get_unchecked_mut(hole) = 0 };
        found
    }
}

/// The table.
pub struct BlockTable {
    segments: Vec<Segment>,
    /// Segment number → index in `segments`.
    directory: HashTable<u32>,
    /// The segment used last: (number, index).
    last: (u64, u32),
}

fn hash(number: u64) -> u64 {
    // Fibonacci hashing (Knuth 6.4) with the high bits, which hashbrown looks at, mixed in.
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

impl Default for BlockTable {
    fn default() -> Self {
        Self::new()
    }
}

impl BlockTable {
    /// An empty table.
    pub fn new() -> Self {
        Self { segments: Vec::new(), directory: HashTable::new(), last: (u64::MAX, 0) }
    }

    #[inline]
    fn segment(&mut self, number: u64) -> Option<&mut Segment> {
        if self.last.0 != number {
            self.last = (number, self.look_up(number)?);
        }
        self.segments.get_mut(self.last.1 as usize)
    }

    fn look_up(&self, number: u64) -> Option<u32> {
        let same = |&index: &u32| self.segments.get(index as usize).is_some_and(|segment| segment.number == number);
        self.directory.find(hash(number), same).copied()
    }

    #[cold]
    fn add_segment(&mut self, number: u64) -> u32 {
        let index = self.segments.len() as u32;
        self.segments.push(Segment::new(number));
        let segments = &self.segments;
        let rehash = |&index: &u32| hash(segments.get(index as usize).map_or(0, |s| s.number));
        self.directory.insert_unique(hash(number), index, rehash);
        index
    }

    /// Notes that the block at `address` belongs to `place` and has `bytes` usable bytes. Returns what was noted for
    /// that address before: a block whose end went unseen.
    #[inline]
    pub fn insert(&mut self, address: usize, place: PlaceId, bytes: u64) -> Option<Block> {
        let granule = address as u64 >> GRANULE_BITS;
        let number = granule >> OFFSET_BITS;
        // +1 keeps every entry from being zero.
        let entry = (granule & OFFSET_MASK)
            | ((bytes >> 3).min(SIZE_MASK) << OFFSET_BITS)
            | (u64::from(place.0 + 1) << (OFFSET_BITS + SIZE_BITS));
        if self.last.0 != number {
            self.last = (number, self.look_up(number).unwrap_or_else(|| self.add_segment(number)));
        }
        unpack(self.segments.get_mut(self.last.1 as usize)?.insert(entry))
    }

    /// What is noted of the block at `address`.
    pub fn get(&self, address: usize) -> Option<Block> {
        let granule = address as u64 >> GRANULE_BITS;
        let segment = self.segments.get(self.look_up(granule >> OFFSET_BITS)? as usize)?;
        unpack(segment.find(granule & OFFSET_MASK).1)
    }

    /// Forgets the block at `address` and returns what was noted for it.
    #[inline]
    pub fn remove(&mut self, address: usize) -> Option<Block> {
        let granule = address as u64 >> GRANULE_BITS;
        unpack(self.segment(granule >> OFFSET_BITS)?.remove(granule & OFFSET_MASK))
    }
}

#[inline]
fn unpack(entry: u64) -> Option<Block> {
    if entry == 0 {
        return None;
    }
    let size = (entry >> OFFSET_BITS) & SIZE_MASK;
    let place = PlaceId((entry >> (OFFSET_BITS + SIZE_BITS)) as u32 - 1);
    Some(Block { place, bytes: (size != SIZE_MASK).then_some(size << 3) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn behaves_like_a_map(ops in prop::collection::vec((any::<bool>(), 0usize..6000, 0u32..1000, 1u64..5000), 0..4000)) {
            let mut table = BlockTable::new();
            let mut model = HashMap::new();
            for (insert, granule, place, words) in ops {
                let address = 0x5555_0000_0000 + granule * 16;
                let block = Block { place: PlaceId(place), bytes: Some(words * 8) };
                if insert {
                    prop_assert_eq!(table.insert(address, block.place, words * 8), model.insert(address, block));
                } else {
                    prop_assert_eq!(table.remove(address), model.remove(&address));
                }
            }
            for (address, block) in model {
                prop_assert_eq!(table.remove(address), Some(block));
            }
        }
    }

    #[test]
    fn a_full_segment_keeps_every_block() {
        let mut table = BlockTable::new();
        for i in 0..4096usize {
            assert_eq!(table.insert(0x10000 + i * 16, PlaceId(i as u32), 8), None);
        }
        for i in (0..4096usize).rev() {
            let block = table.remove(0x10000 + i * 16).unwrap();
            assert_eq!((block.place, block.bytes), (PlaceId(i as u32), Some(8)));
        }
    }

    #[test]
    fn a_block_too_large_for_an_entry_is_known_without_its_size() {
        let mut table = BlockTable::new();
        table.insert(0x7f00_0000_0010, PlaceId(MAX_PLACES - 1), 1 << 30);
        let block = table.remove(0x7f00_0000_0010).unwrap();
        assert_eq!(block, Block { place: PlaceId(MAX_PLACES - 1), bytes: None });
    }
}
