//! Subs and call edges by address, so that a call seen before is named without asking perl.
//!
//! Addresses are reused, so nothing here outlives the code it was learnt from: freeing a sub's op tree removes its entry,
//! and edges are of the generations of both their addresses.

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

#[derive(Clone, Copy, Default)]
struct Edge {
    key: SubKey,
    cop: usize,
    parent: NodeId,
    child: NodeId,
    cop_generation: u32,
    code_generation: u32,
    known: bool,
}

/// Entries of the edge cache; a power of two.
const EDGES: usize = 8192;
/// Subs remembered at most: a program may make distinct named closures without end.
const MOST_SUBS: usize = 1 << 16;

/// Subs by key, and edges by (caller, statement, key).
pub struct SubCache {
    edges: Box<[Edge]>,
    subs: FxHashMap<usize, (usize, SubId)>,
}

impl Default for SubCache {
    fn default() -> Self {
        Self { edges: vec![Edge::default(); EDGES].into_boxed_slice(), subs: FxHashMap::default() }
    }
}

#[inline]
fn slot(parent: NodeId, cop: usize, key: SubKey) -> usize {
    let mixed = (key.code >> 3) ^ (cop >> 3).wrapping_mul(31) ^ (parent.0 as usize).wrapping_mul(0x9e37_79b1);
    (mixed ^ (mixed >> 12)) & (EDGES - 1)
}

impl SubCache {
    /// The node that a call from `parent` at `cop` leads to.
    #[inline]
    pub fn edge(&self, parent: NodeId, cop: usize, key: SubKey) -> Option<NodeId> {
        let edge = self.edges.get(slot(parent, cop, key))?;
        let same = edge.key == key && edge.cop == cop && edge.parent == parent && edge.known;
        let holds = edge.cop_generation == generations::of(cop) && edge.code_generation == generations::of(key.code);
        (same && holds).then_some(edge.child)
    }

    /// Remembers an edge.
    pub fn note_edge(&mut self, parent: NodeId, cop: usize, key: SubKey, child: NodeId) {
        if let Some(edge) = self.edges.get_mut(slot(parent, cop, key)) {
            let (cop_generation, code_generation) = (generations::of(cop), generations::of(key.code));
            *edge = Edge { key, cop, parent, child, cop_generation, code_generation, known: true };
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
