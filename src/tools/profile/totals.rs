//! The process as a whole: its counters, those of a forked child without what the parent did.

use super::measures::difference;
use crate::format::records::Totals;
use crate::tools::merge::{self, BETWEEN_VALUES};
use crate::tools::trace::Trace;
use crate::tools::warning::Warning;

/// `now` without what the process inherited: what only ever grows is counted from the fork, what is a state (live,
/// peak, sizes) stays as it is.
pub(super) fn since(now: &Totals, base: &Totals) -> Totals {
    Totals {
        allocated_bytes: now.allocated_bytes.saturating_sub(base.allocated_bytes),
        allocated_blocks: now.allocated_blocks.saturating_sub(base.allocated_blocks),
        freed_bytes: now.freed_bytes.saturating_sub(base.freed_bytes),
        freed_blocks: now.freed_blocks.saturating_sub(base.freed_blocks),
        older_freed_bytes: now.older_freed_bytes.saturating_sub(base.older_freed_bytes),
        older_freed_blocks: now.older_freed_blocks.saturating_sub(base.older_freed_blocks),
        mapped_bytes: now.mapped_bytes.saturating_sub(base.mapped_bytes),
        unmapped_bytes: now.unmapped_bytes.saturating_sub(base.unmapped_bytes),
        scalars_born: now.scalars_born.saturating_sub(base.scalars_born),
        scalars_died: now.scalars_died.saturating_sub(base.scalars_died),
        statm_reads: now.statm_reads.saturating_sub(base.statm_reads),
        depth_capped_calls: now.depth_capped_calls.saturating_sub(base.depth_capped_calls),
        missed_events: now.missed_events.saturating_sub(base.missed_events),
        ..*now
    }
}

/// What the options and the counters themselves warn of.
pub(super) fn warnings(trace: &Trace, totals: &Totals) -> Vec<Warning> {
    let mut warnings = merge::warnings(&trace.header);
    let off = |option: &str| {
        let options = trace.header.options.iter();
        options.filter(|(key, _)| key == option).any(|(_, value)| value.split(BETWEEN_VALUES).any(|value| value == "0"))
    };
    if off("live") {
        warnings.push(Warning::NotRecorded("recorded with live=0: figures of live and at peak are unknown, not zero"));
    }
    if off("lines") {
        warnings.push(Warning::NotRecorded("recorded with lines=0: the lines inside of subs are unknown"));
    }
    if totals.depth_capped_calls > 0 {
        warnings.push(Warning::DepthCapped(totals.depth_capped_calls));
    }
    if totals.missed_events > 0 {
        warnings.push(Warning::MissedEvents(totals.missed_events));
    }
    warnings
}

/// Pages of this trace in bytes.
pub fn pages_in_bytes(trace: &Trace, pages: u64) -> u64 {
    pages.saturating_mul(u64::from(trace.header.page_size_bytes))
}

/// Bytes of the whole that no place accounts for: what threads without Perl allocate. Negative where the places have more.
pub(super) fn unplaced(whole: u64, placed: u64) -> i64 {
    difference(whole, placed)
}
