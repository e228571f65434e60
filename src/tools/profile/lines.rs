//! Figures by line and by file. Frees have no line: they count where a sub ran, not where a block was born.

use super::measures::Measures;
use super::names;
use super::tree::{place_measures, CallTree, Step};
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::tools::trace::Trace;
use std::collections::{BTreeMap, HashMap};

/// Figures of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineRow {
    /// The file; empty for what happens outside of any statement.
    pub file: String,
    /// The line; 0 for what happens outside of any statement.
    pub line: u32,
    /// The sub the line is in; where there are several, the one that allocates most there.
    pub sub: String,
    /// How many subs the line is in.
    pub subs: u64,
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
    pub file: String,
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
pub(super) fn lines(trace: &Trace, tree: &CallTree) -> Vec<LineRow> {
    let mut sums = Sums::new(trace, tree);
    sums.add_own(trace);
    sums.add_inclusive(trace, tree);
    let mut lines: Vec<(Key, Line)> = sums
        .index
        .iter()
        .map(|(&key, &at)| (key, at))
        .filter_map(|(key, at)| {
            let line = std::mem::take(sums.lines.get_mut(at)?);
            (!line.is_zero()).then_some((key, line))
        })
        .collect();
    lines.sort_unstable_by_key(|&(key, _)| key);
    lines.into_iter().map(|(key, line)| line.row(trace, key)).collect()
}

#[derive(Clone, Default)]
struct Line {
    own: Measures,
    inclusive: Measures,
    calls: u64,
    /// Bytes allocated, by sub.
    subs: BTreeMap<SubId, u64>,
    /// How many calls from this line the walk is in.
    open: u32,
}

impl Line {
    fn is_zero(&self) -> bool {
        self.own.is_zero() && self.inclusive.is_zero() && self.calls == 0
    }

    fn row(self, trace: &Trace, (file, line, _): Key) -> LineRow {
        let most = self.subs.iter().max_by_key(|(&sub, &allocated_bytes)| (allocated_bytes, std::cmp::Reverse(sub)));
        LineRow {
            file: names::string(trace, file),
            line,
            sub: most.map(|(&sub, _)| names::sub(trace, sub)).unwrap_or_default(),
            subs: self.subs.len() as u64,
            calls: self.calls,
            own: self.own,
            inclusive: self.inclusive,
        }
    }
}

/// Lines in the making. Places and calls name theirs by number: looking a line up by its key a second time is what
/// would take longest.
struct Sums {
    index: HashMap<Key, usize>,
    lines: Vec<Line>,
    /// By place: its line.
    of_place: Vec<usize>,
    /// By node: the line that called it.
    of_call: Vec<Option<usize>>,
    /// Places in the order of their nodes.
    by_node: Vec<PlaceId>,
}

impl Sums {
    fn new(trace: &Trace, tree: &CallTree) -> Self {
        let mut index = HashMap::new();
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
        let mut by_node: Vec<PlaceId> = (0..).map(PlaceId).take(trace.places.len()).collect();
        by_node.sort_by_key(|id| trace.places.get(id.index()).map(|place| place.node));
        let lines = vec![Line::default(); index.len()];
        Sums { index, lines, of_place, of_call, by_node }
    }

    fn add_own(&mut self, trace: &Trace) {
        for ((id, place), &at) in (0..).map(PlaceId).zip(&trace.places).zip(&self.of_place) {
            let measures = place_measures(trace, id);
            let Some(node) = trace.nodes.get(place.node.index()).filter(|_| !measures.is_zero()) else { continue };
            if let Some(line) = self.lines.get_mut(at) {
                line.own.add(&measures);
                let allocated_bytes = line.subs.entry(node.sub).or_default();
                *allocated_bytes = allocated_bytes.saturating_add(measures.allocated_bytes);
            }
        }
    }

    /// Sums for every line its own figures and those of the nodes called from it. What a line does below a call of its
    /// own is in that call's figures already.
    fn add_inclusive(&mut self, trace: &Trace, tree: &CallTree) {
        for step in tree.walk() {
            let id = match step {
                Step::Enter(id) => id,
                Step::Leave(id) => {
                    if let Some(line) = self.caller(id) {
                        line.open -= 1;
                    }
                    continue;
                }
            };
            let sub = tree.parent(id).and_then(|parent| trace.nodes.get(parent.index())).map(|node| node.sub);
            if let (Some(line), Some(sub)) = (self.caller(id), sub) {
                line.open += 1;
                line.calls = line.calls.saturating_add(tree.own(id).calls);
                line.subs.entry(sub).or_default();
                if line.open == 1 {
                    line.inclusive.add(&tree.inclusive(id));
                }
            }
            let node_of = |place: &PlaceId| trace.places.get(place.index()).map(|place| place.node);
            let first = self.by_node.partition_point(|place| node_of(place) < Some(id));
            for &place in self.by_node.iter().skip(first).take_while(|place| node_of(place) == Some(id)) {
                let line = self.of_place.get(place.index()).and_then(|&at| self.lines.get_mut(at));
                if let Some(line) = line.filter(|line| line.open == 0) {
                    line.inclusive.add(&place_measures(trace, place));
                }
            }
        }
    }

    /// The line that called a node.
    fn caller(&mut self, id: NodeId) -> Option<&mut Line> {
        let at = self.of_call.get(id.index()).copied().flatten()?;
        self.lines.get_mut(at)
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
    let row = |(file, (lines, own)): (&str, _)| FileRow { file: file.to_owned(), lines, own };
    by_file.into_iter().map(row).collect()
}
