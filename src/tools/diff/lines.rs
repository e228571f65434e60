//! Which line of one trace is which of another: within a sub, by how far it stands from the sub's first line; of code
//! outside of subs, by how far the subs around it have moved; what is left, by what it calls and by order. A trace has no
//! source, so it cannot be told whether a line still says the same.

use super::align::{align, Line};
use super::subs::{base_name, Subs};
use crate::format::ids::{NodeId, StrId, SubId};
use crate::tools::profile::names;
use crate::tools::trace::Trace;
use rustc_hash::{FxHashMap, FxHasher};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// A line as one trace knows it, and the sub's number.
type Own = (usize, StrId, u32);

/// Lines of two traces, each with one number that is the same for both.
pub(super) struct Lines {
    numbers: [FxHashMap<Own, usize>; 2],
    /// By number.
    pub(super) both: Vec<Both>,
}

/// A line in both traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Both {
    /// The sub's number.
    pub(super) sub: usize,
    /// File and line in the old trace and in the new. At least one is there.
    pub(super) at: [Option<(StrId, u32)>; 2],
}

/// Lines of a sub in a file, by line: what file it is for the trace, and what the line calls.
type InFile = BTreeMap<u32, (StrId, Vec<usize>)>;

/// Lines of a trace, by the sub's number and the file's name.
fn used(trace: &Trace, numbers: &[usize]) -> FxHashMap<(usize, String), InFile> {
    let files: Vec<String> = trace.strings.iter().map(|string| base_name(&names::text(string)).to_owned()).collect();
    let number = |sub: SubId| numbers.get(sub.index()).copied().unwrap_or(0);
    let sub_of = |node: NodeId| trace.nodes.get(node.index()).map(|node| number(node.sub)).unwrap_or(0);
    let mut used: FxHashMap<(usize, String), InFile> = FxHashMap::default();
    let mut use_line = |sub: usize, file: StrId, line: u32, calls: Option<usize>| {
        let name = files.get(file.index()).cloned().unwrap_or_default();
        let (_, called) = used.entry((sub, name)).or_default().entry(line).or_insert((file, Vec::new()));
        called.extend(calls);
    };
    for place in &trace.places {
        use_line(sub_of(place.node), place.file, place.line, None);
    }
    let called = (0..).map(NodeId).zip(&trace.nodes).filter(|(id, node)| node.parent != *id);
    for (_, node) in called {
        use_line(sub_of(node.parent), node.call_file, node.call_line, Some(number(node.sub)));
    }
    used
}

impl Lines {
    /// Finds out which line is which.
    pub(super) fn new(old: &Trace, new: &Trace, subs: &Subs) -> Self {
        let mut lines = Lines { numbers: Default::default(), both: Vec::new() };
        let mut olds: Vec<_> = used(old, &subs.old).into_iter().collect();
        olds.sort_by(|a, b| a.0.cmp(&b.0));
        let mut news = used(new, &subs.new);
        for ((sub, file), in_old) in olds {
            let in_new = news.remove(&(sub, file.clone())).unwrap_or_default();
            let first = |side: usize, trace: &Trace| {
                let id = subs.both.get(sub).and_then(|both| both.get(side).copied().flatten())?;
                Some(trace.sub(id).line).filter(|&line| line > 0)
            };
            let moved = first(0, old).zip(first(1, new)).map(|(old, new)| i64::from(new) - i64::from(old));
            let shifts = |line| match moved {
                _ if line == 0 => [0, 0],
                Some(moved) => [moved, moved],
                None => subs.shifts(&file, line),
            };
            let found = align(&listed(&in_old), &listed(&in_new), shifts);
            let mut alone: Vec<bool> = vec![true; in_new.len()];
            let in_new: Vec<(u32, StrId)> = in_new.into_iter().map(|(line, (file, _))| (line, file)).collect();
            for ((line, (file, _)), at) in in_old.into_iter().zip(found) {
                if let Some(alone) = at.and_then(|at| alone.get_mut(at)) {
                    *alone = false;
                }
                let partner = at.and_then(|at| in_new.get(at)).map(|&(line, file)| (file, line));
                lines.pair(sub, Some((file, line)), partner);
            }
            for (&(line, file), _) in in_new.iter().zip(alone).filter(|(_, alone)| *alone) {
                lines.pair(sub, None, Some((file, line)));
            }
        }
        let mut rest: Vec<_> = news.into_iter().collect();
        rest.sort_by(|a, b| a.0.cmp(&b.0));
        for ((sub, _), in_new) in rest {
            for (line, (file, _)) in in_new {
                lines.pair(sub, None, Some((file, line)));
            }
        }
        lines
    }

    /// Number of a line of the old trace (`side` 0) or the new (1).
    pub(super) fn number(&self, side: usize, sub: usize, file: StrId, line: u32) -> Option<usize> {
        self.numbers.get(side)?.get(&(sub, file, line)).copied()
    }

    fn pair(&mut self, sub: usize, old: Option<(StrId, u32)>, new: Option<(StrId, u32)>) {
        let number = self.both.len();
        self.both.push(Both { sub, at: [old, new] });
        for (numbers, at) in self.numbers.iter_mut().zip([old, new]) {
            if let Some((file, line)) = at {
                numbers.insert((sub, file, line), number);
            }
        }
    }
}

fn listed(lines: &InFile) -> Vec<Line> {
    lines.iter().map(|(&line, (_, called))| (line, signature(called))).collect()
}

/// A number for a set of subs; 0 for none.
fn signature(called: &[usize]) -> u64 {
    if called.is_empty() {
        return 0;
    }
    let mut called = called.to_vec();
    called.sort_unstable();
    called.dedup();
    let mut hasher = FxHasher::default();
    called.hash(&mut hasher);
    hasher.finish().max(1)
}
