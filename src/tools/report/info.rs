//! `info`: what the trace itself is: header, options, counters, threads, chunks.

use super::{Options, Report};
use crate::format::records::{Cause, ThreadFigures};
use crate::tools::document::{Fact, Section, Value};
use crate::tools::merge::{members, plain_options, Member};
use crate::tools::profile::{names, Profile};
use crate::tools::select::{Column, Selection, UnknownColumn};
use crate::tools::trace::{ChunkCount, CHUNK_KINDS};

/// The report.
pub(super) struct Info;

#[rustfmt::skip]
const THREADS: &[Column<ThreadFigures>] = &[
    Column::new("thread_id", "thread id", |row: &ThreadFigures| Value::Count(row.tid.into())).ascending(),
    Column::new("runs_perl", "runs perl", |row| Value::Flag(row.runs_perl)),
    Column::new("allocated_bytes", "allocated\nbytes", |row| Value::Bytes(row.allocated_bytes)),
    Column::new("allocated_blocks", "allocated\nblocks", |row| Value::Count(row.allocated_blocks)),
    Column::new("freed_bytes", "freed\nbytes", |row| Value::Bytes(row.freed_bytes)),
    Column::new("freed_blocks", "freed\nblocks", |row| Value::Count(row.freed_blocks)),
];

#[rustfmt::skip]
const OPTIONS: &[Column<(String, String)>] = &[
    Column::new("option", "option", |row| Value::Text(row.0.clone())),
    Column::new("value", "value", |row| Value::Text(row.1.clone())),
];

#[rustfmt::skip]
const MEMBERS: &[Column<Member>] = &[
    Column::new("run", "run", |row: &Member| Value::Count(row.run.into())).ascending(),
    Column::new("pid", "process", |row: &Member| Value::Count(row.pid.into())),
    Column::new("parent_pid", "parent", |row: &Member| Value::Count(row.parent_pid.into())),
    Column::new("child_of_member", "forked\nhere", |row: &Member| Value::Flag(row.child_of_member)),
    Column::new("hostname", "host", |row: &Member| Value::Text(row.hostname.clone())),
    Column::new("start_unix_ns", "started", |row: &Member| Value::Instant(row.start_unix_ns)).on_demand(),
    Column::new("duration_ns", "ran for", |row: &Member| Value::Nanoseconds(row.duration_ns)).spare(),
    Column::new("allocated_bytes", "allocated\nbytes", |row: &Member| Value::Bytes(row.allocated_bytes)),
    Column::new("live_bytes", "live\nbytes", |row: &Member| Value::Bytes(row.live_bytes)),
    Column::new("peak_bytes", "peak\nbytes", |row: &Member| Value::Bytes(row.peak_bytes)).spare(),
    Column::new("trace", "trace", |row: &Member| Value::Path(row.path.to_string_lossy().into_owned())),
];

#[rustfmt::skip]
const CHUNKS: &[Column<(&'static str, ChunkCount)>] = &[
    Column::new("kind", "kind", |row| Value::Text(row.0.to_owned())),
    Column::new("chunks", "chunks", |row| Value::Count(row.1.chunks)),
    Column::new("stored_bytes", "stored\nbytes", |row| Value::Bytes(row.1.stored_bytes)),
];

#[rustfmt::skip]
const SNAPSHOTS: &[Column<(Cause, u64, u64)>] = &[
    Column::new("cause", "cause", |row| Value::Text(names::cause(row.0).to_owned())),
    Column::new("snapshots", "snapshots", |row| Value::Count(row.1)),
    Column::new("last_time_ns", "last at", |row| Value::Nanoseconds(row.2)),
];

#[rustfmt::skip]
const MARKS: &[Column<(String, u64)>] = &[
    Column::new("label", "label", |row| Value::Text(row.0.clone())),
    Column::new("marks", "marks", |row| Value::Count(row.1)),
];

const CAUSES: [Cause; 7] =
    [Cause::Interval, Cause::Base, Cause::Request, Cause::Exec, Cause::Exit, Cause::QuickExit, Cause::Mark];

fn header(profile: &Profile) -> Section {
    let header = &profile.trace.header;
    let words = header.command_line.iter().map(|word| names::text(word)).collect();
    let parent = header.parent_trace.as_ref().map_or(Value::Absent, |path| Value::Path(names::text(path)));
    let version = |version: &str| Value::Text(version.to_owned());
    let facts = vec![
        Fact::new("written by Devel::MProf", "mprof_version", version(&header.mprof_version), ""),
        Fact::new("perl", "perl_version", version(&header.perl_version), " ").and(
            "perl_archname",
            version(&header.perl_archname),
            "",
        ),
        Fact::new("built with ithreads", "perl_threaded", Value::Flag(header.perl_threaded), ""),
        Fact::new("process", "pid", Value::Count(header.pid.into()), ", parent ").and(
            "parent_pid",
            Value::Count(header.parent_pid.into()),
            "",
        ),
        Fact::new("trace of the parent", "parent_trace", parent, ""),
        Fact::new("command line", "command_line", Value::Words(words), ""),
        Fact::new("working directory", "cwd", Value::Path(names::text(&header.cwd)), ""),
        Fact::new("host", "hostname", Value::Text(header.hostname.clone()), ""),
        Fact::new("started", "start_unix_ns", Value::Instant(header.start_unix_ns), ""),
        Fact::new("size of a page", "page_size_bytes", Value::Bytes(header.page_size_bytes.into()), ""),
        Fact::new("virtual size at the start", "start_size_pages", Value::Count(header.start_size_pages), " pages"),
        Fact::new("resident at the start", "start_resident_pages", Value::Count(header.start_resident_pages), " pages"),
        Fact::new("live at the start", "start_live_scalars", Value::Count(header.start_scalars), " scalars"),
    ];
    Section::facts("header", "Header", facts)
}

#[rustfmt::skip]
fn counters(profile: &Profile) -> Section {
    let totals = &profile.totals;
    let facts = vec![
        Fact::new("allocated", "allocated_bytes", Value::Bytes(totals.allocated_bytes), " in ")
            .and("allocated_blocks", Value::Count(totals.allocated_blocks), " blocks"),
        Fact::new("freed", "freed_bytes", Value::Bytes(totals.freed_bytes), " in ")
            .and("freed_blocks", Value::Count(totals.freed_blocks), " blocks"),
        Fact::new("freed, older than the start", "older_freed_bytes", Value::Bytes(totals.older_freed_bytes), " in ")
            .and("older_freed_blocks", Value::Count(totals.older_freed_blocks), " blocks"),
        Fact::new("live", "live_bytes", Value::Bytes(totals.live_bytes), " in ")
            .and("live_blocks", Value::Count(totals.live_blocks), " blocks"),
        Fact::new("highest live", "peak_bytes", Value::Bytes(totals.peak_bytes), " in ")
            .and("peak_blocks", Value::Count(totals.peak_blocks), " blocks, at ")
            .and("peak_time_ns", Value::Nanoseconds(totals.peak_time_ns), ", peak number ")
            .and("peak_number", Value::Count(totals.peak_number), ""),
        Fact::new("mapped", "mapped_bytes", Value::Bytes(totals.mapped_bytes), ""),
        Fact::new("unmapped", "unmapped_bytes", Value::Bytes(totals.unmapped_bytes), ""),
        Fact::new("born", "born_scalars", Value::Count(totals.scalars_born), " scalars"),
        Fact::new("died", "died_scalars", Value::Count(totals.scalars_died), " scalars"),
        Fact::new("died, older than the start", "older_died_scalars", Value::Count(totals.older_scalars_died), " scalars"),
        Fact::new("live", "live_scalars", Value::Count(totals.scalars), " scalars"),
        Fact::new("virtual size", "size_pages", Value::Count(totals.size_pages), " pages"),
        Fact::new("resident", "resident_pages", Value::Count(totals.resident_pages), " pages"),
        Fact::new("highest resident", "peak_resident_bytes", Value::Bytes(totals.peak_resident_bytes), ""),
        Fact::new("reads of statm", "statm_reads", Value::Count(totals.statm_reads), ""),
        Fact::new("the profiler's own", "profiler_bytes", Value::Bytes(totals.profiler_bytes), ", at most ")
            .and("profiler_peak_bytes", Value::Bytes(totals.profiler_peak_bytes), ""),
        Fact::new("calls at the depth cap", "depth_capped_calls", Value::Count(totals.depth_capped_calls), ""),
        Fact::new("allocator calls missed", "missed_events", Value::Count(totals.missed_events), ""),
    ];
    Section::facts("counters", "Counters at the last snapshot", facts)
}

fn sizes(profile: &Profile) -> Section {
    let trace = &profile.trace;
    let count = |entries: usize| Value::Count(entries as u64);
    let facts = vec![
        Fact::new("file", "file_bytes", Value::Bytes(trace.file_bytes), ""),
        Fact::new("strings", "strings", count(trace.strings.len()), ""),
        Fact::new("subs", "subs", count(trace.subs.len()), ""),
        Fact::new("nodes of the call tree", "nodes", count(trace.nodes.len()), ""),
        Fact::new("places", "places", count(trace.places.len()), ""),
        Fact::new("points of the time line", "timeline_points", count(trace.timeline.len()), ""),
        Fact::new("closed properly", "closed", Value::Flag(trace.end.is_some()), ""),
    ];
    Section::facts("sizes", "Sizes of the trace", facts)
}

impl Report for Info {
    fn name(&self) -> &'static str {
        "info"
    }

    fn sections(&self, profile: &Profile, _: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let trace = &profile.trace;
        let all = Selection::default();
        let threads: Vec<ThreadFigures> = trace.threads.values().copied().collect();
        let chunks: Vec<_> = CHUNK_KINDS.into_iter().zip(trace.chunk_counts).collect();
        let of_cause = |cause: Cause| {
            let times = || trace.snapshots.iter().filter(|snapshot| snapshot.cause == cause);
            (cause, times().count() as u64, times().map(|snapshot| snapshot.time_ns).max().unwrap_or(0))
        };
        let marks: Vec<_> = trace.mark_labels.iter().map(|(&id, &marks)| (names::string(trace, id), marks)).collect();
        let snapshots: Vec<_> = CAUSES.into_iter().map(of_cause).filter(|&(_, count, _)| count > 0).collect();
        let members = members(&trace.header);
        let options: Vec<_> = plain_options(&trace.header);
        let mut sections = vec![header(profile)];
        if !members.is_empty() {
            let table = all.table(MEMBERS, &members, "run", &[])?;
            let section = Section::table("members", "Processes", table);
            sections.push(section.note(
                "of a process that was forked from another of these: what it did itself, without what it inherited",
            ));
        }
        sections.extend([
            Section::table("options", "Options", all.table(OPTIONS, &options, "option", &[])?),
            counters(profile),
            Section::table("threads", "Threads", all.table(THREADS, &threads, "thread_id", &[])?),
            Section::table("marks", "Marks", all.table(MARKS, &marks, "marks", &[])?),
            Section::table("snapshots", "Snapshots", all.table(SNAPSHOTS, &snapshots, "snapshots", &[])?),
            sizes(profile),
            Section::table("chunks", "Chunks", all.table(CHUNKS, &chunks, "stored_bytes", &[])?),
        ]);
        Ok(sections)
    }
}
