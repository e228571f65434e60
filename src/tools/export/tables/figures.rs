//! The columns of figures: those of a thing, and those of a whole process.

use super::super::metric::whole;
use super::Whose;
use crate::format::records::Totals;
use crate::tools::profile::Measures;

/// A column of figures.
pub(super) struct Measure {
    plain: &'static str,
    own: &'static str,
    inclusive: &'static str,
    of: fn(&Measures) -> i64,
}

impl Measure {
    /// Its name among the figures of whom.
    pub(super) fn name(&self, whose: Whose) -> &'static str {
        match whose {
            Whose::Only => self.plain,
            Whose::Own => self.own,
            Whose::Inclusive => self.inclusive,
        }
    }

    /// Its value.
    pub(super) fn of(&self, measures: &Measures) -> i64 {
        (self.of)(measures)
    }
}

macro_rules! measure {
    ($name:literal, $of:expr) => {
        Measure { plain: $name, own: concat!("self_", $name), inclusive: concat!("inclusive_", $name), of: $of }
    };
}

/// The figures of a thing. `calls` is no such column: calls of what a sub calls are no calls of the sub.
pub(super) const MEASURES: &[Measure] = &[
    measure!("allocated_bytes", |m| whole(m.allocated_bytes)),
    measure!("allocated_blocks", |m| whole(m.allocated_blocks)),
    measure!("freed_bytes", |m| whole(m.freed_bytes)),
    measure!("freed_blocks", |m| whole(m.freed_blocks)),
    measure!("live_bytes", |m| whole(m.live_bytes)),
    measure!("live_blocks", |m| whole(m.live_blocks)),
    measure!("base_live_bytes", |m| whole(m.base_live_bytes)),
    measure!("base_live_blocks", |m| whole(m.base_live_blocks)),
    measure!("at_peak_bytes", |m| whole(m.at_peak_bytes)),
    measure!("at_peak_blocks", |m| whole(m.at_peak_blocks)),
    measure!("born_scalars", |m| whole(m.scalars_born)),
    measure!("died_scalars", |m| whole(m.scalars_died)),
    measure!("net_scalars", Measures::net_scalars),
    measure!("size_pages", |m| m.size_pages),
    measure!("resident_pages", |m| m.resident_pages),
];

/// A column of a process's counters.
pub(super) struct Total {
    /// Its name.
    pub(super) name: &'static str,
    of: fn(&Totals) -> u64,
}

impl Total {
    /// Its value.
    pub(super) fn of(&self, totals: &Totals) -> i64 {
        whole((self.of)(totals))
    }
}

const fn total(name: &'static str, of: fn(&Totals) -> u64) -> Total {
    Total { name, of }
}

/// A process's counters, named as `mprof-dump info` names them.
pub(super) const TOTALS: &[Total] = &[
    total("allocated_bytes", |t| t.allocated_bytes),
    total("allocated_blocks", |t| t.allocated_blocks),
    total("freed_bytes", |t| t.freed_bytes),
    total("freed_blocks", |t| t.freed_blocks),
    total("older_freed_bytes", |t| t.older_freed_bytes),
    total("older_freed_blocks", |t| t.older_freed_blocks),
    total("live_bytes", |t| t.live_bytes),
    total("live_blocks", |t| t.live_blocks),
    total("peak_bytes", |t| t.peak_bytes),
    total("peak_blocks", |t| t.peak_blocks),
    total("peak_time_ns", |t| t.peak_time_ns),
    total("mapped_bytes", |t| t.mapped_bytes),
    total("unmapped_bytes", |t| t.unmapped_bytes),
    total("born_scalars", |t| t.scalars_born),
    total("died_scalars", |t| t.scalars_died),
    total("older_died_scalars", |t| t.older_scalars_died),
    total("live_scalars", |t| t.scalars),
    total("size_pages", |t| t.size_pages),
    total("resident_pages", |t| t.resident_pages),
    total("peak_resident_bytes", |t| t.peak_resident_bytes),
    total("profiler_bytes", |t| t.profiler_bytes),
    total("profiler_peak_bytes", |t| t.profiler_peak_bytes),
    total("depth_capped_calls", |t| t.depth_capped_calls),
    total("missed_events", |t| t.missed_events),
];
