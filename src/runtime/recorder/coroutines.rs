//! Another coroutine of an interpreter runs.

use super::Recorder;
use crate::runtime::coroutines::Coroutines;
use crate::runtime::interp::Interp;
use crate::runtime::session;
use std::ffi::c_void;

impl Recorder {
    /// The open calls are those of the coroutine that runs in `interp`.
    pub(super) fn follow(&mut self, interp: &mut Interp) {
        let now = interp.main_stack_now();
        if now != interp.main_stack {
            self.change_to(interp, now);
        }
    }

    /// As [`Recorder::follow`], where it is the allocator that was called first: the shim has yet to meet the coroutine.
    #[cold]
    pub(super) fn follow_unmet(&mut self, interp: &mut Interp) {
        self.follow(interp);
        interp.view.main_stack = std::ptr::null();
    }

    /// What happened to scalars since the last boundary is left to the next: the coroutine before was settled as it made
    /// the call that gave way, and what Coro and perl have done since they did for the one that runs now.
    fn change_to(&mut self, interp: &mut Interp, main_stack: *const c_void) {
        if interp.coroutines.is_none() {
            let root = self.new_thread_root("(coroutines)").0;
            interp.coroutines = Some(Box::new(Coroutines::new(root)));
        }
        self.send_if_over(interp);
        interp.change_to(main_stack);
        if self.options.calls && interp.calls.is_none() {
            self.begin_calls(interp);
        }
    }

    /// Closes all calls, those of coroutines that wait too.
    pub fn close_all(&mut self, interp: &mut Interp) {
        self.close_to(interp, 0);
        self.in_each_that_waits(interp, |recorder, interp| {
            recorder.close_to(interp, 0);
            recorder.send_if_over(interp);
        });
    }

    /// Another coroutine may go on with the stream of one that is over.
    fn send_if_over(&mut self, interp: &mut Interp) {
        if interp.calls.is_some() && interp.view.open.depth() == 0 {
            session::send_calls(self, interp);
        }
    }

    /// Does something as if it were in each of the coroutines that wait.
    pub fn in_each_that_waits(&mut self, interp: &mut Interp, mut each: impl FnMut(&mut Self, &mut Interp)) {
        let Some(coroutines) = &interp.coroutines else { return };
        let runs = interp.main_stack;
        for stack in coroutines.stacks() {
            interp.change_to(stack as *const c_void);
            each(self, interp);
        }
        interp.change_to(runs);
    }
}
