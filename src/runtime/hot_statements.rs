//! What was learnt last of the statements that run most: their place, and where their calls lead. A table in front of
//! all others; what it does not know they do.
//!
//! A statement's address is a number here, never followed. What is known of it holds as long as perl has freed no statement
//! and no sub; after that it is looked at once more whether it was these ([`super::generations`]).
//!
//! The table also counts what only adds up, calls, scalars and blocks, for the nodes and places it knows: that takes an addition
//! where the figures proper take twenty instructions. They get the sums when they are to be read ([`HotStatements::settle`])
//! or the table forgets whose they are.

use super::generations;
use super::sub_cache::SubKey;
use crate::format::ids::{NodeId, PlaceId};
use std::ops::Range;

/// log2 of the entries at first, and at most. What a program does over and over is to fit: a request of a web framework
/// has thousands of calls. It takes the processor's caches from the program only as far as it is used.
const FEWEST_BITS: u32 = 9;
const MOST_BITS: u32 = 13;

/// Where a tag begins in a hash, below what tells the entry.
const TAG_AT: u32 = u32::BITS - MOST_BITS - 8;

/// Entries that lie side by side. A statement as it runs in a node is in one of the first [`NEAR`] of them, counted from
/// where it belongs; those of its calls that are not the first may be in any.
const WAYS: usize = 4;
const NEAR: usize = 2;

const NOWHERE: NodeId = NodeId(u32::MAX);
const UNKNOWN: PlaceId = PlaceId(u32::MAX);

const NO_KEY: SubKey = SubKey { code: 0, name: 0 };

/// A call of a statement.
#[derive(Clone, Copy)]
struct Call {
    key: SubKey,
    /// The node that `calls` are of, even where the key does not hold any more.
    child: NodeId,
    /// Calls that the node does not know of yet.
    calls: u32,
}

/// What a place does not know of yet.
#[derive(Clone, Copy)]
struct Pending {
    /// The place, even where the statement is another's by now.
    place: PlaceId,
    born: u32,
    died: u32,
    /// Blocks that nobody watches for their end, and their bytes in eights.
    blocks: u32,
    eights: u32,
}

/// A statement as it runs in one node, with one of its calls: a line of cache.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub struct Hot {
    cop: usize,
    node: NodeId,
    /// How much perl had freed when this was last known to hold.
    held_at: u32,
    /// Of the statement and of the sub it calls, together.
    generation: u32,
    pending: Pending,
    call: Call,
}

const _: () = assert!(size_of::<Hot>() == 64);

/// Entries that lie side by side.
#[repr(C, align(256))]
#[derive(Clone, Copy)]
struct Set([Hot; WAYS]);

const NO_CALL: Call = Call { key: NO_KEY, child: NOWHERE, calls: 0 };
const NONE_PENDING: Pending = Pending { place: UNKNOWN, born: 0, died: 0, blocks: 0, eights: 0 };
const NO_STATEMENT: Hot =
    Hot { cop: 0, node: NOWHERE, held_at: 0, generation: 0, pending: NONE_PENDING, call: NO_CALL };

/// Where what was counted belongs.
pub trait Counted {
    /// So many calls led to that node.
    fn calls(&mut self, node: NodeId, calls: u32);
    /// So many scalars were born and died at that place.
    fn scalars(&mut self, place: PlaceId, born: u32, died: u32);
    /// So many blocks were allocated at that place. Nobody watches for their ends.
    fn blocks(&mut self, place: PlaceId, bytes: u64, blocks: u32);
}

/// See [`HotStatements::births_held`].
pub const MOST_BIRTHS: u32 = 1 << 16;

/// The table.
pub struct HotStatements {
    sets: Box<[Set]>,
    /// Of each entry, bits of its statement's hash: most that are looked for are not here, and need not look at an entry,
    /// which is seldom in cache, to be told so.
    tags: Box<[u8]>,
    /// 32 − log2 of the entries.
    shift: u32,
    /// Statements and calls that were not here.
    missed: u32,
    /// Entries of use that had to give way since the table last grew.
    displaced: usize,
}

/// One in so many of those that are not here gets in: what runs but once mostly does not, and where there are too many for
/// the table, it costs little.
const SELDOM: u32 = 4;

impl Default for HotStatements {
    fn default() -> Self {
        Self::of(FEWEST_BITS)
    }
}

impl HotStatements {
    /// An empty table of 2^`bits` entries.
    fn of(bits: u32) -> Self {
        // Never on the stack: a coroutine's may be small.
        let sets = vec![Set([NO_STATEMENT; WAYS]); (1 << bits) / WAYS].into_boxed_slice();
        let tags = vec![0; 1 << bits].into_boxed_slice();
        Self { sets, tags, shift: u32::BITS - bits, missed: 0, displaced: 0 }
    }

    /// Where the statement at `cop` as it runs in `node` belongs, and its tag.
    #[inline(always)]
    fn home(&self, cop: usize, node: NodeId) -> (usize, u8) {
        let spread = ((cop >> 4) as u32 ^ node.0 << 16).wrapping_mul(0x9e37_79b1);
        ((spread >> self.shift) as usize, (spread >> TAG_AT) as u8)
    }

    /// The tag of the entry `away` from `home`.
    #[inline(always)]
    fn tag(&self, home: usize, away: usize) -> u8 {
        // SAFETY: as in `near`; there are as many tags as entries.
        unsafe { *self.tags.get_unchecked(home ^ away) }
    }

    /// The entry `away` from `home`; the distance is below [`WAYS`].
    #[inline(always)]
    fn near(&mut self, home: usize, away: usize) -> &mut Hot {
        // SAFETY: `home` was shifted to a number below that of the entries, and what is away from it is in the same set.
        unsafe { &mut *self.sets.as_mut_ptr().cast::<Hot>().add(home ^ away) }
    }

    /// An entry of the statement at `cop` as it runs in `node`.
    #[inline(always)]
    fn entry(&mut self, cop: usize, node: NodeId) -> Option<&mut Hot> {
        let (home, tag) = self.home(cop, node);
        let away = if self.tag(home, 0) == tag && self.near(home, 0).is(cop, node) {
            0
        } else if self.tag(home, 1) == tag && self.near(home, 1).is(cop, node) {
            1
        } else {
            return None;
        };
        Some(self.near(home, away))
    }

    /// The entry of the statement at `cop` as it runs in `node`, if perl has freed nothing since it was known to hold.
    #[inline(always)]
    pub fn held(&mut self, cop: usize, node: NodeId) -> Option<&mut Hot> {
        self.entry(cop, node).filter(|hot| hot.is_held())
    }

    /// As [`HotStatements::held`], even if perl has freed other things since.
    #[inline(always)]
    fn known(&mut self, cop: usize, node: NodeId) -> Option<&mut Hot> {
        let hot = self.entry(cop, node)?;
        (hot.is_held() || hot.still_holds()).then_some(hot)
    }

    /// The place of the statement at `cop` as it runs in `node`.
    #[inline(always)]
    pub fn place(&mut self, cop: usize, node: NodeId) -> Option<PlaceId> {
        self.known(cop, node)?.place()
    }

    /// Counts births at `place`, which was that of the statement at `cop`, if it is here.
    #[inline(always)]
    pub fn scalars(&mut self, cop: usize, node: NodeId, place: PlaceId, born: u64) -> bool {
        let hot = self.entry(cop, node).filter(|hot| hot.pending.place == place);
        hot.is_some_and(|hot| hot.pending.grow(born as isize))
    }

    /// Counts scalars at the place of the statement at `cop`, as it runs in `node`, if it is here.
    #[inline(always)]
    pub fn scalars_in(&mut self, cop: usize, node: NodeId, grown: isize) -> bool {
        self.known(cop, node).is_some_and(|hot| hot.pending.grow(grown))
    }

    /// Counts a block that nobody watches for its end, at the place of the statement at `cop` as it runs in `node`, if it
    /// is here.
    #[inline(always)]
    pub fn block_in(&mut self, cop: usize, node: NodeId, bytes: u64) -> bool {
        self.known(cop, node).is_some_and(|hot| hot.block(bytes))
    }

    /// Counts a call of that sub from the statement at `cop`, as it runs in `node`: where it leads, if that is known.
    #[inline(always)]
    pub fn call(&mut self, cop: usize, node: NodeId, key: SubKey) -> Option<NodeId> {
        match self.known(cop, node)?.call(key) {
            Some(child) => Some(child),
            None => self.other_call(cop, node, key),
        }
    }

    /// As [`HotStatements::call`], in any of the entries that the statement may have.
    #[inline(never)]
    pub fn other_call(&mut self, cop: usize, node: NodeId, key: SubKey) -> Option<NodeId> {
        let (home, tag) = self.home(cop, node);
        let is_it = |hot: &mut Hot| hot.is(cop, node) && hot.call.key == key && (hot.is_held() || hot.still_holds());
        let away = (0..WAYS).find(|&away| self.tag(home, away) == tag && is_it(self.near(home, away)))?;
        self.near(home, away).call(key)
    }

    /// The place of the statement at `cop`, as it runs in `node`, and the births that it does not know of yet, if it is here
    /// and perl has freed nothing since. There may be [`MOST_BIRTHS`] more.
    #[inline(always)]
    pub fn births_held(&mut self, cop: usize, node: NodeId) -> Option<(PlaceId, &mut u32)> {
        let pending = &mut self.held(cop, node)?.pending;
        let has_room = pending.place != UNKNOWN && pending.born <= u32::MAX - MOST_BIRTHS;
        has_room.then_some((pending.place, &mut pending.born))
    }

    /// A new entry for the statement at `cop` in `node`, if it gets one of those that are so far `away` from where it belongs.
    fn add(
        &mut self,
        cop: usize,
        node: NodeId,
        mut away: Range<usize>,
        counted: &mut impl Counted,
    ) -> Option<&mut Hot> {
        self.missed = self.missed.wrapping_add(1);
        let gets_in = self.missed % SELDOM == 0;
        // Calls of a statement that is here get in wherever there is room.
        if !gets_in && away.start == 0 {
            return None;
        }
        if self.displaced > self.tags.len() / 4 && self.shift > u32::BITS - MOST_BITS {
            self.grow(counted);
        }
        // In this order: what another thread frees in between is looked at again.
        let held_at = generations::all_freed();
        let generation = generations::of(cop);
        let (home, tag) = self.home(cop, node);
        let any = away.start + (self.missed / SELDOM) as usize % away.len();
        let free = away.find(|&away| self.near(home, away).cop == 0);
        if !gets_in && free.is_none() {
            return None;
        }
        let away = free.unwrap_or(any);
        let was_used = self.near(home, away).settle(counted);
        self.displaced += usize::from(was_used);
        Some(self.put(home, away, tag, Hot { cop, node, generation, held_at, ..NO_STATEMENT }))
    }

    /// Puts an entry `away` from `home`, in place of the one that is there.
    fn put(&mut self, home: usize, away: usize, tag: u8, hot: Hot) -> &mut Hot {
        if let Some(old) = self.tags.get_mut(home ^ away) {
            *old = tag;
        }
        let old = self.near(home, away);
        *old = hot;
        old
    }

    /// Twice as many entries. Each set has become two, so there is room in them for what was in it.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, counted: &mut impl Counted) {
        self.settle(counted);
        let larger = Self { missed: self.missed, ..Self::of(u32::BITS - self.shift + 1) };
        let old = std::mem::replace(self, larger);
        for hot in old.sets.iter().flat_map(|set| set.0).filter(|hot| hot.cop != 0) {
            let (home, tag) = self.home(hot.cop, hot.node);
            if let Some(away) = (0..WAYS).find(|&away| self.near(home, away).cop == 0) {
                self.put(home, away, tag, hot);
            }
        }
    }

    /// Remembers a place.
    pub fn note_place(&mut self, cop: usize, node: NodeId, place: PlaceId, counted: &mut impl Counted) {
        let hot = match self.known(cop, node) {
            Some(_) => self.entry(cop, node),
            None => self.add(cop, node, 0..NEAR, counted),
        };
        if let Some(hot) = hot {
            hot.pending.settle(counted);
            hot.pending.place = place;
        }
    }

    /// Remembers where a call led.
    pub fn note_child(&mut self, cop: usize, node: NodeId, key: SubKey, child: NodeId, counted: &mut impl Counted) {
        let hot = match self.known(cop, node).map(|first| first.call.key == NO_KEY) {
            Some(true) => self.entry(cop, node),
            Some(false) => self.add(cop, node, 1..WAYS, counted),
            None => self.add(cop, node, 0..NEAR, counted),
        };
        if let Some(hot) = hot {
            hot.generation = hot.generation.wrapping_add(generations::of_sub(key.code));
            hot.call = Call { key, child, calls: 0 };
        }
    }

    /// Hands over all that was counted, and knows nothing any more.
    pub fn forget(&mut self, counted: &mut impl Counted) {
        self.settle(counted);
        *self = Self::default();
    }

    /// Hands over all that was counted.
    pub fn settle(&mut self, counted: &mut impl Counted) {
        self.sets.iter_mut().flat_map(|set| &mut set.0).for_each(|hot| {
            hot.settle(counted);
        });
    }
}

impl Call {
    /// The generation of the sub; 0 of none.
    fn generation(&self) -> u32 {
        if self.key == NO_KEY {
            0
        } else {
            generations::of_sub(self.key.code)
        }
    }

    /// Hands over what was counted, if anything was.
    fn settle(&mut self, counted: &mut impl Counted) -> bool {
        let calls = std::mem::take(&mut self.calls);
        if calls > 0 {
            counted.calls(self.child, calls);
        }
        calls > 0
    }
}

impl Pending {
    /// There are so many scalars more of the place, or fewer: counts them, if the place is known and they fit.
    #[inline(always)]
    fn grow(&mut self, grown: isize) -> bool {
        let (sum, more) =
            if grown > 0 { (&mut self.born, grown as u64) } else { (&mut self.died, grown.unsigned_abs() as u64) };
        let new = u64::from(*sum) + more;
        let fits = self.place != UNKNOWN && new <= u64::from(u32::MAX);
        if fits {
            *sum = new as u32;
        }
        fits
    }

    /// Hands over what was counted, if anything was.
    fn settle(&mut self, counted: &mut impl Counted) -> bool {
        let (born, died) = (std::mem::take(&mut self.born), std::mem::take(&mut self.died));
        if born | died != 0 {
            counted.scalars(self.place, born, died);
        }
        let (eights, blocks) = (std::mem::take(&mut self.eights), std::mem::take(&mut self.blocks));
        if blocks > 0 {
            counted.blocks(self.place, u64::from(eights) * 8, blocks);
        }
        born | died | blocks != 0
    }
}

impl Hot {
    #[inline(always)]
    fn is(&self, cop: usize, node: NodeId) -> bool {
        self.cop == cop && self.node == node
    }

    #[inline(always)]
    fn is_held(&self) -> bool {
        self.held_at == generations::all_freed()
    }

    /// Counts a call of that sub, if it is this one's: where it leads.
    #[inline(always)]
    pub fn call(&mut self, key: SubKey) -> Option<NodeId> {
        let call = &mut self.call;
        if call.key != key {
            return None;
        }
        call.calls = call.calls.checked_add(1)?;
        Some(call.child)
    }

    /// Its place, if that is known.
    #[inline(always)]
    pub fn place(&self) -> Option<PlaceId> {
        Some(self.pending.place).filter(|&place| place != UNKNOWN)
    }

    /// Its place; if that is not known an id that no place has, as none is so large.
    #[inline(always)]
    pub fn place_if_known(&self) -> PlaceId {
        self.pending.place
    }

    /// Counts a block at its place that nobody watches for its end, if the place is known.
    #[inline(always)]
    pub fn block(&mut self, bytes: u64) -> bool {
        let pending = &mut self.pending;
        let eights = u64::from(pending.eights) + bytes / 8;
        let fits = bytes % 8 == 0 && eights <= u64::from(u32::MAX) && pending.blocks != u32::MAX;
        if pending.place == UNKNOWN || !fits {
            return false;
        }
        pending.eights = eights as u32;
        pending.blocks += 1;
        true
    }

    /// There are so many scalars more of its place, or fewer: counts them, if the place is known.
    #[inline(always)]
    pub fn scalars_grown(&mut self, grown: isize) -> bool {
        self.pending.grow(grown)
    }

    /// Perl has freed something since: was it this?
    #[cold]
    #[inline(never)]
    fn still_holds(&mut self) -> bool {
        // What another thread frees meanwhile is to be looked at again.
        let now = generations::all_freed();
        let holds = self.generation == generations::of(self.cop).wrapping_add(self.call.generation());
        self.held_at = now;
        if !holds {
            // What it has counted is still to be handed over.
            (self.cop, self.node) = (0, NOWHERE);
        }
        holds
    }

    /// Hands over what was counted, if anything was.
    fn settle(&mut self, counted: &mut impl Counted) -> bool {
        self.pending.settle(counted) | self.call.settle(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustc_hash::FxHashMap;

    #[derive(Debug, Default, PartialEq)]
    struct Sums {
        calls: FxHashMap<u32, u64>,
        scalars: FxHashMap<u32, (u64, u64)>,
        blocks: FxHashMap<u32, (u64, u64)>,
    }

    impl Counted for Sums {
        fn calls(&mut self, node: NodeId, calls: u32) {
            *self.calls.entry(node.0).or_default() += u64::from(calls);
        }

        fn scalars(&mut self, place: PlaceId, born: u32, died: u32) {
            let sums = self.scalars.entry(place.0).or_default();
            (sums.0, sums.1) = (sums.0 + u64::from(born), sums.1 + u64::from(died));
        }

        fn blocks(&mut self, place: PlaceId, bytes: u64, blocks: u32) {
            let sums = self.blocks.entry(place.0).or_default();
            (sums.0, sums.1) = (sums.0 + bytes, sums.1 + u64::from(blocks));
        }
    }

    const COP: usize = 0x7000_1230;

    fn key(name: usize) -> SubKey {
        SubKey { code: 0x7100_4560, name }
    }

    #[test]
    fn what_is_known_holds_until_statement_or_sub_is_freed() {
        let mut statements = HotStatements::default();
        let node = NodeId(3);
        let none = &mut Sums::default();
        let children = |statements: &mut HotStatements| {
            [1, 2, 3, 4].map(|name| statements.call(COP, node, key(name)).map(|child| child.0))
        };
        let note = |statements: &mut HotStatements, none: &mut Sums| {
            (0..SELDOM).for_each(|_| statements.note_place(COP, node, PlaceId(9), none));
            (1..=4).for_each(|name| statements.note_child(COP, node, key(name), NodeId(name as u32), none));
        };
        assert_eq!((statements.place(COP, node), children(&mut statements)), (None, [None; 4]));
        note(&mut statements, none);
        generations::freed(COP + 16);
        assert_eq!([node, NodeId(4)].map(|node| statements.place(COP, node)), [Some(PlaceId(9)), None]);
        assert_eq!(children(&mut statements), [Some(1), Some(2), Some(3), Some(4)]);
        generations::sub_freed(key(1).code);
        assert_eq!((statements.place(COP, node), children(&mut statements)), (None, [None; 4]));
        note(&mut statements, none);
        generations::freed(COP);
        assert_eq!((statements.place(COP, node), children(&mut statements)), (None, [None; 4]));
        // Others in the same set.
        note(&mut statements, none);
        let others = (1..=64).map(|number| COP + (number << 40));
        others.clone().for_each(|other| assert_eq!(statements.place(other, node), None));
        others.for_each(|other| (0..SELDOM).for_each(|_| statements.note_place(other, node, PlaceId(1), none)));
        assert_eq!((statements.place(COP, node), children(&mut statements)), (None, [None; 4]));
    }

    #[test]
    fn what_runs_over_and_over_is_known_in_the_end_and_counted_before_and_after() {
        let mut statements = HotStatements::default();
        let (mut sums, mut model) = (Sums::default(), Sums::default());
        let mut known = 0;
        for _ in 0..60 {
            known = 0;
            for number in 0..2500 {
                let (cop, node) = (COP + number * 80, NodeId(number as u32 % 7));
                let (place, child) = (PlaceId(number as u32), NodeId(number as u32));
                match statements.place(cop, node) {
                    Some(found) => assert_eq!(found, place),
                    None => statements.note_place(cop, node, place, &mut sums),
                }
                if statements.scalars_in(cop, node, 2) {
                    model.scalars(place, 2, 0);
                }
                match statements.call(cop, node, key(number % 3)) {
                    Some(found) => {
                        assert_eq!(found, child);
                        model.calls(child, 1);
                        known += 1;
                    }
                    None => statements.note_child(cop, node, key(number % 3), child, &mut sums),
                }
            }
        }
        statements.settle(&mut sums);
        assert_eq!(sums, model);
        assert!(known > 1800, "{known}");
    }

    #[test]
    fn what_does_not_fit_is_not_counted_here() {
        // An address of which no other test says that it is freed.
        const COP: usize = 0x7400_0800;
        let mut statements = HotStatements::default();
        let mut sums = Sums::default();
        (0..SELDOM).for_each(|_| statements.note_place(COP, NodeId(3), PlaceId(9), &mut sums));
        let node = NodeId(3);
        assert!(!statements.scalars(COP, node, PlaceId(8), 1));
        assert!(!statements.scalars_in(COP, NodeId(4), 1));
        assert!(statements.scalars(COP, node, PlaceId(9), u32::MAX.into()));
        assert!(!statements.scalars(COP, node, PlaceId(9), 1));
        assert!(!statements.scalars_in(COP, node, 1));
        assert!(statements.births_held(COP, node).is_none());
        assert!(statements.scalars_in(COP, node, -5));
        let most = u64::from(u32::MAX) * 8;
        assert_eq!(
            [25, most + 8, most, 8].map(|bytes| statements.block_in(COP, NodeId(3), bytes)),
            [false, false, true, false]
        );
        statements.forget(&mut sums);
        assert_eq!(statements.place(COP, NodeId(3)), None);
        statements.settle(&mut sums);
        assert_eq!((sums.scalars[&9], sums.blocks[&9]), ((u32::MAX.into(), 5), (most, 1)));
    }

    proptest! {
        /// Whatever is forgotten in between.
        #[test]
        fn nothing_that_is_counted_is_lost(
            steps in prop::collection::vec((0usize..18, 0u32..2, 0usize..3, 0u8..12), 1..400)
        ) {
            let mut statements = HotStatements::default();
            let (mut sums, mut model) = (Sums::default(), Sums::default());
            for (which, node, sub, step) in steps {
                // Six that belong into the same entry.
                let cop = 0x7200_0000 + (which % 3) * 16 + (which / 3) * 0x1010_0000_0000;
                let (place, child) = (PlaceId(which as u32 * 2 + node), NodeId(which as u32 * 6 + node * 3 + sub as u32));
                let key = SubKey { code: 0x7300_0000 + sub * 64, name: 5 };
                match step {
                    0 => generations::freed(cop),
                    1 => generations::sub_freed(key.code),
                    2 => statements.settle(&mut sums),
                    3..=7 => match statements.call(cop, NodeId(node), key) {
                        Some(found) => {
                            prop_assert_eq!(found, child);
                            model.calls(child, 1);
                        }
                        None => statements.note_child(cop, NodeId(node), key, child, &mut sums),
                    },
                    _ => {
                        match statements.place(cop, NodeId(node)) {
                            Some(found) => prop_assert_eq!(found, place),
                            None => statements.note_place(cop, NodeId(node), place, &mut sums),
                        }
                        if statements.scalars(cop, NodeId(node), place, 2) {
                            model.scalars(place, 2, 0);
                        }
                        if let Some((of, born)) = statements.births_held(cop, NodeId(node)) {
                            prop_assert_eq!(of, place);
                            *born += 3;
                            model.scalars(of, 3, 0);
                        }
                        if statements.block_in(cop, NodeId(node), u64::from(step) * 8) {
                            model.blocks(place, u64::from(step) * 8, 1);
                        }
                        if statements.scalars_in(cop, NodeId(node), isize::from(step) - 9) {
                            model.scalars(place, u32::from(step.saturating_sub(9)), u32::from(9u8.saturating_sub(step)));
                        }
                    }
                }
            }
            statements.settle(&mut sums);
            prop_assert_eq!(sums, model);
        }
    }
}
