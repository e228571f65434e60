//! Places by the address of their statement, so that an allocation at a statement seen before costs no string work.
//!
//! A statement's address is a number here, never followed, and stands for the statement as long as its generation does.

use super::generations;
use crate::format::ids::{NodeId, PlaceId};

#[derive(Clone, Copy, Default)]
struct Entry {
    cop: usize,
    node: NodeId,
    generation: u32,
    place: PlaceId,
    known: bool,
}

/// Entries; a power of two.
const ENTRIES: usize = 8192;

/// (node, statement) → place.
pub struct PlaceCache {
    last: Entry,
    entries: Box<[Entry]>,
}

impl Default for PlaceCache {
    fn default() -> Self {
        Self { last: Entry::default(), entries: vec![Entry::default(); ENTRIES].into_boxed_slice() }
    }
}

#[inline]
fn slot(node: NodeId, cop: usize) -> usize {
    let mixed = (cop >> 3) ^ (node.0 as usize).wrapping_mul(0x9e37_79b1);
    (mixed ^ (mixed >> 12)) & (ENTRIES - 1)
}

impl PlaceCache {
    /// The place of the statement at `cop` as it runs in `node`.
    #[inline]
    pub fn get(&mut self, node: NodeId, cop: usize) -> Option<PlaceId> {
        let generation = generations::of(cop);
        let same =
            |entry: &Entry| entry.cop == cop && entry.node == node && entry.generation == generation && entry.known;
        if same(&self.last) {
            return Some(self.last.place);
        }
        self.last = self.entries.get(slot(node, cop)).copied().filter(same)?;
        Some(self.last.place)
    }

    /// Remembers a place.
    pub fn note(&mut self, node: NodeId, cop: usize, place: PlaceId) {
        self.last = Entry { cop, node, generation: generations::of(cop), place, known: true };
        if let Some(entry) = self.entries.get_mut(slot(node, cop)) {
            *entry = self.last;
        }
    }
}
