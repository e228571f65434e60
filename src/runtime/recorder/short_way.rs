//! The short way of what happens most: a call that is known, a return, a statement. It is taken where nothing but counts,
//! the ledger's upper end and the stack of open calls change; everything else goes the long way (`calls`, `boundaries`). What
//! has been done here by then is done, and the long way finds the rest. A call that is known the shim opens itself, and a
//! return with nothing to tell never comes here.
//!
//! Nothing here has to call anything, so that it is a few dozen instructions without much of a stack frame.

use super::{Counters, Recorder};
use crate::format::ids::NodeId;
use crate::runtime::birth_notes::{Birth, Note};
use crate::runtime::deaths::Deaths;
use crate::runtime::generations;
use crate::runtime::interp::Interp;
use crate::runtime::sub_cache::SubKey;

/// What became of a boundary on the simplest way, where it is not the long way that is to be gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Simply {
    /// All is told.
    Settled,
    /// Nothing is told, for more has happened: [`Recorder::settle_shortly`].
    NotSimple,
}

/// Counts a death, if there is room for it.
#[inline(always)]
fn count_death(deaths: &mut Deaths, counters: &mut Counters, birth: Birth) -> bool {
    match birth {
        Birth::At(birthplace) => deaths.count_if_known(birthplace),
        Birth::Older => {
            counters.older_scalars_died += 1;
            true
        }
    }
}

impl Recorder {
    /// What [`Recorder::enter`] does at the statement `cop` but for opening the call, if that is possible here and what has
    /// happened to scalars is told, or can be: where the call leads.
    #[inline(always)]
    pub fn call_shortly(&mut self, interp: &mut Interp, cop: usize, key: SubKey) -> Option<NodeId> {
        if self.has_break_moved() {
            return None;
        }
        let hot = self.hot.held(cop, interp.node())?;
        if !interp.view.has_ledger {
            let grown = interp.scalars() - interp.view.scalars;
            if grown != 0 && !hot.scalars_grown(grown) {
                return None;
            }
            interp.view.scalars += grown;
        }
        match hot.call(key) {
            Some(child) => Some(child),
            None => self.hot.other_call(cop, interp.node(), key),
        }
    }

    /// [`Recorder::leave`], if that is possible here and nobody else needs to know.
    #[inline(always)]
    pub fn leave_shortly(&mut self, interp: &mut Interp, cop: usize) -> Option<()> {
        if self.has_break_moved() {
            return None;
        }
        self.settle_shortly(interp, cop)?;
        interp.view.open.pop();
        Some(())
    }

    /// [`Recorder::settle`], if that is possible here.
    #[inline(always)]
    pub fn settle_shortly(&mut self, interp: &mut Interp, cop: usize) -> Option<()> {
        self.see_scalars_shortly(interp, cop)?;
        interp.view.freed_so_far = generations::all_freed();
        Some(())
    }

    /// [`Recorder::settle`] where scalars have come and none has gone, or one or two have gone and none come, or one has come and
    /// gone, if that is possible here; or without a ledger. Most boundaries where anything has changed are such. `None`: some of
    /// it may be told, and the long way finds the rest.
    #[inline(always)]
    pub fn settle_simply(&mut self, interp: &mut Interp, cop: usize) -> Option<Simply> {
        let node = interp.node();
        if !interp.view.has_ledger {
            let grown = interp.scalars() - interp.view.scalars;
            if grown != 0 && !self.hot.held(cop, node)?.scalars_grown(grown) {
                return None;
            }
            interp.view.scalars += grown;
            interp.view.freed_so_far = generations::all_freed();
            return Some(Simply::Settled);
        }
        let ledger = interp.ledger.as_mut()?;
        if let Some(root) = ledger.look_for_births()? {
            let (place, born_before) = self.hot.births_held(cop, node)?;
            let (born, are_all) = ledger.give_birth(root, Note::born(Birth::At(place), self.born_at));
            *born_before += born;
            if !are_all {
                return None;
            }
        } else {
            let Some(few) = ledger.look_for_deaths() else { return Some(Simply::NotSimple) };
            let (deaths, counters) = (&mut self.deaths, &mut self.counters);
            ledger.bury_few(
                few,
                #[inline(always)]
                |birth| count_death(deaths, counters, birth),
            )?;
        }
        interp.view.free_top = ledger.top().cast();
        interp.view.freed_so_far = generations::all_freed();
        Some(Simply::Settled)
    }

    /// [`Recorder::leave`], as far as [`Recorder::settle_simply`] goes.
    #[inline(always)]
    pub fn leave_simply(&mut self, interp: &mut Interp, cop: usize) -> Option<Simply> {
        if self.has_break_moved() {
            return None;
        }
        let settled = self.settle_simply(interp, cop)?;
        if settled == Simply::Settled {
            interp.view.open.pop();
        }
        Some(settled)
    }

    #[inline(always)]
    fn see_scalars_shortly(&mut self, interp: &mut Interp, cop: usize) -> Option<()> {
        let node = interp.node();
        let ledger = interp.ledger.as_mut()?;
        if !ledger.has_moved() {
            return Some(());
        }
        let look = ledger.look_plainly()?;
        if look.has_taken {
            let (place, born_before) = self.hot.births_held(cop, node)?;
            let (born, are_all) = ledger.take_plainly(look, Note::born(Birth::At(place), self.born_at));
            *born_before += born;
            if !are_all {
                return None;
            }
        }
        let (deaths, counters) = (&mut self.deaths, &mut self.counters);
        let is_all = ledger.free_plainly(look, |birth| count_death(deaths, counters, birth));
        interp.view.free_top = ledger.top().cast();
        is_all.then_some(())
    }
}
