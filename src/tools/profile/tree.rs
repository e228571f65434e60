//! The call tree with self and inclusive figures. A walk over it never recurses: a tree may be a million levels deep.

use super::measures::Measures;
use crate::format::ids::{NodeId, PlaceId};
use crate::tools::trace::{Recorded, Trace};
use std::ops::Deref;

/// The call tree.
#[derive(Clone, Debug, Default)]
pub struct CallTree {
    shape: Shape,
    /// All places, those of a node side by side.
    places: Grouped<PlaceId>,
    inclusive: Vec<Measures>,
}

/// Which node of a tree calls which.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    parents: Vec<Option<NodeId>>,
    /// All nodes but the roots, siblings side by side.
    children: Grouped<NodeId>,
    roots: Vec<NodeId>,
}

/// A step of a walk over the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a node, before its children.
    Enter(NodeId),
    /// Out of it, after its children.
    Leave(NodeId),
}

impl CallTree {
    /// Sums a trace up.
    pub fn new(trace: &Trace) -> Self {
        let nodes = trace.nodes.len();
        let parents = (0..).map(NodeId).zip(&trace.nodes);
        let shape = Shape::new(parents.map(|(id, node)| (node.parent != id).then_some(node.parent)).collect());
        let measures = NodeMeasures::new(trace);
        let mut sums: Vec<Measures> = (0..).map(NodeId).take(nodes).map(|id| measures.of(id)).collect();
        let measures = PlaceMeasures::new(trace);
        for (id, place) in (0..).map(PlaceId).zip(&trace.places) {
            if let Some(own) = sums.get_mut(place.node.index()) {
                own.add(&measures.of(id));
            }
        }
        shape.sum_up(&mut sums, Measures::add);
        let places = Grouped::new(nodes, trace.places.iter().map(|place| Some(place.node)), PlaceId);
        CallTree { shape, places, inclusive: sums }
    }

    /// The places of a node.
    pub(super) fn places(&self, id: NodeId) -> &[PlaceId] {
        self.places.of(id)
    }

    /// Figures of a node without what it calls; `trace` is the one the tree was made of.
    ///
    /// Summed up anew each time: kept, they would take as much memory as the whole rest of the tree.
    pub(super) fn own(&self, trace: &Trace, id: NodeId) -> Measures {
        let mut own = NodeMeasures::new(trace).of(id);
        let measures = PlaceMeasures::new(trace);
        self.places(id).iter().for_each(|&place| own.add(&measures.of(place)));
        own
    }

    /// Figures of a node with all it calls.
    pub fn inclusive(&self, id: NodeId) -> Measures {
        self.inclusive.get(id.index()).copied().unwrap_or_default()
    }
}

/// A call tree is its shape, with figures.
impl Deref for CallTree {
    type Target = Shape;

    fn deref(&self) -> &Shape {
        &self.shape
    }
}

impl Shape {
    /// By node, the one that calls it, of a lower id; `None` for a root.
    pub fn new(parents: Vec<Option<NodeId>>) -> Self {
        let ids = (0..).map(NodeId).zip(&parents);
        Shape {
            roots: ids.filter(|(_, parent)| parent.is_none()).map(|(id, _)| id).collect(),
            children: Grouped::new(parents.len(), parents.iter().copied(), NodeId),
            parents,
        }
    }

    /// For every node the sum of `own` over it and all below it.
    pub fn summed_up<T: Copy>(&self, own: &[T], add: impl Fn(&mut T, &T)) -> Vec<T> {
        let mut sums = own.to_vec();
        self.sum_up(&mut sums, add);
        sums
    }

    /// Makes of every node's own figures the sum over it and all below it.
    fn sum_up<T: Copy>(&self, sums: &mut [T], add: impl Fn(&mut T, &T)) {
        // A child is of a higher id than its parent: by the time we come to a node from above, it is complete.
        for (at, parent) in self.parents.iter().enumerate().rev() {
            let (Some(parent), Some(&sum)) = (parent, sums.get(at)) else { continue };
            if let Some(above) = sums.get_mut(parent.index()) {
                add(above, &sum);
            }
        }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Is there no node?
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The roots: the main program, threads, pools.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// The caller of a node; `None` for a root.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.parents.get(id.index()).copied().flatten()
    }

    /// What a node calls.
    pub fn children(&self, id: NodeId) -> &[NodeId] {
        self.children.of(id)
    }

    /// Walks over all nodes, depth first.
    pub fn walk(&self) -> Walk<'_> {
        Walk { tree: self, waiting: self.roots.iter().rev().map(|&root| Step::Enter(root)).collect() }
    }
}

/// Figures of nodes in this process, without their places'.
pub(super) struct NodeMeasures<'a> {
    now: &'a Recorded,
    base: Option<&'a Recorded>,
}

impl<'a> NodeMeasures<'a> {
    /// Those of a trace.
    pub(super) fn new(trace: &'a Trace) -> Self {
        NodeMeasures { now: &trace.figures, base: trace.base.as_ref().map(|base| &base.figures) }
    }

    /// Figures of a node.
    pub(super) fn of(&self, id: NodeId) -> Measures {
        let before = self.base.map(|base| base.node(id)).unwrap_or_default();
        Measures::of_node(&self.now.node(id), &before)
    }
}

/// Figures of places in this process.
pub(super) struct PlaceMeasures<'a> {
    now: &'a Recorded,
    base: Option<&'a Recorded>,
    peak_number: u64,
}

impl<'a> PlaceMeasures<'a> {
    /// Those of a trace.
    pub(super) fn new(trace: &'a Trace) -> Self {
        let base = trace.base.as_ref().map(|base| &base.figures);
        PlaceMeasures { now: &trace.figures, base, peak_number: trace.last_totals().peak_number }
    }

    /// Figures of a place.
    pub(super) fn of(&self, id: PlaceId) -> Measures {
        let before = self.base.map(|base| base.place(id)).unwrap_or_default();
        Measures::of_place(&self.now.place(id), &before, self.peak_number)
    }
}

/// Ids of some kind, those that belong to the same node side by side, each group in the order of its ids.
#[derive(Clone, Debug)]
struct Grouped<T> {
    ids: Vec<T>,
    /// By node: where its group begins; one more for the end.
    first: Vec<usize>,
}

impl<T> Default for Grouped<T> {
    fn default() -> Self {
        Grouped { ids: Vec::new(), first: Vec::new() }
    }
}

impl<T: Copy> Grouped<T> {
    /// Ids from 0 on, each with the node it belongs to. Counts instead of sorting: a trace may have millions.
    fn new(nodes: usize, of: impl Iterator<Item = Option<NodeId>> + Clone, id: impl Fn(u32) -> T) -> Self {
        let mut first = vec![0usize; nodes + 1];
        for node in of.clone().flatten() {
            if let Some(count) = first.get_mut(node.index() + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for first in &mut first {
            sum += *first;
            *first = sum;
        }
        let mut next = first.clone();
        let mut ids = vec![id(0); sum];
        for (at, node) in (0..).zip(of) {
            let Some(next) = node.and_then(|node| next.get_mut(node.index())) else { continue };
            if let Some(slot) = ids.get_mut(*next) {
                *slot = id(at);
            }
            *next += 1;
        }
        Grouped { ids, first }
    }

    fn of(&self, node: NodeId) -> &[T] {
        let bounds = (self.first.get(node.index()), self.first.get(node.index() + 1));
        let (Some(&first), Some(&end)) = bounds else { return &[] };
        self.ids.get(first..end).unwrap_or(&[])
    }
}

/// A walk over a tree, depth first.
pub struct Walk<'a> {
    tree: &'a Shape,
    waiting: Vec<Step>,
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let step = self.waiting.pop()?;
        if let Step::Enter(id) = step {
            self.waiting.push(Step::Leave(id));
            self.waiting.extend(self.tree.children(id).iter().rev().map(|&child| Step::Enter(child)));
        }
        Some(step)
    }
}
