//! Coroutines, as Coro makes them: they share an interpreter, and each runs on stacks of its own. So each has its own open
//! calls, which wait here while another runs.
//!
//! A coroutine is known by its `PL_mainstack`, which only Coro ever changes. One without open calls is not kept: it has not
//! begun, or it is over and its address may be the next one's.

use super::call_stream::CallStream;
use super::open_calls::OpenCalls;
use crate::format::ids::NodeId;
use rustc_hash::FxHashMap;

/// What is a coroutine's own.
pub struct Coroutine {
    /// Its open calls.
    pub open: OpenCalls,
    /// With `calls=1`: the stream of its calls.
    pub calls: Option<CallStream>,
}

/// The coroutines of an interpreter that wait.
pub struct Coroutines {
    /// The node that each of them begins in.
    root: NodeId,
    waiting: FxHashMap<usize, Coroutine>,
    /// Streams of those that are over, for the next to go on with.
    streams: Vec<CallStream>,
}

impl Coroutines {
    /// None so far.
    pub fn new(root: NodeId) -> Self {
        Self { root, waiting: FxHashMap::default(), streams: Vec::new() }
    }

    /// The coroutine whose main stack is at that address, which is about to run.
    pub fn take(&mut self, main_stack: usize) -> Coroutine {
        self.waiting
            .remove(&main_stack)
            .unwrap_or_else(|| Coroutine { open: OpenCalls::new(self.root), calls: self.streams.pop() })
    }

    /// A coroutine that another has taken the place of. With `is_kept` it is kept although no call is open.
    pub fn put(&mut self, main_stack: usize, coroutine: Coroutine, is_kept: bool) {
        if is_kept || coroutine.open.depth() > 0 {
            self.waiting.insert(main_stack, coroutine);
        } else {
            self.streams.extend(coroutine.calls);
        }
    }

    /// The main stacks of those that wait.
    pub fn stacks(&self) -> Vec<usize> {
        self.waiting.keys().copied().collect()
    }

    /// The streams of those that are over are not to be gone on with.
    pub fn forget_streams(&mut self) {
        self.streams.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::call_stream::Counted;
    use super::*;

    const ROOT: NodeId = NodeId(7);

    fn stream(number: u32) -> Option<CallStream> {
        Some(CallStream::new(number, Counted::default(), (0, 0)))
    }

    #[test]
    fn one_with_open_calls_is_found_again_by_its_stack() {
        let mut coroutines = Coroutines::new(ROOT);
        let mut open = OpenCalls::new(ROOT);
        (0..2).for_each(|_| open.push(std::ptr::null(), 0, NodeId(8), 0));
        coroutines.put(0x1000, Coroutine { open, calls: stream(1) }, false);
        assert_eq!(coroutines.stacks(), [0x1000]);
        assert_eq!(coroutines.take(0x2000).open.depth(), 0);
        let found = coroutines.take(0x1000);
        assert_eq!((found.open.depth(), found.calls.is_some()), (2, true));
        assert_eq!(coroutines.take(0x1000).open.depth(), 0);
    }

    #[test]
    fn one_without_is_over_and_the_next_goes_on_with_its_stream() {
        let mut coroutines = Coroutines::new(ROOT);
        coroutines.put(0x1000, Coroutine { open: OpenCalls::new(ROOT), calls: stream(1) }, false);
        assert!(coroutines.stacks().is_empty());
        assert!(coroutines.take(0x3000).calls.is_some());
        assert!(coroutines.take(0x4000).calls.is_none());
    }

    #[test]
    fn the_program_is_kept_even_so() {
        let mut coroutines = Coroutines::new(ROOT);
        coroutines.put(0x1000, Coroutine { open: OpenCalls::new(NodeId(0)), calls: None }, true);
        assert_eq!(coroutines.stacks(), [0x1000]);
    }
}
