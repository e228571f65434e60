//! Which place does a live block belong to, and how many bytes does it have? Address → (place, bytes).
//!
//! What is noted of a block is a word of 32 bits. A block is known by the granule it begins in: glibc's chunks are at
//! least 32 bytes, so no two blocks begin in one granule. Each 256 granules are a segment, which is a line of cache: it has
//! a bit for each granule that has a word, and the words, elsewhere, in the order of the granules. So the rank of a granule's
//! bit tells where its word is (Jacobson, "Space-efficient static trees and graphs", 1989): nothing is searched for,
//! neighbours in the heap are neighbours here, and a granule without a word takes a bit. In heaps of perl programs seven of
//! eight are such. Neighbouring segments are a page, which a directory leads to unless it was looked up lately.
//!
//! A word stays where it is when its block ends, for allocators give the same addresses out again and again. The words of
//! no block go when a segment has no room and many of them.
//!
//! What few blocks have is elsewhere: a place or a size that does not fit in a word is in a map beside the segments.
//!
//! Never calls the allocator's hooks, never locks, never looks at a block: the caller sees to it that one thread is in
//! here at a time.

use crate::format::ids::PlaceId;
use rustc_hash::FxHashMap;

/// log2 of the bytes of a granule where blocks are apart: glibc's smallest chunk.
const APART_BITS: u32 = 5;
/// The same elsewhere: malloc aligns to 16.
const CLOSE_BITS: u32 = 4;
/// log2 of the granules of a group.
const GROUP_BITS: u32 = 5;
/// Groups of a segment.
const GROUPS: usize = 8;
/// log2 of the granules of a segment.
const SEGMENT_BITS: u32 = GROUP_BITS + GROUPS.ilog2();
/// Segments of a page.
const SEGMENTS: usize = 64;
/// log2 of the granules of a page.
const PAGE_BITS: u32 = SEGMENT_BITS + SEGMENTS.ilog2();
/// Slots of the smallest directory.
const FEWEST_PAGES: usize = 16;
/// Pages that are found without the directory: of a heap of 128 MiB all, for their numbers follow each other. A power of two.
const RECENT: usize = 256;
/// Instead of the number of a page: the directory's slot is free.
const NO_PAGE: u64 = u64::MAX;
/// Most places that there may be: tables that note an id in 32 bits have room for something else there.
pub const MAX_PLACES: u32 = 1 << 30;

/// A live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The place that allocated it.
    pub place: PlaceId,
    /// Usable size in bytes.
    pub bytes: u64,
}

/// What became of it on the shorter way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// It is done.
    Done,
    /// It cannot be done here.
    Refused,
    /// It can with that block, after [`BlockTable::bring_near`].
    Elsewhere(Block),
}

/// What is noted of a block: its place's id, and below that its size in units of 8 bytes. No units: see [`FAR`].
type Word = u32;
/// No block.
const NONE: Word = 0;
/// A block that is in the map beside.
const FAR: Word = 1 << SIZE_BITS;
/// log2 of a place.
const SIZE_BITS: u32 = 12;
const SIZE_MASK: Word = FAR - 1;
/// log2 of a unit of a size in bytes.
const UNIT_BITS: u32 = 3;

/// What is noted of a block; `None` where it does not fit.
#[inline(always)]
fn pack(block: Block) -> Option<Word> {
    // Where the size is no multiple of 8, that is a large number.
    let units = block.bytes.rotate_right(UNIT_BITS);
    let fits = block.place.0 >> (Word::BITS - SIZE_BITS) == 0 && units.wrapping_sub(1) < SIZE_MASK.into();
    fits.then_some(block.place.0 << SIZE_BITS | units as Word)
}

/// Blocks of fewer bytes are small: what there is to note of them fits, unless their place's id is too large.
pub const SMALL_BYTES: u64 = 2048;
const _: () = assert!(SMALL_BYTES >> UNIT_BITS <= SIZE_MASK as u64);

/// Is it what allocators call a small block?
#[inline(always)]
fn is_small(bytes: u64) -> bool {
    bytes < SMALL_BYTES && bytes % (1 << UNIT_BITS) == 0 && bytes != 0
}

/// [`pack`] of a small block.
#[inline(always)]
fn pack_small(block: Block) -> Option<Word> {
    debug_assert!(is_small(block.bytes));
    let fits = block.place.0 >> (Word::BITS - SIZE_BITS) == 0;
    fits.then_some(block.place.0 << SIZE_BITS | (block.bytes >> UNIT_BITS) as Word)
}

/// The block of which that is noted; `None` where it is in the map beside, or there is none.
#[inline(always)]
fn unpack(word: Word) -> Option<Block> {
    let units = word & SIZE_MASK;
    (units != 0).then_some(Block { place: PlaceId(word >> SIZE_BITS), bytes: u64::from(units) << UNIT_BITS })
}

/// Takes the block of which that is noted away.
#[inline(always)]
fn take(word: &mut Word) -> Option<Block> {
    let block = unpack(*word)?;
    *word = NONE;
    Some(block)
}

/// The ones in `bits`. `is_instruction`: the processor has an instruction for that.
#[inline(always)]
fn count_ones(bits: u32, is_instruction: bool) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if is_instruction {
        let ones: u32;
        // SAFETY: it is there, as the caller says, and touches registers only.
        unsafe {
            std::arch::asm!("popcnt {0:e}, {1:e}", out(reg) ones, in(reg) bits, options(pure, nomem, nostack));
        }
        return ones;
    }
    let _ = is_instruction;
    bits.count_ones()
}

/// May [`count_ones`] use the instruction?
fn counts_in_one() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("popcnt");
    #[cfg(not(target_arch = "x86_64"))]
    return true;
}

#[repr(C, align(64))]
struct Segment {
    /// By group: a bit for each granule that has a word.
    granules: [u32; GROUPS],
    /// By group: how many words are before its own.
    before: [u8; GROUPS],
    /// Words in the order of the granules; of those without a block [`NONE`].
    words: Vec<Word>,
}

const _: () = assert!(size_of::<Segment>() == 64);

/// Added to `before`, as one number: 1 for each group.
const ONE_EACH: u64 = u64::from_le_bytes([1; GROUPS]);

impl Segment {
    const EMPTY: Self = Self { granules: [0; GROUPS], before: [0; GROUPS], words: Vec::new() };

    /// Where a granule has its word.
    #[inline(always)]
    fn find(&self, granule: u64, is_instruction: bool) -> Option<usize> {
        let group = (granule >> GROUP_BITS) as usize % GROUPS;
        // SAFETY: below the number of groups.
        let (granules, before) = unsafe { (*self.granules.get_unchecked(group), *self.before.get_unchecked(group)) };
        // The granule's bit becomes the highest, and those above go.
        let up_to = granules << (!granule as u32 % u32::BITS);
        if (up_to as i32) < 0 {
            Some(usize::from(before) + count_ones(up_to, is_instruction) as usize - 1)
        } else {
            None
        }
    }

    /// Makes a word for a granule that has none.
    fn add(&mut self, granule: u64, is_instruction: bool) -> Option<&mut Word> {
        if self.words.len() == self.words.capacity() {
            self.make_room();
        }
        let group = (granule >> GROUP_BITS) as usize % GROUPS;
        let (granules, &before) = (self.granules.get_mut(group)?, self.before.get(group)?);
        let bit = 1 << (granule as u32 % u32::BITS);
        let at = usize::from(before) + count_ones(*granules & (bit - 1), is_instruction) as usize;
        *granules |= bit;
        // In the groups after it; before the last are at most those of all others, which fit.
        let later = ONE_EACH << (8 * group) << 8;
        self.before = (u64::from_le_bytes(self.before) + later).to_le_bytes();
        self.words.insert(at, NONE);
        self.words.get_mut(at)
    }

    /// Where many words are of no block they go.
    #[inline(never)]
    fn make_room(&mut self) {
        let unused = self.words.iter().filter(|&&word| word == NONE).count();
        if unused <= self.words.len() / 2 {
            self.words.reserve_exact(self.words.len() / 8 + 4);
            return;
        }
        let (mut words, mut before) = (self.words.iter(), 0);
        for (granules, first) in self.granules.iter_mut().zip(&mut self.before) {
            *first = before;
            let mut rest = *granules;
            while rest != 0 {
                let bit = rest & rest.wrapping_neg();
                if words.next() == Some(&NONE) {
                    *granules ^= bit;
                } else {
                    before += 1;
                }
                rest ^= bit;
            }
        }
        self.words.retain(|&word| word != NONE);
    }
}

/// Neighbouring segments.
type Page = [Segment; SEGMENTS];

/// A page of empty segments. Never on the stack: a coroutine's may be small.
fn new_page() -> *mut Page {
    let mut segments = Vec::with_capacity(SEGMENTS);
    segments.resize_with(SEGMENTS, || Segment::EMPTY);
    Box::into_raw(segments.into_boxed_slice()).cast()
}

/// A slot of the directory.
#[derive(Clone, Copy)]
struct Slot {
    /// Granule >> PAGE_BITS.
    number: u64,
    /// Null where there is no number. It never moves, and stays as long as the table.
    page: *mut Page,
}

const NO_SLOT: Slot = Slot { number: NO_PAGE, page: std::ptr::null_mut() };

/// The table.
pub struct BlockTable {
    /// Pages in the slots that [`BlockTable::slot`] tells, or after them. Their number is a power of two, and some are free.
    directory: Box<[Slot]>,
    /// 64 − log2 of that number.
    shift: u32,
    pages: usize,
    /// By the low bits of a page's number: the slot looked up last.
    recent: [Slot; RECENT],
    /// By granule: blocks of which a word cannot tell.
    far: FxHashMap<u64, Block>,
    /// The last of them: a large block is often the next to be resized.
    newest_far: Option<(u64, Block)>,
    /// log2 of the bytes of a granule.
    granule_bits: u32,
    /// Does the processor count ones in one instruction?
    counts_in_one: bool,
}

fn empty_directory(slots: usize) -> Box<[Slot]> {
    vec![NO_SLOT; slots].into_boxed_slice()
}

/// The granule of a block, in a table that is plain.
#[inline(always)]
fn plain_granule(address: usize) -> u64 {
    address as u64 >> APART_BITS
}

impl Drop for BlockTable {
    fn drop(&mut self) {
        for slot in self.directory.iter().filter(|slot| !slot.page.is_null()) {
            // SAFETY: made by `new_page`, a box of so many segments, and in no other slot.
            drop(unsafe { Box::from_raw(slot.page) });
        }
    }
}

impl BlockTable {
    /// An empty table. `apart`: no two blocks are nearer to each other than 32 bytes.
    pub fn new(apart: bool) -> Self {
        Self {
            directory: empty_directory(FEWEST_PAGES),
            shift: u64::BITS - FEWEST_PAGES.ilog2(),
            pages: 0,
            recent: [NO_SLOT; RECENT],
            far: FxHashMap::default(),
            newest_far: None,
            granule_bits: if apart { APART_BITS } else { CLOSE_BITS },
            counts_in_one: counts_in_one(),
        }
    }

    #[inline(always)]
    fn granule(&self, address: usize) -> u64 {
        address as u64 >> self.granule_bits
    }

    /// Is all as it mostly is? Then the shorter ways may be taken ([`BlockTable::insert_near`] and its like).
    pub fn is_plain(&self) -> bool {
        self.granule_bits == APART_BITS && self.counts_in_one
    }

    /// The slot of a page in the directory, or the free one where it would be.
    #[inline(always)]
    fn slot(&self, number: u64) -> usize {
        // Neighbours are spread evenly (Knuth, The Art of Computer Programming 6.4), so most are where they are looked for
        // first.
        let mut at = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        loop {
            // SAFETY: shifted so that it is below the number of slots, or masked.
            let slot = unsafe { self.directory.get_unchecked(at) };
            if slot.number == number || slot.number == NO_PAGE {
                return at;
            }
            at = (at + 1) & (self.directory.len() - 1);
        }
    }

    /// The segment of a granule, if the slot is of its page.
    #[inline(always)]
    fn segment(granule: u64, slot: Slot) -> Option<*mut Segment> {
        if slot.number != granule >> PAGE_BITS {
            return None;
        }
        let at = (granule >> SEGMENT_BITS) as usize % SEGMENTS;
        // SAFETY: whatever has a number has a page, of so many segments.
        Some(unsafe { slot.page.cast::<Segment>().add(at) })
    }

    /// The slot of a page among those looked up last, which may be another's.
    #[inline(always)]
    fn recent(&mut self, number: u64) -> &mut Slot {
        // SAFETY: below the number of slots.
        unsafe { self.recent.get_unchecked_mut(number as usize % RECENT) }
    }

    /// The word of a granule.
    #[inline(always)]
    fn word(&mut self, granule: u64, is_instruction: bool) -> Option<&mut Word> {
        let number = granule >> PAGE_BITS;
        if self.recent(number).number != number {
            let slot = self.slot(number);
            // SAFETY: `slot` returns one of the directory's.
            *self.recent(number) = unsafe { *self.directory.get_unchecked(slot) };
        }
        self.word_near(granule, is_instruction)
    }

    /// As [`BlockTable::word`], in a page that was looked up lately.
    #[inline(always)]
    fn word_near(&mut self, granule: u64, is_instruction: bool) -> Option<&mut Word> {
        let slot = *self.recent(granule >> PAGE_BITS);
        // SAFETY: pages stay as long as the table, which is borrowed for as long as the word is.
        let segment = unsafe { &mut *Self::segment(granule, slot)? };
        let at = segment.find(granule, is_instruction)?;
        debug_assert!(at < segment.words.len());
        // SAFETY: `find` returns a word of the segment: there is one for each bit.
        Some(unsafe { segment.words.get_unchecked_mut(at) })
    }

    /// Makes a word for a granule that has none.
    #[cold]
    #[inline(never)]
    fn add(&mut self, granule: u64) -> Option<&mut Word> {
        let number = granule >> PAGE_BITS;
        let mut at = self.slot(number);
        if self.directory.get(at).is_some_and(|slot| slot.number != number) {
            self.pages += 1;
            // At least a quarter is free.
            if self.pages > self.directory.len() / 4 * 3 {
                self.grow();
                at = self.slot(number);
            }
            *self.directory.get_mut(at)? = Slot { number, page: new_page() };
        }
        let slot = *self.directory.get(at)?;
        *self.recent(number) = slot;
        let segment = Self::segment(granule, slot)?;
        // SAFETY: as in `word_near`.
        unsafe { &mut *segment }.add(granule, self.counts_in_one)
    }

    fn grow(&mut self) {
        let bigger = empty_directory(self.directory.len() * 2);
        self.shift -= 1;
        for old in std::mem::replace(&mut self.directory, bigger) {
            let at = self.slot(old.number);
            if let Some(slot) = self.directory.get_mut(at).filter(|_| old.number != NO_PAGE) {
                *slot = old;
            }
        }
    }

    /// [`BlockTable::insert`] of a small block ([`SMALL_BYTES`]), if the granule has a word that can tell of it and nothing is
    /// noted there, in a table that is plain; and if `agrees` then does.
    #[inline(always)]
    pub fn insert_near(&mut self, address: usize, block: Block, agrees: impl FnOnce() -> bool) -> Near {
        let Some(new) = pack_small(block) else { return Near::Refused };
        let Some(word) = self.word_near(plain_granule(address), true) else { return Near::Elsewhere(block) };
        if *word != NONE || !agrees() {
            return Near::Refused;
        }
        *word = new;
        Near::Done
    }

    /// Sees to it that the granule of a block has a word, and that it is found by the shorter ways.
    pub fn bring_near(&mut self, address: usize) -> bool {
        let granule = plain_granule(address);
        self.word(granule, true).is_some() || self.add(granule).is_some()
    }

    /// Notes that the block at `address` belongs to `place` and has `bytes` usable bytes. Returns what was noted for
    /// that address before: a block whose end went unseen.
    #[inline]
    pub fn insert(&mut self, address: usize, place: PlaceId, bytes: u64) -> Option<Block> {
        let block = Block { place, bytes };
        let is_near = self.is_plain() && is_small(bytes);
        if is_near && self.insert_near(address, block, || true) == Near::Done {
            return None;
        }
        self.insert_with_care(address, block)
    }

    /// As `insert`, whatever there is to think of.
    #[cold]
    #[inline(never)]
    fn insert_with_care(&mut self, address: usize, block: Block) -> Option<Block> {
        let (granule, new) = (self.granule(address), pack(block));
        let word = new.unwrap_or(FAR);
        let old = match self.word(granule, self.counts_in_one) {
            Some(old) => std::mem::replace(old, word),
            None => std::mem::replace(self.add(granule)?, word),
        };
        let old = if old == FAR { self.take_far(granule) } else { unpack(old) };
        if new.is_none() {
            if let Some((before, block)) = self.newest_far.replace((granule, block)) {
                self.far.insert(before, block);
            }
        }
        old
    }

    fn take_far(&mut self, granule: u64) -> Option<Block> {
        match self.newest_far.take_if(|newest| newest.0 == granule) {
            Some((_, block)) => Some(block),
            None => self.far.remove(&granule),
        }
    }

    /// What is noted of the block at `address`.
    pub fn get(&self, address: usize) -> Option<Block> {
        let granule = self.granule(address);
        let segment = Self::segment(granule, *self.directory.get(self.slot(granule >> PAGE_BITS))?)?;
        // SAFETY: as in `word_near`.
        let segment = unsafe { &*segment };
        match *segment.words.get(segment.find(granule, false)?)? {
            FAR => match self.newest_far {
                Some((newest, block)) if newest == granule => Some(block),
                _ => self.far.get(&granule).copied(),
            },
            word => unpack(word),
        }
    }

    /// [`BlockTable::remove`], if a word tells of the block, in a table that is plain.
    #[inline(always)]
    pub fn remove_near(&mut self, address: usize) -> Option<Block> {
        take(self.word_near(plain_granule(address), true)?)
    }

    /// The block at `address`, of which a word tells, is another from now on, a small one ([`SMALL_BYTES`]); if `agrees` does,
    /// which is told what it was. In a table that is plain.
    #[inline(always)]
    pub fn replace_near(&mut self, address: usize, new: Block, agrees: impl FnOnce(Block) -> bool) -> bool {
        let Some(new) = pack_small(new) else { return false };
        let Some(word) = self.word_near(plain_granule(address), true) else { return false };
        let is_done = unpack(*word).is_some_and(agrees);
        if is_done {
            *word = new;
        }
        is_done
    }

    /// Forgets the block at `address` and returns what was noted for it.
    #[inline]
    pub fn remove(&mut self, address: usize) -> Option<Block> {
        if self.is_plain() {
            // What is not near yet is so afterwards, in heaps of many pages.
            if let Some(block) = self.word(plain_granule(address), true).and_then(take) {
                return Some(block);
            }
        }
        self.remove_with_care(address)
    }

    /// As `remove`, whatever there is to think of.
    #[cold]
    #[inline(never)]
    fn remove_with_care(&mut self, address: usize) -> Option<Block> {
        let granule = self.granule(address);
        match std::mem::replace(self.word(granule, self.counts_in_one)?, NONE) {
            FAR => self.take_far(granule),
            word => unpack(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// Fewer where each takes a thousand times as long.
    const STEPS: usize = if cfg!(miri) { 200 } else { 4000 };
    /// One place more than fit in a word.
    const PLACES: u32 = (1 << (Word::BITS - SIZE_BITS)) + 1;

    /// Addresses in use: of three segments.
    const SPOTS: usize = 3 << SEGMENT_BITS;

    /// What is done with a block, where, and of whom and how large it is.
    type Step = (u8, usize, u32, u64);

    fn step(spots: usize) -> impl Strategy<Value = Step> {
        let place = prop_oneof![9 => 0u32..1000, 1 => PLACES - 5..PLACES];
        let bytes = prop_oneof![8 => (1u64..600).prop_map(|units| units * 8), 1 => 0u64..70_000, 1 => 1u64..1 << 40];
        (0u8..5, 0..spots, place, bytes)
    }

    fn behaves_like_a_map(mut table: BlockTable, distance: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
        let mut model = HashMap::new();
        for (what, spot, place, bytes) in steps {
            let address = 0x5555_0000_0000 + spot * distance;
            match what {
                0 => prop_assert_eq!(table.get(address), model.get(&address).copied()),
                1 => prop_assert_eq!(table.remove(address), model.remove(&address)),
                2 if table.is_plain() && is_small(bytes) => {
                    let (old, block) = (model.get(&address).copied(), Block { place: PlaceId(place), bytes });
                    if place % 2 == 0 {
                        let is_done = table.replace_near(address, block, |was| Some(was) == old && place % 3 > 0);
                        let fits = |block: Block| pack(block).is_some();
                        let can_be = fits(block) && old.is_some_and(fits) && place % 3 > 0;
                        prop_assert!(
                            is_done == can_be || (can_be && table.word_near(plain_granule(address), true).is_none())
                        );
                        is_done.then(|| model.insert(address, block));
                    } else {
                        let mut done = table.insert_near(address, block, || place % 3 > 0);
                        if let Near::Elsewhere(same) = done {
                            prop_assert_eq!(same, block);
                            prop_assert!(table.bring_near(address));
                            done = table.insert_near(address, block, || place % 3 > 0);
                        }
                        let can_be = old.is_none() && place % 3 > 0 && pack(block).is_some();
                        prop_assert_eq!(done, if can_be { Near::Done } else { Near::Refused });
                        can_be.then(|| model.insert(address, block));
                    }
                }
                _ => {
                    let block = Block { place: PlaceId(place), bytes };
                    prop_assert_eq!(table.insert(address, block.place, bytes), model.insert(address, block));
                }
            }
        }
        for (&address, &block) in &model {
            prop_assert_eq!(table.get(address), Some(block));
        }
        for (address, block) in model {
            prop_assert_eq!(table.remove(address), Some(block));
        }
        prop_assert!(table.far.is_empty() && table.newest_far.is_none());
        Ok(())
    }

    proptest! {
        /// However near to each other they may be, and whatever the processor has.
        #[test]
        fn blocks_are_kept_as_by_a_map(
            apart in any::<bool>(), in_one in any::<bool>(), steps in prop::collection::vec(step(SPOTS), 0..STEPS)
        ) {
            let mut table = BlockTable::new(apart);
            table.counts_in_one &= in_one;
            behaves_like_a_map(table, if apart { 32 } else { 16 }, steps)?;
        }

        #[test]
        fn ones_are_counted(bits in any::<u32>()) {
            for bits in [bits, bits << 31, 1 << (bits % 32), u32::MAX, 0] {
                prop_assert_eq!(count_ones(bits, counts_in_one()), bits.count_ones());
            }
        }
    }

    #[test]
    fn a_full_segment_keeps_every_block_in_whatever_order_they_come() {
        for (apart, distance) in [(true, 32), (false, 16)] {
            let mut table = BlockTable::new(apart);
            let address = |n: usize| 0x10000 + n * distance;
            let count = 1 << SEGMENT_BITS;
            for step in [1, 255, 37] {
                for n in (0..count).map(|n| n * step % count) {
                    assert_eq!(table.insert(address(n), PlaceId(n as u32), 8), None);
                }
                for n in 0..count {
                    assert_eq!(table.get(address(n)), Some(Block { place: PlaceId(n as u32), bytes: 8 }));
                    assert_eq!(table.get(address(n)), table.remove(address(n)));
                    assert_eq!(table.remove(address(n)), None);
                }
            }
        }
    }

    #[test]
    fn words_without_a_block_do_not_pile_up() {
        let mut table = BlockTable::new(true);
        let count = 1 << SEGMENT_BITS;
        for n in 0..count * 200 {
            let address = 0x10000 + n * 37 % count * 32;
            assert_eq!(table.insert(address, PlaceId(0), 24), None);
            assert!(table.remove(address).is_some());
        }
        // SAFETY: the table is there.
        let pages = table.directory.iter().filter_map(|slot| unsafe { slot.page.as_ref() });
        assert!(pages.flatten().map(|segment| segment.words.capacity()).sum::<usize>() < 100);
    }

    #[test]
    fn a_block_is_found_again_whatever_its_place_and_size() {
        for apart in [true, false] {
            let mut table = BlockTable::new(apart);
            for place in [0, 1, PLACES - 2, PLACES - 1, MAX_PLACES - 1].map(PlaceId) {
                for bytes in [0, 1, 8, 24, 25, 8 * 4095, 8 * 4096, 1 << 30, u64::MAX] {
                    let block = Some(Block { place, bytes });
                    table.insert(0x7f00_0000_0010, place, bytes);
                    assert_eq!(table.get(0x7f00_0000_0010), block);
                    assert_eq!(table.insert(0x7f00_0000_0010, PlaceId(7), 40), block);
                    table.insert(0x7f00_0000_0010, place, bytes);
                    assert_eq!(table.remove(0x7f00_0000_0010), block);
                    assert_eq!(table.get(0x7f00_0000_0010), None);
                }
            }
            assert!(table.far.is_empty() && table.newest_far.is_none());
        }
    }

    #[test]
    fn the_directory_grows_and_keeps_every_page() {
        let mut table = BlockTable::new(true);
        let address = |n: usize| 0x1000 + n * 777_777 / 32 * 32;
        for n in 0..1000 {
            assert_eq!(table.insert(address(n), PlaceId(n as u32), 24), None);
        }
        for n in 0..1000 {
            assert_eq!(table.remove(address(n)), Some(Block { place: PlaceId(n as u32), bytes: 24 }));
        }
    }
}
