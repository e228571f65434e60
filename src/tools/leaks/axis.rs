//! What growth is measured along: marks, or seconds in a program without marks.

use crate::tools::history::{History, Point};

/// What the axis counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Units of work that the program, or an option, has marked.
    #[default]
    Marks,
    /// Time.
    Seconds,
}

impl Unit {
    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Marks => "marks",
            Unit::Seconds => "seconds",
        }
    }

    /// One of it, in words.
    pub fn one(self) -> &'static str {
        match self {
            Unit::Marks => "mark",
            Unit::Seconds => "second",
        }
    }
}

/// This part of the axis is warm-up: caches fill, modules are loaded late.
const WARM_UP: f64 = 0.25;

/// Fewest points after warm-up that a line can be laid through.
const FEWEST_POINTS: usize = 5;

/// Fewest marks after warm-up.
const FEWEST_MARKS: f64 = 5.0;

/// Marks after warm-up that are enough; with fewer, snapshots from the midst of a unit of work are looked at as well.
const MARKS_ENOUGH: usize = 8;

/// The axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it counts.
    pub unit: Unit,
    /// Marks or seconds at each point after warm-up.
    pub xs: Vec<f64>,
    /// Of each its number among the points of the history.
    pub points: Vec<usize>,
}

impl Axis {
    /// The axis of a history.
    pub fn new(history: &History) -> Self {
        let unit = if history.is_by_marks() { Unit::Marks } else { Unit::Seconds };
        let x = |point: &Point| match unit {
            Unit::Marks => point.marks as f64,
            Unit::Seconds => point.time_ns as f64 / 1e9,
        };
        let all = || history.points().enumerate();
        let last = all().last().map_or(0.0, |(_, point)| x(&point));
        // At the first point of all nothing has been warmed up.
        let is_warm = |(_, point): &(usize, Point)| x(point) >= last * WARM_UP && x(point) > 0.0;
        let mut warm: Vec<(usize, Point)> = all().filter(is_warm).collect();
        // A program that is soon over has hardly any snapshots: then growth is looked at from the last one in warm-up on.
        if warm.len() < 2 {
            let before = all().take_while(|point| !is_warm(point)).filter(|(_, point)| x(point) > 0.0).last();
            warm.splice(0..0, before);
        }
        if warm.iter().filter(|(_, point)| point.is_mark).count() >= MARKS_ENOUGH {
            warm.retain(|(_, point)| point.is_mark);
        }
        // The last snapshot is taken when the work is over, and much is let go of or loaded only then.
        if unit == Unit::Marks && warm.len() > FEWEST_POINTS && warm.last().is_some_and(|(_, point)| !point.is_mark) {
            warm.pop();
        }
        let xs = warm.iter().map(|(_, point)| x(point)).collect();
        Axis { unit, xs, points: warm.into_iter().map(|(at, _)| at).collect() }
    }

    /// The values of a series of the history at the points of the axis.
    pub fn of<T: Copy + Default>(&self, series: &[T]) -> Vec<T> {
        self.points.iter().map(|&at| series.get(at).copied().unwrap_or_default()).collect()
    }

    /// Marks or seconds up to the end of warm-up.
    pub fn warm_up(&self) -> f64 {
        self.xs.first().copied().unwrap_or(0.0)
    }

    /// Marks or seconds at the last point.
    pub fn end(&self) -> f64 {
        self.xs.last().copied().unwrap_or(0.0)
    }

    /// Marks or seconds from the end of warm-up to the last point.
    pub fn span(&self) -> f64 {
        self.end() - self.warm_up()
    }

    /// Is it long enough to tell that something grew?
    pub fn is_enough(&self) -> bool {
        let marks = self.unit == Unit::Seconds || self.span() >= FEWEST_MARKS;
        self.xs.len() >= 2 && self.span() > 0.0 && marks
    }

    /// Are there enough points to tell how steadily?
    pub fn tells_steadiness(&self) -> bool {
        self.xs.len() >= FEWEST_POINTS
    }
}
