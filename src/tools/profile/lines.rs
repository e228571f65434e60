//! Figures by line and by file. Frees have no line: they count where a sub ran, not where a block was born.

use super::measures::Measures;
use super::names;
use super::tree::{CallTree, PlaceMeasures, Step};
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::SubKind;
use crate::tools::trace::Trace;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Figures of a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineRow {
    /// The file; empty for what happens outside of any statement.
    pub file: Arc<str>,
    /// The line; 0 for what happens outside of any statement.
    pub line: u32,
    /// The sub the line is in; where there are several, the one that allocates most there.
    pub sub: Arc<str>,
    /// How many subs the line is in.
    pub subs: u64,
    /// How many of them allocate a notable part of what the line does.
    pub notable_subs: u64,
    /// Is it no line, but what belongs to perl's pools?
    pub is_pools: bool,
    /// Calls made from it.
    pub calls: u64,
    /// Figures of the line itself, without what it calls.
    pub own: Measures,
    /// Figures of the line with all that it calls. What it calls by way of itself counts once.
    pub inclusive: Measures,
}

/// Figures of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// The file; empty for what happens outside of any statement.
    pub file: Arc<str>,
    /// How many of its lines have figures.
    pub lines: u64,
    /// Figures of all its lines, without what they call in other files.
    pub own: Measures,
}

/// File, line, and the sub where there is no statement: there every sub has a line of its own.
type Key = (StrId, u32, Option<SubId>);

fn key(file: StrId, line: u32, sub: SubId) -> Key {
    (file, line, (file == StrId(0) && line == 0).then_some(sub))
}

/// The lines at which anything happened, by file and line.
///
/// Their figures are summed up in the rows that are returned: a trace may have a million lines, of which no second copy
/// should be made.
pub(super) fn lines(trace: &Trace, tree: &CallTree) -> Vec<LineRow> {
    let mut sums = Sums::new(trace, tree);
    sums.add_own(trace);
    sums.add_inclusive(trace, tree);
    let Sums { index, mut lines, mut rows, .. } = sums;
    let mut order: Vec<(Key, usize)> = index.into_iter().collect();
    order.sort_unstable();
    let mut names = Names::new(trace);
    for &(key, at) in &order {
        if let (Some(row), Some(line)) = (rows.get_mut(at), lines.get_mut(at)) {
            line.name(row, &mut names, key);
        }
    }
    drop(lines);
    put_in_order(&mut rows, order.into_iter().map(|(_, at)| at).collect());
    rows.retain(|row| !(row.own.is_zero() && row.inclusive.is_zero() && row.calls == 0));
    rows
}

/// Puts the row at `order[0]` first, that at `order[1]` second, and so on.
fn put_in_order(rows: &mut [LineRow], mut order: Vec<usize>) {
    for start in 0..order.len() {
        let mut at = start;
        // Each round of swaps brings home one cycle; what is at home points to itself.
        while let Some(from) = order.get(at).copied().filter(|&from| from != at) {
            if let Some(slot) = order.get_mut(at) {
                *slot = at;
            }
            if from == start {
                break;
            }
            rows.swap(at, from);
            at = from;
        }
    }
}

/// Names as text, each made once.
struct Names<'a> {
    trace: &'a Trace,
    strings: Vec<Option<Arc<str>>>,
    subs: Vec<Option<Arc<str>>>,
}

impl<'a> Names<'a> {
    fn new(trace: &'a Trace) -> Self {
        Names { trace, strings: vec![None; trace.strings.len()], subs: vec![None; trace.subs.len()] }
    }

    fn string(&mut self, id: StrId) -> Arc<str> {
        let name = || names::string(self.trace, id).into();
        self.strings.get_mut(id.index()).map_or_else(name, |kept| kept.get_or_insert_with(name).clone())
    }

    fn sub(&mut self, id: SubId) -> Arc<str> {
        let name = || names::sub(self.trace, id).into();
        self.subs.get_mut(id.index()).map_or_else(name, |kept| kept.get_or_insert_with(name).clone())
    }
}

/// A sub is notable on a line when it allocates at least one of so many bytes of the line's. Compiling a line counts as
/// another sub's doing, and is mostly little.
const NOTABLE_OF: u64 = 100;

/// What is known of a line while it is summed up, beside its row.
#[derive(Clone, Default)]
struct Line {
    /// Bytes allocated, by sub; a sub may stand here several times until they are put together.
    subs: Vec<(SubId, u64)>,
    /// When `subs` is as long as this, it is time to.
    subs_at_most: usize,
    /// How many calls from this line the walk is in.
    open: u32,
}

impl Line {
    fn allocated_in(&mut self, sub: SubId, bytes: u64) {
        match self.subs.last_mut() {
            Some((known, allocated_bytes)) if *known == sub => *allocated_bytes = allocated_bytes.saturating_add(bytes),
            _ => {
                self.subs.push((sub, bytes));
                if self.subs.len() > self.subs_at_most {
                    self.put_subs_together();
                    self.subs_at_most = 2 * self.subs.len() + 8;
                }
            }
        }
    }

    fn put_subs_together(&mut self) {
        self.subs.sort_unstable();
        self.subs.dedup_by(|(sub, bytes), (kept, sum)| {
            let same = sub == kept;
            if same {
                *sum = sum.saturating_add(*bytes);
            }
            same
        });
    }

    /// Gives the row of this line its names.
    fn name(&mut self, row: &mut LineRow, names: &mut Names, (file, line, sub): Key) {
        self.put_subs_together();
        let most = self.subs.iter().max_by_key(|&&(sub, allocated_bytes)| (allocated_bytes, std::cmp::Reverse(sub)));
        let notable_bytes = row.own.allocated_bytes / NOTABLE_OF;
        let notable = self.subs.iter().filter(|(_, allocated_bytes)| *allocated_bytes > notable_bytes);
        (row.file, row.line) = (names.string(file), line);
        row.sub = most.map(|&(sub, _)| names.sub(sub)).unwrap_or_default();
        row.subs = self.subs.len() as u64;
        row.notable_subs = notable.count() as u64;
        row.is_pools = sub.is_some_and(|sub| names.trace.sub(sub).kind == SubKind::Pools);
    }
}

/// Lines in the making. Places and calls name theirs by number: looking a line up by its key a second time is what
/// would take longest.
struct Sums {
    index: FxHashMap<Key, usize>,
    lines: Vec<Line>,
    /// Their figures, where they will be wanted; without names as yet.
    rows: Vec<LineRow>,
    /// By place: its line.
    of_place: Vec<usize>,
    /// By node: the line that called it.
    of_call: Vec<Option<usize>>,
}

impl Sums {
    fn new(trace: &Trace, tree: &CallTree) -> Self {
        let mut index = FxHashMap::default();
        let mut number = |key: Key| {
            let next = index.len();
            *index.entry(key).or_insert(next)
        };
        let sub = |id: NodeId| trace.nodes.get(id.index()).map(|node| node.sub).unwrap_or_default();
        let of_place = trace.places.iter().map(|place| number(key(place.file, place.line, sub(place.node)))).collect();
        let of_call = (0..)
            .map(NodeId)
            .zip(&trace.nodes)
            .map(|(id, node)| tree.parent(id).map(|parent| number(key(node.call_file, node.call_line, sub(parent)))));
        let of_call = of_call.collect();
        let (lines, rows) = (vec![Line::default(); index.len()], vec![LineRow::default(); index.len()]);
        Sums { index, lines, rows, of_place, of_call }
    }

    fn add_own(&mut self, trace: &Trace) {
        let all = PlaceMeasures::new(trace);
        for ((id, place), &at) in (0..).map(PlaceId).zip(&trace.places).zip(&self.of_place) {
            let measures = all.of(id);
            let Some(node) = trace.nodes.get(place.node.index()).filter(|_| !measures.is_zero()) else { continue };
            if let (Some(line), Some(row)) = (self.lines.get_mut(at), self.rows.get_mut(at)) {
                row.own.add(&measures);
                line.allocated_in(node.sub, measures.allocated_bytes);
            }
        }
    }

    /// Sums for every line its own figures and those of the nodes called from it. What a line does below a call of its
    /// own is in that call's figures already.
    fn add_inclusive(&mut self, trace: &Trace, tree: &CallTree) {
        let all = PlaceMeasures::new(trace);
        for step in tree.walk() {
            let id = match step {
                Step::Enter(id) => id,
                Step::Leave(id) => {
                    if let Some((line, _)) = self.caller(id) {
                        line.open -= 1;
                    }
                    continue;
                }
            };
            let sub = tree.parent(id).and_then(|parent| trace.nodes.get(parent.index())).map(|node| node.sub);
            if let (Some((line, row)), Some(sub)) = (self.caller(id), sub) {
                line.open += 1;
                row.calls = row.calls.saturating_add(tree.own(id).calls);
                line.allocated_in(sub, 0);
                if line.open == 1 {
                    row.inclusive.add(&tree.inclusive(id));
                }
            }
            for &place in tree.places(id) {
                let line = self.of_place.get(place.index()).copied().and_then(|at| self.line(at));
                if let Some((_, row)) = line.filter(|(line, _)| line.open == 0) {
                    row.inclusive.add(&all.of(place));
                }
            }
        }
    }

    /// The line that called a node.
    fn caller(&mut self, id: NodeId) -> Option<(&mut Line, &mut LineRow)> {
        let at = self.of_call.get(id.index()).copied().flatten()?;
        self.line(at)
    }

    fn line(&mut self, at: usize) -> Option<(&mut Line, &mut LineRow)> {
        self.lines.get_mut(at).zip(self.rows.get_mut(at))
    }
}

/// The files in which anything happened, by name.
pub(super) fn files(lines: &[LineRow]) -> Vec<FileRow> {
    let mut by_file: BTreeMap<&str, (u64, Measures)> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.own.is_zero()) {
        let (count, own) = by_file.entry(&line.file).or_default();
        *count += 1;
        own.add(&line.own);
    }
    let row = |(file, (lines, own)): (&str, _)| FileRow { file: file.into(), lines, own };
    by_file.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_put_in_any_order(order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle()) {
            let mut rows: Vec<LineRow> = (0..40).map(|line| LineRow { line, ..LineRow::default() }).collect();
            put_in_order(&mut rows, order.clone());
            prop_assert_eq!(rows.iter().map(|row| row.line as usize).collect::<Vec<_>>(), order);
        }
    }
}
