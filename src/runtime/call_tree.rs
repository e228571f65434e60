//! The call tree: a node for each call path, bounded by the number of distinct paths.
//!
//! Recursion is folded: a sub that is already on the path is its own node again, not a new one below. A node has self
//! figures only; inclusive figures are sums over the tree, made by the reader. Depth is capped; calls below the cap
//! belong to the node at the cap and are counted.
//!
//! As with places, figures are kept in one or two bytes until a node outgrows them.

use super::bit_set::BitSet;
use super::chains::Chains;
use super::direct_mapped::{spread, DirectMapped};
use super::locations::{LocationId, Locations};
use super::narrow::{State, Units};
use super::paged::{Paged, Stated};
use crate::format::ids::{NodeId, SubId};
use crate::format::records::{Node, NodeFigures, Sub, SubKind};
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashSet};
use std::hash::BuildHasher;

/// What makes a node: a root is its own parent.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Path {
    parent: NodeId,
    sub: SubId,
    called_at: LocationId,
}

impl Path {
    #[inline]
    fn hash(self) -> u64 {
        let call = u64::from(self.parent.0) << 32 | u64::from(self.called_at.number());
        spread(spread(call) ^ u64::from(self.sub.0))
    }
}

/// What runs above a call.
enum Above {
    /// The same sub, in that node.
    Same(NodeId),
    /// As many calls as there may be.
    TooMany,
    /// Neither.
    Others,
}

/// A node and, as long as they are small, its self figures.
#[derive(Clone, Copy, Default)]
struct Small {
    path: Path,
    calls: u16,
    freed: Units,
    freed_blocks: u8,
    size_pages: i8,
    resident_pages: i8,
    /// If it is big, its figures are at the index that [`Small::index`] tells.
    state: State,
}

fn hash_of(nodes: &Paged<Small>, id: u32) -> u64 {
    nodes.get(id as usize).map_or(0, |node| node.path.hash())
}

/// The tree. There may be several roots: the main program, one for each thread, perl's pools.
pub struct CallTree {
    subs: Vec<Sub>,
    sub_ids: HashTable<u32>,
    nodes: Paged<Small>,
    big: Vec<NodeFigures>,
    /// The calls of each node.
    of_callers: Chains,
    /// Subs that have been called, and locations that have called any.
    subs_seen: BitSet,
    callers_seen: BitSet,
    /// Nodes that have called what is above them, and lately where from: such calls are in no chain.
    folders: BitSet,
    folded: DirectMapped<(Path, NodeId), { 1 << 11 }>,
    /// The node looked up last.
    last: NodeId,
    depth_cap: u32,
    /// The path to the node that was called from last, its subs, and what is left of the way there.
    walked: Vec<NodeId>,
    walked_subs: FxHashSet<u32>,
    ahead: Vec<NodeId>,
    /// Calls folded into their caller at the cap.
    pub depth_capped_calls: u64,
}

impl CallTree {
    /// An empty tree that grows no deeper than `depth_cap` calls.
    pub fn new(depth_cap: u32) -> Self {
        Self {
            subs: Vec::new(),
            sub_ids: HashTable::new(),
            nodes: Paged::new(),
            big: Vec::new(),
            of_callers: Chains::new(),
            subs_seen: BitSet::new(),
            callers_seen: BitSet::new(),
            folders: BitSet::new(),
            folded: DirectMapped::default(),
            last: NodeId(0),
            depth_cap,
            walked: Vec::new(),
            walked_subs: FxHashSet::default(),
            ahead: Vec::new(),
            depth_capped_calls: 0,
        }
    }

    /// The id of a sub, new or old.
    pub fn sub(&mut self, sub: Sub) -> SubId {
        let subs = &self.subs;
        if let Some(&id) = self.sub_ids.find(FxBuildHasher.hash_one(sub), |&id| subs.get(id as usize) == Some(&sub)) {
            return SubId(id);
        }
        let id = self.subs.len() as u32;
        self.subs.push(sub);
        let subs = &self.subs;
        let rehash = |&id: &u32| subs.get(id as usize).map_or(0, |known| FxBuildHasher.hash_one(known));
        self.sub_ids.insert_unique(FxBuildHasher.hash_one(sub), id, rehash);
        SubId(id)
    }

    /// A new root.
    pub fn root(&mut self, sub: SubId) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.push(Path { parent: id, sub, called_at: LocationId::default() })
    }

    fn push(&mut self, path: Path) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Small { path, ..Default::default() });
        id
    }

    /// The node for a call of `sub` from `parent`, at a statement; new or old. As with places, it may well be the one after the
    /// last.
    pub fn child(&mut self, parent: NodeId, sub: SubId, called_at: LocationId) -> NodeId {
        let path = Path { parent, sub, called_at };
        let next = NodeId(self.last.0 + 1);
        let is_next = self.nodes.get(next.index()).is_some_and(|node| node.path == path);
        self.last = match if is_next { Some(next) } else { self.find(path) } {
            Some(id) => id,
            None => match self.above(path) {
                Above::Same(id) => {
                    self.folders.insert(parent.0);
                    self.folded.note(path.hash(), (path, id));
                    id
                }
                Above::Others => self.add(path),
                // Not remembered, for each is counted.
                Above::TooMany => {
                    self.depth_capped_calls += 1;
                    parent
                }
            },
        };
        self.last
    }

    fn find(&mut self, path: Path) -> Option<NodeId> {
        // Most are from lines that run for the first time.
        if self.callers_seen.insert(path.called_at.number()) | self.subs_seen.insert(path.sub.0) {
            return None;
        }
        let is_it = |id: u32| self.nodes.get(id as usize).is_some_and(|node| node.path == path);
        let hash_of = |id| hash_of(&self.nodes, id);
        let found = self.of_callers.find(path.parent.0, path.hash(), is_it, hash_of).map(NodeId);
        if found.is_none() && self.folders.contains(path.parent.0) {
            let (folded, into) = self.folded.get(path.hash());
            return (folded == path).then_some(into);
        }
        found
    }

    /// What runs above a call that has no node of its own.
    fn above(&mut self, path: Path) -> Above {
        self.walk_to(path.parent);
        if self.walked_subs.contains(&path.sub.0) {
            let same = self.path_from(path.parent).find(|(_, above)| above.sub == path.sub);
            return same.map_or(Above::Others, |(id, _)| Above::Same(id));
        }
        if self.walked.len() > self.depth_cap as usize {
            Above::TooMany
        } else {
            Above::Others
        }
    }

    /// Makes `walked` the path to a node. New nodes are mostly near the one before, so few steps lead there: ids ascend on
    /// every path, which tells where two of them part.
    fn walk_to(&mut self, node: NodeId) {
        let mut at = Some(node);
        while let Some(id) = at {
            while let Some(last) = self.walked.last().copied().filter(|last| last.0 > id.0) {
                self.walked.pop();
                self.walked_subs.remove(&self.sub_of(last).0);
            }
            if self.walked.last() == Some(&id) {
                break;
            }
            self.ahead.push(id);
            at = self.nodes.get(id.index()).map(|node| node.path.parent).filter(|&parent| parent != id);
        }
        if at.is_none() {
            // Another root.
            self.walked.clear();
            self.walked_subs.clear();
        }
        while let Some(id) = self.ahead.pop() {
            self.walked.push(id);
            self.walked_subs.insert(self.sub_of(id).0);
        }
    }

    fn add(&mut self, path: Path) -> NodeId {
        let id = self.push(path);
        self.of_callers.add(path.parent.0, id.0, |id| hash_of(&self.nodes, id));
        id
    }

    /// A node and all above it, up to its root.
    fn path_from(&self, node: NodeId) -> impl Iterator<Item = (NodeId, Path)> + '_ {
        let of = |id: NodeId| Some((id, self.nodes.get(id.index())?.path));
        std::iter::successors(of(node), move |&(id, path)| if path.parent == id { None } else { of(path.parent) })
    }

    /// No node is looked up any more.
    pub fn look_up_no_more(&mut self) {
        (self.of_callers, self.folded) = (Chains::new(), DirectMapped::default());
        (self.subs_seen, self.callers_seen, self.folders) = (BitSet::new(), BitSet::new(), BitSet::new());
    }

    /// The sub that runs in a node.
    pub fn sub_of(&self, node: NodeId) -> SubId {
        self.nodes.get(node.index()).map_or(SubId(0), |node| node.path.sub)
    }

    /// Is a file being loaded on the node's path?
    pub fn is_loading(&self, node: NodeId) -> bool {
        let loads = |path: Path| self.subs.get(path.sub.index()).is_some_and(|sub| sub.kind == SubKind::Require);
        self.path_from(node).any(|(_, path)| loads(path))
    }

    /// Moves the figures of a node to full width.
    #[cold]
    fn widen(&mut self, id: NodeId) -> Option<&mut NodeFigures> {
        let node = self.nodes.get_mut(id.index())?;
        if !node.state.is_big() {
            let figures = node.widened(id);
            node.state.outgrow();
            node.set_index(self.big.len() as u32);
            self.big.push(figures);
        }
        self.big.get_mut(node.index())
    }

    /// The node is called so many times.
    pub fn called(&mut self, id: NodeId, calls: u32) {
        let Some(node) = self.nodes.touch(id.index()) else { return };
        let figures = if node.state.is_big() {
            let index = node.index();
            self.big.get_mut(index)
        } else if let Ok(sum) = u16::try_from(u64::from(node.calls) + u64::from(calls)) {
            node.calls = sum;
            return;
        } else {
            self.widen(id)
        };
        if let Some(figures) = figures {
            figures.calls += u64::from(calls);
        }
    }

    /// The node frees so many blocks, of `bytes` together.
    pub fn freed(&mut self, id: NodeId, bytes: u64, blocks: u64) {
        let Some(node) = self.nodes.touch(id.index()) else { return };
        let figures = if node.state.is_big() {
            let index = node.index();
            self.big.get_mut(index)
        } else {
            let sum = u8::try_from(u64::from(node.freed_blocks) + blocks);
            if let (Some(freed), Ok(sum)) = (node.freed.with(bytes), sum) {
                (node.freed, node.freed_blocks) = (freed, sum);
                return;
            }
            self.widen(id)
        };
        if let Some(figures) = figures {
            figures.freed_bytes += bytes;
            figures.freed_blocks += blocks;
        }
    }

    /// The process grew by so many pages while the node ran, or shrank.
    pub fn grew(&mut self, id: NodeId, size_pages: i64, resident_pages: i64) {
        let Some(node) = self.nodes.touch(id.index()) else { return };
        let sum = |old: i8, more: i64| i8::try_from(i64::from(old) + more).ok();
        match (sum(node.size_pages, size_pages), sum(node.resident_pages, resident_pages)) {
            (Some(size), Some(resident)) if !node.state.is_big() => {
                (node.size_pages, node.resident_pages) = (size, resident);
            }
            _ => {
                if let Some(figures) = self.widen(id) {
                    figures.size_pages += size_pages;
                    figures.resident_pages += resident_pages;
                }
            }
        }
    }

    /// At most `most` of the nodes that have changed since they were last taken, in the order of their ids, with their
    /// figures. None are left when there are none here.
    pub fn take_changed(&mut self, most: usize) -> Vec<NodeFigures> {
        let big = &self.big;
        self.nodes.take_changed(most, |id, node| match big.get(node.index()).filter(|_| node.state.is_big()) {
            Some(&figures) => figures,
            None => node.widened(NodeId(id as u32)),
        })
    }

    /// Marks every node as changed, for a trace that begins anew.
    pub fn change_all(&mut self) {
        self.nodes.touch_all();
    }

    /// Has any node changed?
    pub fn has_changed(&self) -> bool {
        self.nodes.has_changed()
    }

    /// At most so many nodes have changed.
    pub fn most_changed(&self) -> usize {
        self.nodes.most_changed()
    }

    /// Subs from id `first` on.
    pub fn subs_from(&self, first: u32) -> &[Sub] {
        self.subs.get(first as usize..).unwrap_or(&[])
    }

    /// How many nodes there are.
    pub fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// `count` nodes from id `first` on.
    pub fn nodes_from<'a>(
        &'a self,
        first: u32,
        count: usize,
        locations: &'a Locations,
    ) -> impl Iterator<Item = Node> + 'a {
        self.nodes.from(first as usize).take(count).map(|node| {
            let at = locations.get(node.path.called_at);
            Node { parent: node.path.parent, sub: node.path.sub, call_file: at.file, call_line: at.line }
        })
    }
}

impl Stated for Small {
    #[inline]
    fn state(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Small {
    /// Where the figures of a big node are: a number in place of its calls and freed units.
    #[inline]
    fn index(&self) -> usize {
        (u32::from(self.calls) | u32::from(self.freed.0) << 16) as usize
    }

    fn set_index(&mut self, index: u32) {
        (self.calls, self.freed) = (index as u16, Units((index >> 16) as u16));
    }

    fn widened(self, id: NodeId) -> NodeFigures {
        NodeFigures {
            id,
            calls: self.calls.into(),
            freed_bytes: self.freed.bytes(),
            freed_blocks: self.freed_blocks.into(),
            size_pages: self.size_pages.into(),
            resident_pages: self.resident_pages.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::locations::Location;
    use super::*;
    use crate::format::ids::StrId;
    use proptest::prelude::*;

    fn at(line: u32) -> LocationId {
        thread_local!(static ALL: std::cell::RefCell<Locations> = Locations::new().into());
        ALL.with_borrow_mut(|all| all.intern(Location { file: StrId(9), line }))
    }

    fn sub(tree: &mut CallTree, name: u32) -> SubId {
        tree.sub(Sub { name: StrId(name), ..Default::default() })
    }

    #[test]
    fn one_path_is_one_node_and_another_call_site_another() {
        let mut tree = CallTree::new(100);
        let (main, f) = (sub(&mut tree, 1), sub(&mut tree, 2));
        let root = tree.root(main);
        let first = tree.child(root, f, at(10));
        assert_eq!(tree.child(root, f, at(10)), first);
        assert_ne!(tree.child(root, f, at(11)), first);
    }

    #[test]
    fn recursion_is_folded_directly_and_through_others() {
        let mut tree = CallTree::new(100);
        let (main, f, g) = (sub(&mut tree, 1), sub(&mut tree, 2), sub(&mut tree, 3));
        let root = tree.root(main);
        let in_f = tree.child(root, f, at(1));
        assert_eq!(tree.child(in_f, f, at(2)), in_f);
        let in_g = tree.child(in_f, g, at(3));
        assert_eq!(tree.child(in_g, f, at(4)), in_f);
    }

    #[test]
    fn below_the_cap_calls_belong_to_the_node_at_the_cap_and_are_counted() {
        let mut tree = CallTree::new(2);
        let subs: Vec<_> = (1..=4).map(|name| sub(&mut tree, name)).collect();
        let root = tree.root(subs[0]);
        let one = tree.child(root, subs[1], at(1));
        let two = tree.child(one, subs[2], at(1));
        assert_eq!(tree.child(two, subs[3], at(1)), two);
        assert_eq!(tree.child(two, subs[3], at(1)), two);
        assert_eq!(tree.depth_capped_calls, 2);
    }

    proptest! {
        /// Against the slow model: each new path walked up to its root.
        #[test]
        fn recursion_is_folded_wherever_the_calls_come_from(
            calls in prop::collection::vec((any::<prop::sample::Index>(), 0u32..12, 1u32..3), 1..300),
            depth_cap in 1u32..9,
        ) {
            let mut tree = CallTree::new(depth_cap);
            let roots: Vec<_> = (100..102).map(|name| sub(&mut tree, name)).collect();
            let mut nodes: Vec<_> = roots.iter().map(|&root| tree.root(root)).collect();
            let mut children = std::collections::HashMap::new();
            for (parent, name, line) in calls {
                let parent = *parent.get(&nodes);
                let called = sub(&mut tree, name);
                let above: Vec<_> = tree.path_from(parent).collect();
                let known = children.get(&(parent, name, line)).copied();
                let same = above.iter().find(|(_, above)| above.sub == called).map(|&(id, _)| id);
                let capped = tree.depth_capped_calls;
                let child = tree.child(parent, called, at(line));
                if let Some(expected) = known.or(same) {
                    prop_assert_eq!(child, expected);
                } else if above.len() > depth_cap as usize {
                    prop_assert_eq!((child, tree.depth_capped_calls), (parent, capped + 1));
                } else {
                    prop_assert!(!nodes.contains(&child));
                    nodes.push(child);
                    children.insert((parent, name, line), child);
                }
            }
        }
    }

    #[test]
    fn tables_know_their_entries_again_after_they_have_grown() {
        let mut tree = CallTree::new(10);
        let main = sub(&mut tree, 0);
        let root = tree.root(main);
        let subs: Vec<_> = (1..2000).map(|name| sub(&mut tree, name)).collect();
        let nodes: Vec<_> = subs.iter().map(|&sub| tree.child(root, sub, at(1))).collect();
        let again: Vec<_> = (1..2000).map(|name| sub(&mut tree, name)).collect();
        assert_eq!(again, subs);
        assert!(subs.iter().zip(&nodes).all(|(&sub, &node)| tree.child(root, sub, at(1)) == node));
    }

    #[test]
    fn blocks_that_are_freed_together_count_as_one_by_one() {
        let mut tree = CallTree::new(2);
        let main = sub(&mut tree, 1);
        let root = tree.root(main);
        for blocks in [1, 200, 54, 1, 3_000_000_000] {
            tree.freed(root, blocks * 24, blocks);
        }
        let figures = tree.take_changed(9)[0];
        assert_eq!((figures.freed_bytes, figures.freed_blocks), (3_000_000_256 * 24, 3_000_000_256));
    }

    #[test]
    fn a_node_that_outgrows_its_bytes_loses_nothing() {
        let mut tree = CallTree::new(2);
        let main = sub(&mut tree, 1);
        let root = tree.root(main);
        tree.called(root, 1);
        for _ in 0..5 {
            tree.freed(root, 3 << 30, 1);
            tree.grew(root, i64::from(i32::MAX), -1);
        }
        tree.called(root, 1);
        let changed = tree.take_changed(9);
        let figures = changed[0];
        assert_eq!((figures.calls, figures.freed_bytes, figures.freed_blocks), (2, 15 << 30, 5));
        assert_eq!((figures.size_pages, figures.resident_pages), (5 * i64::from(i32::MAX), -5));
        assert_eq!((changed.len(), figures.id, tree.has_changed()), (1, root, false));
    }
}
