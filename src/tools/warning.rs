//! What a reader of a report should know before trusting its figures. A warning is a value, never printed from here.

use crate::tools::reader::Fault;
use thiserror::Error;

/// One thing to know, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Warning {
    /// The file goes on after the last whole snapshot, but not with anything that counts.
    #[error("{bytes} bytes after the last whole snapshot were left out: at offset {offset}, {fault}")]
    LeftOut {
        /// Bytes of the file that no figure is of.
        bytes: u64,
        /// Where reading stopped, in bytes from the start of the file.
        offset: u64,
        /// Why it stopped there.
        fault: Fault,
    },
    /// There is a header and no snapshot.
    #[error("the trace holds no whole snapshot, so all figures are zero")]
    NoSnapshot,
    /// A forked child whose inherited state is not in the trace.
    #[error("the process was forked, but the trace does not say what it inherited: figures include the parent's")]
    NoBase,
    /// The figures are of several processes.
    #[error(
        "figures are the sums of {traces} traces of {runs} {}; the peak is the sum of each process's own, whenever it was",
        if *.runs == 1 { "run" } else { "runs" }
    )]
    Merged {
        /// How many traces.
        traces: usize,
        /// How many runs: a process and its forked children are one.
        runs: u32,
    },
    /// Something is wrong with one of several traces.
    #[error("{0}")]
    Member(String),
    /// An option switched a kind of figure off.
    #[error("{0}")]
    NotRecorded(&'static str),
    /// The tree was at its depth cap.
    #[error("{0} calls were folded into their callers, because the call tree was at its depth cap")]
    DepthCapped(u64),
    /// Allocator calls escaped the profiler.
    #[error("{0} calls of the allocator could not be recorded")]
    MissedEvents(u64),
}

impl Warning {
    /// A stable name of the kind of warning, for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Warning::LeftOut { .. } => "left_out",
            Warning::NoSnapshot => "no_snapshot",
            Warning::NoBase => "no_base",
            Warning::Merged { .. } => "merged",
            Warning::Member(_) => "member",
            Warning::NotRecorded(_) => "not_recorded",
            Warning::DepthCapped(_) => "depth_capped",
            Warning::MissedEvents(_) => "missed_events",
        }
    }
}
