//! `subs`: the rows of `mprof-dump subs`.

use super::{number, Cell, Of, Rows, Whose};
use crate::tools::profile::{names, SubRow};
use crate::tools::reader::Keep;

pub(super) static SUBS: Rows<SubRow> = Rows {
    name: "subs",
    key: &["run_id", "sub_id"],
    columns: &[
        Of::integer("sub_id", |_, row| number(row.id.0)),
        Of::text("sub", |_, row| Cell::Text(&row.name)),
        Of::text("kind", |_, row| Cell::Text(names::kind(row.kind))),
        Of::text("module", |_, row| Cell::Text(&row.module)),
        Of::text("file", |_, row| Cell::Text(&row.file)),
        Of::integer("line", |_, row| number(row.line)),
        Of::integer("calls", |_, row| number(row.own.calls)),
    ],
    keep: Keep::Last,
    measures: &[(Whose::Own, |row| &row.own), (Whose::Inclusive, |row| &row.inclusive)],
    totals: &[],
    rows: |run| Box::new(run.profile.subs.iter().cloned()),
};
