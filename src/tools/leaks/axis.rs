//! What growth is measured along: marks, or seconds in a program without marks.

use crate::tools::history::History;

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

/// The axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it counts.
    pub unit: Unit,
    /// Marks or seconds at each point after warm-up.
    pub xs: Vec<f64>,
    /// Number of the first of them among the points of the history.
    pub first: usize,
}

impl Axis {
    /// The axis of a history.
    pub fn new(history: &History) -> Self {
        let unit = if history.is_by_marks() { Unit::Marks } else { Unit::Seconds };
        let x = |marks: u64, time_ns: u64| match unit {
            Unit::Marks => marks as f64,
            Unit::Seconds => time_ns as f64 / 1e9,
        };
        let all: Vec<f64> = history.points().map(|point| x(point.marks, point.time_ns)).collect();
        let last = all.last().copied().unwrap_or(0.0);
        // At the first point of all nothing has been warmed up.
        let first = all.iter().position(|&x| x >= last * WARM_UP && x > 0.0).unwrap_or(all.len());
        Axis { unit, xs: all.get(first..).unwrap_or(&[]).to_vec(), first }
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

    /// Is it long enough to tell growth from chance?
    pub fn is_enough(&self) -> bool {
        let marks = self.unit == Unit::Seconds || self.span() >= FEWEST_MARKS;
        self.xs.len() >= FEWEST_POINTS && self.span() > 0.0 && marks
    }
}
