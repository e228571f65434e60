//! Which arena is a head in? By the page of its address, in a table that is small and seldom more than one probe.
//!
//! An arena is a little smaller than a page and lies anywhere, so at most two reach into one page: the one that began
//! before it and the one that begins in it.

use super::birth_notes::Note;

/// log2 of the bytes of a page; it need not be the system's.
const PAGE_BITS: u32 = 12;

/// An arena: where it is, its bytes, and what is noted of its heads.
#[derive(Clone, Copy)]
pub struct Arena {
    /// Address of its first head.
    pub start: usize,
    /// Its bytes.
    pub bytes: usize,
    /// A note for each head; null while they are narrow.
    pub notes: *mut Note,
}

impl Arena {
    /// Does that address lie in it?
    #[inline(always)]
    pub fn holds(&self, address: usize) -> bool {
        address.wrapping_sub(self.start) < self.bytes
    }

    /// Where the note of the head at that index is; null while they are narrow.
    #[inline]
    pub fn note(&self, index: usize) -> *mut Note {
        if self.notes.is_null() {
            self.notes
        } else {
            self.notes.wrapping_add(index)
        }
    }
}

/// An arena that no address lies in.
pub const NO_ARENA: Arena = Arena { start: usize::MAX, bytes: 0, notes: std::ptr::null_mut() };

/// A page, and by their numbers the arena that began before it and the one that begins in it. Small, for there is one of
/// it for each page of heads; most look-ups end with the arena looked up last.
#[derive(Clone, Copy)]
struct Page {
    /// Address >> PAGE_BITS.
    number: usize,
    arenas: [u32; 2],
}

/// No arena.
const NONE: u32 = u32::MAX;

const FREE: Page = Page { number: usize::MAX, arenas: [NONE; 2] };

/// The table: open addressing, at most three quarters full.
pub struct ArenaPages {
    arenas: Vec<Arena>,
    pages: Box<[Page]>,
    used: usize,
}

impl ArenaPages {
    /// No arenas yet.
    pub fn new() -> Self {
        Self { arenas: Vec::new(), pages: vec![FREE; 64].into_boxed_slice(), used: 0 }
    }

    /// Fibonacci hashing (Knuth, The Art of Computer Programming 6.4).
    #[inline]
    fn home(&self, number: usize) -> usize {
        (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) & (self.pages.len() - 1)
    }

    /// The slot of a page, or the free one where it would go.
    #[inline]
    fn find(&self, number: usize) -> usize {
        let mut at = self.home(number);
        // SAFETY: masked to the length; a quarter of the slots is free, so the loop ends.
        while !matches!(unsafe { self.pages.get_unchecked(at) }.number, found if found == number || found == FREE.number)
        {
            at = (at + 1) & (self.pages.len() - 1);
        }
        at
    }

    /// Adds an arena; its number is how many there were.
    pub fn add(&mut self, arena: Arena) {
        let first = arena.start >> PAGE_BITS;
        let arena_number = self.arenas.len() as u32;
        self.arenas.push(arena);
        for number in first..=(arena.start + arena.bytes - 1) >> PAGE_BITS {
            if self.used * 4 >= self.pages.len() * 3 {
                self.grow();
            }
            let at = self.find(number);
            if let Some(page) = self.pages.get_mut(at) {
                self.used += usize::from(page.number != number);
                page.number = number;
                let [before, within] = &mut page.arenas;
                *(if number == first { within } else { before }) = arena_number;
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let bigger = vec![FREE; self.pages.len() * 2].into_boxed_slice();
        for page in std::mem::replace(&mut self.pages, bigger) {
            if page.number != FREE.number {
                let at = self.find(page.number);
                if let Some(free) = self.pages.get_mut(at) {
                    *free = page;
                }
            }
        }
    }

    /// The arena of that number.
    ///
    /// # Safety
    /// So many arenas have been added.
    #[inline]
    pub unsafe fn arena(&self, number: u32) -> Arena {
        debug_assert!((number as usize) < self.arenas.len());
        // SAFETY: the caller's promise.
        unsafe { *self.arenas.get_unchecked(number as usize) }
    }

    /// What is noted of the arena's heads is elsewhere now.
    pub fn set_notes(&mut self, number: u32, notes: *mut Note) {
        if let Some(arena) = self.arenas.get_mut(number as usize) {
            arena.notes = notes;
        }
    }

    /// Where arenas begin, by their numbers.
    pub fn starts(&self) -> impl Iterator<Item = usize> + '_ {
        self.arenas.iter().map(|arena| arena.start)
    }

    /// The number of the arena that the address lies in, and the arena.
    #[inline]
    pub fn arena_of(&self, address: usize) -> Option<(u32, Arena)> {
        // SAFETY: `find` returns an index within the table.
        let page = unsafe { self.pages.get_unchecked(self.find(address >> PAGE_BITS)) };
        let of = |number: u32| self.arenas.get(number as usize).map(|arena| (number, *arena));
        let [before, within] = page.arenas;
        let found = of(within).filter(|(_, within)| address >= within.start).or_else(|| of(before));
        found.filter(|(_, arena)| arena.holds(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fewer where each takes a thousand times as long.
    const ARENAS: usize = if cfg!(miri) { 100 } else { 1000 };

    #[test]
    fn every_address_of_every_arena_is_found_and_no_other() {
        let mut pages = ArenaPages::new();
        let arena = |n: usize| Arena { start: 0x5555_0000_0010 + n * 4096 * 3 + n % 64 * 16, bytes: 4080, ..NO_ARENA };
        let beside = |n: usize| Arena { start: arena(n).start + 4096, ..arena(n) };
        (0..ARENAS).step_by(3).for_each(|n| pages.add(arena(n)));
        (0..ARENAS).step_by(3).rev().for_each(|n| pages.add(beside(n)));
        for n in 0..ARENAS {
            for here in [arena(n), beside(n)] {
                let known = |address: usize| {
                    pages.arena_of(address).map(|(number, arena)| {
                        assert_eq!(pages.starts().nth(number as usize), Some(arena.start));
                        arena.start
                    })
                };
                let expected = (n % 3 == 0).then_some(here.start);
                assert_eq!(known(here.start), expected);
                assert_eq!(known(here.start + 4079), expected);
                assert_eq!(known(here.start + 4080), None);
            }
        }
    }
}
