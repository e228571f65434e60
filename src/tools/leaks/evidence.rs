//! What the history says of a group or of places: how much they grew, and for each call.

use super::axis::Axis;
use super::groups::{stretches, At, Group};
use super::growth::Growth;
use super::origin::{Origins, Site};
use super::{Leak, Why, BORNE_OUT, LEAST_BIRTHS};
use crate::format::heap::BirthUnit;
use crate::format::ids::{NodeId, PlaceId};
use crate::tools::history::{History, Kept};
use crate::tools::profile::names;
use crate::tools::trace::{Sample, Trace};
use rustc_hash::FxHashMap;

/// Fewest calls of which one may be under way without doubt about the others.
const CALLS_TO_ROUND: f64 = 16.0;

/// A group with such a part of what is listed at a place has the place for itself.
const NEARLY_ALL: f64 = 0.95;

/// A history, and the axis it is looked at along.
pub(super) struct Evidence<'a> {
    history: &'a History,
    pub(super) axis: &'a Axis,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(history: &'a History, axis: &'a Axis) -> Self {
        Evidence { history, axis }
    }

    /// What all places kept at the end of warm-up, and at the last point.
    pub(super) fn ends(&self) -> (Vec<Kept>, Vec<Kept>) {
        let at = |point: Option<&usize>| point.map(|&at| self.history.all_places_at(at)).unwrap_or_default();
        (at(self.axis.points.first()), at(self.axis.points.last()))
    }

    /// Live bytes and scalars of places, each weighed, at each point of the axis. A place: the share of its scalars and
    /// the share of its bytes that count.
    pub(super) fn series(&self, places: impl IntoIterator<Item = (PlaceId, f64, f64)>) -> (Vec<f64>, Vec<f64>) {
        let (mut bytes, mut scalars) = (vec![0.0; self.axis.xs.len()], vec![0.0; self.axis.xs.len()]);
        for (place, of_scalars, of_bytes) in places {
            let kept = self.axis.of(&self.history.of_place(place));
            for ((kept, bytes), scalars) in kept.iter().zip(&mut bytes).zip(&mut scalars) {
                *bytes += kept.live_bytes as f64 * of_bytes;
                *scalars += kept.scalars as f64 * of_scalars;
            }
        }
        (bytes, scalars)
    }

    /// Calls of the nodes between the ends of the axis.
    fn calls(&self, nodes: impl Iterator<Item = NodeId>) -> f64 {
        let calls = |node| {
            let calls = self.axis.of(&self.history.of_node(node));
            let first = calls.first().copied().unwrap_or(0);
            calls.last().copied().unwrap_or(0).saturating_sub(first) as f64
        };
        nodes.map(calls).sum()
    }

    /// Growth for each call of some nodes; `None` where they were not called again and again.
    fn per_call(&self, growth: &Growth, nodes: impl Iterator<Item = NodeId>) -> Option<f64> {
        let calls = self.calls(nodes);
        (calls >= 2.0).then(|| growth.total / calls)
    }

    /// Scalars for each call, where every instance has as many. At either end of the axis a call may be under way, with
    /// a part of what it keeps: where that explains why the figure is not whole, it is taken for whole.
    fn scalars_per_call(&self, growth: &Growth, group: &Group) -> Option<f64> {
        let calls = self.calls(nodes(group));
        let exact = self.per_call(growth, nodes(group))?;
        let (rounded, each) = (exact.round(), group.scalars as f64 / group.instances.max(1) as f64);
        let is_whole = (each - each.round()).abs() < 0.02 && rounded >= 1.0 && calls >= CALLS_TO_ROUND;
        Some(if is_whole && (growth.total - rounded * calls).abs() <= rounded { rounded } else { exact })
    }

    /// A group as a leak, if it is one.
    pub(super) fn of_group(
        &self,
        group: &Group,
        listed: &FxHashMap<PlaceId, At>,
        sample: &Sample,
        trace: &Trace,
        origins: &Origins,
    ) -> Leak {
        let share = |part: u64, whole: u64| match part as f64 / whole.max(1) as f64 {
            // What is in use at the moment of the sample is no reason to divide.
            nearly if nearly >= NEARLY_ALL => 1.0,
            part => part,
        };
        let places = group.places.iter().map(|(&place, at)| {
            let all = listed.get(&place).copied().unwrap_or_default();
            let of_scalars = share(at.scalars, all.scalars);
            let of_bytes = if all.buffer_bytes == 0 { of_scalars } else { share(at.buffer_bytes, all.buffer_bytes) };
            (place, of_scalars, of_bytes)
        });
        let (mut bytes, scalars) = self.series(places);
        // Heads and bodies come from perl's pools: no place has them among its blocks.
        let body_bytes = group.body_bytes as f64 / group.scalars.max(1) as f64;
        bytes.iter_mut().zip(&scalars).for_each(|(bytes, scalars)| *bytes += scalars * body_bytes);
        let (mut bytes, mut scalars) = (Growth::new(self.axis, &bytes), Growth::new(self.axis, &scalars));
        if !self.axis.tells_steadiness() {
            let births = self.births(group, sample, trace);
            (bytes, scalars) = (bytes.as_steady_as(&births), scalars.as_steady_as(&births));
        }
        let times = group.times(&sample.begins);
        let per = |count: u64| count as f64 / times;
        let site = group.cause.site;
        let born = Some(group.cause.born).filter(|born| (born.file, born.line) != (site.file, site.line));
        let has_sample = sample.begins.listed > 0;
        Leak {
            site,
            born,
            call_path: origins.call_path(site),
            call_paths: group.sites.len(),
            bytes,
            scalars,
            bytes_per_call: self.per_call(&bytes, nodes(group)),
            scalars_per_call: self.scalars_per_call(&scalars, group),
            instances: group.instances,
            kinds: group.kinds.iter().map(|(kind, &count)| ((*kind).to_owned(), per(count))).collect(),
            classes: group.classes.iter().map(|(&class, &count)| (names::string(trace, class), per(count))).collect(),
            why: if has_sample { Why::Sampled(group.cause.reason.clone()) } else { Why::NotSampled },
            path: group.cause.path.clone(),
        }
    }

    /// Does the history bear out what the sample claims of a group?
    pub(super) fn bears_out(&self, group: &Group, leak: &Leak, sample: &Sample, trace: &Trace) -> bool {
        let window = axis_at(sample, trace, sample.begins.to) - axis_at(sample, trace, sample.begins.from);
        if window <= 0.0 || group.births.len() < LEAST_BIRTHS {
            return false;
        }
        let claimed = group.scalars as f64 / window * self.axis.span();
        leak.scalars.total >= claimed * BORNE_OUT
    }

    /// How the scalars of a group came to be over the sample's window: where the history has too few points to tell.
    fn births(&self, group: &Group, sample: &Sample, trace: &Trace) -> Growth {
        let edges = stretches(&sample.begins);
        let xs: Vec<f64> = edges.iter().map(|&edge| axis_at(sample, trace, edge)).collect();
        let mut sum = 0;
        let later = (0..edges.len().saturating_sub(1)).map(|at| {
            sum += group.births_in.get(at).copied().unwrap_or(0);
            sum as f64
        });
        let ys: Vec<f64> = std::iter::once(0.0).chain(later).collect();
        Growth::new(&Axis { unit: self.axis.unit, points: (0..xs.len()).collect(), xs }, &ys)
    }

    /// Places that grew, put together by line, as a leak without a group.
    pub(super) fn of_places(&self, places: &[PlaceId], site: Site, why: Why, origins: &Origins) -> Leak {
        let (bytes, scalars) = self.series(places.iter().map(|&place| (place, 1.0, 1.0)));
        let (bytes, scalars) = (Growth::new(self.axis, &bytes), Growth::new(self.axis, &scalars));
        let node = || std::iter::once(site.node);
        Leak {
            site,
            born: None,
            call_path: origins.call_path(site),
            call_paths: 1,
            bytes,
            scalars,
            bytes_per_call: self.per_call(&bytes, node()),
            scalars_per_call: self.per_call(&scalars, node()),
            instances: 0,
            kinds: Vec::new(),
            classes: Vec::new(),
            why,
            path: String::new(),
        }
    }
}

/// Marks, or seconds, when births of that number begin.
fn axis_at(sample: &Sample, trace: &Trace, born: u64) -> f64 {
    if sample.begins.unit == BirthUnit::Marks {
        return born as f64;
    }
    // Births count the snapshots before them.
    let before = born.checked_sub(1).map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    let snapshot = before.and_then(|at| trace.snapshots.get(at).or(trace.snapshots.last()));
    snapshot.map_or(0.0, |snapshot| snapshot.time_ns as f64 / 1e9)
}

/// The nodes in which a group's line ran.
fn nodes(group: &Group) -> impl Iterator<Item = NodeId> + '_ {
    group.sites.keys().map(|(node, _, _)| *node)
}
