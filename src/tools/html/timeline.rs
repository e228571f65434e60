//! The process as it went: its time line with no more points than can be seen, and its marks.

use crate::format::records::{Cause, TimePoint};
use crate::tools::profile::Profile;
use crate::tools::trace::{SnapshotTotals, Trace};
use serde::Serialize;

/// Stretches of time of which only the points that stand out are kept.
const STRETCHES: u64 = 500;

/// Marks that are drawn at most.
const MOST_MARKS: usize = 1000;

/// The time line, a column for each figure.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    time_ns: Vec<u64>,
    live_bytes: Vec<u64>,
    resident_bytes: Vec<u64>,
    size_bytes: Vec<u64>,
    scalars: Vec<u64>,
    points_in_all: usize,
    peak_time_ns: u64,
    peak_bytes: u64,
    /// When snapshots were taken at marks, in order.
    mark_time_ns: Vec<u64>,
    marks_in_all: usize,
}

/// The time line of a profile.
pub(super) fn timeline(profile: &Profile) -> Line {
    let trace = &profile.trace;
    let all = points(trace);
    let points = standing_out(&all);
    let at_marks: Vec<u64> =
        trace.snapshots.iter().filter(|snapshot| snapshot.cause == Cause::Mark).map(|mark| mark.time_ns).collect();
    let step = at_marks.len().div_ceil(MOST_MARKS).max(1);
    Line {
        time_ns: points.iter().map(|point| point.time_ns).collect(),
        live_bytes: points.iter().map(|point| point.live_bytes).collect(),
        resident_bytes: points.iter().map(|point| profile.pages_in_bytes(point.resident_pages)).collect(),
        size_bytes: points.iter().map(|point| profile.pages_in_bytes(point.size_pages)).collect(),
        scalars: points.iter().map(|point| point.scalars).collect(),
        points_in_all: all.len(),
        peak_time_ns: profile.totals.peak_time_ns,
        peak_bytes: profile.totals.peak_bytes,
        marks_in_all: at_marks.len(),
        mark_time_ns: at_marks.into_iter().step_by(step).collect(),
    }
}

/// All that is known of the process at a time: the start, the points of the time line, the snapshots. A short program has
/// nothing but its start and its end.
fn points(trace: &Trace) -> Vec<TimePoint> {
    let header = &trace.header;
    let start = TimePoint {
        scalars: header.start_scalars,
        size_pages: header.start_size_pages,
        resident_pages: header.start_resident_pages,
        ..TimePoint::default()
    };
    let of_snapshot = |snapshot: &SnapshotTotals| TimePoint {
        time_ns: snapshot.time_ns,
        live_bytes: snapshot.totals.live_bytes,
        scalars: snapshot.totals.scalars,
        size_pages: snapshot.totals.size_pages,
        resident_pages: snapshot.totals.resident_pages,
    };
    // What a forked child began with is in its first snapshot.
    let start = header.parent_trace.is_none().then_some(start);
    let mut points: Vec<TimePoint> = start
        .into_iter()
        .chain(trace.timeline.iter().copied())
        .chain(trace.snapshots.iter().map(of_snapshot))
        .collect();
    points.sort_by_key(|point| point.time_ns);
    points.dedup_by_key(|point| point.time_ns);
    points
}

/// Of each stretch of time the first and the last point, and those at which a figure is highest or lowest; all where there are few.
fn standing_out(points: &[TimePoint]) -> Vec<TimePoint> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() as u64 <= 2 * STRETCHES {
        return points.to_vec();
    }
    let span_ns = last.time_ns.saturating_sub(first.time_ns) / STRETCHES + 1;
    let stretch = |point: &TimePoint| point.time_ns.saturating_sub(first.time_ns) / span_ns;
    let mut kept = Vec::new();
    for stretch in points.chunk_by(|a, b| stretch(a) == stretch(b)) {
        let mut of_stretch: Vec<TimePoint> = [
            stretch.first(),
            stretch.iter().max_by_key(|point| point.live_bytes),
            stretch.iter().min_by_key(|point| point.live_bytes),
            stretch.iter().max_by_key(|point| point.resident_pages),
            stretch.iter().max_by_key(|point| point.scalars),
            stretch.last(),
        ]
        .into_iter()
        .flatten()
        .copied()
        .collect();
        of_stretch.sort_by_key(|point| point.time_ns);
        of_stretch.dedup();
        kept.extend(of_stretch);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_time_line_keeps_its_ends_and_its_highest_points() {
        let points: Vec<TimePoint> = (0..100_000)
            .map(|at| TimePoint {
                time_ns: at * 20_000_000,
                live_bytes: if at == 77_777 { 1 << 40 } else { at % 1000 },
                resident_pages: if at == 33_333 { 9999 } else { 100 },
                ..TimePoint::default()
            })
            .collect();
        let kept = standing_out(&points);
        assert!(kept.len() <= 3000, "{}", kept.len());
        assert!(kept.is_sorted_by_key(|point| point.time_ns));
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        for at in [77_777, 33_333] {
            assert!(kept.contains(&points[at]));
        }
        assert_eq!(standing_out(&points[..1000]), points[..1000]);
        assert_eq!(standing_out(&[]), []);
    }
}
