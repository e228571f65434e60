//! What stays for the same reason at the same line, put together over one heap sample.

use super::causes::{Cause, Causes, Reason};
use super::cycles::components;
use super::graph::Graph;
use super::origin::{Origins, Site};
use super::wording;
use crate::format::heap::{BirthUnit, HeapBegins, ScalarKind};
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::tools::trace::{Sample, Trace};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// Listed scalars of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct At {
    /// Born there.
    pub scalars: u64,
    /// Bytes of the buffers whose largest block was allocated there.
    pub buffer_bytes: u64,
}

/// Stretches of a sample's window that births are counted in, if it has as many marks.
const STRETCHES: u64 = 48;

/// Marks that a group remembers as those its scalars were born in: more than enough to tell a habit.
const BIRTHS: usize = 16;

/// What stays for the same reason at the same line.
#[derive(Clone, Debug)]
pub struct Group {
    /// An example of the cause; the most frequent reason and path.
    pub cause: Cause,
    /// How many instances: cycles, or entries of what holds them.
    pub instances: u64,
    /// Scalars of all instances.
    pub scalars: u64,
    /// Bytes of their heads and bodies.
    pub body_bytes: u64,
    /// Bytes of their buffers.
    pub buffer_bytes: u64,
    /// By place.
    pub places: FxHashMap<PlaceId, At>,
    /// By type, for what is no object.
    pub kinds: BTreeMap<&'static str, u64>,
    /// By class.
    pub classes: BTreeMap<StrId, u64>,
    /// Some marks (or snapshots) that scalars were born in.
    pub births: BTreeSet<u64>,
    /// How many scalars were born in each stretch of the window, the stretches as in [`stretches`].
    pub births_in: Vec<u64>,
    /// Nodes that the line ran in, with their instances.
    pub sites: BTreeMap<(NodeId, StrId, u32), u64>,
    causes: FxHashMap<(Reason, String), u64>,
}

/// All groups of a sample.
pub struct Grouped {
    /// The groups.
    pub groups: Vec<Group>,
    /// Listed scalars by place, in whichever group.
    pub listed: FxHashMap<PlaceId, At>,
    /// Names of scalars of the sample whose buffer was allocated at a place, the largest one's.
    pub buffers: FxHashMap<PlaceId, String>,
}

type Key = (StrId, u32, SubId, Option<Reason>);

/// Groups what is listed in a sample.
pub fn groups(sample: &Sample, trace: &Trace, origins: &Origins) -> Grouped {
    let graph = Graph::new(sample);
    let mut causes = Causes::new(&graph, trace, origins);
    let mut found: FxHashMap<Key, Group> = FxHashMap::default();

    let entries = graph.entries();
    let held_by = graph.nearest(&entries);
    let is_held = |scalar: u32| held_by.get(scalar as usize).is_some_and(Option::is_some);
    for (&entry, members) in &instances(&held_by) {
        if let Some(cause) = causes.of_held(entry) {
            take(&mut found, &graph, trace, cause, members);
        }
    }
    let cycles = components(&graph, |scalar| !is_held(scalar));
    let firsts: Vec<u32> = cycles.iter().flatten().copied().collect();
    // What hangs on a cycle belongs to the nearest one.
    let mut of_scalar: FxHashMap<u32, usize> = FxHashMap::default();
    for (at, cycle) in cycles.iter().enumerate() {
        of_scalar.extend(cycle.iter().map(|&scalar| (scalar, at)));
    }
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); cycles.len()];
    for (scalar, nearest) in (0u32..).zip(graph.nearest(&firsts)) {
        let of = nearest.and_then(|nearest| of_scalar.get(&nearest)).filter(|_| !is_held(scalar));
        if let Some(members) = of.and_then(|&at| members.get_mut(at)) {
            members.push(scalar);
        }
    }
    for (cycle, members) in cycles.iter().zip(&members) {
        if let Some(cause) = causes.of_cycle(cycle) {
            take(&mut found, &graph, trace, cause, members);
        }
    }
    let listed = listed(&graph);
    let buffers = buffers(&graph, &mut causes);
    let mut groups: Vec<Group> = found.into_values().collect();
    groups.iter_mut().for_each(Group::settle);
    Grouped { groups, listed, buffers }
}

/// Where the stretches of a sample's window begin, in marks or snapshots, and where the last one ends.
pub fn stretches(begins: &HeapBegins) -> Vec<u64> {
    let width = begins.to.saturating_sub(begins.from);
    let count = width.min(STRETCHES);
    let edge = |at: u64| begins.from + (u128::from(width) * u128::from(at) / u128::from(count.max(1))) as u64;
    (0..=count).map(edge).collect()
}

fn stretch_of(begins: &HeapBegins, born: u64) -> usize {
    let width = begins.to.saturating_sub(begins.from);
    let count = width.min(STRETCHES);
    let into = born.saturating_sub(begins.from).min(width.saturating_sub(1));
    // The inverse of the edges' rounding down: the last stretch that does not begin after it.
    let at = (u128::from(into + 1) * u128::from(count)).div_ceil(u128::from(width.max(1))).saturating_sub(1);
    (at as usize).min(STRETCHES as usize - 1)
}

/// Scalars by the source they are nearest to, in order.
fn instances(nearest: &[Option<u32>]) -> BTreeMap<u32, Vec<u32>> {
    let mut instances: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (scalar, source) in (0u32..).zip(nearest) {
        if let Some(source) = source {
            instances.entry(*source).or_default().push(scalar);
        }
    }
    instances
}

fn take(found: &mut FxHashMap<Key, Group>, graph: &Graph, trace: &Trace, cause: Cause, members: &[u32]) {
    let Site { node, file, line } = cause.site;
    let sub = trace.nodes.get(node.index()).map(|node| node.sub).unwrap_or_default();
    // Cycles of one line are one leak, whatever their shapes.
    let reason = (!matches!(cause.reason, Reason::Cycle { .. })).then(|| cause.reason.clone());
    let group = found.entry((file, line, sub, reason)).or_insert_with(|| Group::new(cause.clone()));
    group.instances += 1;
    *group.sites.entry((node, file, line)).or_default() += 1;
    *group.causes.entry((cause.reason, cause.path)).or_default() += 1;
    for scalar in members.iter().filter_map(|&member| graph.scalar(member)) {
        group.scalars += 1;
        group.body_bytes += u64::from(scalar.body_bytes);
        group.buffer_bytes = group.buffer_bytes.saturating_add(scalar.buffer_bytes);
        if scalar.class == StrId(0) {
            *group.kinds.entry(wording::kind(scalar.kind)).or_default() += 1;
        } else {
            *group.classes.entry(scalar.class).or_default() += 1;
        }
        if group.births.len() < BIRTHS {
            group.births.insert(scalar.born);
        }
        let stretch = stretch_of(&graph.sample.begins, scalar.born);
        if group.births_in.len() <= stretch {
            group.births_in.resize(stretch + 1, 0);
        }
        if let Some(births) = group.births_in.get_mut(stretch) {
            *births += 1;
        }
        add(&mut group.places, scalar.birthplace, scalar.buffer_place, scalar.buffer_bytes);
    }
}

fn add(places: &mut FxHashMap<PlaceId, At>, born: Option<PlaceId>, buffer: Option<PlaceId>, buffer_bytes: u64) {
    if let Some(place) = born {
        places.entry(place).or_default().scalars += 1;
    }
    if let Some(at) = buffer.map(|place| places.entry(place).or_default()) {
        at.buffer_bytes = at.buffer_bytes.saturating_add(buffer_bytes);
    }
}

fn listed(graph: &Graph) -> FxHashMap<PlaceId, At> {
    let mut listed = FxHashMap::default();
    for scalar in (0..graph.listed()).filter_map(|scalar| graph.scalar(scalar)) {
        add(&mut listed, scalar.birthplace, scalar.buffer_place, scalar.buffer_bytes);
    }
    listed
}

/// Of each place the name of the scalar with the largest buffer that was allocated there and is no listed one.
fn buffers(graph: &Graph, causes: &mut Causes) -> FxHashMap<PlaceId, String> {
    let mut largest: FxHashMap<PlaceId, (u64, u32)> = FxHashMap::default();
    let holders = (0u32..).zip(&graph.sample.scalars).skip(graph.listed() as usize);
    for (at, scalar) in holders.filter(|(_, scalar)| scalar.kind != ScalarKind::Root) {
        let Some(place) = scalar.buffer_place else { continue };
        let known = largest.entry(place).or_default();
        *known = (*known).max((scalar.buffer_bytes, at));
    }
    largest.into_iter().map(|(place, (_, at))| (place, causes.name_of(at))).collect()
}

impl Group {
    fn new(cause: Cause) -> Self {
        Group {
            cause,
            instances: 0,
            scalars: 0,
            body_bytes: 0,
            buffer_bytes: 0,
            places: FxHashMap::default(),
            kinds: BTreeMap::new(),
            classes: BTreeMap::new(),
            births: BTreeSet::new(),
            births_in: Vec::new(),
            sites: BTreeMap::new(),
            causes: FxHashMap::default(),
        }
    }

    /// Were most of its scalars born at one of these places?
    pub fn is_mostly_at(&self, places: &FxHashSet<PlaceId>) -> bool {
        let there = self.places.iter().filter(|(place, _)| places.contains(place)).map(|(_, at)| at.scalars);
        there.sum::<u64>() * 2 > self.scalars
    }

    /// How many times the same is kept: instances, or of one long chain marks.
    pub fn times(&self, begins: &HeapBegins) -> f64 {
        let marks = begins.to.saturating_sub(begins.from);
        let is_chain = self.instances.saturating_mul(4) < marks && self.births.len() >= BIRTHS;
        if is_chain && begins.unit == BirthUnit::Marks {
            marks as f64
        } else {
            self.instances.max(1) as f64
        }
    }

    /// Takes the most frequent reason and path for the example, and the most frequent call path for the site.
    fn settle(&mut self) {
        let causes = std::mem::take(&mut self.causes);
        let most = causes.into_iter().max_by(|(a, one), (b, other)| one.cmp(other).then(b.cmp(a)));
        if let Some(((reason, path), _)) = most {
            (self.cause.reason, self.cause.path) = (reason, path);
        }
        let site = self.sites.iter().max_by_key(|(site, instances)| (**instances, std::cmp::Reverse(**site)));
        if let Some((&(node, file, line), _)) = site {
            self.cause.site = Site { node, file, line };
        }
    }
}
