//! A trace as a run: what its tables share, and what it is called among others.

use crate::tools::profile::{names, Profile};
use crate::tools::render::instant_key;

/// A trace whose tables are being written.
pub struct Run<'a> {
    /// Its number among the runs of the export, from 1 on.
    pub(super) id: i64,
    /// The trace.
    pub(super) profile: &'a Profile,
    /// What it is called: see [`Run::key`].
    pub(super) key: String,
    /// The command line, its words with spaces between them.
    pub(super) command_line: String,
    /// What to know before trusting the figures, a sentence on each line.
    pub(super) warnings: String,
    /// Path of the trace.
    pub(super) trace: String,
    /// Path of the parent's trace, of a forked child.
    pub(super) parent_trace: Option<String>,
    /// The working directory.
    pub(super) cwd: String,
    /// Texts of the trace by their id.
    pub(super) strings: Vec<String>,
    /// Names of subs by their id.
    pub(super) subs: Vec<String>,
    /// Modules of subs by the subs' id.
    pub(super) modules: Vec<String>,
    /// Levels of nodes below their root, by the nodes' id.
    pub(super) depths: Vec<i64>,
}

impl<'a> Run<'a> {
    /// A trace as the run of a number.
    pub(super) fn new(id: i64, profile: &'a Profile) -> Self {
        let trace = &profile.trace;
        let sub_ids = || (0..).map(crate::format::ids::SubId).zip(&trace.subs);
        let warnings: Vec<String> = profile.warnings.iter().map(ToString::to_string).collect();
        let mut depths: Vec<i64> = Vec::with_capacity(trace.nodes.len());
        for node in (0..).map(crate::format::ids::NodeId).take(trace.nodes.len()) {
            let above = profile.tree.parent(node).and_then(|parent| depths.get(parent.index()));
            depths.push(above.map_or(0, |depth| depth + 1));
        }
        Run {
            id,
            profile,
            key: Run::key(profile),
            command_line: command_line(profile),
            warnings: warnings.join("\n"),
            trace: trace.path.to_string_lossy().into_owned(),
            parent_trace: trace.header.parent_trace.as_deref().map(names::text),
            cwd: names::text(&trace.header.cwd),
            strings: trace.strings.iter().map(|string| names::text(string)).collect(),
            subs: sub_ids().map(|(id, _)| names::sub(trace, id)).collect(),
            modules: sub_ids().map(|(_, sub)| names::module(trace, sub)).collect(),
            depths,
        }
    }

    /// What a run is called: when it began, and the process, as `20261124T210018.000000000Z-4242`. No two of a host
    /// have the same. Sorted as text, runs stand in the order of their start.
    pub(super) fn key(profile: &Profile) -> String {
        let header = &profile.trace.header;
        format!("{}-{}", instant_key(header.start_unix_ns), header.pid)
    }
}

/// The command line of a run, its words with spaces between them.
pub(super) fn command_line(profile: &Profile) -> String {
    let words: Vec<String> = profile.trace.header.command_line.iter().map(|word| names::text(word)).collect();
    words.join(" ")
}
