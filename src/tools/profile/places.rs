//! Figures by place. Calls, frees and pages have no line: they stand at line 0 of no file, with what happened outside of
//! any statement of their node.

use super::measures::Measures;
use super::tree::{CallTree, NodeMeasures, PlaceMeasures};
use crate::format::ids::{NodeId, StrId};
use crate::tools::trace::Trace;

/// Figures of a line as reached by one path of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceRow {
    /// The path of calls.
    pub node: NodeId,
    /// The file; empty for what has no line.
    pub file: StrId,
    /// The line; 0 for what has no line.
    pub line: u32,
    /// Its figures.
    pub own: Measures,
}

/// The places at which anything happened, by node: of each node first what has no line. Every figure is in them once.
pub(super) fn places<'a>(trace: &'a Trace, tree: &'a CallTree) -> impl Iterator<Item = PlaceRow> + 'a {
    let measures = PlaceMeasures::new(trace);
    let nodes = NodeMeasures::new(trace);
    let of_node = move |node: NodeId| {
        let mut without_line = nodes.of(node);
        let mut rows = vec![];
        for &id in tree.places(node) {
            let Some(place) = trace.places.get(id.index()) else { continue };
            let own = measures.of(id);
            if place.file == StrId(0) && place.line == 0 {
                without_line.add(&own);
            } else {
                rows.push(PlaceRow { node, file: place.file, line: place.line, own });
            }
        }
        std::iter::once(PlaceRow { node, file: StrId(0), line: 0, own: without_line }).chain(rows)
    };
    let nodes = (0..).map(NodeId).take(trace.nodes.len());
    nodes.flat_map(of_node).filter(|row| !row.own.is_zero())
}
