//! The upper end of the ledger's mirror of perl's free list, where nearly everything happens: heads of temporary values are
//! taken and given back, time and again. What is further down is chained through the notes of the heads
//! ([`super::birth_notes`]).

use super::birth_notes::{Code, Note, NOTHING};
use super::scalar_ledger::Head;
use std::ops::Range;

/// A free head.
#[derive(Clone, Copy)]
pub struct Free {
    /// Where it is.
    pub head: *mut Head,
    /// Where its note is; null where that is to be looked up by its code.
    pub noted: *mut Note,
    /// Its code.
    pub code: Code,
}

/// No head.
pub const NONE: Free = Free { head: std::ptr::null_mut(), noted: std::ptr::null_mut(), code: NOTHING };

impl Free {
    /// The head of that code, if it is beside this one. An arena's first is no head, so both are in the same arena; and so
    /// are their notes, unless they are narrow.
    #[inline(always)]
    pub fn beside(self, code: Code) -> Option<Self> {
        let step = code.wrapping_sub(self.code) as i32 as isize;
        (!self.noted.is_null() && (step == 1 || step == -1)).then(|| Self {
            head: self.head.wrapping_offset(step),
            noted: self.noted.wrapping_offset(step),
            code,
        })
    }
}

/// Of those that were taken last, so many are looked at.
const RECALLED: usize = 4;
/// Heads in the upper end at most.
pub const MOST: usize = 128;

/// The upper end of the mirror.
pub struct Mirror {
    /// The free heads, the top last. Behind them are those that were taken last: they are likely to come back.
    heads: [Free; MOST + RECALLED],
    length: usize,
    /// The head below all, where the chain begins.
    pub below: Code,
}

impl Mirror {
    /// Empty.
    pub const fn new() -> Self {
        Self { heads: [NONE; MOST + RECALLED], length: 0, below: NOTHING }
    }

    /// The top.
    #[inline(always)]
    pub fn top(&self) -> Option<Free> {
        let at = self.length.checked_sub(1)?;
        // SAFETY: the length is at most that of the array.
        Some(unsafe { *self.heads.get_unchecked(at) })
    }

    /// The head below the top; null where that is not in the upper end.
    #[inline(always)]
    pub fn second(&self) -> *mut Head {
        match self.length.checked_sub(2) {
            // SAFETY: as in `top`.
            Some(at) => unsafe { self.heads.get_unchecked(at).head },
            None => std::ptr::null_mut(),
        }
    }

    /// Takes off what is above `head`, and tells of each where it is and its note. Stops before one of which that is to be looked
    /// up, and where there is no more in the upper end. Is `head` the top now?
    #[inline(always)]
    pub fn take_down_to(&mut self, head: *mut Head, mut taken: impl FnMut(*mut Head, *mut Note)) -> bool {
        let mut length = self.length;
        let is_top = loop {
            let Some(at) = length.checked_sub(1) else { break false };
            // SAFETY: as in `top`.
            let free = unsafe { self.heads.get_unchecked(at) };
            if free.head == head {
                break true;
            }
            if free.noted.is_null() {
                break false;
            }
            taken(free.head, free.noted);
            length = at;
        };
        self.length = length;
        is_top
    }

    /// Takes the top off.
    #[inline(always)]
    pub fn pop(&mut self) {
        self.length -= usize::from(self.length > 0);
    }

    /// Looks for a head among the last few that were taken, which have not come back yet, and makes it the one that was
    /// taken last: heads do not always come back in the order in which they went.
    #[inline(always)]
    pub fn recall(&mut self, head: *mut Head) -> Option<Free> {
        // SAFETY: behind all that there may be are as many more; they stay empty.
        unsafe {
            let taken = self.heads.as_mut_ptr().add(self.length);
            for at in 0..RECALLED {
                let found = *taken.add(at);
                if found.head == head {
                    if at > 0 {
                        *taken.add(at) = *taken;
                        *taken = found;
                    }
                    return (!found.noted.is_null()).then_some(found);
                }
            }
        }
        None
    }

    /// Will it be full with one head more?
    #[inline(always)]
    pub fn fills_next(&self) -> bool {
        self.length + 1 == MOST
    }

    /// Puts a head on top. Is it full now? Then it is to be emptied before the next.
    #[inline(always)]
    #[must_use]
    pub fn push(&mut self, free: Free) -> bool {
        debug_assert!(self.length < MOST);
        // SAFETY: there is room.
        unsafe { *self.heads.get_unchecked_mut(self.length) = free };
        self.length += 1;
        self.length == MOST
    }

    /// Puts a head where one will be: see [`Mirror::has`].
    #[inline(always)]
    pub fn put(&mut self, at: usize, free: Free) {
        if let Some(slot) = self.heads.get_mut(at) {
            *slot = free;
        }
    }

    /// The heads that are put there are all that there are, the top last. Not as many as there may be.
    pub fn has(&mut self, heads: Range<usize>) {
        self.length = heads.len().min(MOST - 1);
        self.heads.copy_within(heads, 0);
    }

    /// Takes off at most `most` heads at the lower end. The one that was last is the chain's first now.
    pub fn take_lower(&mut self, most: usize) -> Vec<Free> {
        let count = most.min(self.length);
        let taken = self.heads.iter().take(count).copied().collect();
        self.heads.copy_within(count..self.length, 0);
        self.length -= count;
        taken
    }

    /// Notes are elsewhere now.
    pub fn forget_notes(&mut self) {
        self.heads.iter_mut().for_each(|free| free.noted = std::ptr::null_mut());
    }
}
