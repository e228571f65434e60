//! With `calls=1`: every entry and exit, with the process's counters as they were.
//!
//! Events are kept until there are enough for a record; each holds what has changed since the one before.

use crate::format::calls::{CallEvent, CallStep, Calls, PagesRead};

/// Events of one record.
const EVENTS_A_RECORD: usize = 1 << 14;

/// The process's counters at an event.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    /// Live bytes.
    pub live_bytes: u64,
    /// Live scalars of the interpreter.
    pub scalars: u64,
}

/// The stream of one interpreter.
#[derive(Default)]
pub struct CallStream {
    /// The record in the making.
    record: Calls,
    /// Counters at the last event.
    last: Counted,
    /// Virtual size and resident set as read last, in pages.
    pages: (u64, u64),
}

impl CallStream {
    /// A stream that begins with those counters and pages.
    pub fn new(interpreter: u32, start: Counted, pages: (u64, u64)) -> Self {
        let mut stream = Self { record: Calls { interpreter, ..Calls::default() }, last: start, pages };
        stream.begin_record();
        stream
    }

    fn begin_record(&mut self) {
        self.record.start_live_bytes = self.last.live_bytes;
        self.record.start_scalars = self.last.scalars;
        (self.record.start_size_pages, self.record.start_resident_pages) = self.pages;
    }

    /// An event. Says whether the record is full.
    #[inline]
    pub fn push(&mut self, step: CallStep, now: Counted) -> bool {
        self.record.events.push(CallEvent {
            step,
            live_bytes: now.live_bytes.wrapping_sub(self.last.live_bytes) as i64,
            scalars: now.scalars.wrapping_sub(self.last.scalars) as i64,
        });
        self.last = now;
        self.record.events.len() >= EVENTS_A_RECORD
    }

    /// The pages were read.
    pub fn pages_read(&mut self, size_pages: u64, resident_pages: u64) {
        let (size, resident) = std::mem::replace(&mut self.pages, (size_pages, resident_pages));
        if (size, resident) != self.pages {
            self.record.pages.push(PagesRead {
                event: self.record.events.len() as u32,
                size_pages: size_pages.wrapping_sub(size) as i64,
                resident_pages: resident_pages.wrapping_sub(resident) as i64,
            });
        }
    }

    /// The events so far, as a record, if there are any.
    pub fn take(&mut self) -> Option<Calls> {
        if self.record.events.is_empty() {
            return None;
        }
        let Calls { interpreter, first, .. } = self.record;
        let first = first + self.record.events.len() as u64;
        let taken = std::mem::replace(&mut self.record, Calls { interpreter, first, ..Calls::default() });
        self.begin_record();
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ids::NodeId;

    #[test]
    fn changes_add_up_over_records() {
        let mut stream = CallStream::new(3, Counted { live_bytes: 100, scalars: 10 }, (5, 4));
        let mut taken = Vec::new();
        for number in 0..40_000u64 {
            stream.pages_read(5 + number / 1000, 4);
            let step = if number % 2 == 0 { CallStep::Enter(NodeId(number as u32)) } else { CallStep::Exit };
            if stream.push(step, Counted { live_bytes: 100 + number * number % 7919, scalars: 10 + number % 3 }) {
                taken.extend(stream.take());
            }
        }
        taken.extend(stream.take());
        assert_eq!(stream.take(), None);
        assert_eq!(taken.len(), 3);
        let (mut live_bytes, mut scalars, mut size_pages, mut event) = (100i64, 10i64, 5i64, 0u64);
        for record in taken {
            assert_eq!((record.interpreter, record.first), (3, event));
            assert_eq!((record.start_live_bytes as i64, record.start_scalars as i64), (live_bytes, scalars));
            assert_eq!(record.start_size_pages as i64, size_pages);
            size_pages += record.pages.iter().map(|read| read.size_pages).sum::<i64>();
            for change in record.events {
                live_bytes += change.live_bytes;
                scalars += change.scalars;
                assert_eq!(live_bytes, 100 + (event * event % 7919) as i64);
                event += 1;
            }
        }
        assert_eq!((event, size_pages), (40_000, 44));
    }
}
