//! `timeline`: the process as it went, point by point.

use super::{number, Of, Rows};
use crate::format::records::TimePoint;
use crate::tools::reader::Keep;

pub(super) static TIMELINE: Rows<(u64, TimePoint)> = Rows {
    name: "timeline",
    key: &["run_id", "point"],
    columns: &[
        Of::integer("point", |_, row| number(row.0)),
        Of::integer("time_ns", |_, row| number(row.1.time_ns)),
        Of::integer("live_bytes", |_, row| number(row.1.live_bytes)),
        Of::integer("live_scalars", |_, row| number(row.1.scalars)),
        Of::integer("size_pages", |_, row| number(row.1.size_pages)),
        Of::integer("resident_pages", |_, row| number(row.1.resident_pages)),
    ],
    keep: Keep::Last,
    measures: &[],
    totals: &[],
    rows: |run| Box::new((0..).zip(run.profile.trace.timeline.iter().copied())),
};
