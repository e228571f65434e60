//! Boundaries (statement, entry, exit): what could only be read there belongs to what ran since the one before.

#![allow(non_upper_case_globals)] // one that C knows too

use super::Recorder;
use crate::runtime::generations;
use crate::runtime::hurdles::{self, MPROF_WAITS};
use crate::runtime::interp::Interp;
use crate::runtime::options::StatmMode;
use crate::runtime::session;
use crate::runtime::thread::ErrnoKept;
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

extern "C" {
    /// The heap's end, as glibc keeps it for `sbrk`.
    static __curbrk: *mut c_void;
}

/// The heap's end as of the last reading of the pages; null where they are to be read again. The shim looks here at exits.
#[no_mangle]
pub static mprof_seen_break: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

impl Recorder {
    /// What happened to scalars since the boundary before belongs to the node that runs and to the statement `cop`, which may
    /// be over and freed.
    #[inline(always)]
    pub fn settle(&mut self, interp: &mut Interp, cop: usize) {
        self.see(interp, cop);
        interp.view.freed_so_far = generations::all_freed();
    }

    /// As [`Recorder::settle`], for the statement that runs. Returns its address.
    #[inline(always)]
    pub fn settle_running(&mut self, interp: &mut Interp) -> usize {
        let cop = interp.curcop() as usize;
        interp.view.freed_so_far = generations::all_freed();
        self.see(interp, cop);
        cop
    }

    /// At an entry: the statement that runs calls. Returns its address.
    #[inline(always)]
    pub(super) fn settle_entry(&mut self, interp: &mut Interp) -> usize {
        let cop = self.settle_running(interp);
        self.see_pages(interp);
        cop
    }

    /// At an exit; `cop` was the statement.
    #[inline(always)]
    pub(super) fn settle_exit(&mut self, interp: &mut Interp, cop: usize) {
        self.settle(interp, cop);
        self.see_pages(interp);
    }

    #[inline(always)]
    pub(super) fn see_scalars(&mut self, interp: &mut Interp, cop: usize) {
        match &interp.ledger {
            Some(ledger) if ledger.has_moved() => self.count_scalars(interp, cop),
            Some(_) => {}
            None => {
                let grown = interp.scalars() - interp.view.scalars;
                if grown != 0 {
                    self.count_difference(interp, cop, grown);
                }
            }
        }
    }

    #[inline(always)]
    fn see(&mut self, interp: &mut Interp, cop: usize) {
        self.see_scalars(interp, cop);
        if hurdles::any_of(MPROF_WAITS) {
            self.attend(interp);
        }
    }

    #[inline(always)]
    fn see_pages(&mut self, interp: &mut Interp) {
        if self.has_break_moved() {
            self.see_break(interp);
        }
    }

    /// Has the heap's end moved, or are the pages to be read for another reason?
    #[inline(always)]
    pub(super) fn has_break_moved(&self) -> bool {
        // SAFETY: glibc's own variable, read only.
        unsafe { __curbrk != mprof_seen_break.load(Relaxed) }
    }

    #[cold]
    fn see_break(&mut self, interp: &mut Interp) {
        if self.options.statm != StatmMode::Every {
            // SAFETY: as in `has_break_moved`.
            mprof_seen_break.store(unsafe { __curbrk }, Relaxed);
        }
        if self.options.statm != StatmMode::Off {
            self.read_statm(interp);
        }
    }

    /// What the process's pages have grown since they were read last is booked on the node that runs.
    #[cold]
    pub fn read_statm(&mut self, interp: &mut Interp) {
        let _errno = ErrnoKept::new();
        let (size, resident) = self.statm.read();
        if (size, resident) != (0, 0) {
            self.tree.grew(interp.node(), size, resident);
            if let Some(calls) = &mut interp.calls {
                calls.pages_read(self.statm.last.size, self.statm.last.resident);
            }
        }
    }

    /// The next entry or exit reads the pages: a tick has passed, or they are likely to have changed.
    pub fn want_statm(&mut self) {
        mprof_seen_break.store(std::ptr::null_mut(), Relaxed);
    }

    #[cold]
    pub(super) fn attend(&mut self, interp: &mut Interp) {
        let _errno = ErrnoKept::new();
        hurdles::take_down(MPROF_WAITS);
        interp.view.open.give_back();
        self.judge_pool(interp);
        session::attend(self, interp);
    }
}
