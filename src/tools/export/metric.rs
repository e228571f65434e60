//! What a flame graph or a call graph may be of: one figure of a [`Measures`] each.

use crate::tools::profile::Measures;

/// A figure by its name.
#[derive(Debug)]
pub struct Metric {
    /// Its name, which ends in its unit.
    pub name: &'static str,
    /// Its unit as other tools know it: `bytes` or `count`.
    pub unit: &'static str,
    of: fn(&Measures) -> i64,
}

const fn bytes(name: &'static str, of: fn(&Measures) -> i64) -> Metric {
    Metric { name, unit: "bytes", of }
}

const fn count(name: &'static str, of: fn(&Measures) -> i64) -> Metric {
    Metric { name, unit: "count", of }
}

/// All metrics. Of those that are in a profile of several metrics, [`PROFILED`], first.
pub static METRICS: &[Metric] = &[
    bytes("allocated_bytes", |m| whole(m.allocated_bytes)),
    count("allocated_blocks", |m| whole(m.allocated_blocks)),
    bytes("live_bytes", |m| whole(m.live_bytes)),
    count("live_blocks", |m| whole(m.live_blocks)),
    bytes("at_peak_bytes", |m| whole(m.at_peak_bytes)),
    count("scalars", Measures::net_scalars),
    count("at_peak_blocks", |m| whole(m.at_peak_blocks)),
    bytes("freed_bytes", |m| whole(m.freed_bytes)),
    count("freed_blocks", |m| whole(m.freed_blocks)),
    count("born_scalars", |m| whole(m.scalars_born)),
    count("died_scalars", |m| whole(m.scalars_died)),
    count("calls", |m| whole(m.calls)),
];

/// How many of [`METRICS`], from the first on, are in a profile that has several.
pub const PROFILED: usize = 6;

/// A number of bytes or the like as other formats hold it. Only a forged trace has larger ones.
pub(super) fn whole(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

/// The metrics of a profile that has several.
pub(super) fn profiled() -> &'static [Metric] {
    METRICS.get(..PROFILED).unwrap_or(METRICS)
}

/// The metric of that name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

impl Metric {
    /// The figure. Scalars may be negative: with `ledger=0`, and in a forked child, where inherited ones die.
    pub fn of(&self, measures: &Measures) -> i64 {
        (self.of)(measures)
    }

    /// The figure for a format without negative numbers; what is negative is counted in `left_out` instead.
    pub(super) fn weight(&self, measures: &Measures, left_out: &mut LeftOut) -> u64 {
        let figure = self.of(measures);
        u64::try_from(figure).unwrap_or_else(|_| {
            left_out.negative = left_out.negative.saturating_add(figure.unsigned_abs());
            0
        })
    }
}

/// What a format could not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Sum of negative figures, of scalars, that were taken for 0.
    pub negative: u64,
    /// Calls of the stream of calls that were not over when it ended.
    pub open_calls: u64,
    /// Streams of calls that ended before their program, at `calls_max`.
    pub cut_streams: u64,
}

impl LeftOut {
    /// Adds what something else could not say.
    pub(super) fn add(&mut self, other: LeftOut) {
        let LeftOut { negative, open_calls, cut_streams } = other;
        self.negative = self.negative.saturating_add(negative);
        self.open_calls += open_calls;
        self.cut_streams += cut_streams;
    }
}
