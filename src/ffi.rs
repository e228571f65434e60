//! The edge to perl: everything the shim may call, and nothing else that is `extern "C"` and visible to it.
//!
//! Each function checks its pointers, keeps a panic inside, and makes one call. The C header `xs/mprof_core.h` is made
//! from this file and the three `repr(C)` heads in `runtime`.

use crate::format::records::{Cause, Libraries};
use crate::runtime::complaint::harmless;
use crate::runtime::generations;
use crate::runtime::heap_visit::{visit_of, HeapVisit};
use crate::runtime::interp::{InterpView, PerlLayout};
use crate::runtime::options::{HookMode, Options, StartMode};
use crate::runtime::recorder::{Simply, SubDescription};
use crate::runtime::recording::{self, shortly, with, with_interp};
use crate::runtime::session::{self, PerlBuild};
use crate::runtime::shim_types::{MprofEdge, MprofSub, MprofText};
use crate::runtime::sub_cache::SubKey;
use parking_lot::Mutex;
use std::ffi::{c_char, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// The count that a free scalar's head carries once the ledger has seen it.
pub const MPROF_STAMP: u32 = 0x6d50_7266;
const _: () = assert!(MPROF_STAMP == crate::runtime::scalar_ledger::STAMP);

static OPTIONS: Mutex<Option<Options>> = Mutex::new(None);

/// Nothing of a panic may reach C: the profiler is switched off instead, which `recording::end_on_panic` has said.
fn shield<R>(otherwise: R, f: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| {
        recording::uninstall();
        otherwise
    })
}

/// # Safety
/// `error` points to `error_size` writable bytes, or is null.
unsafe fn report(result: Result<(), String>, error: *mut c_char, error_size: usize) -> bool {
    let Err(sentence) = result.map_err(|sentence| harmless(&sentence)) else { return true };
    if !error.is_null() && error_size > 0 {
        let length = sentence.len().min(error_size - 1);
        // SAFETY: the caller's promise; the length leaves room for the zero.
        unsafe {
            std::ptr::copy_nonoverlapping(sentence.as_ptr(), error.cast(), length);
            *error.add(length) = 0;
        }
    }
    false
}

/// Sets an option. On `false`, `error` says why.
///
/// # Safety
/// Texts are readable; `error` points to `error_size` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn mprof_option(key: MprofText, value: MprofText, error: *mut c_char, error_size: usize) -> bool {
    // SAFETY: the caller's promise.
    let (key, value) = unsafe { (key.bytes(), value.bytes()) };
    let result = shield(Ok(()), || OPTIONS.lock().get_or_insert_default().set(key, value));
    // SAFETY: the caller's promise.
    unsafe { report(result, error, error_size) }
}

/// Settles the options and where the trace will be. `libraries`: where perl's modules are, folders with newlines between.
///
/// # Safety
/// All three are C strings.
#[no_mangle]
pub unsafe extern "C" fn mprof_plan(
    perl_version: *const c_char,
    archname: *const c_char,
    threaded: bool,
    libraries: *const c_char,
) {
    // SAFETY: the caller's promise; null is allowed.
    let text = |text: *const c_char| unsafe {
        if text.is_null() {
            String::new()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    };
    let folders =
        text(libraries).split('\n').filter(|folder| !folder.is_empty()).map(|f| f.as_bytes().to_vec()).collect();
    let build =
        PerlBuild { version: text(perl_version), archname: text(archname), threaded, libraries: Libraries { folders } };
    shield((), || session::plan(OPTIONS.lock().clone().unwrap_or_default(), build));
}

/// Was `hook=db` asked for?
#[no_mangle]
pub extern "C" fn mprof_wants_db() -> bool {
    OPTIONS.lock().as_ref().is_some_and(|options| options.hook == HookMode::Db)
}

/// Are statements to be told of, or calls alone? Only births of scalars need them.
#[no_mangle]
pub extern "C" fn mprof_wants_statements() -> bool {
    OPTIONS.lock().as_ref().is_none_or(|options| options.ledger)
}

/// When to start: 0 at once, 1 when the program has been compiled, 2 when asked.
#[no_mangle]
pub extern "C" fn mprof_start_mode() -> u8 {
    match OPTIONS.lock().as_ref().map_or(StartMode::Begin, |options| options.start) {
        StartMode::Begin => 0,
        StartMode::Init => 1,
        StartMode::No => 2,
    }
}

/// Starts recording, or goes on. On `false`, `error` says why there is no trace.
///
/// # Safety
/// `layout` is valid as its fields say; `error` points to `error_size` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn mprof_start(layout: *const PerlLayout, error: *mut c_char, error_size: usize) -> bool {
    if layout.is_null() {
        return false;
    }
    // SAFETY: the caller's promise.
    unsafe { report(shield(Ok(()), || session::start(*layout)), error, error_size) }
}

/// Stops recording.
#[no_mangle]
pub extern "C" fn mprof_stop() {
    shield((), session::stop);
}

/// Takes a snapshot now, perhaps a full one; returns when it has been written.
#[no_mangle]
pub extern "C" fn mprof_snapshot(full: bool) {
    shield((), || session::flush(Cause::Request, full));
}

/// A unit of the program's work is done.
///
/// # Safety
/// `label` is readable.
#[no_mangle]
pub unsafe extern "C" fn mprof_mark(view: *mut InterpView, label: MprofText) {
    if !view.is_null() {
        // SAFETY: the caller's promise.
        let label = unsafe { label.bytes() };
        shield((), || {
            with_interp(view, |recorder, interp| session::mark_now(recorder, interp, label));
        });
    }
}

/// Figures of the process as of now, in the order of `MPROF_STATS`.
///
/// # Safety
/// `values` points to that many writable numbers.
#[no_mangle]
pub unsafe extern "C" fn mprof_stats(view: *mut InterpView, values: *mut u64) -> bool {
    if view.is_null() || values.is_null() {
        return false;
    }
    let figures = shield(None, || with_interp(view, session::stats));
    let Some(figures) = figures else { return false };
    // SAFETY: the caller's promise.
    unsafe { std::ptr::copy_nonoverlapping(figures.as_ptr(), values, figures.len()) };
    true
}

/// How many figures [`mprof_stats`] gives.
pub const MPROF_STATS: usize = 12;
const _: () = assert!(MPROF_STATS == session::STATS);

/// The scalar of that visit refers to `target`. `index` and `key` as in `format::heap::HeapEdge`.
///
/// # Safety
/// `visit` is what the core passed to `describe_scalar` or `heap_root`, which has not returned yet; `key` is readable.
#[no_mangle]
pub unsafe extern "C" fn mprof_heap_edge(
    visit: *mut HeapVisit,
    target: *const c_void,
    kind: MprofEdge,
    index: u32,
    key: MprofText,
) {
    // SAFETY: the caller's promise.
    if let (Some(visit), key) = unsafe { (visit_of(visit), key.bytes()) } {
        visit.refers(target as usize, kind.into(), index, key);
    }
}

/// The scalar of that visit owns the block at `address`, together with others if there are more `owners` than one. It is
/// of `bytes` where the core does not know it.
///
/// # Safety
/// As for [`mprof_heap_edge`]. Nothing is read at `address`.
#[no_mangle]
pub unsafe extern "C" fn mprof_heap_buffer(visit: *mut HeapVisit, address: *const c_void, bytes: u64, owners: u64) {
    // SAFETY: the caller's promise.
    if let Some(visit) = unsafe { visit_of(visit) } {
        visit.owns(address as usize, bytes, owners);
    }
}

/// The sub of that visit has a variable.
///
/// # Safety
/// As for [`mprof_heap_edge`].
#[no_mangle]
pub unsafe extern "C" fn mprof_heap_variable(visit: *mut HeapVisit, index: u32, name: MprofText) {
    // SAFETY: the caller's promise.
    if let (Some(visit), name) = unsafe { (visit_of(visit), name.bytes()) } {
        visit.variable(index, name);
    }
}

/// The calls open in the whole process are over, and the trace with them.
#[no_mangle]
pub extern "C" fn mprof_finish() {
    shield((), || session::finish(Cause::Exit));
}

/// The interpreter at those addresses, which this thread runs from now on, in the coroutine that its stacks are of; null
/// when nothing is recorded.
///
/// # Safety
/// `layout` is valid as its fields say.
#[no_mangle]
pub unsafe extern "C" fn mprof_interp(layout: *const PerlLayout) -> *mut InterpView {
    if layout.is_null() {
        return std::ptr::null_mut();
    }
    let find = || {
        with(|recorder, thread| {
            // SAFETY: the caller's promise.
            recorder.interp(unsafe { *layout }, thread).cast()
        })
    };
    shield(None, find).unwrap_or(std::ptr::null_mut())
}

/// perl is about to free that interpreter.
#[no_mangle]
pub extern "C" fn mprof_interp_gone(perl: *const c_void) {
    shield((), || {
        with(|recorder, _| recorder.gone(perl));
    });
}

/// The short way of an entry: counts a call of the sub with that key (`SubKey`) from the statement `cop`, and tells the node
/// that it leads to; the shim opens it. [`MPROF_NO_NODE`]: nothing is counted, and it is to be opened by [`mprof_enter`].
///
/// What has happened to scalars until now has been told of the statement, where there is a ledger.
#[no_mangle]
pub extern "C" fn mprof_call(view: *mut InterpView, cop: *const c_void, code: *const c_void, name: usize) -> u32 {
    let key = SubKey { code: code as usize, name };
    shortly(view, |recorder, interp| recorder.call_shortly(interp, cop as usize, key))
        .map_or(MPROF_NO_NODE, |node| node.0)
}

/// See [`mprof_call`].
pub const MPROF_NO_NODE: u32 = u32::MAX;

/// A sub is entered. On `false` nothing happened: describe it with [`mprof_enter_described`].
///
/// `code` and `name` are its key (`SubKey`); the call is over once context `context` of stack `stack` is.
#[no_mangle]
pub extern "C" fn mprof_enter(
    view: *mut InterpView,
    code: *const c_void,
    name: usize,
    stack: *const c_void,
    context: i32,
) -> bool {
    let key = SubKey { code: code as usize, name };
    view.is_null() || with_interp(view, |recorder, interp| recorder.enter(interp, key, stack, context)).unwrap_or(true)
}

/// As [`mprof_enter`], with the description.
///
/// # Safety
/// `sub` and its texts are readable.
#[no_mangle]
pub unsafe extern "C" fn mprof_enter_described(
    view: *mut InterpView,
    code: *const c_void,
    name: usize,
    stack: *const c_void,
    context: i32,
    sub: *const MprofSub,
) {
    if view.is_null() || sub.is_null() {
        return;
    }
    let key = SubKey { code: code as usize, name };
    // SAFETY: the caller's promise.
    let description = unsafe { SubDescription::told(&*sub) };
    shield((), || {
        with_interp(view, |recorder, interp| recorder.enter_described(interp, key, stack, context, &description));
    });
}

/// A file begins to be compiled and run.
///
/// # Safety
/// `file` is readable.
#[no_mangle]
pub unsafe extern "C" fn mprof_enter_file(view: *mut InterpView, file: MprofText, stack: *const c_void, context: i32) {
    if view.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    let file = unsafe { file.bytes() };
    shield((), || {
        with_interp(view, |recorder, interp| recorder.enter_code(interp, stack, context, Some(file), 0));
    });
}

/// The string eval of number `number` begins to be compiled and run.
#[no_mangle]
pub extern "C" fn mprof_enter_eval(view: *mut InterpView, number: u32, stack: *const c_void, context: i32) {
    if !view.is_null() {
        shield((), || {
            with_interp(view, |recorder, interp| recorder.enter_code(interp, stack, context, None, number));
        });
    }
}

/// The innermost call is over. `cop`: the statement that ran in it last. `false`: nothing can be told now; a signal handler
/// has interrupted the core.
///
/// Three ways, the first for what is simple, so that it needs few registers.
#[no_mangle]
pub extern "C" fn mprof_leave(view: *mut InterpView, cop: *const c_void) -> bool {
    match shortly(view, |recorder, interp| recorder.leave_simply(interp, cop as usize)) {
        Some(Simply::Settled) => true,
        Some(Simply::NotSimple) => leave_shortly(view, cop),
        None => leave(view, cop),
    }
}

/// What has the same arguments in the same order can be jumped to.
#[inline(never)]
extern "C" fn leave_shortly(view: *mut InterpView, cop: *const c_void) -> bool {
    if shortly(view, |recorder, interp| recorder.leave_shortly(interp, cop as usize)).is_some() {
        return true;
    }
    leave(view, cop)
}

/// As [`mprof_leave`], whatever there is to think of.
#[inline(never)]
extern "C" fn leave(view: *mut InterpView, cop: *const c_void) -> bool {
    !view.is_null() && with_interp(view, |recorder, interp| recorder.leave(interp, cop as usize)).is_some()
}

/// All calls above `depth` are over.
#[no_mangle]
pub extern "C" fn mprof_leave_to(view: *mut InterpView, depth: usize, cop: *const c_void) {
    if !view.is_null() {
        with_interp(view, |recorder, interp| recorder.leave_to(interp, depth, cop as usize));
    }
}

/// A statement is over; `cop` is it. To be called when scalars have come or gone, or something waits. Three ways, as in
/// [`mprof_leave`].
#[no_mangle]
pub extern "C" fn mprof_statement(view: *mut InterpView, cop: *const c_void) {
    match shortly(view, |recorder, interp| recorder.settle_simply(interp, cop as usize)) {
        Some(Simply::Settled) => {}
        Some(Simply::NotSimple) => settle_shortly(view, cop),
        None => settle(view, cop),
    }
}

#[inline(never)]
extern "C" fn settle_shortly(view: *mut InterpView, cop: *const c_void) {
    if shortly(view, |recorder, interp| recorder.settle_shortly(interp, cop as usize)).is_none() {
        settle(view, cop);
    }
}

/// As [`mprof_statement`], whatever there is to think of.
#[inline(never)]
extern "C" fn settle(view: *mut InterpView, cop: *const c_void) {
    if !view.is_null() {
        with_interp(view, |recorder, interp| recorder.settle(interp, cop as usize));
    }
}

/// Something waits, in the midst of the statement that runs.
#[no_mangle]
pub extern "C" fn mprof_attend(view: *mut InterpView) {
    if !view.is_null() {
        with_interp(view, |recorder, interp| recorder.settle_running(interp));
    }
}

/// The statement `cop` begins. With `hook=db` every statement is told, and none when it is over.
#[no_mangle]
pub extern "C" fn mprof_statement_begins(view: *mut InterpView, cop: *const c_void) {
    if !view.is_null() {
        with_interp(view, |recorder, interp| recorder.statement_begins(interp, cop as usize));
    }
}

/// perl frees the statement at that address.
#[no_mangle]
pub extern "C" fn mprof_statement_freed(cop: *const c_void) {
    generations::freed(cop as usize);
}

/// perl frees the code of a sub.
#[no_mangle]
pub extern "C" fn mprof_code_freed(code: *const c_void) {
    generations::sub_freed(code as usize);
}
