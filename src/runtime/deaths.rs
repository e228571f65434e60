//! Scalars that have died, by where they were born: a small table in front of the places, for what dies was mostly born
//! where others that died lately were.

use crate::format::ids::PlaceId;

/// Slots; a power of two.
const SLOTS: usize = 1 << 8;

/// A place, and deaths that it does not know of yet.
#[derive(Clone, Copy)]
struct Slot {
    birthplace: PlaceId,
    deaths: u32,
}

/// The table.
pub struct Deaths {
    slots: [Slot; SLOTS],
}

impl Default for Deaths {
    fn default() -> Self {
        Self { slots: [Slot { birthplace: PlaceId(0), deaths: 0 }; SLOTS] }
    }
}

impl Deaths {
    #[inline(always)]
    fn slot(&mut self, birthplace: PlaceId) -> &mut Slot {
        // SAFETY: masked to the length.
        unsafe { self.slots.get_unchecked_mut(birthplace.index() & (SLOTS - 1)) }
    }

    /// Counts a death if there is a slot for the birthplace.
    #[inline(always)]
    pub fn count_if_known(&mut self, birthplace: PlaceId) -> bool {
        let slot = self.slot(birthplace);
        let is_known = slot.birthplace == birthplace && slot.deaths < u32::MAX;
        if is_known {
            slot.deaths += 1;
        }
        is_known
    }

    /// Counts a death. What has to give way to it is handed over.
    #[inline(always)]
    pub fn count(&mut self, birthplace: PlaceId, hand_over: impl FnOnce(PlaceId, u64)) {
        if !self.count_if_known(birthplace) {
            let slot = self.slot(birthplace);
            let before = std::mem::replace(slot, Slot { birthplace, deaths: 1 });
            if before.deaths > 0 {
                hand_over(before.birthplace, before.deaths.into());
            }
        }
    }

    /// Hands over all.
    pub fn settle(&mut self, mut hand_over: impl FnMut(PlaceId, u64)) {
        for slot in self.slots.iter_mut().filter(|slot| slot.deaths > 0) {
            hand_over(slot.birthplace, std::mem::take(&mut slot.deaths).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustc_hash::FxHashMap;

    proptest! {
        #[test]
        fn no_death_is_lost(places in prop::collection::vec(0u32..1000, 0..3000)) {
            let (mut deaths, mut sums, mut model) = (Deaths::default(), FxHashMap::default(), FxHashMap::default());
            let mut hand_over = |place: PlaceId, deaths: u64| *sums.entry(place.0).or_insert(0u64) += deaths;
            for (number, place) in places.into_iter().enumerate() {
                *model.entry(place).or_insert(0u64) += 1;
                if number % 3 == 0 || !deaths.count_if_known(PlaceId(place)) {
                    deaths.count(PlaceId(place), &mut hand_over);
                }
                if number % 500 == 499 {
                    deaths.settle(&mut hand_over);
                }
            }
            deaths.settle(&mut hand_over);
            prop_assert_eq!(sums, model);
        }
    }
}
