//! What a process did itself: of a forked child without what it inherited, so that nothing is counted twice.
//!
//! A child's live bytes at a place are those it inherited and those it allocated itself; the trace tells their sum, now
//! and at the fork. Its own are taken to be the growth. Where there are fewer now than at the fork, the child has freed
//! some that it inherited: its own are none, and what it freed was older than itself. So live is still allocated less
//! freed, and no figure is negative.

use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::{NodeFigures, PlaceFigures, Totals};
use crate::tools::profile::Measures;
use crate::tools::trace::{Recorded, Trace};

/// Figures of one process, by the ids of its trace.
pub(super) struct Own<'a> {
    trace: &'a Trace,
    base: Option<&'a Recorded>,
    /// Has the process been bigger than it was at the fork?
    has_peak: bool,
    /// The process's counters.
    pub(super) totals: Totals,
    /// Live scalars less those inherited.
    pub(super) scalars: i128,
    cut_bytes: Cut,
    cut_blocks: Cut,
}

impl<'a> Own<'a> {
    /// Those of a trace.
    pub(super) fn new(trace: &'a Trace) -> Self {
        let now = trace.last_totals();
        let base = trace.base.as_ref().map(|base| base.totals).unwrap_or_default();
        let mut own = Own {
            trace,
            base: trace.base.as_ref().map(|base| &base.figures),
            has_peak: trace.base.is_none() || now.peak_number > base.peak_number,
            totals: now,
            scalars: i128::from(now.scalars) - i128::from(base.scalars),
            cut_bytes: Cut::default(),
            cut_blocks: Cut::default(),
        };
        if trace.base.is_some() {
            own.totals = own.totals_since(&now, &base);
        }
        own
    }

    /// A place's figures, the peak's being the process's own peak.
    pub(super) fn place(&self, id: PlaceId) -> PlaceFigures {
        let base = self.base.map(|base| base.place(id)).unwrap_or_default();
        let peak_number = self.trace.last_totals().peak_number;
        let all = Measures::of_place(&self.trace.figures.place(id), &base, peak_number);
        let live_bytes = all.live_bytes.saturating_sub(all.base_live_bytes);
        let live_blocks = all.live_blocks.saturating_sub(all.base_live_blocks);
        // A process that has not been bigger than at the fork is taken to have been biggest at the end.
        let (at_peak_bytes, at_peak_blocks) = if self.has_peak {
            let bytes = all.at_peak_bytes.saturating_sub(all.base_live_bytes);
            (bytes, all.at_peak_blocks.saturating_sub(all.base_live_blocks))
        } else {
            (live_bytes, live_blocks)
        };
        PlaceFigures {
            id,
            allocated_bytes: all.allocated_bytes,
            allocated_blocks: all.allocated_blocks,
            live_bytes,
            live_blocks,
            at_peak_bytes,
            at_peak_blocks,
            peak_number: 0,
            scalars_born: all.scalars_born,
            scalars_died: all.scalars_died,
        }
    }

    /// A node's figures. To be asked for in the order of ids, each once.
    pub(super) fn node(&mut self, id: NodeId) -> NodeFigures {
        let base = self.base.map(|base| base.node(id)).unwrap_or_default();
        let all = Measures::of_node(&self.trace.figures.node(id), &base);
        NodeFigures {
            id,
            calls: all.calls,
            freed_bytes: self.cut_bytes.rest(all.freed_bytes),
            freed_blocks: self.cut_blocks.rest(all.freed_blocks),
            size_pages: all.size_pages,
            resident_pages: all.resident_pages,
        }
    }

    fn totals_since(&mut self, now: &Totals, base: &Totals) -> Totals {
        let (mut live, mut peak, mut placed, mut inherited) = ([0u64; 2], [0u64; 2], [0u64; 2], [0u64; 2]);
        for id in (0..).map(PlaceId).take(self.trace.places.len()) {
            let (own, now) = (self.place(id), self.trace.figures.place(id));
            let base = self.base.map(|base| base.place(id)).unwrap_or_default();
            for (sum, more) in [
                (&mut live, [own.live_bytes, own.live_blocks]),
                (&mut peak, [own.at_peak_bytes, own.at_peak_blocks]),
                (&mut placed, [now.live_bytes, now.live_blocks]),
                (&mut inherited, [base.live_bytes, base.live_blocks]),
            ] {
                *sum = [sum[0].saturating_add(more[0]), sum[1].saturating_add(more[1])];
            }
        }
        // What no place accounts for, by the same rule.
        let unplaced = |whole: u64, placed: u64, base: u64, inherited: u64| {
            whole.saturating_sub(placed).saturating_sub(base.saturating_sub(inherited))
        };
        let unplaced_bytes = unplaced(now.live_bytes, placed[0], base.live_bytes, inherited[0]);
        let unplaced_blocks = unplaced(now.live_blocks, placed[1], base.live_blocks, inherited[1]);
        let live_bytes = live[0].saturating_add(unplaced_bytes);
        let live_blocks = live[1].saturating_add(unplaced_blocks);
        let allocated_bytes = now.allocated_bytes.saturating_sub(base.allocated_bytes);
        let allocated_blocks = now.allocated_blocks.saturating_sub(base.allocated_blocks);
        let freed_bytes = now.freed_bytes.saturating_sub(base.freed_bytes);
        let freed_blocks = now.freed_blocks.saturating_sub(base.freed_blocks);
        // With live=0 there is nothing that live could be reckoned from, and every block's free is counted.
        let reckoned = now.live_blocks > 0 || base.live_blocks > 0;
        let older = |freed: u64, allocated: u64, live: u64| {
            if reckoned {
                freed.saturating_sub(allocated.saturating_sub(live))
            } else {
                0
            }
        };
        let older_bytes = older(freed_bytes, allocated_bytes, live_bytes);
        let older_blocks = older(freed_blocks, allocated_blocks, live_blocks);
        self.cut_bytes = Cut::new(freed_bytes, older_bytes);
        self.cut_blocks = Cut::new(freed_blocks, older_blocks);
        Totals {
            allocated_bytes,
            allocated_blocks,
            freed_bytes: freed_bytes - older_bytes,
            freed_blocks: freed_blocks - older_blocks,
            older_freed_bytes: now.older_freed_bytes.saturating_sub(base.older_freed_bytes).saturating_add(older_bytes),
            older_freed_blocks: now
                .older_freed_blocks
                .saturating_sub(base.older_freed_blocks)
                .saturating_add(older_blocks),
            live_bytes,
            live_blocks,
            peak_bytes: peak[0].saturating_add(unplaced_bytes),
            peak_blocks: peak[1].saturating_add(unplaced_blocks),
            mapped_bytes: now.mapped_bytes.saturating_sub(base.mapped_bytes),
            unmapped_bytes: now.unmapped_bytes.saturating_sub(base.unmapped_bytes),
            scalars_born: now.scalars_born.saturating_sub(base.scalars_born),
            scalars_died: now.scalars_died.saturating_sub(base.scalars_died),
            older_scalars_died: now.older_scalars_died.saturating_sub(base.older_scalars_died),
            statm_reads: now.statm_reads.saturating_sub(base.statm_reads),
            depth_capped_calls: now.depth_capped_calls.saturating_sub(base.depth_capped_calls),
            missed_events: now.missed_events.saturating_sub(base.missed_events),
            ..*now
        }
    }
}

/// Takes a sum off figures, from each its share, so that the rests add up to the last unit. Which nodes freed what the
/// child inherited is not recorded.
#[derive(Clone, Copy, Default)]
struct Cut {
    whole: u64,
    cut: u64,
    seen: u64,
    done: u64,
}

impl Cut {
    fn new(whole: u64, cut: u64) -> Self {
        Cut { whole, cut, seen: 0, done: 0 }
    }

    fn rest(&mut self, figure: u64) -> u64 {
        if self.cut == 0 {
            return figure;
        }
        self.seen = self.seen.saturating_add(figure).min(self.whole);
        let due = u128::from(self.cut) * u128::from(self.seen) / u128::from(self.whole.max(1));
        let due = u64::try_from(due).unwrap_or(self.cut);
        let share = due.saturating_sub(self.done).min(figure);
        self.done += share;
        figure - share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_cut_off_is_cut_off_to_the_last_unit(figures in prop::collection::vec(0..1000u64, 1..40), part in 0..=100u64) {
            let whole: u64 = figures.iter().sum();
            let cut = whole * part / 100;
            let mut taking = Cut::new(whole, cut);
            let rests: Vec<u64> = figures.iter().map(|&figure| taking.rest(figure)).collect();
            prop_assert_eq!(rests.iter().sum::<u64>(), whole - cut);
            prop_assert!(rests.iter().zip(&figures).all(|(rest, figure)| rest <= figure));
        }
    }
}
