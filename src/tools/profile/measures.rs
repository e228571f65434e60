//! The figures of one thing (a node, a sub, a line …) side by side, and their sum. Sums saturate: a forged trace must
//! not make them panic.

use crate::format::records::{NodeFigures, PlaceFigures};

/// Figures of one thing. All but the live and at-peak ones are of this process alone: a forked child's do not count
/// what the parent did before the fork.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Calls.
    pub calls: u64,
    /// Bytes allocated.
    pub allocated_bytes: u64,
    /// Blocks allocated.
    pub allocated_blocks: u64,
    /// Bytes freed, whoever allocated them.
    pub freed_bytes: u64,
    /// Blocks freed, whoever allocated them.
    pub freed_blocks: u64,
    /// Bytes allocated here and not yet freed, those that a child inherited included.
    pub live_bytes: u64,
    /// Blocks allocated here and not yet freed, those that a child inherited included.
    pub live_blocks: u64,
    /// Bytes that were live at the fork of a child; 0 in any other process.
    pub base_live_bytes: u64,
    /// Blocks that were live at the fork of a child; 0 in any other process.
    pub base_live_blocks: u64,
    /// Bytes that were live when those of the whole process were at their highest.
    pub at_peak_bytes: u64,
    /// Blocks that were live when the bytes of the whole process were at their highest.
    pub at_peak_blocks: u64,
    /// Sum of the rises of the number of scalars between two boundaries.
    pub scalars_born: u64,
    /// Sum of its falls.
    pub scalars_died: u64,
    /// Growth of the virtual size as sampled, in pages.
    pub size_pages: i64,
    /// Growth of the resident set as sampled, in pages.
    pub resident_pages: i64,
}

impl Measures {
    /// A node's own figures, without its places: `now` less what the process inherited.
    pub fn of_node(now: &NodeFigures, base: &NodeFigures) -> Self {
        Measures {
            calls: now.calls.saturating_sub(base.calls),
            freed_bytes: now.freed_bytes.saturating_sub(base.freed_bytes),
            freed_blocks: now.freed_blocks.saturating_sub(base.freed_blocks),
            size_pages: now.size_pages.saturating_sub(base.size_pages),
            resident_pages: now.resident_pages.saturating_sub(base.resident_pages),
            ..Measures::default()
        }
    }

    /// A place's figures: `now` less what the process inherited. `peak_number` is the process's newest peak.
    pub fn of_place(now: &PlaceFigures, base: &PlaceFigures, peak_number: u64) -> Self {
        // A place that has not changed since the newest peak held then what it holds now.
        let unchanged = now.peak_number < peak_number;
        Measures {
            allocated_bytes: now.allocated_bytes.saturating_sub(base.allocated_bytes),
            allocated_blocks: now.allocated_blocks.saturating_sub(base.allocated_blocks),
            live_bytes: now.live_bytes,
            live_blocks: now.live_blocks,
            base_live_bytes: base.live_bytes,
            base_live_blocks: base.live_blocks,
            at_peak_bytes: if unchanged { now.live_bytes } else { now.at_peak_bytes },
            at_peak_blocks: if unchanged { now.live_blocks } else { now.at_peak_blocks },
            scalars_born: now.scalars_born.saturating_sub(base.scalars_born),
            scalars_died: now.scalars_died.saturating_sub(base.scalars_died),
            ..Measures::default()
        }
    }

    /// Adds `other` to this.
    pub fn add(&mut self, other: &Measures) {
        let Measures {
            calls,
            allocated_bytes,
            allocated_blocks,
            freed_bytes,
            freed_blocks,
            live_bytes,
            live_blocks,
            base_live_bytes,
            base_live_blocks,
            at_peak_bytes,
            at_peak_blocks,
            scalars_born,
            scalars_died,
            size_pages,
            resident_pages,
        } = self;
        for (sum, more) in [
            (calls, other.calls),
            (allocated_bytes, other.allocated_bytes),
            (allocated_blocks, other.allocated_blocks),
            (freed_bytes, other.freed_bytes),
            (freed_blocks, other.freed_blocks),
            (live_bytes, other.live_bytes),
            (live_blocks, other.live_blocks),
            (base_live_bytes, other.base_live_bytes),
            (base_live_blocks, other.base_live_blocks),
            (at_peak_bytes, other.at_peak_bytes),
            (at_peak_blocks, other.at_peak_blocks),
            (scalars_born, other.scalars_born),
            (scalars_died, other.scalars_died),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (sum, more) in [(size_pages, other.size_pages), (resident_pages, other.resident_pages)] {
            *sum = sum.saturating_add(more);
        }
    }

    /// Bytes allocated less bytes freed.
    pub fn net_bytes(&self) -> i64 {
        difference(self.allocated_bytes, self.freed_bytes)
    }

    /// Blocks allocated less blocks freed.
    pub fn net_blocks(&self) -> i64 {
        difference(self.allocated_blocks, self.freed_blocks)
    }

    /// Scalars born less scalars died.
    pub fn net_scalars(&self) -> i64 {
        difference(self.scalars_born, self.scalars_died)
    }

    /// Did nothing happen here?
    pub fn is_zero(&self) -> bool {
        *self == Measures::default()
    }
}

/// `more` less `less`, at the nearest that an `i64` holds.
pub fn difference(more: u64, less: u64) -> i64 {
    i64::try_from(i128::from(more) - i128::from(less)).unwrap_or(if more > less { i64::MAX } else { i64::MIN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_peak_is_live_where_the_place_has_not_changed_since_the_newest_peak() {
        let at = |peak_number| PlaceFigures {
            live_bytes: 10,
            live_blocks: 1,
            at_peak_bytes: 70,
            at_peak_blocks: 7,
            peak_number,
            ..Default::default()
        };
        for (of_place, newest, bytes, blocks) in [(3, 3, 70, 7), (2, 3, 10, 1), (0, 0, 70, 7), (0, 1, 10, 1)] {
            let measures = Measures::of_place(&at(of_place), &PlaceFigures::default(), newest);
            assert_eq!((measures.at_peak_bytes, measures.at_peak_blocks), (bytes, blocks), "{of_place} of {newest}");
        }
    }

    #[test]
    fn difference_is_exact_or_the_nearest() {
        for (more, less, expected) in
            [(3, 5, -2), (5, 3, 2), (u64::MAX, 0, i64::MAX), (0, u64::MAX, i64::MIN), (u64::MAX, u64::MAX - 1, 1)]
        {
            assert_eq!(difference(more, less), expected);
        }
    }

    #[test]
    fn sums_saturate() {
        let most = Measures { calls: u64::MAX, size_pages: i64::MIN, ..Default::default() };
        let mut sum = most;
        sum.add(&most);
        assert_eq!(sum, most);
    }
}
