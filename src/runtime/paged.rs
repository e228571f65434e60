//! A table that grows a page at a time: nothing is copied when it grows, and half of it is never empty.

/// log2 of the entries of a page.
const PAGE_BITS: u32 = 12;
const PAGE: usize = 1 << PAGE_BITS;

/// The table.
pub struct Paged<T> {
    pages: Vec<Box<[T]>>,
    length: usize,
}

impl<T: Copy + Default> Paged<T> {
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
        if self.length == self.pages.len() * PAGE {
            self.pages.push(vec![T::default(); PAGE].into_boxed_slice());
        }
        self.length += 1;
        if let Some(slot) = self.get_mut(self.length - 1) {
            *slot = entry;
        }
    }

    /// Entry `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.pages.get(index >> PAGE_BITS)?.get(index & (PAGE - 1))
    }

    /// Entry `index`, to change it.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.pages.get_mut(index >> PAGE_BITS)?.get_mut(index & (PAGE - 1))
    }

    /// Entries from `first` on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = &T> {
        (first..self.length).filter_map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_what_they_were_over_many_pages() {
        let mut table = Paged::new();
        (0..10_000u32).for_each(|n| table.push(n));
        assert_eq!(table.len(), 10_000);
        assert!(table.from(0).copied().eq(0..10_000));
        assert!(table.from(9_990).copied().eq(9_990..10_000));
    }
}
