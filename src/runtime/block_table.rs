//! Which place does a live block belong to, and how many bytes does it have? Address → (place, bytes).
//!
//! A heap is dense, so the table follows it: one small table for each 64 KiB of addresses, found in a directory. Growing
//! means rehashing one segment (at most 4096 entries), never the whole heap.
//!
//! A segment is an array of buckets. A bucket is a line of cache with ten entries that are compared at once, so what a
//! free costs is the miss of one line. A block that finds its bucket full goes on to the next, and the full one counts
//! it, so that nothing is moved when an entry goes and a search knows where to end (Bronson and Shi, "Open-sourcing F14",
//! 2019). Homes are spread by Fibonacci hashing (Knuth, The Art of Computer Programming 6.4), and the product is scaled to
//! the number of buckets (Lemire, "Fast random integer generation in an interval", 2019), so that need not double. One
//! home for blocks that are neighbours was tried: fewer misses, but a search that ends elsewhere costs more.
//!
//! What few blocks have is elsewhere: a size that does not fit is asked of the allocator, and a place that does not fit
//! is in a map beside the segments.
//!
//! Never calls the allocator's hooks, never locks: the caller sees to it that one thread is in here at a time.

use crate::format::ids::PlaceId;
use rustc_hash::FxHashMap;

/// log2 of the bytes a segment covers.
const SEGMENT_BITS: u32 = 16;
/// log2 of the distance between two possible block addresses: malloc aligns to 16.
const GRANULE_BITS: u32 = 4;
/// log2 of the granules in a segment.
const OFFSET_BITS: u32 = SEGMENT_BITS - GRANULE_BITS;
const OFFSET_MASK: u16 = (1 << OFFSET_BITS) - 1;
/// Instead of a place: it is in the map beside.
const FAR: u32 = (1 << (32 - OFFSET_BITS)) - 1;
/// Instead of a size in units of 8 bytes: ask the allocator.
const ANY_SIZE: u16 = u16::MAX;
/// Most places that there may be: tables that note an id in 32 bits have room for something else there.
pub const MAX_PLACES: u32 = 1 << 30;

/// A live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The place that allocated it.
    pub place: PlaceId,
    /// Usable size in bytes; `None` for a block too large for an entry: ask the allocator.
    pub bytes: Option<u64>,
}

/// What is noted of a block: its offset, its place's id, or [`FAR`], and its size in units of 8 bytes, or [`ANY_SIZE`].
#[derive(Clone, Copy)]
struct Entry {
    offset: u16,
    whose: u32,
    size: u16,
}

/// Slots of a bucket.
const SLOTS: usize = 10;
/// A segment does not grow before so many slots of each bucket are taken, on average.
const FILLED: usize = 8;
/// Slots of the smallest directory.
const FEWEST_SEGMENTS: usize = 64;
/// Instead of the number of a segment: the directory's slot is free.
const NO_SEGMENT: u64 = u64::MAX;
/// Of a bucket: all slots are taken.
const FULL: u32 = (1 << SLOTS) - 1;
/// log2 of one block more that has passed.
const PASSED_BITS: u32 = 16;

/// A line of cache.
#[repr(C, align(64))]
#[derive(Clone, Copy, Default)]
struct Bucket {
    /// By slot: the block's offset, and above it the low bits of whose it is.
    tags: [u16; SLOTS],
    /// By slot: the other bits of whose it is.
    whose: [u16; SLOTS],
    sizes: [u16; SLOTS],
    /// A bit for each slot that is taken, and above them how many blocks found this bucket full, and are further on.
    state: u32,
}

const _: () = assert!(size_of::<Bucket>() == 64);

impl Bucket {
    /// The slot of `offset`, as a bit; 0 where it is not here.
    #[inline(always)]
    fn find(&self, offset: u16) -> u32 {
        u32::from(self.equal(offset)) & self.state & FULL
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.state & FULL == FULL
    }

    fn was_passed(&self) -> bool {
        self.state >> PASSED_BITS != 0
    }

    /// A bit for each slot whose tag has that offset; there may be bits of no slots.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn equal(&self, offset: u16) -> u16 {
        use std::arch::x86_64::*;
        let words: *const __m128i = std::ptr::from_ref(self).cast();
        // SAFETY: every x86-64 has these instructions. Sixteen words are compared, and a bucket has twice as many.
        unsafe {
            let (offset, mask) = (_mm_set1_epi16(offset as i16), _mm_set1_epi16(OFFSET_MASK as i16));
            let low = _mm_cmpeq_epi16(_mm_and_si128(_mm_load_si128(words), mask), offset);
            let high = _mm_cmpeq_epi16(_mm_and_si128(_mm_load_si128(words.add(1)), mask), offset);
            _mm_movemask_epi8(_mm_packs_epi16(low, high)) as u16
        }
    }

    /// A bit for each slot whose tag has that offset.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn equal(&self, offset: u16) -> u16 {
        self.tags.iter().rev().fold(0, |equal, tag| equal << 1 | u16::from(tag & OFFSET_MASK == offset))
    }

    /// What is in a slot, or was last.
    ///
    /// # Safety
    /// `slot` is the bit of a slot.
    #[inline(always)]
    unsafe fn entry(&self, slot: u32) -> Entry {
        let at = slot.trailing_zeros() as usize;
        // SAFETY: the caller's promise.
        let (tag, whose, size) =
            unsafe { (*self.tags.get_unchecked(at), *self.whose.get_unchecked(at), *self.sizes.get_unchecked(at)) };
        let whose = u32::from(tag >> OFFSET_BITS) | u32::from(whose) << (16 - OFFSET_BITS);
        Entry { offset: tag & OFFSET_MASK, whose, size }
    }

    /// # Safety
    /// There is a slot `at`.
    #[inline(always)]
    unsafe fn set(&mut self, at: usize, entry: Entry) {
        // SAFETY: the caller's promise.
        unsafe {
            *self.tags.get_unchecked_mut(at) = entry.offset | (entry.whose as u16) << OFFSET_BITS;
            *self.whose.get_unchecked_mut(at) = (entry.whose >> (16 - OFFSET_BITS)) as u16;
            *self.sizes.get_unchecked_mut(at) = entry.size;
        }
    }

    /// # Safety
    /// The bucket is not full.
    #[inline(always)]
    unsafe fn add(&mut self, entry: Entry) {
        // SAFETY: the caller's promise: the lowest bit that is not set is a slot's.
        unsafe { self.set(self.state.trailing_ones() as usize, entry) };
        self.state |= self.state + 1;
    }
}

struct Segment {
    /// Address >> SEGMENT_BITS.
    number: u64,
    buckets: Box<[Bucket]>,
    used: u32,
}

impl Segment {
    fn new(number: u64, buckets: usize) -> Self {
        Self { number, buckets: vec![Bucket::default(); buckets].into_boxed_slice(), used: 0 }
    }

    /// The bucket where a block is, unless that is full.
    #[inline(always)]
    fn home(&self, offset: u16) -> usize {
        let spread = u32::from(offset).wrapping_mul(0x9e37_79b1);
        ((u64::from(spread) * self.buckets.len() as u64) >> 32) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() {
            0
        } else {
            at + 1
        }
    }

    /// # Safety
    /// There is a bucket `at`.
    #[inline(always)]
    unsafe fn bucket(&mut self, at: usize) -> &mut Bucket {
        debug_assert!(at < self.buckets.len());
        // SAFETY: the caller's promise.
        unsafe { self.buckets.get_unchecked_mut(at) }
    }

    /// The bucket and the slot of a block.
    fn find(&self, offset: u16) -> Option<(usize, u32)> {
        let mut at = self.home(offset);
        // Every bucket may have been passed.
        for _ in 0..self.buckets.len() {
            let bucket = self.buckets.get(at)?;
            let slot = bucket.find(offset);
            if slot != 0 {
                return Some((at, slot));
            }
            if !bucket.was_passed() {
                return None;
            }
            at = self.after(at);
        }
        None
    }

    /// What is noted of a block.
    fn get(&self, offset: u16) -> Option<Entry> {
        let (at, slot) = self.find(offset)?;
        // SAFETY: `find` returns the bit of a slot.
        self.buckets.get(at).map(|bucket| unsafe { bucket.entry(slot) })
    }

    /// Notes a block if that is a matter of its home alone.
    #[inline(always)]
    fn insert_at_home(&mut self, entry: Entry) -> bool {
        let home = self.home(entry.offset);
        // SAFETY: a home is a bucket.
        let bucket = unsafe { self.bucket(home) };
        // Below `FULL` no block has passed either.
        let is_simple = bucket.find(entry.offset) == 0 && bucket.state < FULL;
        if is_simple {
            // SAFETY: it is not full.
            unsafe { bucket.add(entry) };
            self.used += 1;
        }
        is_simple
    }

    /// Returns what was noted for that block.
    fn insert(&mut self, entry: Entry) -> Option<Entry> {
        if let Some((at, slot)) = self.find(entry.offset) {
            // SAFETY: `find` returns a bucket and the bit of a slot.
            unsafe {
                let bucket = self.bucket(at);
                let old = bucket.entry(slot);
                bucket.set(slot.trailing_zeros() as usize, entry);
                return Some(old);
            }
        }
        if self.is_full() {
            self.grow();
        }
        self.put(entry);
        None
    }

    /// Notes a block that is not here yet. There is room.
    fn put(&mut self, entry: Entry) {
        let mut at = self.home(entry.offset);
        loop {
            // SAFETY: `home` and `after` are buckets.
            let bucket = unsafe { self.bucket(at) };
            if !bucket.is_full() {
                // SAFETY: just asked.
                unsafe { bucket.add(entry) };
                self.used += 1;
                return;
            }
            bucket.state += 1 << PASSED_BITS;
            at = self.after(at);
        }
    }

    fn is_full(&self) -> bool {
        self.used as usize >= self.buckets.len() * FILLED
    }

    #[cold]
    fn grow(&mut self) {
        let buckets = self.buckets.len() + self.buckets.len() / 4 + 1;
        let mut bigger = Segment::new(self.number, buckets);
        for bucket in &self.buckets {
            let mut taken = bucket.state & FULL;
            while taken != 0 {
                let slot = taken & taken.wrapping_neg();
                // SAFETY: the bit of a slot.
                bigger.put(unsafe { bucket.entry(slot) });
                taken ^= slot;
            }
        }
        *self = bigger;
    }

    /// Forgets the block if it is at home.
    #[inline(always)]
    fn remove_at_home(&mut self, offset: u16) -> Option<Entry> {
        let home = self.home(offset);
        // SAFETY: a home is a bucket.
        let bucket = unsafe { self.bucket(home) };
        let slot = bucket.find(offset);
        if slot == 0 {
            return None;
        }
        bucket.state ^= slot;
        // SAFETY: `find` returned the bit of a slot.
        let entry = unsafe { bucket.entry(slot) };
        self.used -= 1;
        Some(entry)
    }

    fn remove(&mut self, offset: u16) -> Option<Entry> {
        let (found, slot) = self.find(offset)?;
        let mut at = self.home(offset);
        while at != found {
            // SAFETY: `home` and `after` are buckets.
            unsafe { self.bucket(at) }.state -= 1 << PASSED_BITS;
            at = self.after(at);
        }
        self.used -= 1;
        // SAFETY: `find` returns a bucket and the bit of a slot.
        unsafe {
            let bucket = self.bucket(found);
            bucket.state ^= slot;
            Some(bucket.entry(slot))
        }
    }
}

/// The table.
pub struct BlockTable {
    /// Segments in the slots that [`BlockTable::slot`] tells, or after them. Their number is a power of two, and some are
    /// free.
    directory: Box<[Segment]>,
    segments: usize,
    /// By granule: places whose ids do not fit in an entry.
    far: FxHashMap<u64, PlaceId>,
}

impl Default for BlockTable {
    fn default() -> Self {
        Self::new()
    }
}

fn empty_directory(slots: usize) -> Box<[Segment]> {
    (0..slots).map(|_| Segment::new(NO_SEGMENT, 0)).collect()
}

fn segment_number(address: usize) -> u64 {
    address as u64 >> SEGMENT_BITS
}

fn granule(address: usize) -> u64 {
    address as u64 >> GRANULE_BITS
}

fn offset(address: usize) -> u16 {
    granule(address) as u16 & OFFSET_MASK
}

impl BlockTable {
    /// An empty table.
    pub fn new() -> Self {
        Self { directory: empty_directory(FEWEST_SEGMENTS), segments: 0, far: FxHashMap::default() }
    }

    /// The slot of a segment in the directory, or the free one where it would be.
    #[inline(always)]
    fn slot(&self, number: u64) -> usize {
        let mask = self.directory.len() - 1;
        // Neighbours are spread evenly (Knuth 6.4), so most are where they are looked for first.
        let mut at = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        loop {
            // SAFETY: masked, so below the number of slots.
            let segment = unsafe { self.directory.get_unchecked(at) };
            if segment.number == number || segment.number == NO_SEGMENT {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(always)]
    fn segment(&mut self, number: u64) -> Option<&mut Segment> {
        let slot = self.slot(number);
        // SAFETY: `slot` returns one of the directory's.
        let segment = unsafe { self.directory.get_unchecked_mut(slot) };
        (segment.number == number).then_some(segment)
    }

    #[cold]
    fn add_segment(&mut self, number: u64) {
        self.segments += 1;
        // At least a quarter is free.
        if self.segments > self.directory.len() / 4 * 3 {
            let bigger = empty_directory(self.directory.len() * 2);
            for segment in std::mem::replace(&mut self.directory, bigger) {
                if segment.number != NO_SEGMENT {
                    self.put_segment(segment);
                }
            }
        }
        self.put_segment(Segment::new(number, 1));
    }

    fn put_segment(&mut self, segment: Segment) {
        let slot = self.slot(segment.number);
        if let Some(free) = self.directory.get_mut(slot) {
            *free = segment;
        }
    }

    /// Notes that the block at `address` belongs to `place` and has `bytes` usable bytes. Returns what was noted for
    /// that address before: a block whose end went unseen.
    #[inline(always)]
    pub fn insert(&mut self, address: usize, place: PlaceId, bytes: u64) -> Option<Block> {
        // Where the size is no multiple of 8, that is a large number.
        let units = bytes.rotate_right(3);
        if place.0 < FAR && units < ANY_SIZE.into() {
            let entry = Entry { offset: offset(address), whose: place.0, size: units as u16 };
            if self.segment(segment_number(address)).is_some_and(|segment| segment.insert_at_home(entry)) {
                return None;
            }
        }
        self.insert_with_care(address, place, bytes)
    }

    /// As `insert`, whatever there is to think of.
    #[cold]
    #[inline(never)]
    fn insert_with_care(&mut self, address: usize, place: PlaceId, bytes: u64) -> Option<Block> {
        let number = segment_number(address);
        if self.segment(number).is_none() {
            self.add_segment(number);
        }
        let units = bytes.rotate_right(3);
        let size = if units < ANY_SIZE.into() { units as u16 } else { ANY_SIZE };
        let whose = place.0.min(FAR);
        let old = self.segment(number)?.insert(Entry { offset: offset(address), whose, size });
        let old = old.and_then(|old| unpack(old, || self.far.remove(&granule(address))));
        if whose == FAR {
            self.far.insert(granule(address), place);
        }
        old
    }

    /// What is noted of the block at `address`.
    pub fn get(&self, address: usize) -> Option<Block> {
        let segment = self.directory.get(self.slot(segment_number(address)))?;
        unpack(segment.get(offset(address))?, || self.far.get(&granule(address)).copied())
    }

    /// Forgets the block at `address` and returns what was noted for it.
    #[inline(always)]
    pub fn remove(&mut self, address: usize) -> Option<Block> {
        let segment = self.segment(segment_number(address))?;
        match segment.remove_at_home(offset(address)) {
            Some(entry) => unpack(entry, || self.remove_far(address)),
            None => self.remove_with_care(address),
        }
    }

    /// As `remove`, for a block that is not at home.
    #[cold]
    #[inline(never)]
    fn remove_with_care(&mut self, address: usize) -> Option<Block> {
        let entry = self.segment(segment_number(address))?.remove(offset(address))?;
        unpack(entry, || self.remove_far(address))
    }

    #[cold]
    #[inline(never)]
    fn remove_far(&mut self, address: usize) -> Option<PlaceId> {
        self.far.remove(&granule(address))
    }
}

#[inline(always)]
fn unpack(entry: Entry, far: impl FnOnce() -> Option<PlaceId>) -> Option<Block> {
    let place = match entry.whose {
        FAR => far()?,
        whose => PlaceId(whose),
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
