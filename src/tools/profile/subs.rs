//! Figures by sub.

use super::measures::Measures;
use super::names;
use super::outermost::outermost;
use super::tree::{CallTree, NodeMeasures, PlaceMeasures};
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::{Sub, SubKind};
use crate::tools::trace::Trace;
use rustc_hash::FxHashMap;

/// Figures of a sub.
#[derive(Clone, Debug, PartialEq)]
pub struct SubRow {
    /// The sub.
    pub id: SubId,
    /// Its kind.
    pub kind: SubKind,
    /// Its full name.
    pub name: String,
    /// The module it belongs to.
    pub module: String,
    /// File it is defined in; empty where unknown.
    pub file: String,
    /// First line of its body; 0 where unknown.
    pub line: u32,
    /// Figures without what it calls.
    pub own: Measures,
    /// Figures with all it calls. What it calls by way of itself counts once.
    pub inclusive: Measures,
}

/// By sub: itself; of string evals, the first of the same name. An eval inside of an eval goes by the outer one's place,
/// but is another sub, of another file.
fn first_of_name(trace: &Trace) -> Vec<usize> {
    let mut evals = FxHashMap::default();
    let first = |(at, sub): (usize, &Sub)| match sub.kind {
        SubKind::Eval if sub.name != StrId(0) => *evals.entry(sub.name).or_insert(at),
        _ => at,
    };
    trace.subs.iter().enumerate().map(first).collect()
}

/// The subs in which anything happened, by id.
pub(super) fn subs(trace: &Trace, tree: &CallTree) -> Vec<SubRow> {
    let mut sums = vec![(Measures::default(), Measures::default()); trace.subs.len()];
    let first = first_of_name(trace);
    let sub_of = |id: NodeId| first.get(trace.nodes.get(id.index())?.sub.index()).copied();
    let outermost = outermost(tree, trace.subs.len(), sub_of);
    let nodes = NodeMeasures::new(trace);
    for (id, outermost) in (0..).map(NodeId).take(trace.nodes.len()).zip(outermost) {
        let Some((own, inclusive)) = sub_of(id).and_then(|at| sums.get_mut(at)) else { continue };
        own.add(&nodes.of(id));
        if outermost {
            inclusive.add(&tree.inclusive(id));
        }
    }
    let places = PlaceMeasures::new(trace);
    for (id, place) in (0..).map(PlaceId).zip(&trace.places) {
        if let Some((own, _)) = sub_of(place.node).and_then(|at| sums.get_mut(at)) {
            own.add(&places.of(id));
        }
    }
    let row = |((id, sub), (own, mut inclusive)): ((SubId, _), (Measures, Measures))| {
        let sub: &Sub = sub;
        // Calls of what it calls are no calls of it.
        inclusive.calls = own.calls;
        SubRow {
            id,
            kind: sub.kind,
            name: names::sub(trace, id),
            module: names::module(trace, sub),
            file: names::string(trace, sub.file),
            line: sub.line,
            own,
            inclusive,
        }
    };
    let rows = (0..).map(SubId).zip(&trace.subs).zip(sums);
    rows.filter(|(_, (own, inclusive))| !(own.is_zero() && inclusive.is_zero())).map(row).collect()
}
