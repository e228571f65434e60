//! Which line every place and every call belongs to. Each is looked up by file and line once: that is what takes longest.

use super::tree::CallTree;
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::tools::trace::Trace;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// File, line, and the sub where there is no statement: there every sub has a line of its own.
pub(super) type LineKey = (StrId, u32, Option<SubId>);

/// The lines of a trace, numbered in order of their keys.
pub(super) struct LineNumbers {
    /// In order.
    keys: Vec<LineKey>,
    /// By place.
    of_places: Vec<u32>,
    /// By node: the line that called it; [`NONE`] for a root.
    of_calls: Vec<u32>,
}

const NONE: u32 = u32::MAX;

/// A line is mostly reached by more than so many paths.
const PLACES_A_LINE: usize = 4;

/// Numbers in order of first sight.
#[derive(Default)]
struct Seen {
    lines: FxHashMap<(StrId, u32), u32>,
    /// By sub: the line that stands for what it does outside of any statement.
    without_statement: FxHashMap<SubId, u32>,
    keys: Vec<LineKey>,
    /// What was asked last, and its number: places of a line mostly come one after the other.
    last: Option<((StrId, u32), u32)>,
}

impl Seen {
    /// Room for what so many places are likely to have.
    fn of(places: usize) -> Self {
        let lines = FxHashMap::with_capacity_and_hasher(places / PLACES_A_LINE, FxBuildHasher);
        Seen { lines, ..Seen::default() }
    }

    fn number(&mut self, file: StrId, line: u32, sub: SubId) -> u32 {
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == (file, line)) {
            return number;
        }
        let keys = &mut self.keys;
        let mut next = |key| {
            keys.push(key);
            u32::try_from(keys.len() - 1).unwrap_or(NONE)
        };
        if file == StrId(0) && line == 0 {
            return *self.without_statement.entry(sub).or_insert_with(|| next((file, line, Some(sub))));
        }
        let number = *self.lines.entry((file, line)).or_insert_with(|| next((file, line, None)));
        self.last = Some(((file, line), number));
        number
    }
}

impl LineNumbers {
    /// Numbers the lines of a trace.
    pub(super) fn new(trace: &Trace, tree: &CallTree) -> Self {
        let mut seen = Seen::of(trace.places.len());
        let sub = |id: NodeId| trace.nodes.get(id.index()).map(|node| node.sub).unwrap_or_default();
        let places = trace.places.iter().map(|place| seen.number(place.file, place.line, sub(place.node)));
        let mut of_places: Vec<u32> = places.collect();
        seen.last = None;
        let calls = (0..).map(NodeId).zip(&trace.nodes).map(|(id, node)| {
            tree.parent(id).map_or(NONE, |parent| seen.number(node.call_file, node.call_line, sub(parent)))
        });
        let mut of_calls: Vec<u32> = calls.collect();
        let mut keys: Vec<(LineKey, u32)> = seen.keys.into_iter().zip(0..).collect();
        keys.sort_unstable();
        let mut in_order = vec![NONE; keys.len()];
        for (number, (_, seen)) in (0..).zip(&keys) {
            if let Some(slot) = in_order.get_mut(*seen as usize) {
                *slot = number;
            }
        }
        for number in of_places.iter_mut().chain(&mut of_calls) {
            *number = in_order.get(*number as usize).copied().unwrap_or(NONE);
        }
        LineNumbers { keys: keys.into_iter().map(|(key, _)| key).collect(), of_places, of_calls }
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// What the line with that number is.
    pub(super) fn key(&self, number: usize) -> LineKey {
        self.keys.get(number).copied().unwrap_or_default()
    }

    /// The line of a place.
    pub(super) fn of_place(&self, id: PlaceId) -> Option<usize> {
        self.of_places.get(id.index()).map(|&number| number as usize)
    }

    /// The line that a node was called on; `None` for a root.
    pub(super) fn of_call(&self, id: NodeId) -> Option<usize> {
        self.of_calls.get(id.index()).filter(|&&number| number != NONE).map(|&number| number as usize)
    }
}
