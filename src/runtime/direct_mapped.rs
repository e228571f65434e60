//! A cache with one slot for each key, which grows with the program: when more was missed than half of what it can hold.
//!
//! It stays small, for it takes the processor's caches from the program.

/// Entries at first; a power of two, as are those at most.
const FEWEST: usize = 1 << 8;

/// The cache, of at most `MOST` entries. What is in a slot may be another key's, or nobody's: whoever asks compares.
pub struct DirectMapped<E, const MOST: usize> {
    entries: Box<[E]>,
    missed: usize,
}

impl<E: Copy + Default, const MOST: usize> Default for DirectMapped<E, MOST> {
    fn default() -> Self {
        Self { entries: vec![E::default(); FEWEST].into_boxed_slice(), missed: 0 }
    }
}

/// Spreads a key over 64 bits; the high ones are the best mixed (Knuth, The Art of Computer Programming 6.4).
#[inline]
pub fn spread(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl<E: Copy + Default, const MOST: usize> DirectMapped<E, MOST> {
    #[inline]
    fn slot(&self, spread: u64) -> usize {
        (spread >> 32) as usize & (self.entries.len() - 1)
    }

    /// What is in the slot of that key.
    #[inline]
    pub fn get(&self, spread: u64) -> E {
        // SAFETY: masked to the length, which is a power of two.
        unsafe { *self.entries.get_unchecked(self.slot(spread)) }
    }

    /// Remembers what was missed.
    pub fn note(&mut self, spread: u64, entry: E) {
        self.missed += 1;
        if self.missed > self.entries.len() / 2 && self.entries.len() < MOST {
            self.missed = 0;
            self.entries = vec![E::default(); self.entries.len() * 2].into_boxed_slice();
        }
        let slot = self.slot(spread);
        if let Some(slot) = self.entries.get_mut(slot) {
            *slot = entry;
        }
    }
}
