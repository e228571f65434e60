//! Scalars that have come and gone, by the ledger of births or, without one, by their number.

use super::{Counters, Recorder};
use crate::format::ids::PlaceId;
use crate::runtime::birth_notes::{Birth, Note};
use crate::runtime::complaint::complain;
use crate::runtime::deaths::Deaths;
use crate::runtime::generations;
use crate::runtime::interp::Interp;
use crate::runtime::locations::LocationId;
use crate::runtime::places::Places;

/// So many scalars were born at that place, and so many died that were born there.
pub(super) fn book_scalars(places: &mut Places, counters: &mut Counters, place: PlaceId, born: u64, died: u64) {
    places.scalars(place, born, died, counters.peak_number);
    counters.scalars_born += born;
    counters.scalars_died += died;
}

#[inline(always)]
fn scalar_died(deaths: &mut Deaths, places: &mut Places, counters: &mut Counters, birth: Birth) {
    match birth {
        Birth::At(birthplace) => {
            deaths.count(birthplace, |birthplace, deaths| book_scalars(places, counters, birthplace, 0, deaths))
        }
        Birth::Older => counters.older_scalars_died += 1,
    }
}

impl Recorder {
    /// Scalars that have come or gone since the last boundary came in the node that runs, at the statement `cop`; 0 where
    /// that is not known.
    pub(super) fn count_scalars(&mut self, interp: &mut Interp, cop: usize) {
        let Some(ledger) = &mut interp.ledger else { return };
        let look = ledger.look();
        // Those that have died are their birthplaces' concern: only births need a place here.
        let place = if look.has_taken { self.place_at_boundary(interp, cop) } else { PlaceId(0) };
        let birth = Note::born(Birth::At(place), self.born_at);
        let Some(ledger) = &mut interp.ledger else { return };
        let (deaths, places, counters) = (&mut self.deaths, &mut self.places, &mut self.counters);
        // Twice the same: what the shorter way does is in registers then.
        let born = if look.is_plain() {
            ledger.settle(look, birth, |birth| scalar_died(deaths, places, counters, birth))
        } else {
            ledger.settle_many(look, birth, &mut |birth| scalar_died(deaths, places, counters, birth))
        };
        interp.view.free_top = ledger.top().cast();
        if born > 0 {
            if !self.hot.scalars(cop, interp.node(), place, born) {
                book_scalars(&mut self.places, &mut self.counters, place, born, 0);
            }
        } else if look.has_taken && ledger.is_full() {
            self.complain_of_full_ledger();
        }
    }

    /// Without a ledger: perl has so many scalars more than at the last boundary, or fewer.
    #[inline(never)]
    pub(super) fn count_difference(&mut self, interp: &mut Interp, cop: usize, grown: isize) {
        interp.view.scalars += grown;
        let lives = interp.view.freed_so_far == generations::all_freed();
        if !lives || !self.hot.scalars_in(cop, interp.node(), grown) {
            let (born, died) = (grown.max(0) as u64, grown.min(0).unsigned_abs() as u64);
            let place = self.place_at_boundary(interp, cop);
            book_scalars(&mut self.places, &mut self.counters, place, born, died);
        }
    }

    /// The place of the statement `cop`. One that may have been freed since the last boundary is not looked at.
    #[inline]
    fn place_at_boundary(&mut self, interp: &mut Interp, cop: usize) -> PlaceId {
        let lives = interp.view.freed_so_far == generations::all_freed();
        self.place_of(interp, if lives { cop } else { 0 })
    }

    #[cold]
    fn complain_of_full_ledger(&mut self) {
        if !std::mem::replace(&mut self.ledger_was_full, true) {
            complain("there are too many scalars to follow: births and deaths are not counted any more");
        }
    }

    /// A new interpreter: the program's own scalars are older than the start, a thread's are born as copies.
    pub(super) fn begin_scalars(&mut self, interp: &mut Interp, is_first: bool) {
        let root = self.places.intern(interp.node(), LocationId::default());
        let alive = interp.scalars() as u64;
        if self.options.ledger {
            interp.begin_ledger(if is_first { Birth::Older } else { Birth::At(root) });
        }
        if !is_first {
            book_scalars(&mut self.places, &mut self.counters, root, alive, 0);
        }
    }

    /// All scalars of a thread die with it.
    pub(super) fn end_scalars(&mut self, interp: &mut Interp) {
        let root = self.places.intern(interp.node(), LocationId::default());
        match &interp.ledger {
            Some(ledger) => {
                for (_, birth, _) in ledger.scalars() {
                    if let Birth::At(place) = birth {
                        book_scalars(&mut self.places, &mut self.counters, place, 0, 1);
                    }
                }
            }
            None => {
                let alive = interp.view.scalars as u64;
                book_scalars(&mut self.places, &mut self.counters, root, 0, alive);
            }
        }
    }

    /// What happened to scalars since the last boundary, where the statement is not known: at the end.
    pub fn settle_pending(&mut self, interp: &mut Interp) {
        if !interp.view.perl.is_null() {
            self.see_scalars(interp, 0);
            self.judge_pool(interp);
        }
    }

    /// With `verify=1`: complains if an interpreter's ledger is not what its arenas hold. To be called at a boundary of
    /// `interp`.
    pub fn verify_scalars(&self, interp: &Interp) {
        let Some(ledger) = interp.ledger.as_ref().filter(|_| self.options.verify) else { return };
        let (live, wrong) = ledger.verify();
        let counted = interp.scalars() as u64;
        if wrong != 0 || live != counted {
            complain(&format!(
                "the ledger is wrong about {wrong} scalars; {live} live in the arenas and perl counts {counted}"
            ));
        }
    }
}
