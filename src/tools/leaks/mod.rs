//! Which lines leak: what grows steadily with the marks, or with time, after warm-up, and why it stays.
//!
//! Two sources are put together, and neither is believed alone. The *history* says exactly how many scalars and bytes
//! each place keeps at each mark: whether there is growth, how much, and how steady. The last *heap sample* says what
//! refers to what: which scalars are an unreachable cycle ([`graph`]), which are held by what ([`holders`]), and which
//! line is to blame ([`causes`]). A group of scalars of the sample is a leak only where the history bears it out: the
//! most recent entries of a cache of bounded size look like a leak in any one sample, and do not grow.
//!
//! Thresholds: [`growth`] for steadiness, [`axis`] for how much there must be to look at, [`Leaks::new`] for how much
//! growth counts.

pub mod axis;
pub mod causes;
mod cycles;
mod evidence;
mod graph;
pub mod groups;
pub mod growth;
mod holders;
pub mod origin;
mod places;
#[cfg(test)]
mod tests;
pub mod wording;

use super::trace::{Sample, Trace};
use axis::{Axis, Unit};
use causes::Reason;
use evidence::Evidence;
use growth::Growth;
use origin::{Origins, Site};
use rustc_hash::FxHashSet;

/// Why an entry stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// What the heap sample says.
    Sampled(Reason),
    /// No scalars are kept, but blocks: a text, an array or a hash that grows, or memory of a C library.
    Blocks {
        /// Name of what has them; empty where it is not known.
        buffer_of: String,
    },
    /// There is no heap sample, or it does not list what grows here.
    NotSampled,
}

/// A line that keeps more and more, or did so once.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// The line to blame.
    pub site: Site,
    /// Where what stays was born, if that is another line.
    pub born: Option<Site>,
    /// Calls from the outermost to the line, by the most frequent path.
    pub call_path: Vec<Site>,
    /// How many call paths lead there.
    pub call_paths: usize,
    /// Bytes: blocks, and heads and bodies of scalars.
    pub bytes: Growth,
    /// Scalars.
    pub scalars: Growth,
    /// Bytes for each call of the line's sub; `None` where its calls did not grow.
    pub bytes_per_call: Option<f64>,
    /// Scalars for each call of the line's sub.
    pub scalars_per_call: Option<f64>,
    /// Cycles, or entries of what holds them, that were seen in the sample; 0 where it says nothing.
    pub instances: u64,
    /// Scalars of an instance by type, for what is no object.
    pub kinds: Vec<(String, f64)>,
    /// Scalars of an instance by class.
    pub classes: Vec<(String, f64)>,
    /// Why they stay.
    pub why: Why,
    /// An example of the cycle; empty for what is none.
    pub path: String,
}

impl Leak {
    /// Takes in the growth of something that the same line does.
    fn join(&mut self, other: &Leak) {
        let per_call = |per_call: Option<f64>, now: f64, before: f64| {
            per_call.map(|one| if before > 0.0 { one * now / before } else { one })
        };
        let (bytes, scalars) = (self.bytes.with(&other.bytes), self.scalars.with(&other.scalars));
        self.bytes_per_call = per_call(self.bytes_per_call, bytes.total, self.bytes.total);
        self.scalars_per_call = per_call(self.scalars_per_call, scalars.total, self.scalars.total);
        (self.bytes, self.scalars) = (bytes, scalars);
    }

    /// How steady its growth is, from 0 to 1: of scalars where there are any, else of bytes.
    pub fn steadiness(&self) -> f64 {
        if self.scalars.total >= 1.0 {
            self.scalars.steadiness
        } else {
            self.bytes.steadiness
        }
    }
}

/// Could it be told?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Told,
    /// Of scalars, by the marks they were born in; of blocks not, for there are too few snapshots.
    ToldOfScalars,
    /// No: the trace has too few marks, or is too short.
    #[default]
    TooFewPoints,
    /// No: figures of what is live were not recorded.
    NotRecorded,
}

/// What a trace says of leaks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leaks {
    /// What growth is measured along.
    pub axis: Axis,
    /// Could it be told?
    pub verdict: Verdict,
    /// Leaks, those that keep most per mark first.
    pub leaks: Vec<Leak>,
    /// What grew after warm-up, but not steadily; the most first.
    pub once: Vec<Leak>,
}

/// Growth that is worth a word needs so many scalars after warm-up,
const LEAST_SCALARS: f64 = 3.0;

/// or so many bytes: less may come of keys and numbers that become longer, where as many are kept as ever.
const LEAST_BYTES: f64 = 4096.0;

/// In as many marks one scalar, or `BYTES_IN_MARKS` bytes, must be kept; less is noise.
const IN_MARKS: f64 = 20.0;

/// See [`IN_MARKS`].
const BYTES_IN_MARKS: f64 = 64.0;

/// Where all that lives is longer by this many bytes at most, no more of it is kept: numbers in keys have a digit more.
const BYTES_LONGER: f64 = 64.0;

/// Different marks (or snapshots) in which the scalars of a leak must have been born.
const LEAST_BIRTHS: usize = 3;

/// The least part of what a sample claims that the history must bear out.
const BORNE_OUT: f64 = 0.5;

/// What keeps less than this part of what another leak of its line keeps is told with that one.
const SIDE_EFFECT: f64 = 0.1;

/// One-off growth below this many bytes is not told.
const LEAST_BYTES_ONCE: f64 = 4096.0;

impl Leaks {
    /// What a trace says. Without a history nothing can be told.
    pub fn new(trace: &Trace) -> Self {
        let Some(history) = &trace.history else { return Leaks::default() };
        let axis = Axis::new(history);
        let is_told = axis.is_enough() && (axis.tells_steadiness() || samples(trace).next().is_some());
        let is_off = |option: &str| trace.header.options.iter().any(|(key, value)| key == option && value == "0");
        let verdict = match (is_told, is_off("live") && is_off("ledger")) {
            (_, true) => Verdict::NotRecorded,
            (true, false) if axis.tells_steadiness() => Verdict::Told,
            (true, false) => Verdict::ToldOfScalars,
            (false, false) => Verdict::TooFewPoints,
        };
        if !matches!(verdict, Verdict::Told | Verdict::ToldOfScalars) {
            return Leaks { axis, verdict, ..Leaks::default() };
        }
        let origins = Origins::new(trace);
        let evidence = Evidence::new(history, &axis);
        let mut found = Leaks { axis: axis.clone(), verdict, ..Leaks::default() };
        let mut explained = FxHashSet::default();
        let mut buffers = Default::default();
        for sample in samples(trace) {
            let grouped = groups::groups(sample, trace, &origins);
            // An earlier sample tells only what a later one does not: it may have another name for what holds the same.
            let told = explained.clone();
            for group in &grouped.groups {
                let leak = evidence.of_group(group, &grouped.listed, sample, trace, &origins);
                let borne_out = || evidence.bears_out(group, &leak, sample, trace);
                if !group.is_mostly_at(&told) && is_leak(&leak, &axis) && borne_out() {
                    explained.extend(group.places.keys().copied());
                    found.leaks.push(leak);
                }
            }
            if found.leaks.is_empty() || grouped.buffers.len() > std::collections::HashMap::len(&buffers) {
                buffers = grouped.buffers.into_iter().collect();
            }
        }
        for leak in places::leaks(trace, &evidence, &origins, &explained, &buffers) {
            if let Some(known) = found.leaks.iter_mut().find(|known| same_line(trace, known, &leak)) {
                // The container that the line fills grows with it.
                if leak.bytes.total > 0.0 {
                    known.join(&leak);
                }
            } else if axis.tells_steadiness() && is_leak(&leak, &axis) {
                found.leaks.push(leak);
            } else if axis.tells_steadiness() && leak.bytes.total >= LEAST_BYTES_ONCE {
                found.once.push(leak);
            }
        }
        let order = |a: &Leak, b: &Leak| {
            let by = |one: f64, other: f64| other.total_cmp(&one);
            let bytes = by(a.bytes.per_unit, b.bytes.per_unit).then(by(a.scalars.per_unit, b.scalars.per_unit));
            bytes.then(a.site.line.cmp(&b.site.line)).then(a.site.file.cmp(&b.site.file))
        };
        found.leaks.sort_by(order);
        found.join_side_effects(trace);
        found.once.sort_by(order);
        found
    }

    /// What a line keeps besides, of the same doing, is no leak of its own: what is small beside another of that line.
    fn join_side_effects(&mut self, trace: &Trace) {
        let mut kept: Vec<Leak> = Vec::new();
        for leak in std::mem::take(&mut self.leaks) {
            let is_small = |known: &Leak| leak.bytes.per_unit < known.bytes.per_unit * SIDE_EFFECT;
            match kept.iter_mut().find(|known| same_line(trace, known, &leak) && is_small(known)) {
                Some(known) => known.join(&leak),
                None => kept.push(leak),
            }
        }
        self.leaks = kept;
    }

    /// Growth of all leaks together, in bytes per mark or second.
    pub fn bytes_per_unit(&self) -> f64 {
        self.leaks.iter().fold(0.0, |sum, leak| sum + leak.bytes.per_unit)
    }
}

/// The samples to look at, the latest first.
fn samples(trace: &Trace) -> impl Iterator<Item = &Sample> {
    let mut samples: Vec<&Sample> =
        [&trace.sample, &trace.sample_at_mark].into_iter().filter_map(Option::as_deref).collect();
    samples.sort_by_key(|sample| std::cmp::Reverse((sample.marks, sample.time_ns)));
    samples.into_iter()
}

fn same_line(trace: &Trace, a: &Leak, b: &Leak) -> bool {
    let sub = |leak: &Leak| trace.nodes.get(leak.site.node.index()).map(|node| node.sub);
    (a.site.file, a.site.line, sub(a)) == (b.site.file, b.site.line, sub(b))
}

/// Is it enough, and steady?
fn is_leak(leak: &Leak, axis: &Axis) -> bool {
    let is_enough = |growth: &Growth, least: f64, per_marks: f64| {
        let often = axis.unit == Unit::Seconds || growth.per_unit * IN_MARKS >= per_marks;
        growth.total >= least && often && growth.is_steady()
    };
    // Where scalars came and then no more did, blocks that grow in steps are theirs: only a plain line is another thing.
    let filled = leak.scalars.total >= LEAST_SCALARS && !leak.scalars.is_steady();
    let grew_longer = leak.bytes.total <= leak.scalars.at_end * BYTES_LONGER;
    let of_their_own = (!filled || leak.bytes.is_line()) && !grew_longer;
    is_enough(&leak.scalars, LEAST_SCALARS, 1.0) || of_their_own && is_enough(&leak.bytes, LEAST_BYTES, BYTES_IN_MARKS)
}
