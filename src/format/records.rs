//! What a trace says, as plain records. They are written with bincode's standard configuration (little endian,
//! variable-length integers), field by field in the order given here, the big tables in codings of their own
//! (see `rows` and `columns`); the order is part of the format.
//!
//! Figures are cumulative since the start of the trace, never differences, so a reader needs the last record of
//! each node and place and nothing else.

use super::ids::{NodeId, PlaceId, StrId, SubId};
use bincode::{Decode, Encode};

/// Who ran, where and how. The payload of the first chunk.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Header {
    /// Version of Devel::MProf that wrote the trace.
    pub mprof_version: String,
    /// Version of perl, as `v5.36.0`.
    pub perl_version: String,
    /// perl's `$Config{archname}`.
    pub perl_archname: String,
    /// Is perl built with ithreads?
    pub perl_threaded: bool,
    /// Process id.
    pub pid: u32,
    /// Process id of the parent.
    pub parent_pid: u32,
    /// For a forked child: the path of the trace that the parent writes.
    pub parent_trace: Option<Vec<u8>>,
    /// The whole command line, argument by argument, as bytes.
    pub command_line: Vec<Vec<u8>>,
    /// Working directory at the start.
    pub cwd: Vec<u8>,
    /// Name of the host.
    pub hostname: String,
    /// Start, in nanoseconds since 1970-01-01 UTC. All `time_ns` of the trace count from here.
    pub start_unix_ns: u64,
    /// Every option in force, `key` and `value`, the defaults included.
    pub options: Vec<(String, String)>,
    /// Size of a page, in bytes.
    pub page_size_bytes: u32,
    /// Virtual size at the start, in pages.
    pub start_size_pages: u64,
    /// Resident set at the start, in pages.
    pub start_resident_pages: u64,
    /// Live scalars (`PL_sv_count`) at the start.
    pub start_scalars: u64,
}

/// Strings in the order of their ids, beginning with `first`.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Strings {
    /// Id of the first string.
    pub first: StrId,
    /// The bytes of each; usually UTF-8, but perl promises nothing.
    pub strings: Vec<Vec<u8>>,
}

/// What kind of thing runs as a sub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub enum SubKind {
    /// The main program of the process: the root of the tree.
    #[default]
    Main,
    /// A sub written in Perl; BEGIN and END blocks, DESTROY, sort comparators and tie methods are such.
    Perl,
    /// A sub written in C.
    Xsub,
    /// A file run by `require`, `use` or `do`; `name` is the file as it was asked for.
    Require,
    /// A string eval; `file` and `line` say where the eval stands.
    Eval,
    /// Root of an ithread's tree, or of a thread of a C library.
    Thread,
    /// Root of what belongs to perl's pools (arenas of scalar heads and bodies), not to any sub.
    Pools,
}

/// A sub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Sub {
    /// Its kind.
    pub kind: SubKind,
    /// Package it belongs to; empty for `Main`, `Require`, `Eval`, `Thread` and `Pools`.
    pub package: StrId,
    /// Name without the package: `new`, `__ANON__[lib/Foo.pm:12]`, `Foo/Bar.pm`, `(eval)[run.pl:3]`.
    pub name: StrId,
    /// File it is defined in; for `Eval` that of the eval. Empty where unknown (XSUBs).
    pub file: StrId,
    /// First line of its body; 0 where unknown.
    pub line: u32,
}

/// Subs in the order of their ids, beginning with `first`.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Subs {
    /// Id of the first sub.
    pub first: SubId,
    /// The subs.
    pub subs: Vec<Sub>,
}

/// A node of the call tree. A root is its own parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// The caller's node. Always of a lower id, but for a root.
    pub parent: NodeId,
    /// What runs.
    pub sub: SubId,
    /// File of the statement that called it.
    pub call_file: StrId,
    /// Line of the statement that called it; 0 for a root.
    pub call_line: u32,
}

/// Nodes in the order of their ids, beginning with `first`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nodes {
    /// Id of the first node.
    pub first: NodeId,
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A place: a statement as reached by one call path. Line 0 of file 0 is what happens in the node outside of any
/// statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// The call path.
    pub node: NodeId,
    /// File of the statement.
    pub file: StrId,
    /// Line of the statement.
    pub line: u32,
}

/// Places in the order of their ids, beginning with `first`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// Id of the first place.
    pub first: PlaceId,
    /// The places.
    pub places: Vec<Place>,
}

/// Self figures of a node that no statement of it can be named for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFigures {
    /// The node.
    pub id: NodeId,
    /// Calls of it.
    pub calls: u64,
    /// Bytes freed while it ran itself, whoever allocated them since the start.
    pub freed_bytes: u64,
    /// Blocks freed while it ran itself, whoever allocated them since the start.
    pub freed_blocks: u64,
    /// Growth of the virtual size seen while it ran itself, in pages; negative when it shrank.
    pub size_pages: i64,
    /// Growth of the resident set seen while it ran itself, in pages; negative when it shrank.
    pub resident_pages: i64,
}

/// Figures of a place.
///
/// `at_peak_*` hold for the newest peak as of the snapshot they were written with. Where a later snapshot knows of a newer
/// peak (`Totals::peak_number`), a place that was not written again has not changed since, and what it held at that
/// peak is `live_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceFigures {
    /// The place.
    pub id: PlaceId,
    /// Bytes allocated here.
    pub allocated_bytes: u64,
    /// Blocks allocated here.
    pub allocated_blocks: u64,
    /// Bytes allocated here and not yet freed.
    pub live_bytes: u64,
    /// Blocks allocated here and not yet freed.
    pub live_blocks: u64,
    /// Bytes that lived here at the peak of number `peak_number`.
    pub at_peak_bytes: u64,
    /// Blocks that lived here at the peak of number `peak_number`.
    pub at_peak_blocks: u64,
    /// Which peak the two are of. Not stored: the reader puts `Totals::peak_number` of the snapshot here.
    pub peak_number: u64,
    /// Scalars born here that lived to the next boundary (statement, entry, exit). With `ledger=0`: the sum of the rises
    /// of `PL_sv_count` over the stretches between two boundaries.
    pub scalars_born: u64,
    /// How many of these have died, wherever that was. With `ledger=0`: the sum of the falls, where they were noticed.
    pub scalars_died: u64,
}

/// Figures of nodes and places that changed, for the snapshot of number `snapshot`, which follows.
/// They count only once that snapshot has been read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Number of the snapshot they belong to.
    pub snapshot: u64,
    /// Nodes that changed since the snapshot before.
    pub nodes: Vec<NodeFigures>,
    /// Places that changed since the snapshot before.
    pub places: Vec<PlaceFigures>,
}

/// Marks so far, for the snapshot of number `snapshot`, which follows. Since version 2.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Marks {
    /// Number of the snapshot they belong to.
    pub snapshot: u64,
    /// All marks made so far.
    pub marks: u64,
    /// Labels whose number has changed. Those beyond the first 256 are together in `(other)`.
    pub labels: Vec<MarkLabel>,
}

/// Marks of one label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct MarkLabel {
    /// The label.
    pub label: StrId,
    /// Marks with it, so far.
    pub marks: u64,
}

/// Folders that perl's own and installed modules lie in, so that a report can tell them from the program's. Since
/// version 2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Libraries {
    /// Absolute paths.
    pub folders: Vec<Vec<u8>>,
}

/// Why a snapshot was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub enum Cause {
    /// The interval was over.
    #[default]
    Interval,
    /// The state a forked child inherited; what it does itself is the growth over this.
    Base,
    /// The program asked for it.
    Request,
    /// The process is about to call `exec`.
    Exec,
    /// The process ends by `exit`.
    Exit,
    /// The process ends by `_exit` or `abort`.
    QuickExit,
    /// The program has come to a mark: a unit of its work is done. Since version 2.
    Mark,
}

/// Figures of a thread: what the allocator did in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ThreadFigures {
    /// The kernel's thread id.
    pub tid: u32,
    /// Does (or did) it run Perl code?
    pub runs_perl: bool,
    /// Bytes allocated in it.
    pub allocated_bytes: u64,
    /// Blocks allocated in it.
    pub allocated_blocks: u64,
    /// Bytes freed in it, of blocks born since the start.
    pub freed_bytes: u64,
    /// Blocks freed in it, of blocks born since the start.
    pub freed_blocks: u64,
}

impl ThreadFigures {
    /// Adds those of the same thread, or of one that has its number in another process.
    pub fn add(&mut self, more: &Self) {
        self.tid = more.tid;
        self.runs_perl |= more.runs_perl;
        for (sum, more) in [
            (&mut self.allocated_bytes, more.allocated_bytes),
            (&mut self.allocated_blocks, more.allocated_blocks),
            (&mut self.freed_bytes, more.freed_bytes),
            (&mut self.freed_blocks, more.freed_blocks),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// The whole process's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Totals {
    /// Bytes allocated since the start.
    pub allocated_bytes: u64,
    /// Blocks allocated since the start.
    pub allocated_blocks: u64,
    /// Bytes freed, of blocks allocated since the start. With `live=0` every block's.
    pub freed_bytes: u64,
    /// Blocks freed, of blocks allocated since the start. With `live=0` every block.
    pub freed_blocks: u64,
    /// Bytes freed of blocks that are older than the start.
    pub older_freed_bytes: u64,
    /// Blocks freed that are older than the start.
    pub older_freed_blocks: u64,
    /// Bytes allocated since the start and not yet freed.
    pub live_bytes: u64,
    /// Blocks allocated since the start and not yet freed.
    pub live_blocks: u64,
    /// Highest `live_bytes` so far.
    pub peak_bytes: u64,
    /// `live_blocks` at that instant.
    pub peak_blocks: u64,
    /// How often a new peak was reached: the number of the newest.
    pub peak_number: u64,
    /// When the newest peak was last noticed, as of the boundary after it.
    pub peak_time_ns: u64,
    /// Bytes the program mapped itself (`mmap`, `mremap`).
    pub mapped_bytes: u64,
    /// Bytes the program unmapped itself.
    pub unmapped_bytes: u64,
    /// Sum of the places' `scalars_born`.
    pub scalars_born: u64,
    /// Sum of the places' `scalars_died`.
    pub scalars_died: u64,
    /// Scalars older than the start that have died. 0 with `ledger=0`.
    pub older_scalars_died: u64,
    /// Live scalars (`PL_sv_count`, all interpreters).
    pub scalars: u64,
    /// Virtual size, in pages.
    pub size_pages: u64,
    /// Resident set, in pages.
    pub resident_pages: u64,
    /// Highest resident set of the process, in bytes (`VmHWM`).
    pub peak_resident_bytes: u64,
    /// How often /proc/self/statm was read.
    pub statm_reads: u64,
    /// The profiler's own memory now, in bytes; in no other figure but the pages.
    pub profiler_bytes: u64,
    /// The highest it has been.
    pub profiler_peak_bytes: u64,
    /// Calls that were folded into their caller because the tree was at its depth cap.
    pub depth_capped_calls: u64,
    /// Allocator calls that could not be recorded: of threads that began unseen.
    pub missed_events: u64,
}

/// A point of the time line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct TimePoint {
    /// When, since the start.
    pub time_ns: u64,
    /// `Totals::live_bytes` then.
    pub live_bytes: u64,
    /// Live scalars then.
    pub scalars: u64,
    /// Virtual size then, in pages.
    pub size_pages: u64,
    /// Resident set then, in pages.
    pub resident_pages: u64,
}

/// Closes a snapshot: all `Figures` of its number count from here on.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Snapshot {
    /// Number, from 0, without gaps.
    pub number: u64,
    /// When, since the start.
    pub time_ns: u64,
    /// Why.
    pub cause: Cause,
    /// The process's counters.
    pub totals: Totals,
    /// The threads that changed.
    pub threads: Vec<ThreadFigures>,
    /// Points of the time line since the snapshot before.
    pub timeline: Vec<TimePoint>,
}

/// The trace was closed properly. Nothing follows.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct End {
    /// When, since the start.
    pub time_ns: u64,
    /// How the process ended.
    pub cause: Cause,
}
