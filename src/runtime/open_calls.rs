//! The open calls of an interpreter or of a coroutine, the innermost last. Below the first is where all of them began.
//!
//! Not a `Vec`: the shim looks at the innermost at each op that may end a call, and opening and closing one is to take
//! a few instructions. Where there is no more to it, the shim does both itself.

use crate::format::ids::NodeId;
use std::ffi::c_void;
use std::mem::ManuallyDrop;

/// An open call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// The stack (`PERL_SI`) that it runs on; null below the first call.
    pub stack: *const c_void,
    /// It is over once that stack's context index is below this.
    pub context: i32,
    /// Its node in the call tree.
    pub node: u32,
    /// With `hook=db`: the statement that runs in it, or that called it.
    pub statement: usize,
}

/// The calls.
#[repr(C)]
pub struct OpenCalls {
    /// The innermost; never null.
    pub top: *mut OpenCall,
    /// Below the first.
    pub bottom: *mut OpenCall,
    /// One behind the last there is room for.
    pub end: *mut OpenCall,
}

/// Room at first, in calls.
const FEW: usize = 64;
/// Room that is kept when most calls of a deep recursion are over.
const KEPT: usize = 4096;

impl OpenCalls {
    /// None; what runs below runs in `node`.
    pub fn new(node: NodeId) -> Self {
        let root = OpenCall { stack: std::ptr::null(), context: 0, node: node.0, statement: 0 };
        let mut memory = Vec::with_capacity(FEW);
        memory.push(root);
        Self::of(memory)
    }

    /// `memory` is not empty.
    fn of(memory: Vec<OpenCall>) -> Self {
        let mut memory = ManuallyDrop::new(memory);
        let bottom = memory.as_mut_ptr();
        // SAFETY: within the memory, or one behind it.
        unsafe { Self { top: bottom.add(memory.len() - 1), bottom, end: bottom.add(memory.capacity()) } }
    }

    /// Moves all to memory with that much room, which is enough. The old memory goes last: a signal handler may look at the
    /// innermost call at any time.
    fn resize(&mut self, room: usize) {
        let mut memory = Vec::with_capacity(room);
        // SAFETY: so many calls are in the memory, from the bottom on.
        memory.extend_from_slice(unsafe { std::slice::from_raw_parts(self.bottom, self.depth() + 1) });
        drop(std::mem::replace(self, Self::of(memory)));
    }

    /// How many there is room for, and what is below the first.
    fn room(&self) -> usize {
        // SAFETY: as in `depth`.
        unsafe { self.end.offset_from(self.bottom) as usize }
    }

    /// How many calls are open.
    pub fn depth(&self) -> usize {
        // SAFETY: both are in the same memory, `bottom` first.
        unsafe { self.top.offset_from(self.bottom) as usize }
    }

    /// The innermost call, or what is below the first.
    #[inline(always)]
    pub fn innermost(&self) -> &OpenCall {
        // SAFETY: `top` is always a call in the memory.
        unsafe { &*self.top }
    }

    /// The same, to change it.
    pub fn innermost_mut(&mut self) -> &mut OpenCall {
        // SAFETY: as in `innermost`.
        unsafe { &mut *self.top }
    }

    /// Where the next call would be, if there is room.
    #[inline(always)]
    fn next(&self) -> Option<*mut OpenCall> {
        // SAFETY: one behind the innermost call is in the memory, or its end.
        let next = unsafe { self.top.add(1) };
        (next != self.end).then_some(next)
    }

    /// Opens a call.
    #[inline]
    pub fn push(&mut self, stack: *const c_void, context: i32, node: NodeId, statement: usize) {
        if self.next().is_none() {
            self.grow();
        }
        if let Some(next) = self.next() {
            // SAFETY: there is room.
            unsafe { next.write(OpenCall { stack, context, node: node.0, statement }) };
            self.top = next;
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.resize(self.room() * 2);
    }

    /// Closes the innermost call; what is below the first stays.
    #[inline(always)]
    pub fn pop(&mut self) {
        if self.top != self.bottom {
            // SAFETY: a call above the bottom has one below it.
            self.top = unsafe { self.top.sub(1) };
        }
    }

    /// Closes the calls above `depth`.
    pub fn pop_to(&mut self, depth: usize) {
        if self.depth() > depth {
            // SAFETY: below the innermost call.
            self.top = unsafe { self.bottom.add(depth) };
        }
    }

    /// A deep recursion may be over: its memory is given back.
    pub fn give_back(&mut self) {
        if self.room() > KEPT && self.depth() < KEPT / 4 {
            self.resize(KEPT);
        }
    }

    /// The open calls, the outermost first.
    pub fn iter(&self) -> impl Iterator<Item = OpenCall> + '_ {
        // SAFETY: so many calls are in the memory above the bottom.
        let calls = unsafe { std::slice::from_raw_parts(self.bottom.add(1), self.depth()) };
        calls.iter().copied()
    }
}

impl Drop for OpenCalls {
    fn drop(&mut self) {
        // SAFETY: `of` took these apart.
        unsafe {
            drop(Vec::from_raw_parts(self.bottom, self.depth() + 1, self.room()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn call(number: u32) -> OpenCall {
        OpenCall { stack: std::ptr::dangling(), context: -1, node: number, statement: number as usize }
    }

    fn push(calls: &mut OpenCalls, number: u32) {
        calls.push(std::ptr::dangling(), -1, NodeId(number), number as usize);
    }

    proptest! {
        #[test]
        fn calls_are_what_a_vec_of_them_would_be(steps in prop::collection::vec((0u8..12, 0u32..9000), 1..200)) {
            let mut calls = OpenCalls::new(NodeId(7));
            let mut model = Vec::new();
            for (step, number) in steps {
                match step {
                    0 => {
                        calls.pop_to(number as usize);
                        model.truncate(number as usize);
                    }
                    1 => calls.give_back(),
                    2 => (0..number).for_each(|number| {
                        push(&mut calls, number);
                        model.push(call(number));
                    }),
                    3..=5 => {
                        calls.pop();
                        model.pop();
                    }
                    _ => {
                        push(&mut calls, number);
                        model.push(call(number));
                    }
                }
                prop_assert_eq!(calls.depth(), model.len());
                prop_assert_eq!(calls.innermost().node, model.last().map_or(7, |call| call.node));
                prop_assert!(calls.iter().eq(model.iter().copied()));
            }
        }
    }
}
