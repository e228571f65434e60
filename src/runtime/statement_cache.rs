//! Locations by the address of their statement, so that an event at a statement seen before costs no string work.
//!
//! A statement's address is a number here, never followed, and stands for the statement as long as its generation does.

use super::direct_mapped::{spread, DirectMapped};
use super::generations;
use super::locations::LocationId;

/// The default is no statement, which is nowhere.
#[derive(Clone, Copy, Default)]
struct Entry {
    cop: usize,
    generation: u32,
    at: LocationId,
}

/// Statement → location.
#[derive(Default)]
pub struct StatementCache {
    entries: DirectMapped<Entry, { 1 << 11 }>,
}

impl StatementCache {
    /// The location of the statement at `cop`.
    #[inline]
    pub fn get(&self, cop: usize) -> Option<LocationId> {
        let entry = self.entries.get(spread(cop as u64));
        (entry.cop == cop && entry.generation == generations::of(cop)).then_some(entry.at)
    }

    /// Remembers a statement that was not known.
    pub fn note(&mut self, cop: usize, at: LocationId) {
        self.entries.note(spread(cop as u64), Entry { cop, generation: generations::of(cop), at });
    }
}

#[cfg(test)]
mod tests {
    use super::super::locations::{Location, Locations};
    use super::*;

    #[test]
    fn a_statement_is_known_again_until_it_is_freed() {
        let (mut cache, mut locations) = (StatementCache::default(), Locations::new());
        let all: Vec<_> = (1..3000)
            .map(|line| (0x1000 + line as usize * 48, locations.intern(Location { line, ..Default::default() })))
            .collect();
        all.iter().for_each(|&(cop, at)| cache.note(cop, at));
        let right = all.iter().filter(|&&(cop, at)| cache.get(cop) == Some(at)).count();
        assert!(right > 1000, "{right} of 3000");
        assert!(all.iter().all(|&(cop, at)| cache.get(cop).is_none_or(|known| known == at)));
        let cop = all.iter().find(|(cop, _)| cache.get(*cop).is_some()).unwrap().0;
        generations::freed(cop);
        assert_eq!(cache.get(cop), None);
    }
}
