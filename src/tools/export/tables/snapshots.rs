//! `snapshots`: the process's counters at each snapshot.

use super::{number, Cell, Of, Rows};
use crate::format::records::Totals;
use crate::tools::profile::names;
use crate::tools::reader::Keep;
use crate::tools::trace::SnapshotTotals;

/// A snapshot, its number, and its counters without what a forked child inherited.
pub(super) struct Row {
    number: u64,
    snapshot: SnapshotTotals,
    totals: Totals,
}

pub(super) static SNAPSHOTS: Rows<Row> = Rows {
    name: "snapshots",
    key: &["run_id", "snapshot"],
    columns: &[
        Of::integer("snapshot", |_, row| number(row.number)),
        Of::integer("time_ns", |_, row| number(row.snapshot.time_ns)),
        Of::text("cause", |_, row| Cell::Text(names::cause(row.snapshot.cause))),
        Of::integer("marks", |_, row| number(row.snapshot.marks)),
    ],
    keep: Keep::Last,
    measures: &[],
    totals: &[|row| &row.totals],
    rows: |run| {
        let row = |(number, snapshot): (u64, &SnapshotTotals)| Row {
            number,
            snapshot: *snapshot,
            totals: run.profile.since_fork(&snapshot.totals),
        };
        Box::new((0..).zip(&run.profile.trace.snapshots).map(row))
    },
};
