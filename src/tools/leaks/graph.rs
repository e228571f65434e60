//! The references of a heap sample as a graph, and what of it nothing outside holds.
//!
//! What holds a scalar is told by its reference count: references from listed scalars are known one by one; where the
//! count is higher, something else refers to it as well. Trial deletion (D. F. Bacon, V. T. Rajan: Concurrent Cycle
//! Collection in Reference Counted Systems, 2001; CPython's collector does the same): take the references inside away,
//! and whatever then has none left, and cannot be reached from what has, is unreachable. This is sound: a scalar is
//! called unreachable only if the references inside explain every count on the way to it.

use crate::format::heap::{EdgeKind, HeapEdge, HeapScalar};
use crate::tools::trace::Sample;
use std::collections::VecDeque;

/// A sample's strong references, by either end.
pub struct Graph<'a> {
    /// The sample.
    pub sample: &'a Sample,
    listed: usize,
    out: Grouped,
    into: Grouped,
}

/// Numbers of edges, grouped by a scalar.
struct Grouped {
    edges: Vec<u32>,
    first: Vec<usize>,
}

impl Grouped {
    /// Counts instead of sorting: the edges of a group stay in the sample's order.
    fn new(sample: &Sample, end: impl Fn(&HeapEdge) -> u32) -> Self {
        let strong = || (0u32..).zip(&sample.edges).filter(|(_, edge)| edge.kind != EdgeKind::Weak);
        let mut first = vec![0usize; sample.scalars.len() + 1];
        for (_, edge) in strong() {
            if let Some(count) = first.get_mut(end(edge) as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for first in &mut first {
            sum += *first;
            *first = sum;
        }
        let mut next = first.clone();
        let mut edges = vec![0; sum];
        for (at, edge) in strong() {
            let Some(next) = next.get_mut(end(edge) as usize) else { continue };
            if let Some(slot) = edges.get_mut(*next) {
                *slot = at;
            }
            *next += 1;
        }
        Grouped { edges, first }
    }

    fn of(&self, scalar: u32) -> &[u32] {
        let at = scalar as usize;
        let (Some(&first), Some(&end)) = (self.first.get(at), self.first.get(at + 1)) else { return &[] };
        self.edges.get(first..end).unwrap_or(&[])
    }
}

impl<'a> Graph<'a> {
    /// The graph of a sample.
    pub fn new(sample: &'a Sample) -> Self {
        let listed = (sample.begins.listed as usize).min(sample.scalars.len());
        Graph {
            sample,
            listed,
            out: Grouped::new(sample, |edge| edge.from),
            into: Grouped::new(sample, |edge| edge.to),
        }
    }

    /// How many scalars are listed; they have the lowest numbers.
    pub fn listed(&self) -> u32 {
        self.listed as u32
    }

    /// Is the scalar listed, and no holder?
    pub fn is_listed(&self, scalar: u32) -> bool {
        (scalar as usize) < self.listed
    }

    /// A scalar of the sample.
    pub fn scalar(&self, scalar: u32) -> Option<&'a HeapScalar> {
        self.sample.scalars.get(scalar as usize)
    }

    /// Strong references from a scalar.
    pub fn out(&self, scalar: u32) -> impl DoubleEndedIterator<Item = &'a HeapEdge> + '_ {
        self.out.of(scalar).iter().filter_map(|&at| self.sample.edges.get(at as usize))
    }

    /// Strong references to a scalar.
    pub fn into(&self, scalar: u32) -> impl DoubleEndedIterator<Item = &'a HeapEdge> + '_ {
        self.into.of(scalar).iter().filter_map(|&at| self.sample.edges.get(at as usize))
    }

    /// Strong references from a listed scalar to listed ones.
    pub fn inner(&self, scalar: u32) -> impl DoubleEndedIterator<Item = &'a HeapEdge> + '_ {
        self.out(scalar).filter(|edge| self.is_listed(edge.from) && self.is_listed(edge.to))
    }

    /// Listed scalars that something outside of the listed ones refers to, in their order.
    pub fn entries(&self) -> Vec<u32> {
        let held = |&scalar: &u32| {
            let inside = self.into(scalar).filter(|edge| self.is_listed(edge.from)).count();
            // Fewer than are known inside would be a contradiction; to call such a scalar held is the safe side.
            self.scalar(scalar).is_none_or(|known| known.references as usize != inside)
        };
        (0..self.listed()).filter(held).collect()
    }

    /// For each listed scalar the nearest of `sources` that leads to it; of two as near the earlier. A source leads to
    /// itself.
    pub fn nearest(&self, sources: &[u32]) -> Vec<Option<u32>> {
        let mut nearest = vec![None; self.listed];
        let mut waiting = VecDeque::new();
        for &source in sources {
            if let Some(slot) = nearest.get_mut(source as usize).filter(|slot| slot.is_none()) {
                *slot = Some(source);
                waiting.push_back(source);
            }
        }
        while let Some(scalar) = waiting.pop_front() {
            let source = nearest.get(scalar as usize).copied().flatten();
            for edge in self.inner(scalar) {
                if let Some(slot) = nearest.get_mut(edge.to as usize).filter(|slot| slot.is_none()) {
                    *slot = source;
                    waiting.push_back(edge.to);
                }
            }
        }
        nearest
    }
}
