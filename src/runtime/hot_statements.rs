//! What was learnt last of the statements that run most: their place, and where their calls lead. A small table in front of
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

/// Statements; a power of two. It stays small, for it takes the processor's caches from the program.
const STATEMENTS: usize = 1 << 8;
/// Calls from one.
const CALLS: usize = 2;

const NOWHERE: NodeId = NodeId(u32::MAX);

const NO_KEY: SubKey = SubKey { code: 0, name: 0 };

#[derive(Clone, Copy)]
struct Call {
    key: SubKey,
    parent: NodeId,
    /// The node that `calls` are of, even where the key does not hold any more.
    child: NodeId,
    generation: u32,
    /// Calls that the node does not know of yet.
    calls: u32,
}

/// A statement.
#[derive(Clone, Copy)]
struct Hot {
    cop: usize,
    /// How much perl had freed when this was last known to hold.
    held_at: u32,
    generation: u32,
    node: NodeId,
    /// The place that the scalars and blocks are of, even where the statement is another's by now.
    place: PlaceId,
    /// Scalars that the place does not know of yet.
    born: u32,
    died: u32,
    /// Blocks that nobody watches for their end, and their bytes in eights.
    blocks: u32,
    eights: u32,
    calls: [Call; CALLS],
}

const NO_CALL: Call = Call { key: NO_KEY, parent: NOWHERE, child: NOWHERE, generation: 0, calls: 0 };
const NO_STATEMENT: Hot = Hot {
    cop: 0,
    held_at: 0,
    generation: 0,
    node: NOWHERE,
    place: PlaceId(0),
    born: 0,
    died: 0,
    blocks: 0,
    eights: 0,
    calls: [NO_CALL; CALLS],
};

/// Where what was counted belongs.
pub trait Counted {
    /// So many calls led to that node.
    fn calls(&mut self, node: NodeId, calls: u32);
    /// So many scalars were born and died at that place.
    fn scalars(&mut self, place: PlaceId, born: u32, died: u32);
    /// So many blocks were allocated at that place. Nobody watches for their ends.
    fn blocks(&mut self, place: PlaceId, bytes: u64, blocks: u32);
}

/// The table.
pub struct HotStatements {
    statements: [Hot; STATEMENTS],
    /// Statements that were not here.
    missed: u32,
}

/// One in so many of the statements that are not here gets in: where there are too many for the table, it costs little.
const SELDOM: u32 = 4;

impl Default for HotStatements {
    fn default() -> Self {
        Self { statements: [NO_STATEMENT; STATEMENTS], missed: 0 }
    }
}

impl HotStatements {
    #[inline(always)]
    fn slot(&mut self, cop: usize) -> &mut Hot {
        // SAFETY: masked to the length.
        unsafe { self.statements.get_unchecked_mut((cop >> 4 ^ cop >> 12) & (STATEMENTS - 1)) }
    }

    /// What is known of the statement at `cop`.
    #[inline(always)]
    fn known(&mut self, cop: usize) -> Option<&mut Hot> {
        let hot = self.slot(cop);
        (hot.cop == cop && (hot.held_at == generations::all_freed() || hot.still_holds())).then_some(hot)
    }

    /// The place of the statement at `cop` as it runs in `node`.
    #[inline(always)]
    pub fn place(&mut self, cop: usize, node: NodeId) -> Option<PlaceId> {
        self.known(cop).filter(|hot| hot.node == node).map(|hot| hot.place)
    }

    /// Counts births at `place`, which was that of the statement at `cop`, if it is here.
    #[inline(always)]
    pub fn scalars(&mut self, cop: usize, place: PlaceId, born: u64) -> bool {
        let hot = self.slot(cop);
        hot.place == place && hot.count(born, 0)
    }

    /// Counts scalars at the place of the statement at `cop`, as it runs in `node`, if it is here.
    #[inline(always)]
    pub fn scalars_in(&mut self, cop: usize, node: NodeId, born: u64, died: u64) -> bool {
        self.known(cop).is_some_and(|hot| hot.node == node && hot.count(born, died))
    }

    /// Counts a block that nobody watches for its end, at the place of the statement at `cop` as it runs in `node`, if it
    /// is here.
    #[inline(always)]
    pub fn block_in(&mut self, cop: usize, node: NodeId, bytes: u64) -> bool {
        let Some(hot) = self.known(cop) else { return false };
        let eights = u64::from(hot.eights) + bytes / 8;
        let fits = hot.node == node && bytes % 8 == 0 && eights <= u64::from(u32::MAX) && hot.blocks != u32::MAX;
        if fits {
            hot.eights = eights as u32;
            hot.blocks += 1;
        }
        fits
    }

    /// Counts a call of that sub from the statement at `cop`, as it runs in `parent`: where it leads, if that is known.
    #[inline(always)]
    pub fn call(&mut self, cop: usize, parent: NodeId, key: SubKey) -> Option<NodeId> {
        let calls = &mut self.known(cop)?.calls;
        let call = calls.iter_mut().find(|call| call.key == key && call.parent == parent)?;
        call.calls = call.calls.checked_add(1)?;
        Some(call.child)
    }

    /// The entry of the statement at `cop`, new or old, if it gets one.
    fn noted(&mut self, cop: usize, counted: &mut impl Counted) -> Option<&mut Hot> {
        if self.known(cop).is_none() {
            self.missed = self.missed.wrapping_add(1);
            if self.missed % SELDOM != 0 {
                return None;
            }
            let (generation, held_at) = (generations::of(cop), generations::all_freed());
            let slot = self.slot(cop);
            slot.settle(counted);
            *slot = Hot { cop, generation, held_at, ..NO_STATEMENT };
        }
        Some(self.slot(cop))
    }

    /// Remembers a place.
    pub fn note_place(&mut self, cop: usize, node: NodeId, place: PlaceId, counted: &mut impl Counted) {
        if let Some(hot) = self.noted(cop, counted) {
            hot.settle_place(counted);
            (hot.node, hot.place) = (node, place);
        }
    }

    /// Remembers where a call led.
    pub fn note_child(&mut self, cop: usize, parent: NodeId, key: SubKey, child: NodeId, counted: &mut impl Counted) {
        let Some(hot) = self.noted(cop, counted) else { return };
        hot.calls.rotate_right(1);
        if let Some(first) = hot.calls.first_mut() {
            first.settle(counted);
            *first = Call { key, parent, child, generation: generations::of_sub(key.code), calls: 0 };
        }
    }

    /// Hands over all that was counted, and knows nothing any more.
    pub fn forget(&mut self, counted: &mut impl Counted) {
        self.settle(counted);
        self.statements.fill(NO_STATEMENT);
    }

    /// Hands over all that was counted.
    pub fn settle(&mut self, counted: &mut impl Counted) {
        self.statements.iter_mut().for_each(|hot| hot.settle(counted));
    }
}

impl Call {
    fn settle(&mut self, counted: &mut impl Counted) {
        let calls = std::mem::take(&mut self.calls);
        if calls > 0 {
            counted.calls(self.child, calls);
        }
    }
}

impl Hot {
    /// Counts scalars of the place, if they fit.
    #[inline(always)]
    fn count(&mut self, born: u64, died: u64) -> bool {
        let (born, died) = (u64::from(self.born) + born, u64::from(self.died) + died);
        let fits = (born | died) <= u64::from(u32::MAX);
        if fits {
            (self.born, self.died) = (born as u32, died as u32);
        }
        fits
    }

    /// Perl has freed something since: was it this?
    #[cold]
    fn still_holds(&mut self) -> bool {
        // What another thread frees meanwhile is to be looked at again.
        let now = generations::all_freed();
        let holds = self.generation == generations::of(self.cop);
        for call in &mut self.calls {
            if !holds || call.generation != generations::of_sub(call.key.code) {
                (call.key, call.parent) = (NO_KEY, NOWHERE);
            }
        }
        self.held_at = now;
        if !holds {
            (self.cop, self.node) = (0, NOWHERE);
        }
        holds
    }

    fn settle_place(&mut self, counted: &mut impl Counted) {
        let (born, died) = (std::mem::take(&mut self.born), std::mem::take(&mut self.died));
        if born | died != 0 {
            counted.scalars(self.place, born, died);
        }
        let (eights, blocks) = (std::mem::take(&mut self.eights), std::mem::take(&mut self.blocks));
        if blocks > 0 {
            counted.blocks(self.place, u64::from(eights) * 8, blocks);
        }
    }

    fn settle(&mut self, counted: &mut impl Counted) {
        self.settle_place(counted);
        self.calls.iter_mut().for_each(|call| call.settle(counted));
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
            [1, 2, 3].map(|name| statements.call(COP, node, key(name)).map(|child| child.0))
        };
        let note = |statements: &mut HotStatements, none: &mut Sums| {
            (0..SELDOM).for_each(|_| statements.note_place(COP, node, PlaceId(9), none));
            (1..=3).for_each(|name| statements.note_child(COP, node, key(name), NodeId(name as u32), none));
        };
        assert_eq!((statements.place(COP, node), children(&mut statements)), (None, [None; 3]));
        note(&mut statements, none);
        generations::freed(COP + 16);
        assert_eq!([node, NodeId(4)].map(|node| statements.place(COP, node)), [Some(PlaceId(9)), None]);
        assert_eq!(children(&mut statements), [None, Some(2), Some(3)]);
        generations::sub_freed(key(1).code);
        assert_eq!((statements.place(COP, node), children(&mut statements)), (Some(PlaceId(9)), [None; 3]));
        generations::freed(COP);
        assert_eq!((statements.place(COP, node), children(&mut statements)), (None, [None; 3]));
        // Another in the same slot.
        note(&mut statements, none);
        assert_eq!(statements.place(COP ^ 0x1010_0000_0000, node), None);
        (0..SELDOM).for_each(|_| statements.note_place(COP ^ 0x1010_0000_0000, node, PlaceId(1), none));
        assert_eq!((statements.place(COP, node), children(&mut statements)), (None, [None; 3]));
    }

    #[test]
    fn what_does_not_fit_is_not_counted_here() {
        let mut statements = HotStatements::default();
        let mut sums = Sums::default();
        (0..SELDOM).for_each(|_| statements.note_place(COP, NodeId(3), PlaceId(9), &mut sums));
        assert!(!statements.scalars(COP, PlaceId(8), 1));
        assert!(!statements.scalars_in(COP, NodeId(4), 1, 0));
        assert!(statements.scalars(COP, PlaceId(9), u32::MAX.into()));
        assert!(!statements.scalars(COP, PlaceId(9), 1));
        assert!(statements.scalars_in(COP, NodeId(3), 0, 5));
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
            steps in prop::collection::vec((0usize..6, 0u32..3, 0usize..3, 0u8..12), 1..400)
        ) {
            let mut statements = HotStatements::default();
            let (mut sums, mut model) = (Sums::default(), Sums::default());
            for (which, node, sub, step) in steps {
                // Two in each slot.
                let cop = 0x7200_0000 + (which % 3) * 16 + (which / 3) * 0x1010_0000_0000;
                let (place, child) = (PlaceId(which as u32 * 3 + node), NodeId(which as u32 * 9 + node * 3 + sub as u32));
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
                        if statements.scalars(cop, place, 2) {
                            model.scalars(place, 2, 0);
                        }
                        if statements.block_in(cop, NodeId(node), u64::from(step) * 8) {
                            model.blocks(place, u64::from(step) * 8, 1);
                        }
                        if statements.scalars_in(cop, NodeId(node), 1, step.into()) {
                            model.scalars(place, 1, step.into());
                        }
                    }
                }
            }
            statements.settle(&mut sums);
            prop_assert_eq!(sums, model);
        }
    }
}
