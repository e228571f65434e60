//! Several traces as one: forked workers, several hosts, several runs.
//!
//! Strings, subs, call paths and places that are the same in two traces are one in the merged; their figures are summed
//! up, to the last unit. Of a forked child only what it did itself is taken ([`own`]). The peak of the merged trace is the
//! sum of the members' own peaks, whenever they were: the most that all together can have held. One snapshot is left, so
//! what came when is told by the time line alone, and what leaks by no merged trace.
//!
//! Never reads a file, and holds one member at a time.

pub mod members;
mod own;
#[cfg(test)]
mod tests;
mod timeline;
mod write;

pub use members::{members, Member};
pub use write::write;

use super::trace::{SnapshotTotals, Trace};
use super::warning::Warning;
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::{Cause, End, Header, Node, NodeFigures, Place, PlaceFigures, Sub, Totals};
use members::{member_warnings, MEMBER, MEMBER_WARNING};
use own::Own;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::path::PathBuf;
use thiserror::Error;
use timeline::Line;

/// Why traces cannot be merged.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the traces together have more entries of one table than a trace can have")]
pub struct TooManyEntries;

/// What stands between the values of an option that differ from member to member.
pub const BETWEEN_VALUES: &str = " | ";

/// The parent that a root is looked up by: no node's id.
const NO_PARENT: NodeId = NodeId(u32::MAX);

/// Traces as one, in the making.
pub struct Merger {
    trace: Trace,
    strings: FxHashMap<Vec<u8>, StrId>,
    subs: FxHashMap<Sub, SubId>,
    nodes: FxHashMap<Node, NodeId>,
    places: FxHashMap<Place, PlaceId>,
    totals: Totals,
    scalars: i128,
    start_scalars: u64,
    marks: u64,
    members: Vec<Member>,
    member_warnings: Vec<String>,
    headers: Vec<Header>,
    lines: Vec<Line>,
    /// Last snapshot's cause and end of each trace.
    ends: Vec<(Option<Cause>, Option<Cause>)>,
}

impl Default for Merger {
    fn default() -> Self {
        let mut trace = Trace::default();
        trace.strings.push(Vec::new());
        Merger {
            trace,
            strings: std::iter::once((Vec::new(), StrId(0))).collect(),
            subs: FxHashMap::default(),
            nodes: FxHashMap::default(),
            places: FxHashMap::default(),
            totals: Totals::default(),
            scalars: 0,
            start_scalars: 0,
            marks: 0,
            members: Vec::new(),
            member_warnings: Vec::new(),
            headers: Vec::new(),
            lines: Vec::new(),
            ends: Vec::new(),
        }
    }
}

/// The id of `key` in a table, new if it has none.
fn intern<K: Copy + Eq + std::hash::Hash, I: Copy>(
    table: &mut Vec<K>,
    ids: &mut FxHashMap<K, I>,
    key: K,
    entry: K,
    id: impl Fn(u32) -> I,
) -> Result<I, TooManyEntries> {
    if let Some(&known) = ids.get(&key) {
        return Ok(known);
    }
    let new = id(next_id(table.len())?);
    table.push(entry);
    ids.insert(key, new);
    Ok(new)
}

fn next_id(length: usize) -> Result<u32, TooManyEntries> {
    // The highest is no id, but NO_PARENT.
    u32::try_from(length).ok().filter(|&id| id < u32::MAX).ok_or(TooManyEntries)
}

impl Merger {
    /// Adds what a trace has to the sum.
    ///
    /// # Errors
    /// Where a table becomes too long; the sum is then worth nothing.
    pub fn add(&mut self, trace: &Trace) -> Result<(), TooManyEntries> {
        let page_scale = self.page_scale(&trace.header);
        let mut own = Own::new(trace);
        let strings = self.add_strings(trace)?;
        let subs = self.add_subs(trace, &strings)?;
        let nodes = self.add_nodes(trace, &strings, &subs)?;
        for (at, id) in (0..).map(NodeId).zip(&nodes) {
            let figures = own.node(at);
            if let Some(sum) = self.trace.figures.nodes.get_mut(id.index()) {
                add_node(sum, &figures, page_scale);
            }
        }
        self.add_places(trace, &strings, &nodes, &own)?;
        add_totals(&mut self.totals, &own.totals, page_scale);
        self.scalars += own.scalars;
        // A child's count from the fork: what it has more since is its growth.
        self.start_scalars += if trace.base.is_some() { 0 } else { trace.header.start_scalars };
        for (&tid, thread) in &trace.threads {
            self.trace.threads.entry(tid).or_default().add(thread);
        }
        self.marks = self.marks.saturating_add(trace.marks());
        for (label, &marks) in &trace.mark_labels {
            let label = strings.get(label.index()).copied().unwrap_or_default();
            let sum = self.trace.mark_labels.entry(label).or_default();
            *sum = sum.saturating_add(marks);
        }
        let new = trace.libraries.iter().filter(|folder| !self.trace.libraries.contains(folder));
        let new: Vec<_> = new.cloned().collect();
        self.trace.libraries.extend(new);
        self.add_member(trace, &own.totals);
        self.lines.push(Line::of(trace, page_scale));
        let cause = trace.snapshots.last().map(|snapshot| snapshot.cause);
        self.ends.push((cause, trace.end.as_ref().map(|end| end.cause)));
        self.headers.push(Header { options: plain_options(&trace.header), ..trace.header.clone() });
        self.trace.file_bytes += trace.file_bytes;
        for (sum, more) in self.trace.chunk_counts.iter_mut().zip(trace.chunk_counts) {
            sum.chunks += more.chunks;
            sum.stored_bytes += more.stored_bytes;
        }
        Ok(())
    }

    fn add_strings(&mut self, trace: &Trace) -> Result<Vec<StrId>, TooManyEntries> {
        let mut ids = Vec::with_capacity(trace.strings.len());
        for string in &trace.strings {
            let id = match self.strings.get(string) {
                Some(&known) => known,
                None => {
                    let new = StrId(next_id(self.trace.strings.len())?);
                    self.trace.strings.push(string.clone());
                    self.strings.insert(string.clone(), new);
                    new
                }
            };
            ids.push(id);
        }
        Ok(ids)
    }

    fn add_subs(&mut self, trace: &Trace, strings: &[StrId]) -> Result<Vec<SubId>, TooManyEntries> {
        let string = |id: StrId| strings.get(id.index()).copied().unwrap_or_default();
        let one = |sub: &Sub| {
            let sub = Sub { package: string(sub.package), name: string(sub.name), file: string(sub.file), ..*sub };
            intern(&mut self.trace.subs, &mut self.subs, sub, sub, SubId)
        };
        trace.subs.iter().map(one).collect()
    }

    fn add_nodes(&mut self, trace: &Trace, strings: &[StrId], subs: &[SubId]) -> Result<Vec<NodeId>, TooManyEntries> {
        let mut ids: Vec<NodeId> = Vec::with_capacity(trace.nodes.len());
        for (at, node) in (0..).map(NodeId).zip(&trace.nodes) {
            let sub = subs.get(node.sub.index()).copied().unwrap_or_default();
            let call_file = strings.get(node.call_file.index()).copied().unwrap_or_default();
            // A parent stands before its children.
            let parent = ids.get(node.parent.index()).copied().filter(|_| node.parent != at);
            let key = Node { parent: parent.unwrap_or(NO_PARENT), sub, call_file, call_line: node.call_line };
            let new = NodeId(next_id(self.trace.nodes.len())?);
            let entry = Node { parent: parent.unwrap_or(new), ..key };
            ids.push(intern(&mut self.trace.nodes, &mut self.nodes, key, entry, NodeId)?);
        }
        let figures = &mut self.trace.figures.nodes;
        for id in (0..).map(NodeId).take(self.trace.nodes.len()).skip(figures.len()) {
            figures.push(NodeFigures { id, ..NodeFigures::default() });
        }
        Ok(ids)
    }

    fn add_places(
        &mut self,
        trace: &Trace,
        strings: &[StrId],
        nodes: &[NodeId],
        own: &Own,
    ) -> Result<(), TooManyEntries> {
        for (at, place) in (0..).map(PlaceId).zip(&trace.places) {
            let place = Place {
                node: nodes.get(place.node.index()).copied().unwrap_or_default(),
                file: strings.get(place.file.index()).copied().unwrap_or_default(),
                line: place.line,
            };
            let id = intern(&mut self.trace.places, &mut self.places, place, place, PlaceId)?;
            let figures = &mut self.trace.figures.places;
            if id.index() == figures.len() {
                figures.push(PlaceFigures { id, ..PlaceFigures::default() });
            }
            if let Some(sum) = figures.get_mut(id.index()) {
                add_place(sum, &own.place(at));
            }
        }
        Ok(())
    }

    /// A merged trace brings its members, any other is one.
    fn add_member(&mut self, trace: &Trace, totals: &Totals) {
        let known = members(&trace.header);
        let path = trace.path.display();
        if known.is_empty() {
            self.members.push(Member {
                allocated_bytes: totals.allocated_bytes,
                live_bytes: totals.live_bytes,
                peak_bytes: totals.peak_bytes,
                ..Member::of(trace)
            });
        }
        self.members.extend(known);
        self.member_warnings.extend(member_warnings(&trace.header).map(str::to_owned));
        self.member_warnings.extend(trace.warnings.iter().map(|warning| format!("{path}: {warning}")));
    }

    /// What a trace's pages have to be multiplied by to be of the size that those here have. All are brought to the size
    /// of the smallest.
    fn page_scale(&mut self, header: &Header) -> u64 {
        let ours = u64::from(self.trace.header.page_size_bytes);
        let theirs = u64::from(header.page_size_bytes);
        if ours == 0 || theirs == 0 {
            self.trace.header.page_size_bytes = header.page_size_bytes.max(self.trace.header.page_size_bytes);
            return 1;
        }
        if theirs >= ours {
            return theirs / ours;
        }
        let scale = ours / theirs;
        for node in &mut self.trace.figures.nodes {
            node.size_pages = node.size_pages.saturating_mul(i64::try_from(scale).unwrap_or(i64::MAX));
            node.resident_pages = node.resident_pages.saturating_mul(i64::try_from(scale).unwrap_or(i64::MAX));
        }
        for pages in [&mut self.totals.size_pages, &mut self.totals.resident_pages] {
            *pages = pages.saturating_mul(scale);
        }
        self.lines.iter_mut().for_each(|line| line.rescale(scale));
        self.trace.header.page_size_bytes = header.page_size_bytes;
        1
    }

    /// The merged trace. `path`: what reports call it.
    pub fn finish(mut self, path: PathBuf) -> Trace {
        members::relate(&mut self.members);
        let warnings = self.warnings();
        let first = self.headers.iter().min_by_key(|header| header.start_unix_ns).cloned().unwrap_or_default();
        let start_unix_ns = first.start_unix_ns;
        let end_unix_ns =
            self.members.iter().map(|member| member.start_unix_ns.saturating_add(member.duration_ns)).max();
        let time_ns = end_unix_ns.unwrap_or(0).saturating_sub(start_unix_ns);
        let mut options = self.options();
        self.member_warnings.extend(warnings);
        options.extend(members::options(&self.members, &self.member_warnings));
        let texts = |of: fn(&Header) -> &String| distinct(self.headers.iter().map(of)).join(", ");
        let pages = |of: fn(&Header) -> u64| {
            let page = u64::from(self.trace.header.page_size_bytes).max(1);
            let scale = |header: &Header| (u64::from(header.page_size_bytes) / page).max(1);
            self.headers.iter().fold(0u64, |sum, header| sum.saturating_add(of(header).saturating_mul(scale(header))))
        };
        let header = Header {
            mprof_version: texts(|header| &header.mprof_version),
            perl_version: texts(|header| &header.perl_version),
            perl_archname: texts(|header| &header.perl_archname),
            hostname: texts(|header| &header.hostname),
            perl_threaded: self.headers.iter().any(|header| header.perl_threaded),
            parent_trace: None,
            page_size_bytes: self.trace.header.page_size_bytes,
            start_size_pages: pages(|header| header.start_size_pages),
            start_resident_pages: pages(|header| header.start_resident_pages),
            start_scalars: self.start_scalars,
            options,
            ..first
        };
        let mut trace = self.trace;
        // All figures at the peak are in the rows themselves.
        self.totals.peak_number = 1;
        self.totals.peak_time_ns = 0;
        self.totals.scalars = u64::try_from(self.scalars.max(0)).unwrap_or(u64::MAX);
        for place in &mut trace.figures.places {
            place.peak_number = 1;
        }
        trace.timeline = timeline::together(&self.lines, start_unix_ns);
        let cause = self.ends.first().and_then(|end| end.0).unwrap_or_default();
        let cause = if cause == Cause::Base { Cause::Interval } else { cause };
        trace.snapshots.push(SnapshotTotals { time_ns, cause, totals: self.totals, marks: self.marks });
        let ends: Option<Vec<Cause>> = self.ends.iter().map(|end| end.1).collect();
        trace.end = ends.and_then(|ends| ends.first().map(|&cause| End { time_ns, cause }));
        Trace { path, header, ..trace }
    }

    /// Options that all members were run with; where they differ, all values there are.
    fn options(&self) -> Vec<(String, String)> {
        let mut values: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for (key, value) in self.headers.iter().flat_map(|header| &header.options) {
            values.entry(key).or_default().push(value);
        }
        let together = |values: Vec<&String>| distinct(values.into_iter()).join(BETWEEN_VALUES);
        values.into_iter().map(|(key, values)| (key.to_owned(), together(values))).collect()
    }

    /// What is to be known of the members taken together.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (what, of) in [
            ("of Devel::MProf", (|header| &header.mprof_version) as fn(&Header) -> &String),
            ("of perl", |header| &header.perl_version),
        ] {
            let versions = distinct(self.headers.iter().map(of));
            if versions.len() > 1 {
                warnings.push(format!("the traces were written by different versions {what}: {}", versions.join(", ")));
            }
        }
        for (at, member) in self.members.iter().enumerate() {
            let same = |other: &&Member| {
                (other.pid, other.start_unix_ns, &other.hostname)
                    == (member.pid, member.start_unix_ns, &member.hostname)
            };
            if let Some(other) = self.members.iter().take(at).find(same) {
                let (one, other) = (member.path.display(), other.path.display());
                warnings.push(format!("{one} and {other} are of the same process, which is counted twice"));
            }
            if member.parent_trace.is_some() && !member.child_of_member {
                let path = member.path.display();
                warnings.push(format!("{path}: what it inherited is not counted, for its parent's trace is not here"));
            }
        }
        warnings
    }
}

/// Options of the run itself, without those that tell of members.
pub fn plain_options(header: &Header) -> Vec<(String, String)> {
    let plain = |(key, _): &&(String, String)| key != MEMBER && key != MEMBER_WARNING;
    header.options.iter().filter(plain).cloned().collect()
}

/// Each value once, in the order of their coming.
fn distinct<'a>(values: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut distinct: Vec<&str> = Vec::new();
    for value in values {
        if !distinct.contains(&value.as_str()) {
            distinct.push(value);
        }
    }
    distinct
}

fn add_node(sum: &mut NodeFigures, more: &NodeFigures, page_scale: u64) {
    let scaled = |pages: i64| pages.saturating_mul(i64::try_from(page_scale).unwrap_or(i64::MAX));
    sum.calls = sum.calls.saturating_add(more.calls);
    sum.freed_bytes = sum.freed_bytes.saturating_add(more.freed_bytes);
    sum.freed_blocks = sum.freed_blocks.saturating_add(more.freed_blocks);
    sum.size_pages = sum.size_pages.saturating_add(scaled(more.size_pages));
    sum.resident_pages = sum.resident_pages.saturating_add(scaled(more.resident_pages));
}

fn add_place(sum: &mut PlaceFigures, more: &PlaceFigures) {
    for (sum, more) in [
        (&mut sum.allocated_bytes, more.allocated_bytes),
        (&mut sum.allocated_blocks, more.allocated_blocks),
        (&mut sum.live_bytes, more.live_bytes),
        (&mut sum.live_blocks, more.live_blocks),
        (&mut sum.at_peak_bytes, more.at_peak_bytes),
        (&mut sum.at_peak_blocks, more.at_peak_blocks),
        (&mut sum.scalars_born, more.scalars_born),
        (&mut sum.scalars_died, more.scalars_died),
    ] {
        *sum = sum.saturating_add(more);
    }
}

/// Adds counters; those of the peak's time and number and the number of scalars are reckoned otherwise.
fn add_totals(sum: &mut Totals, more: &Totals, page_scale: u64) {
    for (sum, more) in [
        (&mut sum.allocated_bytes, more.allocated_bytes),
        (&mut sum.allocated_blocks, more.allocated_blocks),
        (&mut sum.freed_bytes, more.freed_bytes),
        (&mut sum.freed_blocks, more.freed_blocks),
        (&mut sum.older_freed_bytes, more.older_freed_bytes),
        (&mut sum.older_freed_blocks, more.older_freed_blocks),
        (&mut sum.live_bytes, more.live_bytes),
        (&mut sum.live_blocks, more.live_blocks),
        (&mut sum.peak_bytes, more.peak_bytes),
        (&mut sum.peak_blocks, more.peak_blocks),
        (&mut sum.mapped_bytes, more.mapped_bytes),
        (&mut sum.unmapped_bytes, more.unmapped_bytes),
        (&mut sum.scalars_born, more.scalars_born),
        (&mut sum.scalars_died, more.scalars_died),
        (&mut sum.older_scalars_died, more.older_scalars_died),
        (&mut sum.size_pages, more.size_pages.saturating_mul(page_scale)),
        (&mut sum.resident_pages, more.resident_pages.saturating_mul(page_scale)),
        (&mut sum.peak_resident_bytes, more.peak_resident_bytes),
        (&mut sum.statm_reads, more.statm_reads),
        (&mut sum.profiler_bytes, more.profiler_bytes),
        (&mut sum.profiler_peak_bytes, more.profiler_peak_bytes),
        (&mut sum.depth_capped_calls, more.depth_capped_calls),
        (&mut sum.missed_events, more.missed_events),
    ] {
        *sum = sum.saturating_add(more);
    }
}

/// The warnings that a merged trace's header tells.
pub(super) fn warnings(header: &Header) -> Vec<Warning> {
    let members = members(header);
    if members.is_empty() {
        return Vec::new();
    }
    let runs = members.iter().map(|member| member.run).max().unwrap_or(0);
    let mut warnings = vec![Warning::Merged { traces: members.len(), runs }];
    warnings.extend(member_warnings(header).map(|text| Warning::Member(text.to_owned())));
    warnings
}
