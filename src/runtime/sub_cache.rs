//! Subs and call edges by address, so that a call seen before is named without asking perl.
//!
//! Addresses are reused, so nothing here outlives the code it was learnt from: freeing a sub's op tree removes its entry,
//! and edges are of the generations of both their addresses.

use super::generations;
use super::place_cache::spread;
use crate::format::ids::{NodeId, SubId};
use rustc_hash::FxHashMap;

/// How a sub is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubKey {
    /// Address of the code: the root of the op tree (shared by all clones of a closure), or the CV of an XSUB.
    pub code: usize,
    /// What else tells two subs with that code apart: the address of the name, mixed with the name's hash where that
    /// address may be freed before the code is.
    pub name: usize,
}

#[derive(Clone, Copy)]
struct Edge {
    key: SubKey,
    cop: usize,
    parent: NodeId,
    child: NodeId,
    /// Of both addresses: generations only rise, so their sum stands if and only if both do.
    generation: u32,
}

/// No node.
const EMPTY: Edge =
    Edge { key: SubKey { code: 0, name: 0 }, cop: 0, parent: NodeId(u32::MAX), child: NodeId(0), generation: 0 };

/// Entries of the edge cache at first, and at most; powers of two.
const FEWEST_EDGES: usize = 1 << 10;
const MOST_EDGES: usize = 1 << 15;
/// Subs remembered at most: a program may make distinct named closures without end.
const MOST_SUBS: usize = 1 << 16;

/// Subs by key, and edges by (caller, statement, key). The edges are direct-mapped, and grow when more was missed than half
/// of what they can hold.
pub struct SubCache {
    edges: Box<[Edge]>,
    missed: usize,
    subs: FxHashMap<usize, (usize, SubId)>,
}

impl Default for SubCache {
    fn default() -> Self {
        Self { edges: vec![EMPTY; FEWEST_EDGES].into_boxed_slice(), missed: 0, subs: FxHashMap::default() }
    }
}

#[inline]
fn generation(cop: usize, code: usize) -> u32 {
    generations::of(cop).wrapping_add(generations::of(code))
}

impl SubCache {
    #[inline]
    fn slot(&self, parent: NodeId, cop: usize, key: SubKey) -> usize {
        (spread(cop ^ key.code.rotate_left(20), parent) >> 32) & (self.edges.len() - 1)
    }

    /// The node that a call from `parent` at `cop` leads to.
    #[inline]
    pub fn edge(&self, parent: NodeId, cop: usize, key: SubKey) -> Option<NodeId> {
        let edge = self.edges.get(self.slot(parent, cop, key))?;
        let same = edge.key == key && edge.cop == cop && edge.parent == parent;
        (same && edge.generation == generation(cop, key.code)).then_some(edge.child)
    }

    /// Remembers an edge that was not known.
    pub fn note_edge(&mut self, parent: NodeId, cop: usize, key: SubKey, child: NodeId) {
        self.missed += 1;
        if self.missed > self.edges.len() / 2 && self.edges.len() < MOST_EDGES {
            self.grow();
        }
        let slot = self.slot(parent, cop, key);
        if let Some(edge) = self.edges.get_mut(slot) {
            *edge = Edge { key, cop, parent, child, generation: generation(cop, key.code) };
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.missed = 0;
        let bigger = vec![EMPTY; self.edges.len() * 2].into_boxed_slice();
        for edge in std::mem::replace(&mut self.edges, bigger) {
            let slot = self.slot(edge.parent, edge.cop, edge.key);
            if let Some(free) = self.edges.get_mut(slot) {
                *free = edge;
            }
        }
    }

    /// The sub of that key.
    pub fn sub(&self, key: SubKey) -> Option<SubId> {
        self.subs.get(&key.code).filter(|(name, _)| *name == key.name).map(|&(_, sub)| sub)
    }

    /// Remembers a sub.
    pub fn note_sub(&mut self, key: SubKey, sub: SubId) {
        if self.subs.len() >= MOST_SUBS {
            self.subs.clear();
        }
        self.subs.insert(key.code, (key.name, sub));
    }

    /// perl frees the code at that address.
    pub fn forget(&mut self, code: usize) {
        self.subs.remove(&code);
    }
}
