//! Figures by line and by file. Frees have no line: they count where a sub ran, not where a block was born.

use super::line_numbers::{LineKey, LineNumbers};
use super::measures::Measures;
use super::names;
use super::tree::{CallTree, NodeMeasures, PlaceMeasures, Step};
use crate::format::ids::{PlaceId, StrId, SubId};
use crate::format::records::SubKind;
use crate::tools::trace::Trace;
use std::cmp::Reverse;
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

/// The lines at which anything happened, by file and line.
pub(super) fn lines(trace: &Trace, tree: &CallTree) -> Vec<LineRow> {
    let numbers = LineNumbers::new(trace, tree);
    let mut rows = rows(trace, tree, &numbers, (0..numbers.len()).collect());
    rows.retain(|row| !(row.own.is_zero() && row.inclusive.is_zero() && row.calls == 0));
    rows
}

/// A figure of a line.
pub type LineFigure = fn(&Measures) -> u64;

/// Of a table of lines those that stand first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopLines {
    /// Their rows, those with most first; where two have the same, in order of their ids.
    pub rows: Vec<LineRow>,
    /// How many lines have anything of the figure.
    pub rows_in_all: usize,
}

/// For each of `figures` the `most` lines of a file or sub with the highest own figure above zero; perl's pools are none.
///
/// Says the same as sorting [`lines`] does, without summing up what all the other lines call.
pub(super) fn lines_with_most(trace: &Trace, tree: &CallTree, figures: &[LineFigure], most: usize) -> Vec<TopLines> {
    let numbers = LineNumbers::new(trace, tree);
    let sums = own_sums(trace, &numbers, figures);
    let is_pools = |line: &usize| numbers.key(*line).2.is_some_and(|sub| trace.sub(sub).kind == SubKind::Pools);
    let top = |sums: &Vec<u64>| {
        let lines = (0..numbers.len()).filter(|line| !is_pools(line));
        let highest_first = |&line: &usize| (Reverse(sums.get(line).copied().unwrap_or(0)), numbers.key(line));
        let mut lines: Vec<usize> = lines.filter(|&line| sums.get(line).is_some_and(|&sum| sum > 0)).collect();
        let rows_in_all = lines.len();
        if most < lines.len() {
            lines.select_nth_unstable_by_key(most, highest_first);
            lines.truncate(most);
        }
        lines.sort_unstable_by_key(highest_first);
        (lines, rows_in_all)
    };
    let top: Vec<(Vec<usize>, usize)> = sums.iter().map(top).collect();
    let mut wanted: Vec<usize> = top.iter().flat_map(|(lines, _)| lines).copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let rows = rows(trace, tree, &numbers, wanted.clone());
    let row = |line: &usize| wanted.binary_search(line).ok().and_then(|at| rows.get(at)).cloned();
    let named = top.into_iter().map(|(lines, rows_in_all)| {
        let rows = lines.iter().filter_map(row).collect();
        TopLines { rows, rows_in_all }
    });
    named.collect()
}

/// Figures of lines themselves, by figure and line.
fn own_sums(trace: &Trace, numbers: &LineNumbers, figures: &[LineFigure]) -> Vec<Vec<u64>> {
    let mut sums = vec![vec![0u64; numbers.len()]; figures.len()];
    let all = PlaceMeasures::new(trace);
    for id in (0..).map(PlaceId).take(trace.places.len()) {
        let measures = all.of(id);
        let Some(line) = numbers.of_place(id) else { continue };
        for (sums, figure) in sums.iter_mut().zip(figures) {
            if let Some(sum) = sums.get_mut(line) {
                *sum = sum.saturating_add(figure(&measures));
            }
        }
    }
    sums
}

/// The rows of the lines with these numbers, in that order.
fn rows(trace: &Trace, tree: &CallTree, numbers: &LineNumbers, wanted: Vec<usize>) -> Vec<LineRow> {
    let mut sums = Sums::new(numbers, &wanted);
    sums.add_own(trace);
    sums.add_inclusive(trace, tree);
    let Sums { lines, mut rows, .. } = sums;
    let mut names = Names::new(trace);
    for ((row, mut line), number) in rows.iter_mut().zip(lines).zip(wanted) {
        line.name(row, &mut names, numbers.key(number));
    }
    rows
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
    fn name(&mut self, row: &mut LineRow, names: &mut Names, (file, line, sub): LineKey) {
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

/// Rows in the making: of all lines or of some.
///
/// Their figures are summed up in the rows that are returned: a trace may have a million lines, of which no second copy
/// should be made.
struct Sums<'a> {
    numbers: &'a LineNumbers,
    /// By number of a line: where it is below.
    slots: Vec<Option<u32>>,
    lines: Vec<Line>,
    /// Their figures, where they will be wanted; without names as yet.
    rows: Vec<LineRow>,
}

impl<'a> Sums<'a> {
    fn new(numbers: &'a LineNumbers, wanted: &[usize]) -> Self {
        let mut slots = vec![None; numbers.len()];
        for (slot, &number) in (0..).zip(wanted) {
            if let Some(of_line) = slots.get_mut(number) {
                *of_line = Some(slot);
            }
        }
        Sums {
            numbers,
            slots,
            lines: vec![Line::default(); wanted.len()],
            rows: vec![LineRow::default(); wanted.len()],
        }
    }

    fn add_own(&mut self, trace: &Trace) {
        let all = PlaceMeasures::new(trace);
        for (id, place) in (0..).map(PlaceId).zip(&trace.places) {
            let Some((line, row)) = self.line(self.numbers.of_place(id)) else { continue };
            let measures = all.of(id);
            let Some(node) = trace.nodes.get(place.node.index()).filter(|_| !measures.is_zero()) else { continue };
            row.own.add(&measures);
            line.allocated_in(node.sub, measures.allocated_bytes);
        }
    }

    /// Sums for every line its own figures and those of the nodes called from it. What a line does below a call of its
    /// own is in that call's figures already.
    fn add_inclusive(&mut self, trace: &Trace, tree: &CallTree) {
        let all = PlaceMeasures::new(trace);
        let nodes = NodeMeasures::new(trace);
        for step in tree.walk() {
            let id = match step {
                Step::Enter(id) => id,
                Step::Leave(id) => {
                    if let Some((line, _)) = self.line(self.numbers.of_call(id)) {
                        line.open -= 1;
                    }
                    continue;
                }
            };
            if let Some((line, row)) = self.line(self.numbers.of_call(id)) {
                line.open += 1;
                row.calls = row.calls.saturating_add(nodes.of(id).calls);
                let caller = tree.parent(id).and_then(|parent| trace.nodes.get(parent.index()));
                line.allocated_in(caller.map(|caller| caller.sub).unwrap_or_default(), 0);
                if line.open == 1 {
                    row.inclusive.add(&tree.inclusive(id));
                }
            }
            for &place in tree.places(id) {
                let line = self.line(self.numbers.of_place(place));
                if let Some((_, row)) = line.filter(|(line, _)| line.open == 0) {
                    row.inclusive.add(&all.of(place));
                }
            }
        }
    }

    /// The line with that number; `None` for one that is not wanted.
    fn line(&mut self, number: Option<usize>) -> Option<(&mut Line, &mut LineRow)> {
        let slot = self.slots.get(number?).copied().flatten()? as usize;
        self.lines.get_mut(slot).zip(self.rows.get_mut(slot))
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
