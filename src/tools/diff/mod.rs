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

use super::profile::{difference, names, Measures, Profile};
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
    pub node: usize,
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
    nodes: Vec<Key>,
    /// By number.
    sub_names: Vec<String>,
    /// By number: the line in the new trace; of one that is gone, in the old.
    line_numbers: Vec<u32>,
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
            nodes: paths.nodes,
            sub_names: (0..subs.both.len()).map(|number| sub_name(sides, &subs, number)).collect(),
            line_numbers: lines.both.iter().map(|both| both.at[1].or(both.at[0]).map_or(0, |at| at.1)).collect(),
        }
    }

    /// The steps of a call path from the root on: names of subs, each with the line that it was called on in the new
    /// trace; of a path that is gone, in the old.
    pub fn path(&self, mut node: usize) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(&(caller, sub, call)) = self.nodes.get(node) {
            let name = self.sub_names.get(sub).map_or("", String::as_str);
            path.push(match call.and_then(|call| self.line_numbers.get(call)) {
                Some(line) if *line > 0 => format!("{name} (called on {line})"),
                _ => name.to_owned(),
            });
            match caller {
                Some(caller) => node = caller,
                None => break,
            }
        }
        path.reverse();
        path
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
        let files = [(sides[1], new), (sides[0], old)];
        let file = files.iter().find_map(|(profile, at)| Some(names::string(&profile.trace, (*at)?.0)));
        LineChange {
            file: file.unwrap_or_default(),
            old_line: old.map(|at| at.1),
            new_line: new.map(|at| at.1),
            sub: sub_name(sides, subs, line.sub),
            own,
        }
    };
    lines.both.iter().zip(sums).filter(|(_, own)| own.differs()).map(row).collect()
}

/// Nodes of two call trees as one.
struct Paths {
    /// By number: the caller's number, the sub's, and the line of the call.
    nodes: Vec<Key>,
    own: Vec<Pair>,
}

/// Caller, sub and line of the call, by their numbers; a root has no caller, and no line.
type Key = (Option<usize>, usize, Option<usize>);

impl Paths {
    fn new(sides: [&Profile; 2], subs: &Subs, lines: &Lines) -> Self {
        let mut paths = Paths { nodes: Vec::new(), own: Vec::new() };
        let mut known: FxHashMap<Key, usize> = FxHashMap::default();
        for (side, (profile, subs)) in sides.into_iter().zip(numbers(subs)).enumerate() {
            let trace = &profile.trace;
            let sub_of = |id: NodeId| {
                let node = trace.nodes.get(id.index());
                node.and_then(|node| subs.get(node.sub.index()).copied()).unwrap_or(0)
            };
            // A caller is of a lower id, so its number is known by then.
            let mut own_numbers: Vec<usize> = Vec::with_capacity(trace.nodes.len());
            for (id, node) in (0..).map(NodeId).zip(&trace.nodes) {
                let parent = profile.tree.parent(id);
                let call = parent.and_then(|parent| lines.number(side, sub_of(parent), node.call_file, node.call_line));
                let caller = parent.and_then(|parent| own_numbers.get(parent.index()).copied());
                let key = (caller, sub_of(id), call);
                let next = paths.nodes.len();
                let number = *known.entry(key).or_insert(next);
                if number == next {
                    paths.nodes.push(key);
                    paths.own.push(Pair::default());
                }
                if let Some(pair) = paths.own.get_mut(number) {
                    pair.side(side).add(&profile.tree.own(id));
                }
                own_numbers.push(number);
            }
        }
        paths
    }

    fn changes(&self) -> Vec<PathChange> {
        let differing = self.own.iter().enumerate().filter(|(_, own)| own.differs());
        differing.map(|(node, &own)| PathChange { node, own }).collect()
    }
}
