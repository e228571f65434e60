//! What is noted of the heads of an arena: where and when each was born, or which free head is below it.
//!
//! A note takes six bytes, and there is one for every scalar of the program. But most arenas are all but full, and what
//! lives in one was born at few places: such an arena is kept in one byte for each head and six for each different note.

use super::births::BornAt;
use crate::format::ids::PlaceId;

/// Where a scalar that died was born.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    /// Before the start.
    Older,
    /// At a place.
    At(PlaceId),
}

/// A head in 31 bits: the number of its arena, and its index there in as many low bits as the largest arena needs.
pub type Code = u32;
/// The code of no head: arenas' first heads are never free.
pub const NOTHING: Code = 0;
/// Codes are less than this.
pub const CODES: u32 = MIRRORED;

/// What is noted of a head.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(C, packed(2))]
pub struct Note {
    /// Where it was born: [`OLDER`], or the id of the place and [`FIRST_PLACE`]. Of a free head, [`MIRRORED`] and the code
    /// of the one below. [`UNKNOWN`] is neither.
    what: u32,
    /// When.
    born_at: BornAt,
}

/// Noted of an arena's beginning, which is no head, and of a free head that has not been met yet.
const UNKNOWN: u32 = 0;
/// Born before the start.
const OLDER: u32 = 1;
/// Added to the id of a birthplace.
const FIRST_PLACE: u32 = 2;
/// The head is free. No place's id is so large.
const MIRRORED: u32 = 1 << 31;

impl Note {
    /// Of a scalar.
    #[inline]
    pub fn born(birth: Birth, born_at: BornAt) -> Self {
        let what = match birth {
            Birth::Older => OLDER,
            Birth::At(place) => place.0 + FIRST_PLACE,
        };
        Self { what, born_at }
    }

    /// Of a free head that is above that one.
    #[inline]
    pub const fn above(below: Code) -> Self {
        Self { what: below | MIRRORED, born_at: BornAt::ZERO }
    }

    /// Where the scalar was born, if it is one.
    #[inline]
    pub fn birth(self) -> Option<Birth> {
        let what = self.what;
        match what {
            OLDER => Some(Birth::Older),
            _ if what & MIRRORED == 0 && what != UNKNOWN => Some(Birth::At(PlaceId(what - FIRST_PLACE))),
            _ => None,
        }
    }

    /// When it was.
    pub fn born_at(self) -> BornAt {
        self.born_at
    }

    /// Of a free head: the one below.
    #[inline]
    pub fn below(self) -> Code {
        self.what & !MIRRORED
    }
}

/// The notes of an arena, by the index of the head.
pub enum ArenaNotes {
    /// A note each.
    Wide(Box<[Note]>),
    /// A byte each, and the notes that they are the indices of.
    Narrow(Narrow),
}

/// See [`ArenaNotes`].
pub struct Narrow {
    /// By the index of the head: the index of its note.
    indices: Box<[u8]>,
    /// Births of heads that have not been freed since; then notes that are but one head's each.
    notes: Vec<Note>,
    /// How many are of the first kind.
    shared: u8,
    /// How often a note was changed.
    changes: u8,
}

/// Births in a narrow arena at most: looking for one takes time.
const MOST_BIRTHS: usize = 64;
/// Notes in a narrow arena at most: with more it is as well wide.
const MOST_NOTES: usize = 96;
/// Changes of a narrow arena at most: one whose heads come and go is sooner changed wide.
const MOST_CHANGES: u8 = 250;

impl Narrow {
    fn of(notes: &[Note]) -> Option<Self> {
        let [first, heads @ ..] = notes else { return None };
        let mut births = vec![*first];
        let mut indices = vec![0u8; notes.len()].into_boxed_slice();
        let mut unborn = Vec::new();
        // Scalars that were born together are often neighbours.
        let (mut last, mut last_index) = (*first, 0);
        for (at, (index, note)) in indices.iter_mut().skip(1).zip(heads).enumerate() {
            if *note != last {
                if note.birth().is_none() {
                    if unborn.len() == MOST_NOTES - MOST_BIRTHS {
                        return None;
                    }
                    unborn.push((at + 1, *note));
                    continue;
                }
                last_index = births.iter().position(|known| known == note).unwrap_or(births.len());
                if last_index == MOST_BIRTHS {
                    return None;
                }
                if last_index == births.len() {
                    births.push(*note);
                }
                last = *note;
            }
            *index = last_index as u8;
        }
        let mut narrow = Self { indices, shared: births.len() as u8, notes: births, changes: 0 };
        for (index, note) in unborn {
            *narrow.own(index)? = note;
        }
        narrow.notes.shrink_to_fit();
        narrow.changes = 0;
        Some(narrow)
    }

    fn get(&self, index: usize) -> Option<Note> {
        self.notes.get(usize::from(*self.indices.get(index)?)).copied()
    }

    /// The note of that head, which is no other's.
    fn own(&mut self, index: usize) -> Option<&mut Note> {
        self.changes = Some(self.changes + 1).filter(|&changes| changes <= MOST_CHANGES)?;
        let noted = self.indices.get_mut(index)?;
        if *noted < self.shared {
            if self.notes.len() == MOST_NOTES {
                return None;
            }
            let note = *self.notes.get(usize::from(*noted))?;
            *noted = self.notes.len() as u8;
            if self.notes.len() == self.notes.capacity() {
                self.notes.reserve_exact(NOTES_MORE);
            }
            self.notes.push(note);
        }
        self.notes.get_mut(usize::from(*noted))
    }
}

/// Notes for which room is made at a time.
const NOTES_MORE: usize = 8;

impl ArenaNotes {
    /// For the heads of an arena, that one included which is none.
    pub fn len(&self) -> usize {
        match self {
            ArenaNotes::Wide(notes) => notes.len(),
            ArenaNotes::Narrow(narrow) => narrow.indices.len(),
        }
    }

    /// The note of the head at that index.
    pub fn get(&self, index: usize) -> Note {
        let note = match self {
            ArenaNotes::Wide(notes) => notes.get(index).copied(),
            ArenaNotes::Narrow(narrow) => narrow.get(index),
        };
        note.unwrap_or_default()
    }

    /// The note of the head at that index, to change it; `None` where they are to be made wide first.
    pub fn own(&mut self, index: usize) -> Option<&mut Note> {
        match self {
            ArenaNotes::Wide(notes) => notes.get_mut(index),
            ArenaNotes::Narrow(narrow) => narrow.own(index),
        }
    }

    /// Makes them narrow, if they are wide and can be.
    pub fn narrow(&mut self) -> bool {
        let ArenaNotes::Wide(notes) = self else { return false };
        let Some(narrow) = Narrow::of(notes) else { return false };
        *self = ArenaNotes::Narrow(narrow);
        true
    }

    /// Makes them wide; where they are then.
    pub fn widen(&mut self) -> *mut Note {
        if let ArenaNotes::Narrow(_) = self {
            *self = ArenaNotes::Wide((0..self.len()).map(|index| self.get(index)).collect());
        }
        match self {
            ArenaNotes::Wide(notes) => notes.as_mut_ptr(),
            ArenaNotes::Narrow(_) => std::ptr::null_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::heap::BirthUnit;
    use proptest::prelude::*;

    fn born(place: u32, snapshot: u64) -> Note {
        Note::born(Birth::At(PlaceId(place)), BornAt::new(BirthUnit::Snapshots, snapshot))
    }

    proptest! {
        #[test]
        fn narrow_notes_are_the_same_notes(
            heads in prop::collection::vec((0u32..40, 0u64..2, 0u32..20), 1..300),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..150),
        ) {
            let mut all = vec![Note::default()];
            let note = |&(place, at, kind): &(u32, u64, u32)| {
                if kind == 0 { Note::above(place) } else { born(place, at) }
            };
            all.extend(heads.iter().map(note));
            let mut notes = ArenaNotes::Wide(all.clone().into_boxed_slice());
            notes.narrow();
            for (which, is_freed) in changes {
                let index = 1 + which.index(all.len() - 1);
                let new = if is_freed { Note::above(index as u32) } else { born(index as u32, 0) };
                all[index] = new;
                if notes.own(index).map(|note| *note = new).is_none() {
                    notes.widen();
                    *notes.own(index).unwrap() = new;
                }
                prop_assert!(all.iter().enumerate().all(|(index, note)| notes.get(index) == *note));
            }
            prop_assert_eq!(notes.len(), all.len());
            notes.widen();
            prop_assert!(matches!(&notes, ArenaNotes::Wide(wide) if **wide == *all));
        }
    }

    #[test]
    fn what_would_not_be_smaller_stays_wide() {
        let with = |births: usize, free: usize| {
            let births = (0..births).map(|place| born(place as u32, 1));
            let free = (0..free).map(|below| Note::above(below as u32));
            let mut all = vec![Note::default(), Note::born(Birth::Older, BornAt::default())];
            all.extend(births.chain(free));
            ArenaNotes::Wide(all.into_boxed_slice())
        };
        assert!(with(MOST_BIRTHS - 2, MOST_NOTES - MOST_BIRTHS).narrow());
        assert!(!with(MOST_BIRTHS - 1, 0).narrow());
        assert!(!with(1, MOST_NOTES - MOST_BIRTHS + 1).narrow());
        let mut notes = with(1, 1);
        assert!(notes.narrow());
        assert!(!notes.narrow());
    }
}
