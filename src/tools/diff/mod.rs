//! Two traces of a program side by side: what grew, by sub, line and call path, though lines have moved in between.
//!
//! Which is which is found out from above: subs ([`subs`]), the lines of each ([`lines`]), and then call paths, which are
//! the same where caller, callee and the line of the call are. Nothing is guessed from figures, so what differs in them
//! differs in the programs. Never reads a file.

mod align;
mod lines;
mod subs;
#[cfg(test)]
mod tests;

use super::profile::{difference, names, Measures, Profile, Shape};
use super::warning::Warning;
use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::Totals;
use lines::Lines;
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use subs::Subs;

/// Figures of one thing in both traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// In the old trace.
    pub old: Measures,
    /// In the new trace.
    pub new: Measures,
}

impl Pair {
    fn side(&mut self, side: usize) -> &mut Measures {
        if side == 0 {
            &mut self.old
        } else {
            &mut self.new
        }
    }

    /// Is any figure that a diff shows another?
    pub fn differs(&self) -> bool {
        let shown = |measures: &Measures| {
            let Measures { calls, allocated_bytes, allocated_blocks, live_bytes, live_blocks, .. } = *measures;
            let peak = (measures.at_peak_bytes, measures.at_peak_blocks);
            (calls, allocated_bytes, allocated_blocks, live_bytes, live_blocks, peak, measures.net_scalars())
        };
        shown(&self.old) != shown(&self.new)
    }
}

/// A sub in both traces, with its own figures.
#[derive(Clone, Debug, PartialEq)]
pub struct SubChange {
    /// Its name in the new trace; of one that is gone, in the old.
    pub name: String,
    /// Its figures, without what it calls.
    pub own: Pair,
}

/// A line of a sub in both traces, with its own figures.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChange {
    /// Its file in the new trace; of one that is gone, in the old.
    pub file: String,
    /// The line in the old trace.
    pub old_line: Option<u32>,
    /// The line in the new trace.
    pub new_line: Option<u32>,
    /// Name of its sub.
    pub sub: String,
    /// Its figures, without what it calls.
    pub own: Pair,
}

/// A call path in both traces, with its own figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathChange {
    /// What [`Diff::path`] knows it by.
    pub node: NodeId,
    /// Its figures, without what it calls.
    pub own: Pair,
}

/// Two traces side by side. Only what differs is told.
#[derive(Clone, Debug)]
pub struct Diff {
    /// The old trace.
    pub old_path: PathBuf,
    /// The new trace.
    pub new_path: PathBuf,
    /// Counters of the process in the old trace.
    pub old: Totals,
    /// Counters of the process in the new trace.
    pub new: Totals,
    /// Subs that differ.
    pub subs: Vec<SubChange>,
    /// Lines that differ.
    pub lines: Vec<LineChange>,
    /// Call paths that differ.
    pub paths: Vec<PathChange>,
    /// What to know before trusting the figures.
    pub warnings: Vec<Warning>,
    /// Both call trees as one: the nodes of the old, in its order, and then those that are new.
    pub tree: Shape,
    /// By node.
    nodes: Vec<Key>,
    /// By node.
    own: Vec<Pair>,
    /// By number.
    sub_names: Vec<String>,
    /// By number: file and line in the new trace; of a line that is gone, in the old.
    lines_called: Vec<(String, u32)>,
}

impl Diff {
    /// Compares two profiles.
    pub fn new(old: &Profile, new: &Profile) -> Self {
        let sides = [old, new];
        let subs = Subs::new(&old.trace, &new.trace);
        let lines = Lines::new(&old.trace, &new.trace, &subs);
        let paths = Paths::new(sides, &subs, &lines);
        let told = |profile: &Profile| {
            let path = profile.trace.path.display().to_string();
            let texts = profile.warnings.iter().map(move |warning| Warning::Member(format!("{path}: {warning}")));
            texts.collect::<Vec<_>>()
        };
        Diff {
            old_path: old.trace.path.clone(),
            new_path: new.trace.path.clone(),
            old: old.totals,
            new: new.totals,
            subs: sub_changes(sides, &subs),
            lines: line_changes(sides, &subs, &lines),
            paths: paths.changes(),
            warnings: [old, new].into_iter().flat_map(told).collect(),
            tree: Shape::new(paths.nodes.iter().map(|(caller, ..)| *caller).collect()),
            nodes: paths.nodes,
            own: paths.own,
            sub_names: (0..subs.both.len()).map(|number| sub_name(sides, &subs, number)).collect(),
            lines_called: lines.both.iter().map(|both| line_called(sides, both)).collect(),
        }
    }

    /// The steps of a call path from the root on: names of subs, each with the line that it was called on in the new
    /// trace; of a path that is gone, in the old.
    pub fn path(&self, node: NodeId) -> Vec<String> {
        let callers = std::iter::successors(Some(node), |&node| self.tree.parent(node));
        let step = |node| match (self.name(node), self.call(node)) {
            (name, Some((_, line))) => format!("{name} (called on {line})"),
            (name, None) => name.to_owned(),
        };
        let mut path: Vec<_> = callers.map(step).collect();
        path.reverse();
        path
    }

    /// Number of a node's sub: tells one from another, though they have the same name.
    pub fn sub(&self, node: NodeId) -> usize {
        self.nodes.get(node.index()).map_or(0, |&(_, sub, _)| sub)
    }

    /// Name of a node's sub in the new trace; of one that is gone, in the old.
    pub fn name(&self, node: NodeId) -> &str {
        self.sub_names.get(self.sub(node)).map_or("", String::as_str)
    }

    /// File and line that a node was called on in the new trace; of one that is gone, in the old.
    pub fn call(&self, node: NodeId) -> Option<(&str, u32)> {
        let (_, _, call) = self.nodes.get(node.index())?;
        let (file, line) = self.lines_called.get((*call)?)?;
        (*line > 0).then_some((file, *line))
    }

    /// Figures of a node, without what it calls.
    pub fn own(&self, node: NodeId) -> Pair {
        self.own.get(node.index()).copied().unwrap_or_default()
    }

    /// By how many bytes more are live in the end than were in the old trace; negative where fewer are.
    pub fn grown_live_bytes(&self) -> i64 {
        difference(self.new.live_bytes, self.old.live_bytes)
    }

    /// By how many bytes more were allocated than in the old trace; negative where fewer were.
    pub fn grown_allocated_bytes(&self) -> i64 {
        difference(self.new.allocated_bytes, self.old.allocated_bytes)
    }
}

/// Name of a sub by its number: as the new trace has it, or else the old.
fn sub_name(sides: [&Profile; 2], subs: &Subs, number: usize) -> String {
    let both = subs.both.get(number).copied().unwrap_or_default();
    let names = sides.into_iter().zip(both).rev();
    let mut names = names.filter_map(|(profile, id)| Some(names::sub(&profile.trace, id?)));
    names.next().unwrap_or_default()
}

fn numbers(subs: &Subs) -> [&[usize]; 2] {
    [&subs.old, &subs.new]
}

fn sub_changes(sides: [&Profile; 2], subs: &Subs) -> Vec<SubChange> {
    let mut sums = vec![Pair::default(); subs.both.len()];
    for (side, (profile, numbers)) in sides.into_iter().zip(numbers(subs)).enumerate() {
        for row in &profile.subs {
            if let Some(sum) = numbers.get(row.id.index()).and_then(|&number| sums.get_mut(number)) {
                sum.side(side).add(&row.own);
            }
        }
    }
    let differing = sums.into_iter().enumerate().filter(|(_, own)| own.differs());
    differing.map(|(number, own)| SubChange { name: sub_name(sides, subs, number), own }).collect()
}

fn line_changes(sides: [&Profile; 2], subs: &Subs, lines: &Lines) -> Vec<LineChange> {
    let mut sums = vec![Pair::default(); lines.both.len()];
    for (side, (profile, numbers)) in sides.into_iter().zip(numbers(subs)).enumerate() {
        let trace = &profile.trace;
        let peak_number = trace.last_totals().peak_number;
        for (id, place) in (0..).map(PlaceId).zip(&trace.places) {
            let base = trace.base.as_ref().map(|base| base.figures.place(id)).unwrap_or_default();
            let own = Measures::of_place(&trace.figures.place(id), &base, peak_number);
            let sub = trace.nodes.get(place.node.index()).and_then(|node| numbers.get(node.sub.index()));
            let number = sub.and_then(|&sub| lines.number(side, sub, place.file, place.line));
            if let Some(sum) = number.and_then(|number| sums.get_mut(number)) {
                sum.side(side).add(&own);
            }
        }
    }
    let row = |(line, own): (&lines::Both, Pair)| {
        let [old, new] = line.at;
        LineChange {
            file: line_called(sides, line).0,
            old_line: old.map(|at| at.1),
            new_line: new.map(|at| at.1),
            sub: sub_name(sides, subs, line.sub),
            own,
        }
    };
    lines.both.iter().zip(sums).filter(|(_, own)| own.differs()).map(row).collect()
}

/// File and line in the new trace; of a line that is gone, in the old.
fn line_called(sides: [&Profile; 2], line: &lines::Both) -> (String, u32) {
    let at = sides.into_iter().zip(line.at).rev();
    let mut found = at.filter_map(|(profile, at)| at.map(|(file, line)| (names::string(&profile.trace, file), line)));
    found.next().unwrap_or_default()
}

/// Nodes of two call trees as one.
struct Paths {
    nodes: Vec<Key>,
    own: Vec<Pair>,
}

/// Caller, and sub and line of the call by their numbers; a root has no caller, and no line.
type Key = (Option<NodeId>, usize, Option<usize>);

impl Paths {
    fn new(sides: [&Profile; 2], subs: &Subs, lines: &Lines) -> Self {
        let mut paths = Paths { nodes: Vec::new(), own: Vec::new() };
        let mut known: FxHashMap<Key, NodeId> = FxHashMap::default();
        for (side, (profile, subs)) in sides.into_iter().zip(numbers(subs)).enumerate() {
            let trace = &profile.trace;
            let sub_of = |id: NodeId| {
                let node = trace.nodes.get(id.index());
                node.and_then(|node| subs.get(node.sub.index()).copied()).unwrap_or(0)
            };
            // A caller is of a lower id, so its number is known by then.
            let mut numbers: Vec<NodeId> = Vec::with_capacity(trace.nodes.len());
            for (id, node) in (0..).map(NodeId).zip(&trace.nodes) {
                let parent = profile.tree.parent(id);
                let call = parent.and_then(|parent| lines.number(side, sub_of(parent), node.call_file, node.call_line));
                let caller = parent.and_then(|parent| numbers.get(parent.index()).copied());
                let key = (caller, sub_of(id), call);
                let next = NodeId(u32::try_from(paths.nodes.len()).unwrap_or(u32::MAX));
                let number = *known.entry(key).or_insert(next);
                if number == next {
                    paths.nodes.push(key);
                    paths.own.push(Pair::default());
                }
                if let Some(pair) = paths.own.get_mut(number.index()) {
                    pair.side(side).add(&profile.own(id));
                }
                numbers.push(number);
            }
        }
        paths
    }

    fn changes(&self) -> Vec<PathChange> {
        let differing = (0..).map(NodeId).zip(&self.own).filter(|(_, own)| own.differs());
        differing.map(|(node, &own)| PathChange { node, own }).collect()
    }
}
