//! Subs and call edges by address, so that a call seen before is named without asking perl.
//!
//! Addresses are reused, so nothing here outlives the code it was learnt from: freeing a sub's op tree removes its entry,
//! and edges are of the generations of both their addresses.

use super::direct_mapped::{self, spread, DirectMapped};
use super::generations;
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

impl direct_mapped::Entry for Edge {
    const EMPTY: Self =
        Edge { key: SubKey { code: 0, name: 0 }, cop: 0, parent: NodeId(u32::MAX), child: NodeId(0), generation: 0 };

    fn spread(&self) -> usize {
        spread_edge(self.parent, self.cop, self.key)
    }
}

#[inline]
fn spread_edge(parent: NodeId, cop: usize, key: SubKey) -> usize {
    spread(cop ^ key.code.rotate_left(20), parent)
}

/// Subs remembered at most: a program may make distinct named closures without end.
const MOST_SUBS: usize = 1 << 16;

/// Subs by key, and edges by (caller, statement, key).
#[derive(Default)]
pub struct SubCache {
    edges: DirectMapped<Edge>,
    subs: FxHashMap<usize, (usize, SubId)>,
}

#[inline]
fn generation(cop: usize, code: usize) -> u32 {
    generations::of(cop).wrapping_add(generations::of(code))
}

impl SubCache {
    /// The node that a call from `parent` at `cop` leads to.
    #[inline]
    pub fn edge(&self, parent: NodeId, cop: usize, key: SubKey) -> Option<NodeId> {
        let edge = self.edges.get(spread_edge(parent, cop, key))?;
        let same = edge.key == key && edge.cop == cop && edge.parent == parent;
        (same && edge.generation == generation(cop, key.code)).then_some(edge.child)
    }

    /// Remembers an edge that was not known.
    pub fn note_edge(&mut self, parent: NodeId, cop: usize, key: SubKey, child: NodeId) {
        self.edges.note(Edge { key, cop, parent, child, generation: generation(cop, key.code) });
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
