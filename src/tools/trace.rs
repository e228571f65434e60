//! A trace as it was read: the tables, the last figures of every node and place, what the process was as a whole.
//!
//! Everything in it has been checked by [`super::reader`]: every handle is in range and every parent is of a lower id
//! than its child. Nothing is summed or subtracted here; [`super::profile`] does.

use super::history::History;
use super::warning::Warning;
use crate::format::heap::{CensusGroup, HeapBegins, HeapEdge, HeapScalar};
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::{
    Cause, End, Header, Node, NodeFigures, Place, PlaceFigures, Sub, ThreadFigures, TimePoint, Totals,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Figures of all nodes and places at one snapshot, as recorded: cumulative since the start of the trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// By node; shorter than the table where the last nodes have no figures.
    pub nodes: Vec<NodeFigures>,
    /// By place; shorter than the table where the last places have no figures.
    pub places: Vec<PlaceFigures>,
}

impl Recorded {
    /// Figures of a node; zero where none were recorded.
    pub fn node(&self, id: NodeId) -> NodeFigures {
        self.nodes.get(id.index()).copied().unwrap_or_default()
    }

    /// Figures of a place; zero where none were recorded.
    pub fn place(&self, id: PlaceId) -> PlaceFigures {
        self.places.get(id.index()).copied().unwrap_or_default()
    }
}

/// What a forked child inherited.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// The process's counters at the fork.
    pub totals: Totals,
    /// Figures of nodes and places at the fork.
    pub figures: Recorded,
}

/// A snapshot without its figures: when, why and the process's counters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SnapshotTotals {
    /// Nanoseconds since the start.
    pub time_ns: u64,
    /// Why it was taken.
    pub cause: Cause,
    /// The process's counters.
    pub totals: Totals,
    /// Marks made by then.
    pub marks: u64,
}

/// A heap sample: single scalars, and what refers to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Its window, and how many scalars are listed.
    pub begins: HeapBegins,
    /// Why its snapshot was taken.
    pub cause: Cause,
    /// Nanoseconds from the start to its snapshot.
    pub time_ns: u64,
    /// Marks made by then.
    pub marks: u64,
    /// Scalars by their number in the sample, the listed ones first.
    pub scalars: Vec<HeapScalar>,
    /// References; both ends are scalars of the sample.
    pub edges: Vec<HeapEdge>,
    /// All live scalars by type and class; empty where the sample has none.
    pub census: Vec<CensusGroup>,
}

/// A census of an earlier sample, without the sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastCensus {
    /// Nanoseconds from the start.
    pub time_ns: u64,
    /// Marks made by then.
    pub marks: u64,
    /// All live scalars by type and class.
    pub groups: Vec<CensusGroup>,
}

/// Chunks of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChunkCount {
    /// How many.
    pub chunks: u64,
    /// Bytes they take in the file, heads included.
    pub stored_bytes: u64,
}

/// Names of the chunk kinds, in the order of [`Trace::chunk_counts`].
pub const CHUNK_KINDS: [&str; 15] = [
    "header",
    "strings",
    "subs",
    "nodes",
    "places",
    "figures",
    "snapshots",
    "end",
    "libraries",
    "marks",
    "samples",
    "sampled scalars",
    "sampled references",
    "censuses",
    "calls",
];

/// A whole trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Where it was read from.
    pub path: PathBuf,
    /// Who ran, where and how.
    pub header: Header,
    /// Strings by [`StrId`]; the first is empty.
    pub strings: Vec<Vec<u8>>,
    /// Subs by [`SubId`].
    pub subs: Vec<Sub>,
    /// Nodes by [`NodeId`].
    pub nodes: Vec<Node>,
    /// Places by [`PlaceId`].
    pub places: Vec<Place>,
    /// Figures of the last snapshot.
    pub figures: Recorded,
    /// What a forked child inherited; `None` for any other process.
    pub base: Option<Base>,
    /// All snapshots, in order.
    pub snapshots: Vec<SnapshotTotals>,
    /// All points of the time line, in order.
    pub timeline: Vec<TimePoint>,
    /// Last figures of every thread, by the kernel's thread id.
    pub threads: BTreeMap<u32, ThreadFigures>,
    /// Folders of perl's own and of installed modules.
    pub libraries: Vec<Vec<u8>>,
    /// Marks by label.
    pub mark_labels: BTreeMap<StrId, u64>,
    /// The last heap sample that was taken at a mark.
    pub sample_at_mark: Option<Box<Sample>>,
    /// The last heap sample that was taken at another moment: mostly at the end.
    pub sample: Option<Box<Sample>>,
    /// The censuses of all samples, in order; of many only some.
    pub censuses: Vec<PastCensus>,
    /// How places and calls came to their figures; `None` where it was not asked for.
    pub history: Option<History>,
    /// How the process ended; `None` where it could not say.
    pub end: Option<End>,
    /// Chunks read, by kind.
    pub chunk_counts: [ChunkCount; CHUNK_KINDS.len()],
    /// Length of the file, in bytes.
    pub file_bytes: u64,
    /// What a reader should know before trusting the figures.
    pub warnings: Vec<Warning>,
}

impl Trace {
    /// The bytes of a string; empty where the handle is out of range.
    pub fn string(&self, id: StrId) -> &[u8] {
        self.strings.get(id.index()).map_or(&[], Vec::as_slice)
    }

    /// A sub; the main program where the handle is out of range.
    pub fn sub(&self, id: SubId) -> Sub {
        self.subs.get(id.index()).copied().unwrap_or_default()
    }

    /// The process's counters at the last snapshot; zero where there is none.
    pub fn last_totals(&self) -> Totals {
        self.snapshots.last().map(|snapshot| snapshot.totals).unwrap_or_default()
    }

    /// Marks made by the last snapshot.
    pub fn marks(&self) -> u64 {
        self.snapshots.last().map_or(0, |snapshot| snapshot.marks)
    }

    /// Nanoseconds from the start to the last thing the trace tells.
    pub fn last_time_ns(&self) -> u64 {
        let snapshot = self.snapshots.last().map_or(0, |snapshot| snapshot.time_ns);
        snapshot.max(self.end.as_ref().map_or(0, |end| end.time_ns))
    }
}
