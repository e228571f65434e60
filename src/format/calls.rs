//! The full stream of calls, with `calls=1`: every entry and exit in order, with the process's counters. Since version 2.

use super::ids::NodeId;

/// What an event of the stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallStep {
    /// The innermost open call is over.
    #[default]
    Exit,
    /// A call of that node begins.
    Enter(NodeId),
}

/// An entry or an exit, and what has changed since the event before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallEvent {
    /// What happened.
    pub step: CallStep,
    /// Change of the process's live bytes (`Totals::live_bytes`).
    pub live_bytes: i64,
    /// Change of the interpreter's live scalars.
    pub scalars: i64,
}

/// The pages of the process have been read, and have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PagesRead {
    /// Index of the event of the same record at which they were read.
    pub event: u32,
    /// Change of the virtual size since they were read before, in pages.
    pub size_pages: i64,
    /// Change of the resident set since they were read before, in pages.
    pub resident_pages: i64,
}

/// Events of one interpreter, or of one of its coroutines at a time, in order. The first record counts from `start_live_bytes` and
/// `start_scalars`; it begins with an entry for each call that was open already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    /// Number of the stream: 0 for the main program; each thread has another, and each coroutine, which may have that of
    /// one that is over.
    pub interpreter: u32,
    /// Number of the stream's first event in this record.
    pub first: u64,
    /// Live bytes before the first event.
    pub start_live_bytes: u64,
    /// Live scalars before the first event.
    pub start_scalars: u64,
    /// Virtual size before the first event, in pages.
    pub start_size_pages: u64,
    /// Resident set before the first event, in pages.
    pub start_resident_pages: u64,
    /// The events.
    pub events: Vec<CallEvent>,
    /// What was read of the pages meanwhile.
    pub pages: Vec<PagesRead>,
    /// The stream ends here, for it has reached `calls_max`: later calls are not in it.
    pub is_cut: bool,
}
