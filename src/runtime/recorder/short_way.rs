//! The short way of what happens most: a call that is known, a return, a statement. It is taken where nothing but counts,
//! the ledger's upper end and the stack of open calls change; everything else goes the long way (`calls`, `boundaries`). What
//! has been done here by then is done, and the long way finds the rest.
//!
//! Nothing here has to call anything, so that it is a few dozen instructions without much of a stack frame.

use super::Recorder;
use crate::runtime::birth_notes::{Birth, Note};
use crate::runtime::generations;
use crate::runtime::interp::Interp;
use crate::runtime::sub_cache::SubKey;
use std::ffi::c_void;

impl Recorder {
    /// [`Recorder::enter`], if that is possible here.
    #[inline(always)]
    pub fn enter_shortly(&mut self, interp: &mut Interp, key: SubKey, stack: *const c_void, context: i32) -> bool {
        let cop = interp.curcop() as usize;
        if self.has_break_moved() || !interp.view.open.note_next(stack, context, cop) {
            return false;
        }
        if !self.see_scalars_shortly(interp, cop) {
            return false;
        }
        let Some(node) = self.hot.call_held(cop, interp.node(), key) else { return false };
        interp.freed_so_far = generations::all_freed();
        // SAFETY: noted above.
        unsafe { interp.view.open.open_noted(node) };
        true
    }

    /// [`Recorder::leave`], if that is possible here and nobody else needs to know.
    #[inline(always)]
    pub fn leave_shortly(&mut self, interp: &mut Interp, cop: usize) -> bool {
        if self.has_break_moved() || !self.see_scalars_shortly(interp, cop) {
            return false;
        }
        interp.freed_so_far = generations::all_freed();
        interp.view.open.pop();
        true
    }

    /// [`Recorder::settle`], if that is possible here.
    #[inline(always)]
    pub fn settle_shortly(&mut self, interp: &mut Interp, cop: usize) -> bool {
        let is_done = self.see_scalars_shortly(interp, cop);
        if is_done {
            interp.freed_so_far = generations::all_freed();
        }
        is_done
    }

    #[inline(always)]
    fn see_scalars_shortly(&mut self, interp: &mut Interp, cop: usize) -> bool {
        let node = interp.node();
        let Some(ledger) = &mut interp.ledger else {
            let grown = interp.scalars() - interp.view.scalars;
            if grown != 0 && !self.hot.scalars_grown(cop, node, grown) {
                return false;
            }
            interp.view.scalars += grown;
            return true;
        };
        if !ledger.has_moved() {
            return true;
        }
        let Some(look) = ledger.look_plainly() else { return false };
        if look.has_taken {
            let Some((place, born_before)) = self.hot.births_held(cop, node) else { return false };
            let (born, are_all) = ledger.take_plainly(look, Note::born(Birth::At(place), self.born_at));
            *born_before += born;
            if !are_all {
                return false;
            }
        }
        let (deaths, counters) = (&mut self.deaths, &mut self.counters);
        let is_all = ledger.free_plainly(look, |birth| match birth {
            Birth::At(birthplace) => deaths.count_if_known(birthplace),
            Birth::Older => {
                counters.older_scalars_died += 1;
                true
            }
        });
        interp.view.free_top = ledger.top().cast();
        is_all
    }
}
