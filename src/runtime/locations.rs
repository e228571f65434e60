//! Locations (file, line) in four bytes each: places and call sites share them.
//!
//! Lines are numbered in blocks, for where one line of a file runs, those around it do too: a location's id is the number of
//! its block, and its line in that.

use super::direct_mapped::spread;
use super::id_table::IdTable;
use super::paged::Paged;
use crate::format::ids::StrId;

/// log2 of the lines of a block.
const LINE_BITS: u32 = 8;
const LINE_MASK: u32 = (1 << LINE_BITS) - 1;

/// Handle of a location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LocationId(u32);

impl LocationId {
    /// As a number, for a hash.
    #[inline]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A statement's file and line; line 0 of the empty file is nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// File.
    pub file: StrId,
    /// Line.
    pub line: u32,
}

/// Neighbouring lines of a file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Block {
    file: StrId,
    /// Line >> LINE_BITS.
    number: u32,
}

impl Block {
    fn spread(self) -> u64 {
        spread(u64::from(self.file.0) << 32 | u64::from(self.number))
    }
}

/// The locations met so far. Id 0 is nowhere.
pub struct Locations {
    blocks: Paged<Block>,
    ids: IdTable,
    /// The block looked up last, and its number.
    last: (Block, u32),
}

impl Default for Locations {
    fn default() -> Self {
        Self::new()
    }
}

impl Locations {
    /// Only nowhere.
    pub fn new() -> Self {
        let mut locations = Self { blocks: Paged::new(), ids: IdTable::new(), last: Default::default() };
        locations.add(Block::default());
        locations
    }

    /// The id of a location, new or old. Nowhere's if there are more than ids.
    pub fn intern(&mut self, location: Location) -> LocationId {
        let block = Block { file: location.file, number: location.line >> LINE_BITS };
        if self.last.0 != block {
            let Some(id) = self.find_or_add(block) else { return LocationId::default() };
            self.last = (block, id);
        }
        LocationId(self.last.1 << LINE_BITS | location.line & LINE_MASK)
    }

    fn find_or_add(&mut self, block: Block) -> Option<u32> {
        let blocks = &self.blocks;
        let same = |id: u32| blocks.get(id as usize) == Some(&block);
        match self.ids.find(block.spread(), same) {
            Some(id) => Some(id),
            None if blocks.len() as u32 > u32::MAX >> LINE_BITS => None,
            None => Some(self.add(block)),
        }
    }

    #[cold]
    fn add(&mut self, block: Block) -> u32 {
        let id = self.blocks.len() as u32;
        self.blocks.push(block);
        self.ids.insert(id, block.spread());
        id
    }

    /// The location of that id.
    pub fn get(&self, id: LocationId) -> Location {
        let block = self.blocks.get((id.0 >> LINE_BITS) as usize).copied().unwrap_or_default();
        Location { file: block.file, line: block.number << LINE_BITS | id.0 & LINE_MASK }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_one_id_and_comes_back() {
        let mut locations = Locations::new();
        assert_eq!(locations.intern(Location::default()), LocationId::default());
        let lines = (0..2000).chain((1 << 20) - 300..(1 << 20) + 300).chain(u32::MAX - 300..=u32::MAX);
        let all: Vec<_> = lines.flat_map(|line| (0..3).map(move |file| Location { file: StrId(file), line })).collect();
        let ids: Vec<_> = all.iter().map(|&location| locations.intern(location)).collect();
        assert_eq!(all.iter().map(|&location| locations.intern(location)).collect::<Vec<_>>(), ids);
        assert_eq!(ids.iter().map(|&id| locations.get(id)).collect::<Vec<_>>(), all);
    }
}
