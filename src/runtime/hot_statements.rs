//! What was learnt last of the statements that run most: their place, and where their calls lead. A small table in front of
//! all others; what it does not know they do.
//!
//! A statement's address is a number here, never followed. What is known of it holds as long as perl has freed no statement
//! and no sub; after that it is looked at once more whether it was these ([`super::generations`]).

use super::generations;
use super::sub_cache::SubKey;
use crate::format::ids::{NodeId, PlaceId};

/// Statements; a power of two. It stays small, for it takes the processor's caches from the program.
const STATEMENTS: usize = 1 << 8;
/// Calls from one.
const CALLS: usize = 2;

const NOWHERE: NodeId = NodeId(u32::MAX);

#[derive(Clone, Copy)]
struct Call {
    key: SubKey,
    parent: NodeId,
    child: NodeId,
    generation: u32,
}

/// A statement.
#[derive(Clone, Copy)]
pub struct Hot {
    cop: usize,
    /// How much perl had freed when this was last known to hold.
    held_at: u32,
    generation: u32,
    node: NodeId,
    place: PlaceId,
    calls: [Call; CALLS],
}

const NO_CALL: Call = Call { key: SubKey { code: 0, name: 0 }, parent: NOWHERE, child: NOWHERE, generation: 0 };
const NO_STATEMENT: Hot =
    Hot { cop: 0, held_at: 0, generation: 0, node: NOWHERE, place: PlaceId(0), calls: [NO_CALL; CALLS] };

/// The table.
pub struct HotStatements {
    statements: Box<[Hot; STATEMENTS]>,
    /// Statements that were not here.
    missed: u32,
}

/// One in so many of the statements that are not here gets in: where there are too many for the table, it costs little.
const SELDOM: u32 = 4;

impl Default for HotStatements {
    fn default() -> Self {
        Self { statements: Box::new([NO_STATEMENT; STATEMENTS]), missed: 0 }
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

    /// Where a call of that sub from the statement at `cop` leads, as it runs in `parent`.
    #[inline(always)]
    pub fn child(&mut self, cop: usize, parent: NodeId, key: SubKey) -> Option<NodeId> {
        let calls = &self.known(cop)?.calls;
        calls.iter().find(|call| call.key == key && call.parent == parent).map(|call| call.child)
    }

    /// The entry of the statement at `cop`, new or old, if it gets one.
    fn noted(&mut self, cop: usize) -> Option<&mut Hot> {
        if self.known(cop).is_none() {
            self.missed = self.missed.wrapping_add(1);
            if self.missed % SELDOM != 0 {
                return None;
            }
            let (generation, held_at) = (generations::of(cop), generations::all_freed());
            *self.slot(cop) = Hot { cop, generation, held_at, ..NO_STATEMENT };
        }
        Some(self.slot(cop))
    }

    /// Remembers a place.
    pub fn note_place(&mut self, cop: usize, node: NodeId, place: PlaceId) {
        if let Some(hot) = self.noted(cop) {
            (hot.node, hot.place) = (node, place);
        }
    }

    /// Remembers where a call led.
    pub fn note_child(&mut self, cop: usize, parent: NodeId, key: SubKey, child: NodeId) {
        let Some(hot) = self.noted(cop) else { return };
        hot.calls.rotate_right(1);
        if let Some(first) = hot.calls.first_mut() {
            *first = Call { key, parent, child, generation: generations::of_sub(key.code) };
        }
    }
}

impl Hot {
    /// Perl has freed something since: was it this?
    #[cold]
    fn still_holds(&mut self) -> bool {
        // What another thread frees meanwhile is to be looked at again.
        let now = generations::all_freed();
        for call in self.calls.iter_mut().filter(|call| call.generation != generations::of_sub(call.key.code)) {
            *call = NO_CALL;
        }
        self.held_at = now;
        if self.generation != generations::of(self.cop) {
            *self = NO_STATEMENT;
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_holds_until_statement_or_sub_is_freed() {
        let mut statements = HotStatements::default();
        let (cop, node) = (0x7000_1230, NodeId(3));
        let key = |name| SubKey { code: 0x7100_4560, name };
        let children = |statements: &mut HotStatements| {
            [1, 2, 3].map(|name| statements.child(cop, node, key(name)).map(|child| child.0))
        };
        let note = |statements: &mut HotStatements| {
            (0..SELDOM).for_each(|_| statements.note_place(cop, node, PlaceId(9)));
            (1..=3).for_each(|name| statements.note_child(cop, node, key(name), NodeId(name as u32)));
        };
        assert_eq!((statements.place(cop, node), children(&mut statements)), (None, [None; 3]));
        note(&mut statements);
        generations::freed(cop + 16);
        assert_eq!([node, NodeId(4)].map(|node| statements.place(cop, node)), [Some(PlaceId(9)), None]);
        assert_eq!(children(&mut statements), [None, Some(2), Some(3)]);
        generations::sub_freed(key(1).code);
        assert_eq!((statements.place(cop, node), children(&mut statements)), (Some(PlaceId(9)), [None; 3]));
        generations::freed(cop);
        assert_eq!((statements.place(cop, node), children(&mut statements)), (None, [None; 3]));
        // Another in the same slot.
        note(&mut statements);
        assert_eq!(statements.place(cop ^ 0x1010_0000_0000, node), None);
        (0..SELDOM).for_each(|_| statements.note_place(cop ^ 0x1010_0000_0000, node, PlaceId(1)));
        assert_eq!((statements.place(cop, node), children(&mut statements)), (None, [None; 3]));
    }
}
