//! `marks`: how many marks of each label the program made.

use super::{number, text, Of, Rows};
use crate::format::ids::StrId;
use crate::tools::reader::Keep;

pub(super) static MARKS: Rows<(u64, StrId, u64)> = Rows {
    name: "marks",
    key: &["run_id", "label_id"],
    columns: &[
        Of::integer("label_id", |_, row| number(row.0)),
        Of::text("label", |run, row| text(run.strings.get(row.1.index()))),
        Of::integer("marks", |_, row| number(row.2)),
    ],
    keep: Keep::Last,
    measures: &[],
    totals: &[],
    rows: |run| {
        let labels = run.profile.trace.mark_labels.iter();
        Box::new((1..).zip(labels).map(|(id, (&label, &marks))| (id, label, marks)))
    },
};
