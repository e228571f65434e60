//! A cache with one slot for each key, which grows with the program: when more was missed than half of what it can hold.

use crate::format::ids::NodeId;

/// What is in a slot.
pub trait Entry: Copy {
    /// No entry: its key is nobody's.
    const EMPTY: Self;

    /// The key of this entry, spread.
    fn spread(&self) -> usize;
}

/// Entries at first, and at most; powers of two.
const FEWEST: usize = 1 << 10;
const MOST: usize = 1 << 13;

/// The cache.
pub struct DirectMapped<E> {
    entries: Box<[E]>,
    missed: usize,
}

impl<E: Entry> Default for DirectMapped<E> {
    fn default() -> Self {
        Self { entries: vec![E::EMPTY; FEWEST].into_boxed_slice(), missed: 0 }
    }
}

/// Spreads a key over 64 bits; the high ones are the best mixed (Knuth, The Art of Computer Programming 6.4).
#[inline]
pub fn spread(address: usize, node: NodeId) -> usize {
    (address ^ (node.0 as usize) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl<E: Entry> DirectMapped<E> {
    #[inline]
    fn slot(&self, spread: usize) -> usize {
        (spread >> 32) & (self.entries.len() - 1)
    }

    /// The entry in the slot of that key, which may be another's.
    #[inline]
    pub fn get(&self, spread: usize) -> Option<&E> {
        self.entries.get(self.slot(spread))
    }

    /// Remembers what was missed.
    pub fn note(&mut self, entry: E) {
        self.missed += 1;
        if self.missed > self.entries.len() / 2 && self.entries.len() < MOST {
            self.grow();
        }
        self.put(entry);
    }

    fn put(&mut self, entry: E) {
        let slot = self.slot(entry.spread());
        if let Some(free) = self.entries.get_mut(slot) {
            *free = entry;
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.missed = 0;
        let bigger = vec![E::EMPTY; self.entries.len() * 2].into_boxed_slice();
        for entry in std::mem::replace(&mut self.entries, bigger) {
            self.put(entry);
        }
    }
}
