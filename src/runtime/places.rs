//! Places (call path, file, line) and what lives there.
//!
//! The exact peak of each place costs no log: a place keeps what it held at the newest peak it knows of, and on its
//! first change after a newer one it first notes what it held until then. A place that has not changed since the newest
//! peak held then what it holds now; a reader sees that by the peak's number.

use crate::format::ids::{NodeId, PlaceId, StrId};
use crate::format::records::{Place, PlaceFigures};
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// A place and its figures.
#[derive(Clone, Copy, Default)]
pub struct PlaceState {
    /// Which place it is.
    pub place: Place,
    /// Changed since it was last written?
    changed: bool,
    /// Its figures.
    pub figures: PlaceFigures,
}

/// All places met so far.
pub struct Places {
    all: Vec<PlaceState>,
    ids: HashTable<u32>,
    changed: Vec<PlaceId>,
    spare: PlaceState,
}

fn hash(place: &Place) -> u64 {
    let mut hasher = FxHasher::default();
    place.hash(&mut hasher);
    hasher.finish()
}

/// A place that has not changed since a newer peak held then what it holds now.
#[inline]
fn as_of(newest_peak: u64, mut figures: PlaceFigures) -> PlaceFigures {
    if figures.peak_number != newest_peak {
        figures.peak_number = newest_peak;
        figures.at_peak_bytes = figures.live_bytes;
        figures.at_peak_blocks = figures.live_blocks;
    }
    figures
}

impl Places {
    /// None yet.
    pub fn new() -> Self {
        Self { all: Vec::new(), ids: HashTable::new(), changed: Vec::new(), spare: PlaceState::default() }
    }

    /// The id of a place, new or old.
    pub fn intern(&mut self, node: NodeId, file: StrId, line: u32) -> PlaceId {
        let place = Place { node, file, line };
        let all = &self.all;
        let same = |&id: &u32| all.get(id as usize).is_some_and(|state| state.place == place);
        if let Some(&id) = self.ids.find(hash(&place), same) {
            return PlaceId(id);
        }
        if self.all.len() as u32 >= super::block_table::MAX_PLACES {
            return PlaceId(0);
        }
        let id = PlaceId(self.all.len() as u32);
        self.all.push(PlaceState { place, changed: false, figures: PlaceFigures { id, ..Default::default() } });
        let all = &self.all;
        self.ids.insert_unique(hash(&place), id.0, |&id| all.get(id as usize).map_or(0, |state| hash(&state.place)));
        id
    }

    /// The figures of a place, to change them, as of peak number `newest_peak`.
    #[inline]
    pub fn figures(&mut self, id: PlaceId, newest_peak: u64) -> &mut PlaceFigures {
        let Some(state) = self.all.get_mut(id.index()) else { return &mut self.spare.figures };
        if !state.changed {
            state.changed = true;
            self.changed.push(id);
        }
        if state.figures.peak_number != newest_peak {
            state.figures = as_of(newest_peak, state.figures);
        }
        &mut state.figures
    }

    /// The figures that changed since the last call, as of peak number `newest_peak`.
    pub fn take_changed(&mut self, newest_peak: u64) -> Vec<PlaceFigures> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        let figures = changed.iter().filter_map(|id| {
            let state = self.all.get_mut(id.index())?;
            state.changed = false;
            Some(as_of(newest_peak, state.figures))
        });
        figures.collect()
    }

    /// Marks every place as changed, for a trace that begins anew.
    pub fn change_all(&mut self) {
        for (index, state) in self.all.iter_mut().enumerate().filter(|(_, state)| !state.changed) {
            state.changed = true;
            self.changed.push(PlaceId(index as u32));
        }
    }

    /// Has any place changed?
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Places from id `first` on.
    pub fn from(&self, first: u32) -> impl Iterator<Item = Place> + '_ {
        self.all.get(first as usize..).unwrap_or(&[]).iter().map(|state| state.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the slow model: a copy of everything at each new peak.
        #[test]
        fn what_lived_at_the_peak_is_exact(changes in prop::collection::vec((0u32..8, 0u64..100), 1..300)) {
            let mut places = Places::new();
            let (mut total, mut peak, mut number) = (0u64, 0u64, 0u64);
            let mut at_peak = [0u64; 8];
            let mut live = [0u64; 8];
            for line in 0..8 {
                places.intern(NodeId(0), StrId(0), line);
            }
            for (which, bytes) in changes {
                let figures = places.figures(PlaceId(which), number);
                total = total - figures.live_bytes + bytes;
                figures.live_bytes = bytes;
                live[which as usize] = bytes;
                if total > peak {
                    peak = total;
                    number += 1;
                    at_peak = live;
                }
            }
            let read: Vec<u64> = (0..8).map(|id| as_of(number, places.all[id].figures).at_peak_bytes).collect();
            prop_assert_eq!(&read[..], &at_peak[..]);
            prop_assert_eq!(read.iter().sum::<u64>(), peak);
        }
    }
}
