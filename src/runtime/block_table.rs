//! Which place does a live block belong to, and how many bytes does it have? Address → (place, bytes).
//!
//! A heap is dense, so the table follows it: one small open-addressed table for each 64 KiB of addresses, found through
//! a hash of segments. Neighbouring blocks have their entries in one small table, an entry takes 6 bytes, and growing
//! means rehashing one segment (at most 4096 entries), never the whole heap. Within a segment slots come from Fibonacci
//! hashing (Knuth, The Art of Computer Programming 6.4), which spreads runs of equal steps evenly; slots in the order of
//! the addresses were tried and cost ten times as much, for heaps are dense here and empty there. The product is scaled
//! to the number of slots (Lemire, "Fast random integer generation in an interval", 2019), so that need not double.
//!
//! What few blocks have is elsewhere: a size that does not fit is asked of the allocator, and a place that does not fit
//! is in a map beside the segments.
//!
//! Never calls the allocator's hooks, never locks: the caller sees to it that one thread is in here at a time.

use crate::format::ids::PlaceId;
use hashbrown::HashTable;
use rustc_hash::FxHashMap;

/// log2 of the bytes a segment covers.
const SEGMENT_BITS: u32 = 16;
/// log2 of the distance between two possible block addresses: malloc aligns to 16.
const GRANULE_BITS: u32 = 4;
/// Bits of a key that say where in its segment the block is. The others say whose it is.
const OFFSET_BITS: u32 = SEGMENT_BITS - GRANULE_BITS;
const OFFSET_MASK: u32 = (1 << OFFSET_BITS) - 1;
/// In a key: the place is in the map beside. What is above the offset is the place's id and 1, so no key is zero.
const FAR: u32 = (1 << (32 - OFFSET_BITS)) - 1;
/// Instead of a size in units of 8 bytes: ask the allocator.
const ANY_SIZE: u16 = u16::MAX;
/// Most places that there may be: tables that note an id in 32 bits have room for something else there.
pub const MAX_PLACES: u32 = 1 << 30;
const SMALLEST_TABLE: u32 = 16;

/// A live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The place that allocated it.
    pub place: PlaceId,
    /// Usable size in bytes; `None` for a block too large for an entry: ask the allocator.
    pub bytes: Option<u64>,
}

/// What is noted of a block: its key (place and offset), and its size in units of 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    key: u32,
    size: u16,
}

const FREE: Entry = Entry { key: 0, size: 0 };

struct Segment {
    /// Address >> SEGMENT_BITS.
    number: u64,
    /// By slot, keys: 0 is free. Then by slot, sizes: two in a word. Slots are a power of two, or that and half of it.
    words: Box<[u32]>,
    slots: u32,
    used: u32,
}

fn offset_of(key: u32) -> u32 {
    key & OFFSET_MASK
}

impl Segment {
    fn new(number: u64, slots: u32) -> Self {
        Self { number, words: vec![0; slots as usize / 2 * 3].into_boxed_slice(), slots, used: 0 }
    }

    #[inline]
    fn slots(&self) -> usize {
        self.slots as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        let after = at + 1;
        if after == self.slots() {
            0
        } else {
            after
        }
    }

    #[inline]
    fn home(&self, offset: u32) -> usize {
        let spread = offset.wrapping_mul(0x9e37_79b1);
        ((u64::from(spread) * u64::from(self.slots)) >> 32) as usize
    }

    /// Slots from `from` on to `at`.
    #[inline]
    fn distance(&self, from: usize, at: usize) -> usize {
        if at >= from {
            at - from
        } else {
            at + self.slots() - from
        }
    }

    /// # Safety
    /// There is a slot `at`.
    #[inline]
    unsafe fn key(&self, at: usize) -> u32 {
        debug_assert!(at < self.slots());
        // SAFETY: the caller's promise; there are one and a half words for each slot.
        unsafe { *self.words.get_unchecked(at) }
    }

    /// # Safety
    /// There is a slot `at`.
    #[inline]
    unsafe fn entry(&self, at: usize) -> Entry {
        // SAFETY: the caller's promise. Behind the keys there is half a word for each slot.
        unsafe { Entry { key: self.key(at), size: *self.words.as_ptr().add(self.slots()).cast::<u16>().add(at) } }
    }

    /// # Safety
    /// There is a slot `at`.
    #[inline]
    unsafe fn set(&mut self, at: usize, entry: Entry) {
        debug_assert!(at < self.slots());
        let slots = self.slots();
        // SAFETY: as in `entry`.
        unsafe {
            *self.words.get_unchecked_mut(at) = entry.key;
            *self.words.as_mut_ptr().add(slots).cast::<u16>().add(at) = entry.size;
        }
    }

    /// The slot of `offset`, or the free one where it would go; and the key there.
    #[inline]
    fn find(&self, offset: u32) -> (usize, u32) {
        let mut at = self.home(offset);
        loop {
            // SAFETY: `home` and `after` are slots. The table is never full, so the loop ends.
            let key = unsafe { self.key(at) };
            if key == 0 || offset_of(key) == offset {
                return (at, key);
            }
            at = self.after(at);
        }
    }

    /// What is noted at that offset; [`FREE`] where nothing is.
    #[inline]
    fn get(&self, offset: u32) -> Entry {
        // SAFETY: `find` returns a slot.
        unsafe { self.entry(self.find(offset).0) }
    }

    #[inline]
    fn insert(&mut self, entry: Entry) -> Entry {
        let (at, old) = self.find(offset_of(entry.key));
        if old != 0 {
            return self.replace(at, entry);
        }
        // SAFETY: `find` returns a slot.
        unsafe { self.set(at, entry) };
        self.used += 1;
        if self.used > self.slots / 4 * 3 {
            self.grow();
        }
        FREE
    }

    #[cold]
    fn replace(&mut self, at: usize, entry: Entry) -> Entry {
        // SAFETY: `at` comes from `find`.
        unsafe {
            let old = self.entry(at);
            self.set(at, entry);
            old
        }
    }

    #[cold]
    fn grow(&mut self) {
        // 16, 24, 32, 48, 64, …
        let slots = if self.slots.is_power_of_two() { self.slots / 2 * 3 } else { self.slots / 3 * 4 };
        let mut bigger = Segment { used: self.used, ..Segment::new(self.number, slots) };
        for at in 0..self.slots() {
            // SAFETY: below the number of slots.
            let entry = unsafe { self.entry(at) };
            if entry != FREE {
                let (at, _) = bigger.find(offset_of(entry.key));
                // SAFETY: `find` returns a slot.
                unsafe { bigger.set(at, entry) };
            }
        }
        *self = bigger;
    }

    #[inline]
    fn remove(&mut self, offset: u32) -> Entry {
        let (mut hole, found) = self.find(offset);
        if found == 0 {
            return FREE;
        }
        // SAFETY: `find` returns a slot.
        let found = unsafe { self.entry(hole) };
        self.used -= 1;
        let mut at = hole;
        // Close the gap (Knuth, The Art of Computer Programming 6.4, algorithm R): move back what may move.
        loop {
            at = self.after(at);
            // SAFETY: `after` is a slot; a free one exists, so the loop ends.
            let key = unsafe { self.key(at) };
            if key == 0 {
                break;
            }
            let home = self.home(offset_of(key));
            if self.distance(home, at) >= self.distance(hole, at) {
                // SAFETY: both are slots.
                unsafe { self.set(hole, self.entry(at)) };
                hole = at;
            }
        }
        // SAFETY: `hole` is a slot.
        unsafe { self.set(hole, FREE) };
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
    /// By granule: places whose ids do not fit in a key.
    far: FxHashMap<u64, PlaceId>,
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
        Self { segments: Vec::new(), directory: HashTable::new(), last: (u64::MAX, 0), far: FxHashMap::default() }
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
        self.segments.push(Segment::new(number, SMALLEST_TABLE));
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
        if self.last.0 != number {
            self.last = (number, self.look_up(number).unwrap_or_else(|| self.add_segment(number)));
        }
        // +1 keeps every key from being zero.
        let whose = if place.0 < FAR - 1 { place.0 + 1 } else { FAR };
        let size = if bytes & 7 == 0 { u16::try_from(bytes >> 3).unwrap_or(ANY_SIZE) } else { ANY_SIZE };
        let entry = Entry { key: granule as u32 & OFFSET_MASK | whose << OFFSET_BITS, size };
        let old = self.segments.get_mut(self.last.1 as usize)?.insert(entry);
        let old = self.unpack(granule, old);
        if whose == FAR {
            self.far.insert(granule, place);
        }
        old
    }

    /// What is noted of the block at `address`.
    pub fn get(&self, address: usize) -> Option<Block> {
        let granule = address as u64 >> GRANULE_BITS;
        let segment = self.segments.get(self.look_up(granule >> OFFSET_BITS)? as usize)?;
        let entry = segment.get(granule as u32 & OFFSET_MASK);
        unpack(entry, || self.far.get(&granule).copied())
    }

    /// Forgets the block at `address` and returns what was noted for it.
    #[inline]
    pub fn remove(&mut self, address: usize) -> Option<Block> {
        let granule = address as u64 >> GRANULE_BITS;
        let entry = self.segment(granule >> OFFSET_BITS)?.remove(granule as u32 & OFFSET_MASK);
        self.unpack(granule, entry)
    }

    /// An entry that is in the table no more.
    #[inline]
    fn unpack(&mut self, granule: u64, entry: Entry) -> Option<Block> {
        unpack(entry, || self.far.remove(&granule))
    }
}

#[inline]
fn unpack(entry: Entry, far: impl FnOnce() -> Option<PlaceId>) -> Option<Block> {
    if entry.key == 0 {
        return None;
    }
    let place = match entry.key >> OFFSET_BITS {
        FAR => far()?,
        whose => PlaceId(whose - 1),
    };
    Some(Block { place, bytes: (entry.size != ANY_SIZE).then_some(u64::from(entry.size) << 3) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// Fewer where each takes a thousand times as long.
    const STEPS: usize = if cfg!(miri) { 200 } else { 4000 };

    proptest! {
        #[test]
        fn behaves_like_a_map(
            ops in prop::collection::vec(
                (any::<bool>(), 0usize..6000, prop_oneof![0u32..1000, FAR - 5..FAR + 5], 1u64..5000), 0..STEPS)
        ) {
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
    fn a_size_that_does_not_fit_is_to_be_asked_of_the_allocator() {
        let mut table = BlockTable::new();
        for (bytes, known) in
            [(1 << 30, None), (8 * 65535, None), (8 * 65534, Some(8 * 65534)), (25, None), (0, Some(0))]
        {
            table.insert(0x7f00_0000_0010, PlaceId(MAX_PLACES - 1), bytes);
            let block = Some(Block { place: PlaceId(MAX_PLACES - 1), bytes: known });
            assert_eq!(table.get(0x7f00_0000_0010), block);
            assert_eq!(table.remove(0x7f00_0000_0010), block);
            assert_eq!(table.get(0x7f00_0000_0010), None);
        }
        assert!(table.far.is_empty());
    }
}
