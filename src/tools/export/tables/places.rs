//! `places`: a row for each path of calls and line. All that was counted is in it once.

use super::{number, text, Cell, Of, Rows, Whose};
use crate::format::ids::{NodeId, SubId};
use crate::tools::profile::{names, PlaceRow};
use crate::tools::reader::Keep;

/// A place, its number, and the sub it is in.
pub(super) struct Row {
    id: u64,
    place: PlaceRow,
    sub: SubId,
}

pub(super) static PLACES: Rows<Row> = Rows {
    name: "places",
    key: &["run_id", "place_id"],
    columns: &[
        Of::integer("place_id", |_, row| number(row.id)),
        Of::integer("node_id", |_, row| number(row.place.node.0)),
        Of::integer("sub_id", |_, row| number(row.sub.0)),
        Of::text("sub", |run, row| text(run.subs.get(row.sub.index()))),
        Of::text("kind", |run, row| Cell::Text(names::kind(run.profile.trace.sub(row.sub).kind))),
        Of::text("module", |run, row| text(run.modules.get(row.sub.index()))),
        Of::text("file", |run, row| text(run.strings.get(row.place.file.index()))),
        Of::integer("line", |_, row| number(row.place.line)),
        Of::integer("calls", |_, row| number(row.place.own.calls)),
    ],
    keep: Keep::Last,
    measures: &[(Whose::Only, |row| &row.place.own)],
    totals: &[],
    rows: |run| {
        let nodes = &run.profile.trace.nodes;
        let sub = |id: NodeId| nodes.get(id.index()).map(|node| node.sub).unwrap_or_default();
        let row = move |(id, place): (u64, PlaceRow)| Row { id, sub: sub(place.node), place };
        Box::new((1..).zip(run.profile.places()).map(row))
    },
};
