//! Locations (file, line), each kept once: places and call sites share them.

use super::id_table::IdTable;
use super::paged::Paged;
use crate::format::ids::StrId;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Handle of a location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LocationId(u32);

/// A statement's file and line; line 0 of the empty file is nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// File.
    pub file: StrId,
    /// Line.
    pub line: u32,
}

/// The locations met so far. Id 0 is nowhere.
pub struct Locations {
    all: Paged<Location>,
    ids: IdTable,
}

impl Default for Locations {
    fn default() -> Self {
        Self::new()
    }
}

impl Locations {
    /// Only nowhere.
    pub fn new() -> Self {
        let mut locations = Self { all: Paged::new(), ids: IdTable::new() };
        locations.intern(Location::default());
        locations
    }

    /// The id of a location, new or old.
    pub fn intern(&mut self, location: Location) -> LocationId {
        let all = &self.all;
        let same = |id: u32| all.get(id as usize) == Some(&location);
        if let Some(id) = self.ids.find(FxBuildHasher.hash_one(location), same) {
            return LocationId(id);
        }
        let id = self.all.len() as u32;
        self.all.push(location);
        let all = &self.all;
        self.ids.insert(id, |id| all.get(id as usize).map_or(0, |known| FxBuildHasher.hash_one(known)));
        LocationId(id)
    }

    /// The location of that id.
    pub fn get(&self, id: LocationId) -> Location {
        self.all.get(id.0 as usize).copied().unwrap_or_default()
    }
}
