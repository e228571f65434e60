//! How a figure grew after warm-up, and how steadily. Thresholds of steadiness stand here and nowhere else.

use super::axis::Axis;

/// A line that explains so much of the figure is steady by itself.
const STEADY: f64 = 0.9;

/// A line that explains so much is steady where the figure grew in each part as well: buffers grow in steps.
const STEADY_IN_STEPS: f64 = 0.7;

/// The least part of the growth that each third of the axis must have, of what it would have on a straight line.
const LEAST_THIRD: f64 = 1.0 / 3.0;

/// Rises from one point to the next that make a habit.
const LEAST_RISES: usize = 3;

/// How a figure grew.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Growth {
    /// From the end of warm-up to the last point.
    pub total: f64,
    /// What there is at the last point.
    pub at_end: f64,
    /// Per mark, or per second.
    pub per_unit: f64,
    /// How much of the figure's variation a straight line explains: R² of least squares, from 0 to 1.
    pub steadiness: f64,
    /// In the last quarter of the axis.
    pub in_last_quarter: f64,
    /// In each third.
    thirds: [f64; 3],
    rises: usize,
    falls: f64,
}

impl Growth {
    /// The growth of a figure, given at each point of the axis.
    pub fn new(axis: &Axis, ys: &[f64]) -> Self {
        let (Some(&first), Some(&last)) = (ys.first(), ys.last()) else { return Growth::default() };
        if axis.span() <= 0.0 {
            return Growth::default();
        }
        let at = |part: f64| value_at(&axis.xs, ys, axis.warm_up() + part * axis.span());
        let total = last - first;
        let (one, two) = (at(1.0 / 3.0), at(2.0 / 3.0));
        let steps = || ys.windows(2).map(|pair| pair.last().unwrap_or(&0.0) - pair.first().unwrap_or(&0.0));
        Growth {
            total,
            at_end: last,
            per_unit: total / axis.span(),
            steadiness: r_squared(&axis.xs, ys),
            in_last_quarter: last - at(0.75),
            thirds: [one - first, two - one, last - two],
            rises: steps().filter(|&step| step > 0.0).count(),
            falls: steps().filter(|&step| step < 0.0).map(f64::abs).sum(),
        }
    }

    /// The same growth, as steady as `other`.
    pub fn as_steady_as(self, other: &Growth) -> Growth {
        let scale = if other.total > 0.0 { self.total / other.total } else { 0.0 };
        Growth {
            steadiness: other.steadiness,
            thirds: other.thirds.map(|third| third * scale),
            rises: other.rises,
            falls: other.falls * scale,
            ..self
        }
    }

    /// Both growths together; as steady as the larger of them.
    pub fn with(self, other: &Growth) -> Growth {
        let larger = if other.total > self.total { other } else { &self };
        let [a, b, c] = self.thirds;
        let [d, e, f] = other.thirds;
        Growth {
            total: self.total + other.total,
            at_end: self.at_end + other.at_end,
            per_unit: self.per_unit + other.per_unit,
            in_last_quarter: self.in_last_quarter + other.in_last_quarter,
            thirds: [a + d, b + e, c + f],
            ..*larger
        }
    }

    /// Is it steady without regard to steps?
    pub fn is_line(&self) -> bool {
        self.steadiness >= STEADY
    }

    /// Does it grow steadily: along a line, to the end, and not by chance?
    pub fn is_steady(&self) -> bool {
        let fair_third = self.total / 3.0;
        let least = fair_third * LEAST_THIRD;
        let everywhere = self.thirds.iter().all(|&third| third >= least);
        let line = self.is_line() || self.steadiness >= STEADY_IN_STEPS && everywhere;
        let to_the_end = self.thirds.last().is_some_and(|&third| third >= least);
        self.total > 0.0 && line && to_the_end && self.rises >= LEAST_RISES && self.falls <= self.total
    }
}

/// The figure at `x`, on the line between the points around it.
fn value_at(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let after = xs.partition_point(|&known| known < x);
    let point = |at: usize| Some((*xs.get(at)?, *ys.get(at)?));
    match (after.checked_sub(1).and_then(point), point(after)) {
        (Some((x0, y0)), Some((x1, y1))) if x1 > x0 => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (_, Some((_, y))) | (Some((_, y)), None) => y,
        (None, None) => 0.0,
    }
}

/// The coefficient of determination of the least-squares line through the points; 0 where the figure does not vary.
fn r_squared(xs: &[f64], ys: &[f64]) -> f64 {
    let count = xs.len().min(ys.len()) as f64;
    let mean = |values: &[f64]| values.iter().take(count as usize).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(xs), mean(ys));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in xs.iter().zip(ys) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    if xx > 0.0 && yy > 0.0 {
        (xy * xy / (xx * yy)).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(y: impl Fn(usize) -> f64) -> Growth {
        let xs: Vec<f64> = (25..=100).step_by(3).map(|x| x as f64).collect();
        let ys: Vec<f64> = xs.iter().map(|&x| y(x as usize)).collect();
        Growth::new(&Axis { xs, ..Axis::default() }, &ys)
    }

    #[test]
    fn a_line_is_steady_and_its_growth_exact() {
        let line = growth(|x| 7.0 * x as f64 + 3.0);
        assert!(line.is_steady());
        assert!((line.per_unit - 7.0).abs() < 1e-9 && (line.steadiness - 1.0).abs() < 1e-9);
        assert!((line.in_last_quarter - line.total / 4.0).abs() < 1e-9);
    }

    #[test]
    fn leaks_of_every_tenth_mark_and_buffers_that_grow_by_a_fifth_are_steady() {
        assert!(growth(|x| (x / 10) as f64).is_steady());
        assert!(growth(|x| 1.2f64.powf((x as f64).log(1.2).ceil())).is_steady());
    }

    #[test]
    fn what_happened_once_or_has_ended_is_not_steady() {
        for y in [
            |_: usize| 5.0,
            |x: usize| if x > 60 { 1e6 } else { 0.0 },
            |x: usize| x.min(60) as f64,
            |x: usize| (x % 7) as f64,
            |x: usize| -(x as f64),
        ] {
            assert!(!growth(y).is_steady());
        }
    }
}
