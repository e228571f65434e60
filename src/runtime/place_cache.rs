//! Places by the address of their statement, so that an allocation at a statement seen before costs no string work.
//!
//! A statement's address is a number here, never followed, and stands for the statement as long as its generation does.

use super::direct_mapped::{self, spread, DirectMapped};
use super::generations;
use crate::format::ids::{NodeId, PlaceId};

#[derive(Clone, Copy)]
struct Entry {
    cop: usize,
    node: NodeId,
    generation: u32,
    place: PlaceId,
}

impl direct_mapped::Entry for Entry {
    const EMPTY: Self = Entry { cop: 0, node: NodeId(u32::MAX), generation: 0, place: PlaceId(0) };

    fn spread(&self) -> usize {
        spread(self.cop, self.node)
    }
}

/// (node, statement) → place.
pub struct PlaceCache {
    last: Entry,
    entries: DirectMapped<Entry>,
}

impl Default for PlaceCache {
    fn default() -> Self {
        Self { last: direct_mapped::Entry::EMPTY, entries: DirectMapped::default() }
    }
}

impl PlaceCache {
    /// The place of the statement at `cop` as it runs in `node`.
    #[inline]
    pub fn get(&mut self, node: NodeId, cop: usize) -> Option<PlaceId> {
        let generation = generations::of(cop);
        let same = |entry: &Entry| entry.cop == cop && entry.node == node && entry.generation == generation;
        if same(&self.last) {
            return Some(self.last.place);
        }
        self.last = self.entries.get(spread(cop, node)).copied().filter(same)?;
        Some(self.last.place)
    }

    /// Remembers a place that was not known.
    pub fn note(&mut self, node: NodeId, cop: usize, place: PlaceId) {
        self.last = Entry { cop, node, generation: generations::of(cop), place };
        self.entries.note(self.last);
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
