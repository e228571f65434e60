//! How places and calls came to their figures: a bounded series over the snapshots, for reports that tell growth.
//!
//! A step holds only what changed since the step before. Where steps become too many, the two neighbours that lie
//! closest together become one, with the later's values; so the points stay spread evenly over marks or time however
//! long the trace is. Never extrapolates.

use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::{NodeFigures, PlaceFigures};
use crate::tools::trace::Recorded;

/// Most points that are kept.
pub const POINTS: usize = 96;

/// Fewest points that are left where the changes are too many.
const FEWEST_POINTS: usize = 12;

/// Changes that may be kept, of all steps together: what bounds the memory.
const CHANGES: usize = 8 << 20;

/// A point of the series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Nanoseconds since the start.
    pub time_ns: u64,
    /// Marks made by then.
    pub marks: u64,
    /// Number of the snapshot.
    pub snapshot: u64,
    /// Was it taken at a mark? Other snapshots fall into the midst of a unit of work.
    pub is_mark: bool,
}

/// Points at marks that are enough; with fewer, others are kept as well.
const MARKS_ENOUGH: usize = 16;

/// What a place kept at a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Bytes allocated there and not freed.
    pub live_bytes: u64,
    /// Scalars born there and not dead.
    pub scalars: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Step {
    point: Point,
    /// In order of their ids.
    places: Vec<(PlaceId, Kept)>,
    /// Calls of nodes, in order of their ids.
    nodes: Vec<(NodeId, u64)>,
}

impl Step {
    fn changes(&self) -> usize {
        self.places.len() + self.nodes.len()
    }

    /// Both steps as one, at the later's point.
    fn followed_by(self, later: Step) -> Step {
        Step { point: later.point, places: merged(self.places, later.places), nodes: merged(self.nodes, later.nodes) }
    }
}

/// Two lists in order of their ids as one; the later's value counts.
fn merged<I: Ord + Copy, V: Copy>(earlier: Vec<(I, V)>, later: Vec<(I, V)>) -> Vec<(I, V)> {
    if earlier.is_empty() {
        return later;
    }
    let mut all = earlier;
    all.extend(later);
    in_order(&mut all);
    all
}

/// Puts rows in order of their ids, of each the last.
fn in_order<I: Ord + Copy, V>(rows: &mut Vec<(I, V)>) {
    rows.reverse();
    rows.sort_by_key(|row| row.0);
    rows.dedup_by_key(|row| row.0);
}

/// The series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    steps: Vec<Step>,
    /// Changes of snapshots that are no points, until the next that is.
    open: Step,
    changes: usize,
    /// Points that were marks.
    marks: usize,
}

impl History {
    /// Takes in a snapshot: the rows that it brings, and what was `known` before it.
    pub(super) fn take(&mut self, point: Point, known: &Recorded, places: &[PlaceFigures], nodes: &[NodeFigures]) {
        let is_mark = point.is_mark;
        let kept = |row: &PlaceFigures| Kept {
            live_bytes: row.live_bytes,
            scalars: i64::try_from(i128::from(row.scalars_born) - i128::from(row.scalars_died)).unwrap_or(0),
        };
        let mut changed: Vec<_> = places.iter().map(|row| (row.id, kept(row))).collect();
        let mut called: Vec<_> = nodes.iter().map(|row| (row.id, row.calls)).collect();
        in_order(&mut changed);
        in_order(&mut called);
        changed.retain(|(id, now)| *now != kept(&known.place(*id)));
        called.retain(|(id, calls)| *calls != known.node(*id).calls);
        let open = std::mem::take(&mut self.open);
        self.open = open.followed_by(Step { point, places: changed, nodes: called });
        if is_mark && self.marks == 0 {
            // What came before the first mark is no unit of work.
            let before = std::mem::take(&mut self.steps).into_iter().reduce(Step::followed_by).unwrap_or_default();
            let open = std::mem::take(&mut self.open);
            self.open = before.followed_by(open);
            self.changes = 0;
        }
        self.marks += usize::from(is_mark);
        if is_mark || self.marks <= MARKS_ENOUGH {
            let step = std::mem::take(&mut self.open);
            self.changes += step.changes();
            self.steps.push(step);
            if self.marks == MARKS_ENOUGH + 1 {
                self.leave_marks_only();
            }
            while self.steps.len() > POINTS || self.changes > CHANGES && self.steps.len() > FEWEST_POINTS {
                self.thin();
            }
        }
    }

    fn leave_marks_only(&mut self) {
        let mut open = Step::default();
        let mut kept = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            open = std::mem::take(&mut open).followed_by(step);
            if open.point.is_mark {
                kept.push(std::mem::take(&mut open));
            }
        }
        self.changes = kept.iter().map(Step::changes).sum();
        self.steps = kept;
    }

    /// Makes one of the two neighbours that are closest, measured from the point before them to the later one.
    fn thin(&mut self) {
        let x = |at: usize| self.steps.get(at).map_or(0, |step| self.x_of(&step.point));
        let width = |at: usize| x(at + 1).saturating_sub(if at == 0 { 0 } else { x(at - 1) });
        // The last point stays as it is: growth is told up to there.
        let Some(at) = (0..self.steps.len().saturating_sub(2)).min_by_key(|&at| width(at)) else { return };
        let later = self.steps.remove(at + 1);
        if let Some(slot) = self.steps.get_mut(at) {
            let before = slot.changes() + later.changes();
            *slot = std::mem::take(slot).followed_by(later);
            self.changes = self.changes.saturating_sub(before - slot.changes());
        }
    }

    fn x_of(&self, point: &Point) -> u64 {
        if self.marks > 0 {
            point.marks
        } else {
            point.time_ns
        }
    }

    /// Are the points marks? Else they are moments.
    pub fn is_by_marks(&self) -> bool {
        self.marks > 0
    }

    /// The points, in order.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.steps.iter().map(|step| step.point)
    }

    /// What a place kept, point by point.
    pub fn of_place(&self, id: PlaceId) -> Vec<Kept> {
        along(self.steps.iter().map(|step| step.places.as_slice()), id)
    }

    /// How often a node had been called, point by point.
    pub fn of_node(&self, id: NodeId) -> Vec<u64> {
        along(self.steps.iter().map(|step| step.nodes.as_slice()), id)
    }

    /// What each place kept at the point of that number; places that never changed may be missing at the end.
    pub fn all_places_at(&self, at: usize) -> Vec<Kept> {
        let mut all = Vec::new();
        for (id, kept) in self.steps.iter().take(at + 1).flat_map(|step| &step.places) {
            if all.len() <= id.index() {
                all.resize(id.index() + 1, Kept::default());
            }
            if let Some(slot) = all.get_mut(id.index()) {
                *slot = *kept;
            }
        }
        all
    }
}

/// The values of one id: of each step its own, or that of the step before.
fn along<'a, I: Ord + Copy + 'a, V: Copy + Default + 'a>(steps: impl Iterator<Item = &'a [(I, V)]>, id: I) -> Vec<V> {
    let mut last = V::default();
    let value = |rows: &[(I, V)]| {
        let found = rows.binary_search_by_key(&id, |row| row.0).ok().and_then(|at| rows.get(at));
        last = found.map_or(last, |row| row.1);
        last
    };
    steps.map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: u32, live_bytes: u64) -> PlaceFigures {
        PlaceFigures { id: PlaceId(id), live_bytes, scalars_born: live_bytes, ..Default::default() }
    }

    fn live(history: &History, id: u32) -> Vec<u64> {
        history.of_place(PlaceId(id)).iter().map(|kept| kept.live_bytes).collect()
    }

    #[test]
    fn a_place_keeps_its_figures_until_they_change() {
        let (mut history, mut known) = (History::default(), Recorded::default());
        for (snapshot, rows) in
            [vec![place(0, 5), place(1, 1)], vec![place(1, 3), place(1, 2)], vec![place(0, 7)]].into_iter().enumerate()
        {
            let point = Point { time_ns: snapshot as u64, snapshot: snapshot as u64, ..Point::default() };
            history.take(point, &known, &rows, &[]);
            known.places.resize(2, PlaceFigures::default());
            rows.iter().for_each(|row| known.places[row.id.index()] = *row);
        }
        assert_eq!(live(&history, 0), [5, 5, 7]);
        assert_eq!(live(&history, 1), [1, 2, 2]);
        assert_eq!(history.all_places_at(1).iter().map(|kept| kept.live_bytes).collect::<Vec<_>>(), [5, 2]);
    }

    #[test]
    fn where_there_are_enough_marks_only_they_are_points() {
        let mut history = History::default();
        let few = |history: &mut History, from: u64, to: u64| {
            for at in from..to {
                let point = Point { time_ns: at, marks: at, snapshot: at, is_mark: at > 3 && at % 2 == 0 };
                history.take(point, &Recorded::default(), &[place(0, 100 + at)], &[]);
            }
        };
        few(&mut history, 0, 8);
        assert_eq!(history.points().map(|point| point.marks).collect::<Vec<_>>(), [4, 5, 6, 7]);
        few(&mut history, 8, 50);
        assert_eq!(live(&history, 0), (104..150).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_series_is_thinned_evenly_and_keeps_its_last_point() {
        let mut history = History::default();
        for at in 0..10_000u64 {
            let point = Point { time_ns: at, marks: at, snapshot: at, is_mark: true };
            history.take(point, &Recorded::default(), &[place(0, at)], &[]);
        }
        let points: Vec<u64> = history.points().map(|point| point.marks).collect();
        assert_eq!((points.len(), points.last()), (POINTS, Some(&9_999)));
        assert!(points.windows(2).all(|pair| pair[1] - pair[0] <= 300), "{points:?}");
        assert_eq!(live(&history, 0), points);
    }
}
