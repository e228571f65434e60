//! `timeline`: the process as it went, point by point.

use super::{Options, Report};
use crate::format::records::TimePoint;
use crate::tools::document::{Section, Value};
use crate::tools::profile::Profile;
use crate::tools::select::{Column, UnknownColumn};

/// The report.
pub(super) struct Timeline;

/// A point and what it is measured by.
struct Row {
    point: TimePoint,
    highest_live_bytes: u64,
    page_bytes: u64,
}

type Of = Column<Row>;

#[rustfmt::skip]
const COLUMNS: &[Column<Row>] = &[
    Of::new("time_ns", "time", |row| Value::Nanoseconds(row.point.time_ns)).ascending(),
    Of::new("live_bytes", "live heap\nbytes", |row| Value::Bytes(row.point.live_bytes)),
    Of::new("live_scalars", "live\nscalars", |row| Value::Count(row.point.scalars)),
    Of::new("resident_bytes", "resident\nbytes", |row| Value::Bytes(row.bytes(row.point.resident_pages))),
    Of::new("resident_pages", "resident\npages", |row| Value::Count(row.point.resident_pages)).on_demand(),
    Of::new("size_bytes", "size\nbytes", |row| Value::Bytes(row.bytes(row.point.size_pages))),
    Of::new("size_pages", "size\npages", |row| Value::Count(row.point.size_pages)).on_demand(),
    Of::new("graph", "live heap", |row| Value::Text(row.bar())).text_only(),
];

/// Width of the graph, in columns.
const GRAPH_COLUMNS: u128 = 40;

impl Row {
    fn bytes(&self, pages: u64) -> u64 {
        pages.saturating_mul(self.page_bytes)
    }

    /// A bar as long as the live heap, to an eighth of a column.
    fn bar(&self) -> String {
        let most = u128::from(self.highest_live_bytes.max(1));
        let eighths = u128::from(self.point.live_bytes) * GRAPH_COLUMNS * 8 / most;
        let mut bar = "█".repeat(usize::try_from(eighths / 8).unwrap_or(0));
        bar.push_str(["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get((eighths % 8) as usize).unwrap_or(&""));
        bar
    }
}

impl Report for Timeline {
    fn name(&self) -> &'static str {
        "timeline"
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let points = &profile.trace.timeline;
        let highest_live_bytes = points.iter().map(|point| point.live_bytes).max().unwrap_or(0);
        let page_bytes = u64::from(profile.trace.header.page_size_bytes);
        let rows: Vec<Row> = points.iter().map(|&point| Row { point, highest_live_bytes, page_bytes }).collect();
        let table = options.selection.table(COLUMNS, &rows, "time_ns", &[])?;
        let section = Section::table("timeline", "", table)
            .note("resident and size are the process's, the profiler included, as last sampled");
        Ok(vec![section])
    }
}
