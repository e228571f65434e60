//! The call tree with self and inclusive figures. A walk over it never recurses: a tree may be a million levels deep.

use super::measures::Measures;
use crate::format::ids::{NodeId, PlaceId};
use crate::tools::trace::Trace;

/// The call tree.
#[derive(Clone, Debug, Default)]
pub struct CallTree {
    parents: Vec<Option<NodeId>>,
    /// All nodes but the roots, siblings side by side, callers in the order of their ids.
    children: Vec<NodeId>,
    /// By node: where its children begin in `children`; one more for the end.
    first_child: Vec<usize>,
    roots: Vec<NodeId>,
    own: Vec<Measures>,
    inclusive: Vec<Measures>,
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
        let base = trace.base.as_ref().map(|base| &base.figures);
        let mut tree = CallTree::default();
        for (id, node) in (0..).map(NodeId).zip(&trace.nodes) {
            let before = base.map(|base| base.node(id)).unwrap_or_default();
            tree.own.push(Measures::of_node(&trace.figures.node(id), &before));
            let parent = (node.parent != id).then_some(node.parent);
            match parent {
                Some(_) => tree.children.push(id),
                None => tree.roots.push(id),
            }
            tree.parents.push(parent);
        }
        let parents = &tree.parents;
        let parent = |id: &NodeId| parents.get(id.index()).copied().flatten();
        tree.children.sort_by_key(parent);
        let nodes = (0..).map(NodeId).take(parents.len() + 1);
        let mut at = 0;
        tree.first_child = nodes
            .map(|id| {
                while tree.children.get(at).is_some_and(|child| parent(child) < Some(id)) {
                    at += 1;
                }
                at
            })
            .collect();
        for (id, place) in (0..).map(PlaceId).zip(&trace.places) {
            if let Some(own) = tree.own.get_mut(place.node.index()) {
                own.add(&place_measures(trace, id));
            }
        }
        tree.inclusive = tree.summed_up(&tree.own, Measures::add);
        tree
    }

    /// For every node the sum of `own` over it and all below it.
    pub fn summed_up<T: Copy>(&self, own: &[T], add: impl Fn(&mut T, &T)) -> Vec<T> {
        let mut sums = own.to_vec();
        // A child is of a higher id than its parent: by the time we come to a node from above, it is complete.
        for (at, parent) in self.parents.iter().enumerate().rev() {
            let (Some(parent), Some(&sum)) = (parent, sums.get(at)) else { continue };
            if let Some(above) = sums.get_mut(parent.index()) {
                add(above, &sum);
            }
        }
        sums
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
        let bounds = (self.first_child.get(id.index()), self.first_child.get(id.index() + 1));
        let (Some(&first), Some(&end)) = bounds else { return &[] };
        self.children.get(first..end).unwrap_or(&[])
    }

    /// Figures of a node without what it calls.
    pub fn own(&self, id: NodeId) -> Measures {
        self.own.get(id.index()).copied().unwrap_or_default()
    }

    /// Figures of a node with all it calls.
    pub fn inclusive(&self, id: NodeId) -> Measures {
        self.inclusive.get(id.index()).copied().unwrap_or_default()
    }

    /// Walks over all nodes, depth first.
    pub fn walk(&self) -> Walk<'_> {
        Walk { tree: self, waiting: self.roots.iter().rev().map(|&root| Step::Enter(root)).collect() }
    }
}

/// Figures of a place in this process.
pub(super) fn place_measures(trace: &Trace, id: PlaceId) -> Measures {
    let before = trace.base.as_ref().map(|base| base.figures.place(id)).unwrap_or_default();
    Measures::of_place(&trace.figures.place(id), &before, trace.last_totals().peak_number)
}

/// A walk over a tree, depth first.
pub struct Walk<'a> {
    tree: &'a CallTree,
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
