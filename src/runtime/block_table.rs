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

/// What is noted of a block: its offset, its place's id, or [`FAR`], and its size in units of 8 bytes.
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
const FULL: u16 = (1 << SLOTS) - 1;

/// A line of cache.
#[repr(C, align(64))]
#[derive(Clone, Copy, Default)]
struct Bucket {
    /// By slot: the block's offset, and above it the low bits of whose it is.
    tags: [u16; SLOTS],
    /// By slot: the other bits of whose it is.
    whose: [u16; SLOTS],
    sizes: [u16; SLOTS],
    /// A bit for each slot.
    taken: u16,
    /// Blocks that found this one full, and are further on.
    passed: u16,
}

const _: () = assert!(size_of::<Bucket>() == 64);

impl Bucket {
    /// The slot of `offset`, as a bit; 0 where it is not here.
    #[inline(always)]
    fn find(&self, offset: u16) -> u16 {
        self.equal(offset) & self.taken
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

    /// # Safety
    /// `slot` is the bit of a slot.
    #[inline(always)]
    unsafe fn entry(&self, slot: u16) -> Entry {
        let at = slot.trailing_zeros() as usize;
        // SAFETY: the caller's promise.
        let (tag, whose, size) =
            unsafe { (*self.tags.get_unchecked(at), *self.whose.get_unchecked(at), *self.sizes.get_unchecked(at)) };
        let whose = u32::from(tag >> OFFSET_BITS) | u32::from(whose) << (16 - OFFSET_BITS);
        Entry { offset: tag & OFFSET_MASK, whose, size }
    }

    /// # Safety
    /// `slot` is the bit of a slot.
    #[inline(always)]
    unsafe fn set(&mut self, slot: u16, entry: Entry) {
        let at = slot.trailing_zeros() as usize;
        // SAFETY: the caller's promise.
        unsafe {
            *self.tags.get_unchecked_mut(at) = entry.offset | (entry.whose as u16) << OFFSET_BITS;
            *self.whose.get_unchecked_mut(at) = (entry.whose >> (16 - OFFSET_BITS)) as u16;
            *self.sizes.get_unchecked_mut(at) = entry.size;
        }
        self.taken |= slot;
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
    fn find(&self, offset: u16) -> Option<(usize, u16)> {
        let mut at = self.home(offset);
        // Every bucket may have been passed.
        for _ in 0..self.buckets.len() {
            let bucket = self.buckets.get(at)?;
            let slot = bucket.find(offset);
            if slot != 0 {
                return Some((at, slot));
            }
            if bucket.passed == 0 {
                return None;
            }
            at = self.after(at);
        }
        None
    }

    fn get(&self, offset: u16) -> Option<Entry> {
        let (at, slot) = self.find(offset)?;
        // SAFETY: `find` returns the bit of a slot.
        self.buckets.get(at).map(|bucket| unsafe { bucket.entry(slot) })
    }

    #[inline(always)]
    fn insert(&mut self, entry: Entry) -> Option<Entry> {
        let home = self.home(entry.offset);
        // SAFETY: a home is a bucket.
        let bucket = unsafe { self.bucket(home) };
        if bucket.find(entry.offset) != 0 || bucket.passed != 0 || bucket.taken == FULL {
            return self.insert_further(entry);
        }
        // SAFETY: the lowest bit that is not set in `taken` is a slot's, as the bucket is not full.
        unsafe { bucket.set(!bucket.taken & bucket.taken.wrapping_add(1), entry) };
        self.used += 1;
        None
    }

    /// Where the block's home is full or was, or the block is noted already.
    #[cold]
    #[inline(never)]
    fn insert_further(&mut self, entry: Entry) -> Option<Entry> {
        if let Some((at, slot)) = self.find(entry.offset) {
            // SAFETY: `find` returns a bucket and the bit of a slot.
            unsafe {
                let bucket = self.bucket(at);
                let old = bucket.entry(slot);
                bucket.set(slot, entry);
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
            if bucket.taken != FULL {
                // SAFETY: the lowest bit that is not set is a slot's, as the bucket is not full.
                unsafe { bucket.set(!bucket.taken & bucket.taken.wrapping_add(1), entry) };
                self.used += 1;
                return;
            }
            bucket.passed += 1;
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
            let mut taken = bucket.taken;
            while taken != 0 {
                let slot = taken & taken.wrapping_neg();
                // SAFETY: the bit of a slot.
                bigger.put(unsafe { bucket.entry(slot) });
                taken ^= slot;
            }
        }
        *self = bigger;
    }

    #[inline(always)]
    fn remove(&mut self, offset: u16) -> Option<Entry> {
        let home = self.home(offset);
        // SAFETY: a home is a bucket.
        let bucket = unsafe { self.bucket(home) };
        let slot = bucket.find(offset);
        if slot == 0 {
            return self.remove_further(offset);
        }
        bucket.taken ^= slot;
        // SAFETY: `find` returned the bit of a slot. An entry stays readable when it is gone.
        let entry = unsafe { bucket.entry(slot) };
        self.used -= 1;
        Some(entry)
    }

    /// Where the block is not at home.
    #[cold]
    #[inline(never)]
    fn remove_further(&mut self, offset: u16) -> Option<Entry> {
        let (found, slot) = self.find(offset)?;
        let mut at = self.home(offset);
        while at != found {
            // SAFETY: `home` and `after` are buckets.
            unsafe { self.bucket(at) }.passed -= 1;
            at = self.after(at);
        }
        self.used -= 1;
        // SAFETY: `find` returns a bucket and the bit of a slot.
        unsafe {
            let bucket = self.bucket(found);
            bucket.taken ^= slot;
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
    #[inline(never)]
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
        let whose = place.0.min(FAR);
        let size = if bytes & 7 == 0 { u16::try_from(bytes >> 3).unwrap_or(ANY_SIZE) } else { ANY_SIZE };
        let entry = Entry { offset: offset(address), whose, size };
        let number = address as u64 >> SEGMENT_BITS;
        let old = match self.segment(number) {
            Some(segment) => segment.insert(entry),
            None => {
                self.add_segment(number);
                self.segment(number)?.insert(entry)
            }
        };
        let old = old.and_then(|old| self.unpack(address, old));
        if whose == FAR {
            self.note_far(address, place);
        }
        old
    }

    #[cold]
    fn note_far(&mut self, address: usize, place: PlaceId) {
        self.far.insert(granule(address), place);
    }

    /// What is noted of the block at `address`.
    pub fn get(&self, address: usize) -> Option<Block> {
        let segment = self.directory.get(self.slot(address as u64 >> SEGMENT_BITS))?;
        unpack(segment.get(offset(address))?, || self.far.get(&granule(address)).copied())
    }

    /// Forgets the block at `address` and returns what was noted for it.
    #[inline(always)]
    pub fn remove(&mut self, address: usize) -> Option<Block> {
        let entry = self.segment(address as u64 >> SEGMENT_BITS)?.remove(offset(address))?;
        self.unpack(address, entry)
    }

    /// An entry that is in the table no more.
    #[inline(always)]
    fn unpack(&mut self, address: usize, entry: Entry) -> Option<Block> {
        unpack(entry, || self.far.remove(&granule(address)))
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
