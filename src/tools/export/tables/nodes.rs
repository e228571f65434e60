//! `nodes`: the call tree, a row for each path of calls.

use super::{number, text, Cell, Of, Rows, Whose};
use crate::format::ids::NodeId;
use crate::format::records::Node;
use crate::tools::profile::{names, Measures};
use crate::tools::reader::Keep;

/// A node and its figures.
pub(super) struct Row {
    id: NodeId,
    node: Node,
    own: Measures,
    inclusive: Measures,
}

pub(super) static NODES: Rows<Row> = Rows {
    name: "nodes",
    key: &["run_id", "node_id"],
    columns: &[
        Of::integer("node_id", |_, row| number(row.id.0)),
        Of::integer("parent_id", |run, row| run.profile.tree.parent(row.id).map_or(Cell::Null, |id| number(id.0))),
        Of::integer("depth", |run, row| {
            run.depths.get(row.id.index()).map_or(Cell::Null, |&depth| Cell::Integer(depth))
        }),
        Of::integer("sub_id", |_, row| number(row.node.sub.0)),
        Of::text("sub", |run, row| text(run.subs.get(row.node.sub.index()))),
        Of::text("kind", |run, row| Cell::Text(names::kind(run.profile.trace.sub(row.node.sub).kind))),
        Of::text("module", |run, row| text(run.modules.get(row.node.sub.index()))),
        Of::text("call_file", |run, row| text(run.strings.get(row.node.call_file.index()))),
        Of::integer("call_line", |_, row| number(row.node.call_line)),
        Of::integer("calls", |_, row| number(row.own.calls)),
    ],
    keep: Keep::Last,
    measures: &[(Whose::Own, |row| &row.own), (Whose::Inclusive, |row| &row.inclusive)],
    totals: &[],
    rows: |run| {
        let tree = &run.profile.tree;
        let row = |(id, node): (NodeId, &Node)| Row {
            id,
            node: *node,
            own: run.profile.own(id),
            inclusive: tree.inclusive(id),
        };
        Box::new((0..).map(NodeId).zip(&run.profile.trace.nodes).map(row))
    },
};
