//! `leaks`: the entries of `mprof-dump leaks`, all of them.

use super::{number, text, Cell, Of, Rows};
use crate::format::ids::StrId;
use crate::tools::leaks::origin::Site;
use crate::tools::leaks::{Leak, Leaks};
use crate::tools::profile::{names, Profile};
use crate::tools::reader::Keep;
use crate::tools::report::{advice, reason, why};

/// An entry and its texts.
pub(super) struct Row {
    id: u64,
    leak: Leak,
    is_steady: bool,
    per: &'static str,
    sub: String,
    born_sub: Option<String>,
    why: String,
    advice: String,
}

#[rustfmt::skip]
pub(super) static LEAKS: Rows<Row> = Rows {
    name: "leaks",
    key: &["run_id", "leak_id"],
    columns: &[
        Of::integer("leak_id", |_, row| number(row.id)),
        Of::integer("is_steady", |_, row| number(row.is_steady)),
        Of::text("file", |run, row| file(&run.strings, row.leak.site.file)),
        Of::integer("line", |_, row| number(row.leak.site.line)),
        Of::text("sub", |_, row| Cell::Text(&row.sub)),
        Of::text("per", |_, row| Cell::Text(row.per)),
        Of::real("growth_bytes_per_mark", |_, row| real(row.leak.bytes.per_unit)),
        Of::real("growth_scalars_per_mark", |_, row| real(row.leak.scalars.per_unit)),
        Of::real("growth_bytes_per_call", |_, row| row.leak.bytes_per_call.map_or(Cell::Null, real)),
        Of::real("growth_scalars_per_call", |_, row| row.leak.scalars_per_call.map_or(Cell::Null, real)),
        Of::real("total_growth_bytes", |_, row| real(row.leak.bytes.total)),
        Of::real("total_growth_scalars", |_, row| real(row.leak.scalars.total)),
        Of::real("last_marks_growth_bytes", |_, row| real(row.leak.bytes.in_last_quarter)),
        Of::real("last_marks_growth_scalars", |_, row| real(row.leak.scalars.in_last_quarter)),
        Of::real("steadiness", |_, row| real(row.leak.steadiness())),
        Of::integer("instances", |_, row| number(row.leak.instances)),
        Of::text("reason", |_, row| Cell::Text(reason(&row.leak.why))),
        Of::text("reason_path", |_, row| if row.leak.path.is_empty() { Cell::Null } else { Cell::Text(&row.leak.path) }),
        Of::text("reason_text", |_, row| Cell::Text(&row.why)),
        Of::text("advice", |_, row| Cell::Text(&row.advice)),
        Of::text("born_file", |run, row| row.leak.born.map_or(Cell::Null, |born| file(&run.strings, born.file))),
        Of::integer("born_line", |_, row| row.leak.born.map_or(Cell::Null, |born| number(born.line))),
        Of::text("born_sub", |_, row| text(row.born_sub.as_ref())),
        Of::integer("call_paths", |_, row| number(row.leak.call_paths as u64)),
    ],
    keep: Keep::History,
    measures: &[],
    totals: &[],
    rows: |run| Box::new(rows(run.profile)),
};

/// No format of numbers has all that is no number.
fn real(number: f64) -> Cell<'static> {
    if number.is_finite() {
        Cell::Real(number)
    } else {
        Cell::Null
    }
}

fn file(strings: &[String], id: StrId) -> Cell<'_> {
    text(strings.get(id.index()))
}

fn rows(profile: &Profile) -> impl Iterator<Item = Row> + '_ {
    let trace = &profile.trace;
    let Leaks { axis, leaks, once, .. } = Leaks::new(trace);
    let sub = |site: Site| trace.nodes.get(site.node.index()).map(|node| names::sub(trace, node.sub));
    let all = leaks.into_iter().map(|leak| (leak, true)).chain(once.into_iter().map(|leak| (leak, false)));
    (1..).zip(all).map(move |(id, (leak, is_steady))| Row {
        id,
        is_steady,
        per: axis.unit.one(),
        sub: sub(leak.site).unwrap_or_default(),
        born_sub: leak.born.and_then(sub),
        why: why(&leak),
        advice: advice(&leak),
        leak,
    })
}
