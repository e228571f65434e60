//! How far the trace has got: what has been written of each table, and the way to the writer.

use super::writer::Writer;
use std::time::{Duration, Instant};

/// Where the recorder stands with its trace.
pub struct TraceState {
    /// The writer; `None` when none runs yet (a forked child that has done nothing) or any more.
    pub writer: Option<Writer>,
    /// The process that the trace belongs to.
    pub pid: u32,
    /// The process that this one was forked from, if that was profiled.
    pub parent: Option<u32>,
    /// The start; times count from here.
    pub started: Instant,
    /// Strings, subs, nodes and places written so far.
    pub written: [u32; 4],
    /// Number of the next snapshot.
    pub snapshot: u64,
    /// Snapshots that a forked child's parent had taken.
    pub snapshots_inherited: u64,
    /// When the last was taken, since the start.
    pub last_snapshot: Duration,
    /// Bytes that were live then.
    pub last_live_bytes: u64,
    /// How long the program waited for it, without a sample of the heap.
    pub last_pause: Duration,
    /// The same of what has been written ahead of the next.
    pub ahead_took: Duration,
    /// Snapshots taken at marks.
    pub mark_snapshots: u64,
    /// When a sample of the heap was last part of one.
    pub last_sample: Duration,
    /// The number of marks, or the seconds, at which the next sample is due.
    pub next_sample: u64,
    /// The last point of the time line: when, and live bytes and resident pages then.
    pub last_point: (Duration, u64, u64),
    /// The peak whose time is known, and that time.
    pub peak_seen: (u64, Duration),
    /// Ticks seen.
    pub ticks: u32,
}

impl TraceState {
    /// A trace that has not begun.
    pub fn new(pid: u32) -> Self {
        Self {
            writer: None,
            pid,
            parent: None,
            started: Instant::now(),
            written: [0; 4],
            snapshot: 0,
            snapshots_inherited: 0,
            last_snapshot: Duration::ZERO,
            last_live_bytes: 0,
            last_pause: Duration::ZERO,
            ahead_took: Duration::ZERO,
            mark_snapshots: 0,
            last_sample: Duration::ZERO,
            next_sample: 0,
            last_point: (Duration::ZERO, 0, 0),
            peak_seen: (0, Duration::ZERO),
            ticks: 0,
        }
    }

    /// The newest peak is of that number; if it was not known, it is of about now.
    pub fn see_peak(&mut self, number: u64, now: Duration) {
        if number != self.peak_seen.0 {
            self.peak_seen = (number, now);
        }
    }
}
