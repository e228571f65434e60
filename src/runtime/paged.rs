//! A table that grows a page at a time: nothing is copied when it grows, and half of it is never empty. It knows which
//! pages have entries that have changed since they were last written.

use super::narrow::State;
use super::own_heap;

/// log2 of the entries of a page, where they are small.
const PAGE_BITS: u32 = 12;

/// An entry that says whether it has changed.
pub trait Stated {
    /// Where it says so.
    fn state(&mut self) -> &mut State;
}

struct Page<T> {
    /// Never more than there was room for at first: none is ever copied, and what is not used yet takes no memory.
    entries: Vec<T>,
    has_changed: bool,
}

impl<T> Drop for Page<T> {
    /// The memory goes back to the system at once: whatever needs some next needs blocks of another size.
    fn drop(&mut self) {
        self.entries.clear();
        own_heap::discard(self.entries.spare_capacity_mut());
    }
}

/// The table. A page has 2^`BITS` entries.
pub struct Paged<T, const BITS: u32 = PAGE_BITS> {
    pages: Vec<Page<T>>,
    length: usize,
}

impl<T: Copy, const BITS: u32> Paged<T, BITS> {
    const PAGE: usize = 1 << BITS;

    /// Empty.
    pub fn new() -> Self {
        Self { pages: Vec::new(), length: 0 }
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: T) {
        if self.length == self.pages.len() * Self::PAGE {
            self.pages.push(Page { entries: Vec::with_capacity(Self::PAGE), has_changed: false });
        }
        let Some(page) = self.pages.last_mut() else { return };
        page.entries.push(entry);
        self.length += 1;
    }

    /// Entry `index`, to change it. Those that are missing up to it come to be as `missing`.
    #[inline]
    pub fn get_or_fill(&mut self, index: usize, missing: T) -> Option<&mut T> {
        while self.length <= index {
            self.push(missing);
        }
        self.get_mut(index)
    }

    /// Entry `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.pages.get(index >> BITS)?.entries.get(index & (Self::PAGE - 1))
    }

    /// Entry `index`, to change it.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.pages.get_mut(index >> BITS)?.entries.get_mut(index & (Self::PAGE - 1))
    }

    /// All entries, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pages.iter_mut().flat_map(|page| &mut page.entries)
    }

    /// Entries from `first` on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = &T> {
        (first..self.length).filter_map(|index| self.get(index))
    }
}

impl<T: Copy + Stated, const BITS: u32> Paged<T, BITS> {
    /// Entry `index`, which is about to change.
    #[inline(always)]
    pub fn touch(&mut self, index: usize) -> Option<&mut T> {
        if index >= self.length {
            return None;
        }
        // SAFETY: `push` sees to it that there are pages for `length` entries, each but the last with as many as `Self::PAGE`.
        let (has_changed, entry) = unsafe {
            let page = self.pages.get_unchecked_mut(index >> BITS);
            (&mut page.has_changed, page.entries.get_unchecked_mut(index & (Self::PAGE - 1)))
        };
        if entry.state().change() {
            *has_changed = true;
        }
        Some(entry)
    }

    /// Entry `index`, if it has changed already since it was last written, and may change once more.
    #[inline(always)]
    pub fn touched(&mut self, index: usize) -> Option<&mut T> {
        if index >= self.length {
            return None;
        }
        // SAFETY: as in `touch`.
        let entry = unsafe {
            let page = self.pages.get_unchecked_mut(index >> BITS);
            page.entries.get_unchecked_mut(index & (Self::PAGE - 1))
        };
        if entry.state().has_changed() {
            Some(entry)
        } else {
            None
        }
    }

    /// All are about to change.
    pub fn touch_all(&mut self) {
        for index in 0..self.length {
            self.touch(index);
        }
    }

    /// Has any entry changed since it was last written?
    pub fn has_changed(&self) -> bool {
        self.pages.iter().any(|page| page.has_changed)
    }

    /// At most so many entries have changed since they were last written.
    pub fn most_changed(&self) -> usize {
        self.pages.iter().filter(|page| page.has_changed).count() * Self::PAGE
    }

    /// What `of` makes of at most `most` of the entries that have changed, and of their indices, in their order. They are
    /// written now. None are left when there are none here.
    pub fn take_changed<R>(&mut self, most: usize, of: impl Fn(usize, T) -> R) -> Vec<R> {
        let mut taken = Vec::new();
        for (number, page) in self.pages.iter_mut().enumerate().filter(|(_, page)| page.has_changed) {
            let changed = page.entries.iter_mut().filter_map(|entry| entry.state().has_changed().then_some(())).count();
            taken.reserve_exact(changed.min(most - taken.len()));
            for (index, entry) in page.entries.iter_mut().enumerate() {
                if taken.len() == most {
                    return taken;
                }
                if entry.state().write() {
                    taken.push(of(number << BITS | index, *entry));
                }
            }
            page.has_changed = false;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_what_they_were_over_many_pages() {
        let mut table: Paged<u32> = Paged::new();
        (0..10_000u32).for_each(|n| table.push(n));
        assert_eq!(table.len(), 10_000);
        assert!(table.from(0).copied().eq(0..10_000));
        assert!(table.from(9_990).copied().eq(9_990..10_000));
    }

    impl Stated for State {
        fn state(&mut self) -> &mut State {
            self
        }
    }

    #[test]
    fn what_has_changed_is_taken_once_and_in_order() {
        let mut table: Paged<State> = Paged::new();
        (0..10_000).for_each(|_| table.push(State::default()));
        assert!(!table.has_changed());
        let changed = [9_999, 5, 4_096, 5, 0, 4_095];
        changed.iter().for_each(|&index| assert!(table.touch(index).is_some()));
        assert!(table.touch(20_000).is_none());
        let mut taken = |most| table.take_changed(most, |index, _| index);
        assert_eq!([taken(3), taken(3), taken(3)], [vec![0, 5, 4_095], vec![4_096, 9_999], vec![]]);
        assert!(!table.has_changed());
        table.touch_all();
        assert!(table.has_changed());
        assert_eq!(table.take_changed(usize::MAX, |_, _| ()).len(), 10_000);
    }
}
