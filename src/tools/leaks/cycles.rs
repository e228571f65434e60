//! Cycles among scalars that nothing holds: strongly connected components, and the shortest way round.
//!
//! R. Tarjan: Depth-First Search and Linear Graph Algorithms, 1972; without recursion, for a chain may be a million
//! scalars long.

use super::graph::Graph;
use crate::format::heap::HeapEdge;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Strongly connected components that have a cycle, each in order of its scalars' numbers.
pub fn components(graph: &Graph, is_in: impl Fn(u32) -> bool) -> Vec<Vec<u32>> {
    const NEW: u32 = u32::MAX;
    let count = graph.listed() as usize;
    let (mut order, mut low) = (vec![NEW; count], vec![NEW; count]);
    let mut on_stack = vec![false; count];
    let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0u32);
    let get = |table: &[u32], at: u32| table.get(at as usize).copied().unwrap_or(NEW);
    fn set<T>(table: &mut [T], at: u32, value: T) {
        if let Some(slot) = table.get_mut(at as usize) {
            *slot = value;
        }
    }
    for root in (0..graph.listed()).filter(|&scalar| is_in(scalar)) {
        if get(&order, root) != NEW {
            continue;
        }
        // A scalar, and those it refers to that have not been looked at.
        let mut calls: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut enter = Some(root);
        loop {
            if let Some(scalar) = enter.take() {
                set(&mut order, scalar, next);
                set(&mut low, scalar, next);
                next += 1;
                stack.push(scalar);
                set(&mut on_stack, scalar, true);
                calls.push((scalar, graph.inner(scalar).map(|edge| edge.to).filter(|&to| is_in(to)).collect()));
            }
            let Some((scalar, targets)) = calls.last_mut() else { break };
            let scalar = *scalar;
            if let Some(target) = targets.pop() {
                if get(&order, target) == NEW {
                    enter = Some(target);
                } else if on_stack.get(target as usize) == Some(&true) {
                    let lowest = get(&low, scalar).min(get(&order, target));
                    set(&mut low, scalar, lowest);
                }
                continue;
            }
            calls.pop();
            if let Some((caller, _)) = calls.last() {
                let lowest = get(&low, *caller).min(get(&low, scalar));
                set(&mut low, *caller, lowest);
            }
            if get(&low, scalar) == get(&order, scalar) {
                let from = stack.iter().rposition(|&member| member == scalar).unwrap_or(0);
                let mut members = stack.split_off(from);
                members.iter().for_each(|&member| set(&mut on_stack, member, false));
                if members.len() > 1 || graph.inner(scalar).any(|edge| edge.to == scalar) {
                    members.sort_unstable();
                    found.push(members);
                }
            }
        }
    }
    found.sort_unstable();
    found
}

/// The shortest cycle that begins with `edge`, among scalars that are `is_in`; empty where there is none.
pub fn cycle_through<'a>(graph: &Graph<'a>, edge: &'a HeapEdge, is_in: impl Fn(u32) -> bool) -> Vec<&'a HeapEdge> {
    if edge.from == edge.to {
        return vec![edge];
    }
    let mut came_by: FxHashMap<u32, &HeapEdge> = FxHashMap::default();
    let mut waiting = VecDeque::from([edge.to]);
    while let Some(scalar) = waiting.pop_front() {
        for next in graph.inner(scalar).filter(|next| is_in(next.to) && next.to != edge.to) {
            if came_by.contains_key(&next.to) {
                continue;
            }
            came_by.insert(next.to, next);
            if next.to == edge.from {
                let mut cycle = Vec::new();
                let mut at = edge.from;
                while let Some(step) = came_by.get(&at).filter(|_| at != edge.to) {
                    cycle.push(*step);
                    at = step.from;
                }
                cycle.push(edge);
                cycle.reverse();
                return cycle;
            }
            waiting.push_back(next.to);
        }
    }
    Vec::new()
}
