//! Time lines of several processes as one: at each instant the sum of what those have that run then.

use crate::format::records::TimePoint;
use crate::tools::trace::Trace;

/// The time line of one process, in absolute time.
pub(super) struct Line {
    /// Start, in nanoseconds since 1970-01-01 UTC.
    start_unix_ns: u64,
    /// When it was last heard of; what it held is gone then, if another process goes on.
    end_unix_ns: u64,
    points: Vec<TimePoint>,
}

impl Line {
    /// That of a trace; of a forked child without what it inherited, except for pages, which are the kernel's word. Each
    /// of its pages counts as `page_scale`.
    pub(super) fn of(trace: &Trace, page_scale: u64) -> Self {
        let base = trace.base.as_ref().map(|base| base.totals).unwrap_or_default();
        let own = |point: &TimePoint| TimePoint {
            live_bytes: point.live_bytes.saturating_sub(base.live_bytes),
            scalars: point.scalars.saturating_sub(base.scalars),
            size_pages: point.size_pages.saturating_mul(page_scale),
            resident_pages: point.resident_pages.saturating_mul(page_scale),
            ..*point
        };
        let start_unix_ns = trace.header.start_unix_ns;
        Line {
            start_unix_ns,
            end_unix_ns: start_unix_ns.saturating_add(trace.last_time_ns()),
            points: trace.timeline.iter().map(own).collect(),
        }
    }

    /// Counts pages in units `scale` times as small.
    pub(super) fn rescale(&mut self, scale: u64) {
        for point in &mut self.points {
            point.size_pages = point.size_pages.saturating_mul(scale);
            point.resident_pages = point.resident_pages.saturating_mul(scale);
        }
    }
}

/// The time line of all together, counted from `start_unix_ns`.
pub(super) fn together(lines: &[Line], start_unix_ns: u64) -> Vec<TimePoint> {
    let last = lines.iter().map(|line| line.end_unix_ns).max().unwrap_or(0);
    let mut events: Vec<(u64, usize, TimePoint)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let instant = |point: &TimePoint| line.start_unix_ns.saturating_add(point.time_ns);
        events.extend(line.points.iter().map(|point| (instant(point), at, *point)));
        // What was held at the very end stays in the last point.
        if line.end_unix_ns < last {
            events.push((line.end_unix_ns, at, TimePoint::default()));
        }
    }
    // A stable sort: a process's last point comes before its end, though they be of one instant.
    events.sort_by_key(|&(instant, at, _)| (instant, at));
    let mut now = vec![TimePoint::default(); lines.len()];
    let mut sum = Sum::default();
    let mut points: Vec<TimePoint> = Vec::with_capacity(events.len());
    for (instant, at, point) in events {
        let Some(before) = now.get_mut(at) else { continue };
        sum.replace(before, &point);
        *before = point;
        let point = sum.point(instant.saturating_sub(start_unix_ns));
        match points.last_mut() {
            Some(last) if last.time_ns == point.time_ns => *last = point,
            _ => points.push(point),
        }
    }
    points
}

/// Wide enough for any sum of points, which a forged trace could fill.
#[derive(Default)]
struct Sum {
    live_bytes: u128,
    scalars: u128,
    size_pages: u128,
    resident_pages: u128,
}

impl Sum {
    fn replace(&mut self, before: &TimePoint, now: &TimePoint) {
        for (sum, before, now) in [
            (&mut self.live_bytes, before.live_bytes, now.live_bytes),
            (&mut self.scalars, before.scalars, now.scalars),
            (&mut self.size_pages, before.size_pages, now.size_pages),
            (&mut self.resident_pages, before.resident_pages, now.resident_pages),
        ] {
            *sum = *sum - u128::from(before) + u128::from(now);
        }
    }

    fn point(&self, time_ns: u64) -> TimePoint {
        let narrow = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        TimePoint {
            time_ns,
            live_bytes: narrow(self.live_bytes),
            scalars: narrow(self.scalars),
            size_pages: narrow(self.size_pages),
            resident_pages: narrow(self.resident_pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_of_those_that_run() {
        let line = |start_unix_ns, end_unix_ns, points: &[(u64, u64)]| Line {
            start_unix_ns,
            end_unix_ns,
            points: points
                .iter()
                .map(|&(time_ns, live_bytes)| TimePoint { time_ns, live_bytes, ..TimePoint::default() })
                .collect(),
        };
        let lines = [line(100, 150, &[(0, 1), (20, 2), (50, 3)]), line(110, 200, &[(0, 10), (10, 20), (90, 30)])];
        let points: Vec<(u64, u64)> =
            together(&lines, 100).iter().map(|point| (point.time_ns, point.live_bytes)).collect();
        assert_eq!(points, [(0, 1), (10, 11), (20, 22), (50, 20), (100, 30)]);
    }
}
