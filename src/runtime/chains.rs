//! What belongs to whom: the places of a node, the calls that it makes.
//!
//! Nearly all that is looked for here is not there yet, and nearly every owner has few, met within a short time: a chain of
//! them is in cache, where a table of all would not be. Who has many, and is asked for them again and again, has them in a
//! table from then on.

use super::id_table::IdTable;
use super::paged::Paged;

/// A search along so many entries of a chain is short.
const FEW: usize = 16;

/// Whose search brings the steps of all that are not short to so many has its entries in the table from then on. That happens
/// soon to who is searched often or has very many; for most it would cost more than it saves.
const STEPS: usize = 1 << 13;

/// So often counts each step of a search that finds something: where one comes back once, it may do so a million times.
const AGAIN: usize = 16;

/// In place of a chain: the entries are in the table.
const INDEXED: u32 = u32::MAX;

/// The entries of all owners. Both are numbers, given out one after the other.
pub struct Chains {
    /// The newest entry of each owner and 1; 0 of who has none.
    newest: Paged<u32>,
    back: Back,
    table: Table,
    /// Steps, as they count, since an owner was last put into the table for them.
    steps: usize,
}

/// By how much the entry of the same owner before each entry is less; 0 where there is none.
struct Back(Paged<u16>);

impl Back {
    /// The entries of a chain whose newest is the one of number `newest` less 1.
    #[inline]
    fn chain(&self, newest: u32) -> impl Iterator<Item = u32> + '_ {
        let before = |&id: &u32| match self.0.get(id as usize) {
            None | Some(0) => None,
            Some(&back) => id.checked_sub(back.into()),
        };
        std::iter::successors(newest.checked_sub(1), before)
    }
}

/// Entries of many owners.
struct Table {
    /// By their hashes, the numbers that they have here.
    numbers: IdTable,
    entries: Paged<u32>,
}

impl Table {
    fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let entry = |number: u32| self.entries.get(number as usize).copied();
        self.numbers.find(hash, |number| entry(number).is_some_and(&is_it)).and_then(entry)
    }

    fn insert(&mut self, id: u32, hash: u64) {
        self.numbers.insert(self.entries.len() as u32, hash);
        self.entries.push(id);
    }
}

impl Chains {
    /// Nobody has any.
    pub fn new() -> Self {
        let table = Table { numbers: IdTable::new(), entries: Paged::new() };
        Self { newest: Paged::new(), back: Back(Paged::new()), table, steps: 0 }
    }

    /// The entry of `owner` that is looked for, which has that hash; `hash_of` tells any other's.
    #[inline]
    pub fn find(
        &mut self,
        owner: u32,
        hash: u64,
        is_it: impl Fn(u32) -> bool,
        hash_of: impl Fn(u32) -> u64,
    ) -> Option<u32> {
        let newest = *self.newest.get(owner as usize)?;
        if newest == INDEXED {
            return self.table.find(hash, is_it);
        }
        let mut steps = 0;
        let found = self.back.chain(newest).inspect(|_| steps += 1).find(|&id| is_it(id));
        if steps > FEW {
            self.steps += if found.is_some() { steps * AGAIN } else { steps };
            if self.steps >= STEPS {
                self.steps = 0;
                self.index(owner, hash_of);
            }
        }
        found
    }

    /// Puts all that an owner has into the table.
    #[cold]
    fn index(&mut self, owner: u32, hash_of: impl Fn(u32) -> u64) {
        let Some(newest) = self.newest.get_mut(owner as usize) else { return };
        let newest = std::mem::replace(newest, INDEXED);
        self.back.chain(newest).for_each(|id| self.table.insert(id, hash_of(id)));
    }

    /// Gives `owner` an entry, of a greater number than all before.
    #[inline]
    pub fn add(&mut self, owner: u32, id: u32, hash_of: impl Fn(u32) -> u64) {
        let newest = self.newest.get_or_fill(owner as usize, 0);
        let (Some(newest), Some(back)) = (newest, self.back.0.get_or_fill(id as usize, 0)) else { return };
        let far = match *newest {
            0 => Some(0),
            before => (id + 1).checked_sub(before).and_then(|far| u16::try_from(far).ok()),
        };
        if let Some(far) = far {
            (*newest, *back) = (id + 1, far);
            return;
        }
        if *newest != INDEXED {
            self.index(owner, &hash_of);
        }
        self.table.insert(id, hash_of(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the slow model: a list of owners.
        #[test]
        fn each_finds_its_own_and_no_other(steps in prop::collection::vec((0u32..4, any::<bool>()), 0..400)) {
            let mut chains = Chains::new();
            let mut owners: Vec<Option<u32>> = Vec::new();
            let hash_of = |id: u32| u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for (owner, is_owned) in steps {
                let id = owners.len() as u32;
                if is_owned {
                    chains.add(owner, id, hash_of);
                }
                owners.push(is_owned.then_some(owner));
                for (wanted, &owned_by) in (0..).zip(&owners) {
                    let is_it = |id: u32| id == wanted && owners.get(id as usize) == Some(&Some(owner));
                    let found = chains.find(owner, hash_of(wanted), is_it, hash_of);
                    prop_assert_eq!(found, (owned_by == Some(owner)).then_some(wanted));
                }
                prop_assert_eq!(chains.find(owner, hash_of(id + 1), |found| found == id + 1, hash_of), None);
            }
        }
    }

    #[test]
    fn who_is_far_apart_or_asked_often_is_found_all_the_same() {
        const FAR: u32 = 70_000;
        let mut chains = Chains::new();
        let hash_of = |id: u32| u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..FAR).for_each(|id| chains.add(u32::from(id != 0), id, hash_of));
        (FAR..FAR + 3).for_each(|id| chains.add(0, id, hash_of));
        let mut find = |owner, wanted| chains.find(owner, hash_of(wanted), |id| id == wanted, hash_of);
        for wanted in [0, FAR, FAR + 1, FAR + 2] {
            assert_eq!(find(0, wanted), Some(wanted));
        }
        for wanted in [1, FAR - 1, FAR / 2, 2] {
            assert_eq!(find(1, wanted), Some(wanted));
        }
        assert_eq!([find(0, FAR + 3), find(1, FAR + 3), find(2, 1)], [None; 3]);
        let newest = [0, 1].map(|owner| chains.newest.get(owner).copied());
        assert_eq!(newest, [Some(INDEXED); 2]);
    }
}
