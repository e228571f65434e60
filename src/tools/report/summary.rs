//! `summary`: the page that is shown where no report is named: what ran, what it took, who took most.

use super::{inherited, lines, subs, Options, Report};
use crate::format::records::{Cause, SubKind};
use crate::tools::document::{Fact, Section, Table, Value};
use crate::tools::merge::members;
use crate::tools::profile::{difference, names, LineFigure, Profile};
use crate::tools::select::{Selection, UnknownColumn};

/// The report.
pub(super) struct Summary;

/// Rows of a table on this page.
const ROWS: usize = 10;

/// How the process ended, in words.
fn ending(profile: &Profile) -> &'static str {
    let last = profile.trace.snapshots.last().map(|snapshot| snapshot.cause);
    match profile.trace.end.as_ref().map(|end| end.cause) {
        None if last == Some(Cause::Exec) => "ended by exec of another program",
        None => "no end recorded (it still runs, was killed, or the trace was cut off)",
        Some(Cause::Exit) => "ended by exit",
        Some(Cause::QuickExit) => "ended by _exit or abort",
        Some(Cause::Exec) => "ended by exec of another program",
        Some(Cause::Interval | Cause::Base | Cause::Request | Cause::Mark) => "profiling was ended before the process",
    }
}

fn run(profile: &Profile) -> Section {
    let trace = &profile.trace;
    let header = &trace.header;
    let words = header.command_line.iter().map(|word| names::text(word)).collect();
    let mut facts = vec![
        Fact::new("command line", "command_line", Value::Words(words), ""),
        Fact::new("perl", "perl_version", Value::Text(header.perl_version.clone()), " ").and(
            "perl_archname",
            Value::Text(header.perl_archname.clone()),
            "",
        ),
        Fact::new("process", "pid", Value::Count(header.pid.into()), ", child of ")
            .and("parent_pid", Value::Count(header.parent_pid.into()), " on ")
            .and("hostname", Value::Text(header.hostname.clone()), ""),
        Fact::new("started", "start_unix_ns", Value::Instant(header.start_unix_ns), " in ").and(
            "cwd",
            Value::Text(names::text(&header.cwd)),
            "",
        ),
        Fact::new("ran for", "duration_ns", Value::Nanoseconds(trace.last_time_ns()), ", ").and(
            "ending",
            Value::Text(ending(profile).to_owned()),
            "",
        ),
    ];
    if let Some(parent) = &header.parent_trace {
        let path = Value::Text(names::text(parent));
        facts.push(Fact::new("forked from", "parent_trace", path, " (figures count from the fork)"));
    }
    let members = members(header);
    if let Some(runs) = members.iter().map(|member| member.run).max() {
        let traces = Value::Count(members.len() as u64);
        let fact = Fact::new("sum of", "traces", traces, " traces, runs: ").and(
            "runs",
            Value::Count(runs.into()),
            " (info lists them; above is the first)",
        );
        facts.push(fact);
    }
    Section::facts("run", "Run", facts)
}

fn heap(profile: &Profile) -> Section {
    let totals = &profile.totals;
    let mut facts = vec![
        Fact::new("allocated", "allocated_bytes", Value::Bytes(totals.allocated_bytes), " in ").and(
            "allocated_blocks",
            Value::Count(totals.allocated_blocks),
            " blocks",
        ),
        Fact::new("freed", "freed_bytes", Value::Bytes(totals.freed_bytes), " in ").and(
            "freed_blocks",
            Value::Count(totals.freed_blocks),
            " blocks",
        ),
        Fact::new("live", "live_bytes", Value::Bytes(totals.live_bytes), " in ").and(
            "live_blocks",
            Value::Count(totals.live_blocks),
            " blocks",
        ),
        Fact::new("peak", "peak_bytes", Value::Bytes(totals.peak_bytes), " in ")
            .and("peak_blocks", Value::Count(totals.peak_blocks), " blocks, at ")
            .and("peak_time_ns", Value::Nanoseconds(totals.peak_time_ns), ""),
    ];
    if let Some(base) = &profile.trace.base {
        let live = Value::Bytes(base.totals.live_bytes);
        let fact = Fact::new("live at the fork", "base_live_bytes", live, " in ").and(
            "base_live_blocks",
            Value::Count(base.totals.live_blocks),
            " blocks, inherited, part of live and peak",
        );
        facts.push(fact);
    }
    if totals.mapped_bytes > 0 || totals.unmapped_bytes > 0 {
        let fact = Fact::new("mapped by mmap", "mapped_bytes", Value::Bytes(totals.mapped_bytes), ", unmapped ").and(
            "unmapped_bytes",
            Value::Bytes(totals.unmapped_bytes),
            ", in no other figure",
        );
        facts.push(fact);
    }
    let pools = &profile.pools;
    let fact = Fact::new("perl's pools", "pools_live_bytes", Value::Bytes(pools.live_bytes), " live, ")
        .and("pools_allocated_bytes", Value::Bytes(pools.allocated_bytes), " allocated, ")
        .and("pools_at_peak_bytes", Value::Bytes(pools.at_peak_bytes), " at the peak");
    facts.push(fact);
    if profile.unplaced_live_bytes != 0 || profile.unplaced_allocated_bytes != 0 {
        let live = Value::SignedBytes(profile.unplaced_live_bytes);
        let fact = Fact::new("in no line below", "unplaced_live_bytes", live, " live, ").and(
            "unplaced_allocated_bytes",
            Value::SignedBytes(profile.unplaced_allocated_bytes),
            " allocated",
        );
        facts.push(fact);
    }
    Section::facts("heap", "Heap, since the start", facts)
}

fn process(profile: &Profile) -> Section {
    let (totals, header) = (&profile.totals, &profile.trace.header);
    let pages = |pages| Value::Bytes(profile.pages_in_bytes(pages));
    // The kernel's own peak may lag behind what was sampled.
    let peak = totals.peak_resident_bytes.max(profile.pages_in_bytes(totals.resident_pages));
    let growth = difference(totals.scalars, header.start_scalars);
    let facts = vec![
        Fact::new("resident", "start_resident_bytes", pages(header.start_resident_pages), " at the start, ")
            .and("peak_resident_bytes", Value::Bytes(peak), " at most, ")
            .and("end_resident_bytes", pages(totals.resident_pages), " at the end (sampled)"),
        Fact::new("virtual size", "start_size_bytes", pages(header.start_size_pages), " at the start, ").and(
            "end_size_bytes",
            pages(totals.size_pages),
            " at the end",
        ),
        Fact::new("scalars", "start_live_scalars", Value::Count(header.start_scalars), " live at the start, ")
            .and("end_live_scalars", Value::Count(totals.scalars), " at the end, a change of ")
            .and("grown_scalars", Value::Signed(growth), ""),
        Fact::new("", "born_scalars", Value::Count(totals.scalars_born), " born, ").and(
            "died_scalars",
            Value::Count(totals.scalars_died),
            " died (at least)",
        ),
        Fact::new("profiler", "profiler_bytes", Value::Bytes(totals.profiler_bytes), " of its own, ").and(
            "profiler_peak_bytes",
            Value::Bytes(totals.profiler_peak_bytes),
            " at most (in no figure of the heap)",
        ),
    ];
    Section::facts("process", "Process", facts)
}

/// The lines that allocate most, and those that hold most at the peak.
fn top_lines(profile: &Profile, top: &Selection, also: &[&str]) -> Result<[Table; 2], UnknownColumn> {
    let allocated: LineFigure = |own| own.allocated_bytes;
    let at_peak: LineFigure = |own| own.at_peak_bytes;
    // A filter wants the names of all lines; without one it is enough to sum up those that are shown.
    let mut sooner = match (&top.filter, top.top) {
        (None, Some(rows)) => profile.lines_with_most(&[allocated, at_peak], rows).into_iter(),
        _ => Vec::new().into_iter(),
    };
    let mut table = |figure: LineFigure, key| {
        if let Some(lines) = sooner.next() {
            let table = top.table(lines::COLUMNS, &lines.rows, key, also)?;
            return Ok(Table { rows_in_all: lines.rows_in_all, ..table });
        }
        let all = profile.lines().iter().filter(|row| !row.is_pools && figure(&row.own) > 0);
        top.table(lines::COLUMNS, all, key, also)
    };
    Ok([table(allocated, "self_allocated_bytes")?, table(at_peak, "self_at_peak_bytes")?])
}

impl Report for Summary {
    fn name(&self) -> &'static str {
        "summary"
    }

    fn warnings_on_page(&self) -> bool {
        true
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let top = Selection { top: Some(options.selection.top.unwrap_or(ROWS)), ..options.selection.clone() };
        let also = inherited(profile);
        // What a forked child inherited and never touched is no news.
        // The pools are no sub and no line; the page has them above.
        let subs = profile.subs.iter().filter(|row| row.kind != SubKind::Pools && row.own.allocated_bytes > 0);
        let subs = top.table(subs::COLUMNS, subs, "self_allocated_bytes", also)?;
        let [allocating, holding] = top_lines(profile, &top, also)?;
        Ok(vec![
            run(profile),
            heap(profile),
            process(profile),
            Section::table("subs", "Subs that allocate most", subs),
            Section::table("lines", "Lines that allocate most", allocating),
            Section::table("lines_at_peak", "Lines that hold most at the peak", holding),
        ])
    }
}
