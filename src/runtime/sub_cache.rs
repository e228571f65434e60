//! Subs by address, so that one that was called before is named without asking perl.
//!
//! Addresses are reused, so nothing here outlives the code it was learnt from: what is known holds as long as the
//! generation of the code does.

use super::direct_mapped::{spread, DirectMapped};
use super::generations;
use crate::format::ids::SubId;
use rustc_hash::FxHashMap;

/// How a sub is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SubKey {
    /// Address of the code: the root of the op tree (shared by all clones of a closure), or the CV of an XSUB.
    pub code: usize,
    /// What else tells two subs with that code apart: the address of the name, mixed with the name's hash where that
    /// address may be freed before the code is.
    pub name: usize,
}

impl SubKey {
    #[inline]
    fn spread(self) -> u64 {
        spread((self.code ^ self.name.rotate_left(20)) as u64)
    }
}

#[derive(Clone, Copy, Default)]
struct Known {
    generation: u32,
    sub: SubId,
}

impl Known {
    #[inline]
    fn holds(self, key: SubKey) -> bool {
        self.generation == generations::of_sub(key.code)
    }
}

/// Subs remembered at most: a program may make distinct named closures without end.
const MOST_SUBS: usize = 1 << 16;

/// Subs by key.
#[derive(Default)]
pub struct SubCache {
    recent: DirectMapped<(SubKey, Known), { 1 << 11 }>,
    subs: FxHashMap<SubKey, Known>,
}

impl SubCache {
    /// The sub of that key.
    #[inline]
    pub fn sub(&mut self, key: SubKey) -> Option<SubId> {
        let (of, known) = self.recent.get(key.spread());
        if of == key && known.holds(key) {
            return Some(known.sub);
        }
        self.find(key)
    }

    #[cold]
    fn find(&mut self, key: SubKey) -> Option<SubId> {
        let known = *self.subs.get(&key).filter(|known| known.holds(key))?;
        self.recent.note(key.spread(), (key, known));
        Some(known.sub)
    }

    /// Remembers a sub.
    pub fn note_sub(&mut self, key: SubKey, sub: SubId) {
        if self.subs.len() == self.subs.capacity() {
            // The subs that are freed make room, if they are many; else it doubles.
            self.subs.retain(|&key, known| known.holds(key));
            if self.subs.len() >= MOST_SUBS {
                self.subs.clear();
            }
        }
        self.subs.insert(key, Known { generation: generations::of_sub(key.code), sub });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, for generations are shared.
    #[test]
    fn a_sub_is_known_by_each_of_its_names_until_it_is_freed_and_leaves_room_then() {
        let mut cache = SubCache::default();
        let key = |n: usize| SubKey { code: 0x1000 + n / 2 * 48, name: n };
        (0..4000).for_each(|n| cache.note_sub(key(n), SubId(n as u32)));
        assert!((0..4000).all(|n| cache.sub(key(n)) == Some(SubId(n as u32))));
        generations::sub_freed(key(6).code);
        assert_eq!([cache.sub(key(6)), cache.sub(key(7)), cache.sub(key(4))], [None, None, Some(SubId(4))]);

        let before = cache.subs.capacity();
        for n in 4000..50_000 {
            cache.note_sub(key(n), SubId(1));
            generations::sub_freed(key(n).code);
        }
        assert!(cache.subs.capacity() <= before);
    }
}
