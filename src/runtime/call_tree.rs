//! The call tree: a node for each call path, bounded by the number of distinct paths.
//!
//! Recursion is folded: a sub that is already on the path is its own node again, not a new one below. A node has self
//! figures only; inclusive figures are sums over the tree, made by the reader. Depth is capped; calls below the cap
//! belong to the node at the cap and are counted.

use crate::format::ids::{NodeId, StrId, SubId};
use crate::format::records::{Node, NodeFigures, Sub};
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// A node and its self figures.
#[derive(Clone, Copy, Default)]
pub struct NodeState {
    /// Where it stands.
    pub node: Node,
    /// Distance from its root.
    depth: u32,
    /// Changed since it was last written?
    pub changed: bool,
    /// Self figures.
    pub figures: NodeFigures,
}

/// The tree. There may be several roots: the main program, one for each thread, perl's pools.
pub struct CallTree {
    subs: Vec<Sub>,
    sub_ids: HashTable<u32>,
    nodes: Vec<NodeState>,
    node_ids: HashTable<u32>,
    changed: Vec<NodeId>,
    depth_cap: u32,
    /// Calls folded into their caller at the cap.
    pub depth_capped_calls: u64,
    /// What an id out of range would get: nothing is lost that was ever right, and nothing panics.
    spare: NodeState,
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

impl CallTree {
    /// An empty tree that grows no deeper than `depth_cap` calls.
    pub fn new(depth_cap: u32) -> Self {
        Self {
            subs: Vec::new(),
            sub_ids: HashTable::new(),
            nodes: Vec::new(),
            node_ids: HashTable::new(),
            changed: Vec::new(),
            depth_cap,
            depth_capped_calls: 0,
            spare: NodeState::default(),
        }
    }

    /// The id of a sub, new or old.
    pub fn sub(&mut self, sub: Sub) -> SubId {
        let subs = &self.subs;
        if let Some(&id) = self.sub_ids.find(hash(sub), |&id| subs.get(id as usize) == Some(&sub)) {
            return SubId(id);
        }
        let id = self.subs.len() as u32;
        self.subs.push(sub);
        let subs = &self.subs;
        self.sub_ids.insert_unique(hash(sub), id, |&id| hash(subs.get(id as usize)));
        SubId(id)
    }

    /// A new root.
    pub fn root(&mut self, sub: SubId) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.push(Node { parent: id, sub, call_file: StrId(0), call_line: 0 }, 0)
    }

    fn push(&mut self, node: Node, depth: u32) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        let figures = NodeFigures { id, ..Default::default() };
        self.nodes.push(NodeState { node, depth, changed: false, figures });
        id
    }

    /// The node for a call of `sub` from `parent`, at a statement; new or old.
    pub fn child(&mut self, parent: NodeId, sub: SubId, call_file: StrId, call_line: u32) -> NodeId {
        let node = Node { parent, sub, call_file, call_line };
        let nodes = &self.nodes;
        let same = |&id: &u32| nodes.get(id as usize).is_some_and(|state| state.node == node);
        if let Some(&id) = self.node_ids.find(hash(node), same) {
            return NodeId(id);
        }
        if let Some(ancestor) = self.on_path(parent, sub) {
            return ancestor;
        }
        let depth = self.state(parent).depth + 1;
        if depth > self.depth_cap {
            self.depth_capped_calls += 1;
            return parent;
        }
        let id = self.push(node, depth);
        let nodes = &self.nodes;
        self.node_ids.insert_unique(hash(node), id.0, |&id| hash(nodes.get(id as usize).map(|s| s.node)));
        id
    }

    fn on_path(&self, from: NodeId, sub: SubId) -> Option<NodeId> {
        let mut at = from;
        loop {
            let node = self.nodes.get(at.index())?.node;
            if node.sub == sub {
                return Some(at);
            }
            if node.parent == at {
                return None;
            }
            at = node.parent;
        }
    }

    /// Is a call from this node to a new one cut off by the cap? Then it is not to be cached: each is counted.
    pub fn is_capped(&self, parent: NodeId, child: NodeId) -> bool {
        parent == child && self.nodes.get(parent.index()).is_some_and(|state| state.depth >= self.depth_cap)
    }

    /// A node, to change its figures.
    #[inline]
    pub fn state(&mut self, id: NodeId) -> &mut NodeState {
        match self.nodes.get_mut(id.index()) {
            Some(state) => {
                if !state.changed {
                    state.changed = true;
                    self.changed.push(id);
                }
                state
            }
            None => &mut self.spare,
        }
    }

    /// The figures that changed since the last call.
    pub fn take_changed(&mut self) -> Vec<NodeFigures> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        let figures = changed.iter().filter_map(|id| {
            let state = self.nodes.get_mut(id.index())?;
            state.changed = false;
            Some(state.figures)
        });
        figures.collect()
    }

    /// Marks every node as changed, for a trace that begins anew.
    pub fn change_all(&mut self) {
        for (index, state) in self.nodes.iter_mut().enumerate().filter(|(_, state)| !state.changed) {
            state.changed = true;
            self.changed.push(NodeId(index as u32));
        }
    }

    /// Has any node changed?
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Subs from id `first` on.
    pub fn subs_from(&self, first: u32) -> &[Sub] {
        self.subs.get(first as usize..).unwrap_or(&[])
    }

    /// Nodes from id `first` on.
    pub fn nodes_from(&self, first: u32) -> impl Iterator<Item = Node> + '_ {
        self.nodes.get(first as usize..).unwrap_or(&[]).iter().map(|state| state.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub(tree: &mut CallTree, name: u32) -> SubId {
        tree.sub(Sub { name: StrId(name), ..Default::default() })
    }

    #[test]
    fn one_path_is_one_node_and_another_call_site_another() {
        let mut tree = CallTree::new(100);
        let (main, f) = (sub(&mut tree, 1), sub(&mut tree, 2));
        let root = tree.root(main);
        let first = tree.child(root, f, StrId(9), 10);
        assert_eq!(tree.child(root, f, StrId(9), 10), first);
        assert_ne!(tree.child(root, f, StrId(9), 11), first);
    }

    #[test]
    fn recursion_is_folded_directly_and_through_others() {
        let mut tree = CallTree::new(100);
        let (main, f, g) = (sub(&mut tree, 1), sub(&mut tree, 2), sub(&mut tree, 3));
        let root = tree.root(main);
        let in_f = tree.child(root, f, StrId(9), 1);
        assert_eq!(tree.child(in_f, f, StrId(9), 2), in_f);
        let in_g = tree.child(in_f, g, StrId(9), 3);
        assert_eq!(tree.child(in_g, f, StrId(9), 4), in_f);
    }

    #[test]
    fn below_the_cap_calls_belong_to_the_node_at_the_cap_and_are_counted() {
        let mut tree = CallTree::new(2);
        let subs: Vec<_> = (1..=4).map(|name| sub(&mut tree, name)).collect();
        let root = tree.root(subs[0]);
        let one = tree.child(root, subs[1], StrId(9), 1);
        let two = tree.child(one, subs[2], StrId(9), 1);
        assert_eq!(tree.child(two, subs[3], StrId(9), 1), two);
        assert!(tree.is_capped(two, two));
        assert_eq!(tree.depth_capped_calls, 1);
    }
}
