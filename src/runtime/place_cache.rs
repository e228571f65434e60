//! Places by the address of their statement, so that an allocation at a statement seen before costs no string work.
//!
//! A statement's address is a number here, never followed, and stands for the statement as long as its generation does.
//! The cache is direct-mapped and grows with the program: when more was missed than half of what it can hold.

use super::generations;
use crate::format::ids::{NodeId, PlaceId};

#[derive(Clone, Copy)]
struct Entry {
    cop: usize,
    node: NodeId,
    generation: u32,
    place: PlaceId,
}

/// No node.
const EMPTY: Entry = Entry { cop: 0, node: NodeId(u32::MAX), generation: 0, place: PlaceId(0) };

/// Entries at first, and at most; powers of two.
const FEWEST: usize = 1 << 10;
const MOST: usize = 1 << 15;

/// (node, statement) → place.
pub struct PlaceCache {
    last: Entry,
    entries: Box<[Entry]>,
    missed: usize,
}

impl Default for PlaceCache {
    fn default() -> Self {
        Self { last: EMPTY, entries: vec![EMPTY; FEWEST].into_boxed_slice(), missed: 0 }
    }
}

/// Spreads a key over 64 bits; the high ones are the best mixed (Knuth, The Art of Computer Programming 6.4).
#[inline]
pub fn spread(address: usize, node: NodeId) -> usize {
    (address ^ (node.0 as usize) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl PlaceCache {
    #[inline]
    fn slot(&self, node: NodeId, cop: usize) -> usize {
        (spread(cop, node) >> 32) & (self.entries.len() - 1)
    }

    /// The place of the statement at `cop` as it runs in `node`.
    #[inline]
    pub fn get(&mut self, node: NodeId, cop: usize) -> Option<PlaceId> {
        let generation = generations::of(cop);
        let same = |entry: &Entry| entry.cop == cop && entry.node == node && entry.generation == generation;
        if same(&self.last) {
            return Some(self.last.place);
        }
        self.last = self.entries.get(self.slot(node, cop)).copied().filter(same)?;
        Some(self.last.place)
    }

    /// Remembers a place that was not known.
    pub fn note(&mut self, node: NodeId, cop: usize, place: PlaceId) {
        self.missed += 1;
        if self.missed > self.entries.len() / 2 && self.entries.len() < MOST {
            self.grow();
        }
        self.last = Entry { cop, node, generation: generations::of(cop), place };
        let slot = self.slot(node, cop);
        if let Some(entry) = self.entries.get_mut(slot) {
            *entry = self.last;
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.missed = 0;
        let bigger = vec![EMPTY; self.entries.len() * 2].into_boxed_slice();
        for entry in std::mem::replace(&mut self.entries, bigger) {
            let slot = self.slot(entry.node, entry.cop);
            if let Some(free) = self.entries.get_mut(slot) {
                *free = entry;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_again_until_its_statement_is_freed() {
        let mut cache = PlaceCache::default();
        for n in 0..5000usize {
            cache.note(NodeId(n as u32 % 7), 0x1000 + n * 48, PlaceId(n as u32));
        }
        let known = |cache: &mut PlaceCache, n: usize| cache.get(NodeId(n as u32 % 7), 0x1000 + n * 48);
        let right = (0..5000).filter(|&n| known(&mut cache, n) == Some(PlaceId(n as u32))).count();
        assert!(right > 4000, "{right} of 5000");
        assert!((0..5000).all(|n| known(&mut cache, n).is_none_or(|place| place == PlaceId(n as u32))));
        let n = (0..5000).find(|&n| known(&mut cache, n).is_some()).unwrap();
        generations::freed(0x1000 + n * 48);
        assert_eq!(known(&mut cache, n), None);
    }
}
