//! `runs`: a row for each trace.

use super::{number, text, Cell, Of, Rows};
use crate::format::records::Totals;
use crate::tools::profile::names;
use crate::tools::reader::Keep;

pub(super) static RUNS: Rows<Totals> = Rows {
    name: "runs",
    key: &["run_id"],
    columns: &[
        Of::text("host", |run, _| Cell::Text(&run.profile.trace.header.hostname)),
        Of::text("run", |run, _| Cell::Text(&run.key)),
        Of::text("trace", |run, _| Cell::Text(&run.trace)),
        Of::integer("pid", |run, _| number(run.profile.trace.header.pid)),
        Of::integer("parent_pid", |run, _| number(run.profile.trace.header.parent_pid)),
        Of::text("parent_trace", |run, _| text(run.parent_trace.as_ref())),
        Of::text("command_line", |run, _| Cell::Text(&run.command_line)),
        Of::text("cwd", |run, _| Cell::Text(&run.cwd)),
        Of::text("perl_version", |run, _| Cell::Text(&run.profile.trace.header.perl_version)),
        Of::text("mprof_version", |run, _| Cell::Text(&run.profile.trace.header.mprof_version)),
        Of::integer("start_unix_ns", |run, _| number(run.profile.trace.header.start_unix_ns)),
        Of::integer("duration_ns", |run, _| number(run.profile.trace.last_time_ns())),
        Of::text("end_cause", |run, _| {
            run.profile.trace.end.as_ref().map_or(Cell::Null, |end| Cell::Text(names::cause(end.cause)))
        }),
        Of::text("warnings", |run, _| Cell::Text(&run.warnings)),
        Of::integer("page_size_bytes", |run, _| number(run.profile.trace.header.page_size_bytes)),
        Of::integer("start_size_pages", |run, _| number(run.profile.trace.header.start_size_pages)),
        Of::integer("start_resident_pages", |run, _| number(run.profile.trace.header.start_resident_pages)),
        Of::integer("start_live_scalars", |run, _| number(run.profile.trace.header.start_scalars)),
    ],
    keep: Keep::Last,
    measures: &[],
    totals: &[|totals| totals],
    rows: |run| Box::new(std::iter::once(run.profile.totals)),
};
