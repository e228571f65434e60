//! Strings, each kept once: files, packages, names.

use crate::format::ids::StrId;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// The strings met so far. Id 0 is the empty string.
pub struct Strings {
    all: Vec<Box<[u8]>>,
    by_bytes: HashTable<u32>,
}

impl Strings {
    /// Only the empty string.
    pub fn new() -> Self {
        let mut strings = Self { all: Vec::new(), by_bytes: HashTable::new() };
        strings.intern(b"");
        strings
    }

    /// The id of `bytes`, if they are known.
    pub fn find(&self, bytes: &[u8]) -> Option<StrId> {
        let same = |&id: &u32| self.all.get(id as usize).is_some_and(|known| **known == *bytes);
        self.by_bytes.find(FxBuildHasher.hash_one(bytes), same).map(|&id| StrId(id))
    }

    /// The id of `bytes`, new or old.
    pub fn intern(&mut self, bytes: &[u8]) -> StrId {
        if let Some(id) = self.find(bytes) {
            return id;
        }
        let id = self.all.len() as u32;
        self.all.push(bytes.into());
        let all = &self.all;
        let rehash = |&id: &u32| all.get(id as usize).map_or(0, |known| FxBuildHasher.hash_one(&**known));
        self.by_bytes.insert_unique(FxBuildHasher.hash_one(bytes), id, rehash);
        StrId(id)
    }

    /// The bytes of `id`.
    pub fn get(&self, id: StrId) -> &[u8] {
        self.all.get(id.index()).map_or(&[], |known| known)
    }

    /// The strings from id `first` on.
    pub fn from(&self, first: u32) -> &[Box<[u8]>] {
        self.all.get(first as usize..).unwrap_or(&[])
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.all.len() as u32
    }
}
