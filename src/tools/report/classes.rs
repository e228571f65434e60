//! `classes`: live scalars by type and class, at the last heap sample, and how they grew.

use super::{Options, Report};
use crate::format::heap::{BirthUnit, CensusGroup, ScalarKind};
use crate::format::ids::StrId;
use crate::tools::document::{Section, Value};
use crate::tools::leaks::wording;
use crate::tools::profile::{names, Profile};
use crate::tools::select::{Column, UnknownColumn};
use crate::tools::trace::{PastCensus, Trace};
use rustc_hash::FxHashMap;

/// The report.
pub(super) struct Classes;

/// Scalars of one type and class.
struct Row {
    class: String,
    group: CensusGroup,
    growth_scalars: Option<f64>,
    growth_bytes: Option<f64>,
}

type Of = Column<Row>;

#[rustfmt::skip]
const COLUMNS: &[Column<Row>] = &[
    Of::new("scalars", "live\nscalars", |row| Value::Count(row.group.scalars)),
    Of::new("bytes", "bytes", |row| Value::Bytes(row.bytes())),
    Of::new("body_bytes", "head and body\nbytes", |row| Value::Bytes(row.group.body_bytes)).spare(),
    Of::new("buffer_bytes", "buffers\nbytes", |row| Value::Bytes(row.group.buffer_bytes)).spare(),
    Of::new("growth_scalars_per_mark", "growth\nper mark\nscalars", |row| row.growth_scalars.map_or(Value::Absent, Value::Decimal)),
    Of::new("growth_bytes_per_mark", "growth\nper mark\nbytes", |row| row.growth_bytes.map_or(Value::Absent, Value::DecimalBytes)),
    Of::new("scalars_in_window", "in window\nscalars", |row| Value::Count(row.group.scalars_in_window)).on_demand(),
    Of::new("bytes_in_window", "in window\nbytes", |row| Value::Bytes(row.group.bytes_in_window)).on_demand(),
    Of::new("kind", "type", |row| Value::Text(wording::kind(row.group.kind).to_owned())),
    Of::new("class", "class", |row| Value::Name(row.class.clone())),
];

impl Row {
    fn bytes(&self) -> u64 {
        self.group.body_bytes.saturating_add(self.group.buffer_bytes)
    }
}

impl Report for Classes {
    fn name(&self) -> &'static str {
        "classes"
    }

    fn is_of_one_trace(&self) -> bool {
        true
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let rows = rows(&profile.trace);
        let table = options.selection.table(COLUMNS, &rows, "bytes", &[])?;
        let section = Section::table("classes", "", table);
        let note = match (profile.trace.censuses.is_empty(), profile.trace.marks()) {
            (true, _) => "the trace has no heap sample: recorded with ledger=0, or the process was killed early",
            (_, 0) => "no marks: growth is not told here; mprof-dump leaks tells it by time",
            _ => "growth: what lives of the scalars born after warm-up and before the last mark, for each mark",
        };
        Ok(vec![section.note(note)])
    }
}

fn rows(trace: &Trace) -> Vec<Row> {
    let Some(last) = trace.censuses.last() else { return Vec::new() };
    let samples = [&trace.sample, &trace.sample_at_mark];
    let newest = samples.into_iter().flatten().max_by_key(|sample| (sample.marks, sample.time_ns));
    let marks = newest
        .filter(|sample| sample.begins.unit == BirthUnit::Marks)
        .map(|sample| sample.begins.to.saturating_sub(sample.begins.from) as f64);
    let window = marks.filter(|&marks| marks > 0.0);
    let before = &earlier(trace, last);
    let row = |group: &CensusGroup| {
        let past = before.as_ref().and_then(|before| before.groups.get(&(group.kind, group.class)));
        // Survivors of the window may be the newest of a number that does not grow.
        let cap = |now: u64, past: Option<u64>| match before {
            Some(before) => (now as f64 - past.unwrap_or(0) as f64) / before.marks,
            None => f64::INFINITY,
        };
        let bytes = |group: &CensusGroup| group.body_bytes.saturating_add(group.buffer_bytes);
        let grown = |in_window: u64, cap: f64| window.map(|window| (in_window as f64 / window).min(cap.max(0.0)));
        Row {
            class: names::string(trace, group.class),
            group: *group,
            growth_scalars: grown(group.scalars_in_window, cap(group.scalars, past.map(|past| past.scalars))),
            growth_bytes: grown(group.bytes_in_window, cap(bytes(group), past.map(|past| bytes(past)))),
        }
    };
    last.groups.iter().map(row).collect()
}

/// An earlier census, by type and class.
struct Before<'a> {
    groups: FxHashMap<(ScalarKind, StrId), &'a CensusGroup>,
    /// Marks from it to the last one.
    marks: f64,
}

/// The latest census that lies far enough before `last` to compare with: by a third of the marks.
fn earlier<'a>(trace: &'a Trace, last: &PastCensus) -> Option<Before<'a>> {
    let is_far = |past: &&PastCensus| past.marks > 0 && past.marks <= last.marks - last.marks.div_ceil(3);
    let past = trace.censuses.iter().rev().find(is_far)?;
    let groups = past.groups.iter().map(|group| ((group.kind, group.class), group)).collect();
    Some(Before { groups, marks: (last.marks - past.marks) as f64 })
}
