//! What the history says of a group or of places: how much they grew, and for each call.

use super::axis::Axis;
use super::groups::{At, Group};
use super::growth::Growth;
use super::origin::{Origins, Site};
use super::{Leak, Why, BORNE_OUT, LEAST_BIRTHS};
use crate::format::heap::BirthUnit;
use crate::format::ids::{NodeId, PlaceId};
use crate::tools::history::{History, Kept};
use crate::tools::profile::names;
use crate::tools::trace::{Sample, Trace};
use rustc_hash::FxHashMap;

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
        let last = self.history.points().len().saturating_sub(1);
        (self.history.all_places_at(self.axis.first), self.history.all_places_at(last))
    }

    /// Live bytes and scalars of places, each weighed, at each point of the axis. A place: the share of its scalars and
    /// the share of its bytes that count.
    pub(super) fn series(&self, places: impl IntoIterator<Item = (PlaceId, f64, f64)>) -> (Vec<f64>, Vec<f64>) {
        let (mut bytes, mut scalars) = (vec![0.0; self.axis.xs.len()], vec![0.0; self.axis.xs.len()]);
        for (place, of_scalars, of_bytes) in places {
            let kept = self.history.of_place(place);
            for ((kept, bytes), scalars) in kept.iter().skip(self.axis.first).zip(&mut bytes).zip(&mut scalars) {
                *bytes += kept.live_bytes as f64 * of_bytes;
                *scalars += kept.scalars as f64 * of_scalars;
            }
        }
        (bytes, scalars)
    }

    /// Calls of the nodes between the ends of the axis.
    fn calls(&self, nodes: impl Iterator<Item = NodeId>) -> f64 {
        let calls = |node| {
            let calls = self.history.of_node(node);
            let first = calls.get(self.axis.first).copied().unwrap_or(0);
            calls.last().copied().unwrap_or(0).saturating_sub(first) as f64
        };
        nodes.map(calls).sum()
    }

    /// Growth for each call of some nodes; `None` where they were not called again and again.
    pub(super) fn per_call(&self, growth: &Growth, nodes: impl Iterator<Item = NodeId>) -> Option<f64> {
        let calls = self.calls(nodes);
        (calls >= 2.0).then(|| whole(growth.total, calls))
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
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
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
        let (bytes, scalars) = (Growth::new(self.axis, &bytes), Growth::new(self.axis, &scalars));
        let nodes = || group.sites.keys().map(|(node, _, _)| *node);
        let per = |count: u64| count as f64 / group.instances.max(1) as f64;
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
            bytes_per_call: self.per_call(&bytes, nodes()),
            scalars_per_call: self.per_call(&scalars, nodes()),
            instances: group.instances,
            kinds: group.kinds.iter().map(|(kind, &count)| ((*kind).to_owned(), per(count))).collect(),
            classes: group.classes.iter().map(|(&class, &count)| (names::string(trace, class), per(count))).collect(),
            why: if has_sample { Why::Sampled(group.cause.reason.clone()) } else { Why::NotSampled },
            path: group.cause.path.clone(),
        }
    }

    /// Does the history bear out what the sample claims of a group?
    pub(super) fn bears_out(&self, group: &Group, leak: &Leak, sample: &Sample) -> bool {
        let window = self.window(sample);
        if window <= 0.0 || group.births.len() < LEAST_BIRTHS {
            return false;
        }
        let claimed = group.scalars as f64 / window * self.axis.span();
        leak.scalars.total >= claimed * BORNE_OUT
    }

    /// Length of a sample's window, in marks or seconds.
    fn window(&self, sample: &Sample) -> f64 {
        let begins = &sample.begins;
        match begins.unit {
            BirthUnit::Marks => begins.to.saturating_sub(begins.from) as f64,
            BirthUnit::Snapshots => self.time_at(begins.to) - self.time_at(begins.from),
        }
    }

    /// Seconds from the start to the end of the first snapshot kept that is not before that number.
    fn time_at(&self, snapshot: u64) -> f64 {
        let mut points = self.history.points();
        let found = points.find(|point| point.snapshot >= snapshot).or(self.history.points().last());
        found.map_or(0.0, |point| point.time_ns as f64 / 1e9)
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

/// A growth for each call. At either end of the axis a call may be under way, with a part of what it keeps: where that
/// explains why the figure is not a whole number, it is taken for one.
fn whole(total: f64, calls: f64) -> f64 {
    let exact = total / calls;
    let rounded = exact.round();
    if rounded >= 1.0 && (total - rounded * calls).abs() <= rounded && calls >= 16.0 {
        rounded
    } else {
        exact
    }
}
