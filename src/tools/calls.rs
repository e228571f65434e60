//! The full stream of calls (`calls=1`), played back: each call with the process's counters before and after it.

use super::trace::Trace;
use crate::format::calls::{CallStep, Calls};
use crate::format::ids::NodeId;
use std::collections::BTreeMap;

/// The counters of the process at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes allocated since the start and not yet freed.
    pub live_bytes: u64,
    /// Live scalars of the interpreter.
    pub scalars: u64,
    /// Virtual size as read last, in pages.
    pub size_pages: u64,
    /// Resident set as read last, in pages.
    pub resident_pages: u64,
}

/// A call that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Number of the interpreter: 0 for the main program.
    pub interpreter: u32,
    /// What ran, on which call path.
    pub node: NodeId,
    /// Calls it was inside of, in its interpreter.
    pub depth: usize,
    /// Counters when it began.
    pub before: Counters,
    /// Counters when it was over.
    pub after: Counters,
}

/// Deepest nesting that is played: a forged stream must not fill the memory. Calls below are passed over.
const MOST_OPEN: usize = 1 << 22;

/// Calls of one interpreter that are not over yet.
#[derive(Default)]
struct Open {
    calls: Vec<(NodeId, Counters)>,
    /// Open calls below [`MOST_OPEN`].
    passed_over: usize,
    now: Counters,
}

/// Plays streams of calls back, record by record.
#[derive(Default)]
pub struct Player {
    interpreters: BTreeMap<u32, Open>,
    /// Did the stream end before the program, at `calls_max`?
    pub is_cut: bool,
}

impl Player {
    /// Nothing played yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plays a record: tells `over` of each call that ends in it, in the order of their ends. `trace` has the tables as of
    /// there. Stops at the first error.
    ///
    /// # Errors
    /// Those of `over`.
    pub fn play<E>(
        &mut self,
        trace: &Trace,
        record: &Calls,
        mut over: impl FnMut(&Trace, Call) -> Result<(), E>,
    ) -> Result<(), E> {
        self.is_cut |= record.is_cut;
        let open = self.interpreters.entry(record.interpreter).or_default();
        open.now = Counters {
            live_bytes: record.start_live_bytes,
            scalars: record.start_scalars,
            size_pages: record.start_size_pages,
            resident_pages: record.start_resident_pages,
        };
        let mut pages = record.pages.iter().peekable();
        for (index, event) in record.events.iter().enumerate() {
            while let Some(read) = pages.next_if(|read| read.event as usize <= index) {
                open.now.size_pages = open.now.size_pages.wrapping_add_signed(read.size_pages);
                open.now.resident_pages = open.now.resident_pages.wrapping_add_signed(read.resident_pages);
            }
            open.now.live_bytes = open.now.live_bytes.wrapping_add_signed(event.live_bytes);
            open.now.scalars = open.now.scalars.wrapping_add_signed(event.scalars);
            match event.step {
                CallStep::Enter(_) if open.calls.len() >= MOST_OPEN => open.passed_over += 1,
                CallStep::Enter(node) => open.calls.push((node, open.now)),
                CallStep::Exit if open.passed_over > 0 => open.passed_over -= 1,
                CallStep::Exit => {
                    if let Some((node, before)) = open.calls.pop() {
                        let (depth, interpreter) = (open.calls.len(), record.interpreter);
                        over(trace, Call { interpreter, node, depth, before, after: open.now })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Calls that are not over where the stream ends.
    pub fn open_calls(&self) -> usize {
        self.interpreters.values().map(|open| open.calls.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::calls::{CallEvent, PagesRead};
    use std::convert::Infallible;

    fn event(step: CallStep, live_bytes: i64) -> CallEvent {
        CallEvent { step, live_bytes, scalars: live_bytes / 10 }
    }

    #[test]
    fn calls_have_the_counters_of_their_ends_across_records() {
        let enter = |node| CallStep::Enter(NodeId(node));
        let first = Calls {
            start_live_bytes: 100,
            start_scalars: 50,
            start_size_pages: 7,
            events: vec![event(enter(1), 0), event(enter(2), 10), event(CallStep::Exit, 20)],
            pages: vec![PagesRead { event: 2, size_pages: 3, resident_pages: 0 }],
            ..Calls::default()
        };
        let second = Calls {
            first: 3,
            start_live_bytes: 130,
            start_scalars: 53,
            start_size_pages: 10,
            events: vec![event(CallStep::Exit, -40), event(CallStep::Exit, 0), event(enter(3), 0)],
            is_cut: true,
            ..Calls::default()
        };
        let (trace, mut player, mut seen) = (Trace::default(), Player::new(), Vec::new());
        for record in [&first, &second] {
            let see = |_: &Trace, call: Call| {
                seen.push((
                    call.node.0,
                    call.depth,
                    call.before.live_bytes,
                    call.after.live_bytes,
                    call.after.size_pages,
                ));
                Ok::<_, Infallible>(())
            };
            player.play(&trace, record, see).unwrap();
        }
        assert_eq!(seen, [(2, 1, 110, 130, 10), (1, 0, 100, 90, 10)]);
        assert!(player.is_cut);
        assert_eq!(player.open_calls(), 1);
    }
}
