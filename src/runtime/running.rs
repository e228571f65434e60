//! The interpreter that the program's only thread runs, in one word: the shim's way to it at every op. Nobody's where there
//! is more than one thread, where nothing is recorded, or before the first op of an interpreter: then the shim looks further.

#![allow(non_upper_case_globals)] // C knows it too

use super::interp::InterpView;
use super::open_calls::{OpenCall, OpenCalls};
use super::thread::ThreadView;
use std::ffi::c_void;
use std::ptr::{from_ref, null, without_provenance};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// What no interpreter has, so that the shim never takes nobody for one.
const NO_ADDRESS: *const c_void = without_provenance(1);

struct Nobody(OpenCall, InterpView);
// SAFETY: it is never written, and leads to itself only.
unsafe impl Sync for Nobody {}

static NOBODY: Nobody = Nobody(
    OpenCall { stack: NO_ADDRESS, context: i32::MAX, node: 0, statement: 0 },
    InterpView {
        main_stack: NO_ADDRESS,
        open: OpenCalls {
            top: from_ref(&NOBODY.0).cast_mut(),
            bottom: from_ref(&NOBODY.0).cast_mut(),
            end: from_ref(&NOBODY.0).cast_mut(),
        },
        free_top: NO_ADDRESS,
        scalars: 0,
        thread: NO_ADDRESS.cast(),
        freed_so_far: 0,
        has_ledger: true,
        perl: null(),
    },
);

/// The interpreter. Never null.
#[no_mangle]
pub static mprof_running: AtomicPtr<InterpView> = AtomicPtr::new(from_ref(&NOBODY.1).cast_mut());

/// The interpreter, if `thread` is the only thread and runs it.
#[inline(always)]
pub fn of(thread: *const ThreadView) -> Option<*mut InterpView> {
    let running = mprof_running.load(Relaxed);
    // SAFETY: an interpreter is never freed, and nobody is there for good.
    (unsafe { (*running).thread } == thread).then_some(running)
}

/// This one, from now on.
pub fn is(interp: *mut InterpView) {
    mprof_running.store(interp, Relaxed);
}

/// None.
pub fn is_nobody() {
    is(from_ref(&NOBODY.1).cast_mut());
}
