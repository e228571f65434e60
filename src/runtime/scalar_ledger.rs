//! The birthplace of every live scalar, and the time of its birth, on a stock perl.
//!
//! perl takes the heads of scalars from a free list, linked through `SvANY` and used as a stack, and never asks malloc
//! for one. Free heads carry no count, so each is stamped with one that no live scalar has; perl sets the count of a
//! head it takes to 1, and a head given back has 0. At a boundary the list is walked from its top down to the first
//! stamped head: what was walked over has been freed since the boundary before. What a mirror of the list holds above
//! that head has been taken since: it was born here, unless it is free again. The work is proportional to what changed.
//!
//! A scalar that is born and dies between two boundaries is not seen. A head that is freed and taken again between two
//! boundaries, without the list being changed by it, keeps the birthplace it had; the number of scalars is exact all
//! the same.
//!
//! The mirror takes no memory of its own: a free head has no birth, and in its place is noted which head is below.
//!
//! Reads and stamps perl's heads and nothing else of perl's. What must stay true: the mirror is the list below its first
//! unstamped head, and a head has a birth noted if and only if it is live as of the last boundary.

use super::arena_pages::{Arena, ArenaPages, NO_ARENA};
use super::birth_notes::{ArenaNotes, Birth, Code, Note, CODES, NOTHING};
use super::births::BornAt;
use super::mirror::{self, Free, Mirror};

/// The head of a scalar: perl's `struct sv`, the same in every perl that this builds for.
#[repr(C)]
pub struct Head {
    /// `sv_any`; in a free head the next free one, in an arena's first head the next arena.
    any: *mut Head,
    /// `sv_refcnt`; in an arena's first head the number of its heads, that one included.
    count: u32,
    /// `sv_flags`; the type in the low byte.
    flags: u32,
    _value: usize,
}

/// The type of a free head (`SVTYPEMASK`).
const FREE: u32 = 0xff;
/// The count that free heads are stamped with.
pub const STAMP: u32 = 0x6d50_7266;

/// Where perl keeps its heads.
#[derive(Clone, Copy)]
pub struct Heads {
    /// `&PL_sv_root`.
    pub root: *const *mut Head,
    /// `&PL_sv_arenaroot`.
    pub arenas: *const *mut Head,
}

/// The ledger of one interpreter.
pub struct ScalarLedger {
    heads: Heads,
    /// The top of perl's list of free heads as of the last boundary.
    top: *mut Head,
    mirror: Mirror,
    /// By number of an arena: what is noted of its heads.
    notes: Vec<ArenaNotes>,
    /// When there are so many, those that can be are made narrow.
    narrowed_next: usize,
    /// By number of an arena: where it is.
    pages: ArenaPages,
    /// Low bits of a code.
    index_bits: u32,
    /// There are more heads than codes: nothing is followed any more.
    is_full: bool,
    /// The arena looked up last, and its number: scalars that come and go together are often together.
    near: (u32, Arena),
    newest_arena: *mut Head,
    /// Scratch: what has been freed since the last boundary; and the same where that is little.
    freed: Vec<*mut Head>,
    few: [*mut Head; FEW],
}

/// Freed heads that are collected; of more, those below are gone through again instead: a big structure that is freed at
/// once must not need much memory here.
const MOST_COLLECTED: usize = 1 << 12;
/// Arenas whose notes may be wide, however few there are: those that a program takes its scalars from are soon wide again.
const WIDE_AT_FIRST: usize = if cfg!(test) { 2 } else { 1 << 7 };
/// Arenas are looked over when there is one in so many more.
const NARROWED_OFTEN: usize = 8;

/// Heads that may have been freed at a boundary where little has changed.
const FEW: usize = 4;
/// Heads that the upper end of the mirror gets at once when it is empty: more than a statement takes, and far from as many as
/// there may be.
const REFILLED: usize = 32;

/// # Safety
/// `head` is one of perl's.
#[inline]
unsafe fn is_free(head: *mut Head) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*head).flags & FREE == FREE }
}

/// The index of a head in its arena.
#[inline(always)]
fn index_in(arena: Arena, head: *const Head) -> usize {
    (head as usize - arena.start) / size_of::<Head>()
}

/// Goes down the list to the first stamped head; null where there is none.
///
/// # Safety
/// `head` is null or in perl's list of free heads.
#[cold]
unsafe fn first_stamped(mut head: *mut Head) -> *mut Head {
    // SAFETY: the caller's promise.
    unsafe {
        while !head.is_null() && (*head).count != STAMP {
            head = (*head).any;
        }
    }
    head
}

/// Of a free head: which one is below is noted once it is chained.
const FREE_NOTE: Note = Note::above(NOTHING);

/// What a boundary finds on top of perl's list: heads that have been freed since the last one, down to the first stamped.
#[derive(Clone, Copy)]
pub struct Look {
    freed: Freed,
    stamped: *mut Head,
    /// Has any head been taken since the last boundary? What was born has to get a place then.
    pub has_taken: bool,
}

/// Heads that have been freed since the last boundary.
#[derive(Clone, Copy)]
enum Freed {
    None,
    One(*mut Head),
    /// Those that were collected, and then those from this one on.
    Many(*mut Head),
    /// Nothing can be told before new arenas have been met: fresh memory may hold anything, a stamp included.
    Unseen,
}

/// What [`ScalarLedger::look_for_deaths`] finds.
#[derive(Clone, Copy)]
pub enum Few {
    /// The list is as it was, with this head on top, but that one is to be stamped again.
    Same(*mut Head),
    /// The first of these has been freed, and before it the second, if that is another.
    Freed(*mut Head, *mut Head),
}

/// What [`ScalarLedger::look_plainly`] finds.
#[derive(Clone, Copy)]
pub struct Plain {
    stamped: *mut Head,
    /// How many heads have been freed since the last boundary.
    freed: usize,
    /// Has any head been taken since?
    pub has_taken: bool,
}

impl Look {
    /// Is it what is found nearly always: at most one head has been freed? Then [`ScalarLedger::settle`] is the shorter way.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        matches!(self.freed, Freed::None | Freed::One(_))
    }
}

impl ScalarLedger {
    /// Takes stock. Scalars that live already are `birth`'s.
    ///
    /// # Safety
    /// `heads` are the addresses of a live interpreter's variables, and stay valid until the ledger is dropped or no longer
    /// used; the same holds of the arenas.
    pub unsafe fn new(heads: Heads, birth: Birth) -> Self {
        let mut ledger = Self {
            heads,
            top: std::ptr::null_mut(),
            mirror: Mirror::new(),
            notes: Vec::new(),
            narrowed_next: WIDE_AT_FIRST,
            pages: ArenaPages::new(),
            index_bits: 0,
            is_full: false,
            near: (0, NO_ARENA),
            newest_arena: std::ptr::null_mut(),
            freed: Vec::new(),
            few: [std::ptr::null_mut(); FEW],
        };
        ledger.meet_arenas(Note::born(birth, BornAt::default()));
        let look = ledger.look();
        ledger.mirror_freed(look, &mut |_| {});
        ledger
    }

    /// The top of perl's free list as of the last boundary, for a quick look whether anything has changed.
    pub fn top(&self) -> *const Head {
        self.top
    }

    /// Has any scalar been born or died since the last boundary?
    #[inline]
    pub fn has_moved(&self) -> bool {
        // SAFETY: `new`'s contract.
        unsafe {
            let root = *self.heads.root;
            !std::ptr::eq(root, self.top) || (!root.is_null() && (*root).count != STAMP)
        }
    }

    /// A boundary, its first half: has anything been born? To be followed by [`ScalarLedger::settle`], or by
    /// [`ScalarLedger::settle_many`].
    #[inline(always)]
    pub fn look(&mut self) -> Look {
        // SAFETY: `new`'s contract: a list of heads of live arenas. A free head is nobody's; perl sets the count anew when it
        // takes it.
        let (freed, stamped) = unsafe {
            if *self.heads.arenas != self.newest_arena {
                return Look { freed: Freed::Unseen, stamped: std::ptr::null_mut(), has_taken: true };
            }
            let root = *self.heads.root;
            if root.is_null() || (*root).count == STAMP {
                (Freed::None, root)
            } else {
                let below = (*root).any;
                if below.is_null() || (*below).count == STAMP {
                    (*root).count = STAMP;
                    (Freed::One(root), below)
                } else {
                    let (rest, stamped) = self.walk();
                    (Freed::Many(rest), stamped)
                }
            }
        };
        Look { freed, stamped, has_taken: !std::ptr::eq(stamped, self.top) }
    }

    /// Its second half, where the look was plain: what was born since the last boundary has that note. Calls `died` for each
    /// that died, and returns how many were born.
    #[inline(always)]
    pub fn settle(&mut self, look: Look, birth: Note, mut died: impl FnMut(Birth)) -> u64 {
        let born = if look.has_taken { self.take(look.stamped, birth) } else { 0 };
        match look.freed {
            Freed::One(head) => {
                self.mirror(head, &mut died);
                self.top = head;
            }
            _ => self.top = look.stamped,
        }
        born
    }

    /// As [`ScalarLedger::settle`], whatever the look.
    #[inline(never)]
    pub fn settle_many(&mut self, look: Look, birth: Note, died: &mut impl FnMut(Birth)) -> u64 {
        let (mut look, mut born) = (look, 0);
        if matches!(look.freed, Freed::Unseen) {
            born = self.meet_arenas(birth);
            if self.is_full {
                // SAFETY: `new`'s contract. What is free need not be looked at again.
                self.top = unsafe { *self.heads.root };
                return 0;
            }
            look = self.look();
        }
        if look.has_taken {
            born += self.take(look.stamped, birth);
        }
        self.mirror_freed(look, died);
        born
    }

    /// A boundary, where little has changed: heads have been taken, and few have been freed. What [`Plain`] says is to be
    /// done in its order; nothing of it calls anything. `None`, or what cannot be done so: there is to be a
    /// [`ScalarLedger::look`], which finds the rest.
    #[inline(always)]
    pub fn look_plainly(&mut self) -> Option<Plain> {
        let mut freed = 0;
        // SAFETY: as in `look`.
        unsafe {
            let mut head = *self.heads.root;
            if *self.heads.arenas != self.newest_arena {
                return None;
            }
            while !head.is_null() && (*head).count != STAMP {
                *self.few.get_mut(freed)? = head;
                freed += 1;
                head = (*head).any;
            }
            let has_taken = !std::ptr::eq(head, self.top);
            (!head.is_null()).then_some(Plain { stamped: head, freed, has_taken })
        }
    }

    /// Where heads have been taken, from the upper end of the mirror: those that were born have that note. Returns how many
    /// did, at most as many as the upper end has, and whether that is all.
    #[inline(always)]
    pub fn take_plainly(&mut self, look: Plain, birth: Note) -> (u32, bool) {
        let mut born = 0;
        let are_all = self.mirror.take_down_to(
            look.stamped,
            #[inline(always)]
            |head, noted| {
                // SAFETY: as in `take` and `note`.
                unsafe {
                    if !is_free(head) {
                        *noted = birth;
                        born += 1;
                    }
                }
            },
        );
        (born, are_all)
    }

    /// After that: puts those that have been freed onto the mirror, if they are among the last that were taken and `died` does
    /// not refuse to be told. Were those all?
    #[inline(always)]
    pub fn free_plainly(&mut self, look: Plain, mut died: impl FnMut(Birth) -> bool) -> bool {
        self.top = look.stamped;
        for at in (0..look.freed).rev() {
            let Some(&head) = self.few.get(at) else { return false };
            if self.bury_shortly(head, &mut died).is_none() {
                return false;
            }
        }
        true
    }

    /// Puts a head that has been freed onto the mirror and stamps it, if its note is at hand and `died` does not refuse to be
    /// told.
    #[inline(always)]
    fn bury_shortly(&mut self, head: *mut Head, died: &mut impl FnMut(Birth) -> bool) -> Option<()> {
        let free = match self.mirror.recall(head) {
            Some(free) => free,
            None => self.coded_near(head)?,
        };
        // SAFETY: as in `look`, `note_of` and `note`.
        unsafe {
            if self.mirror.fills_next() || (*free.noted).birth().is_some_and(|birth| !died(birth)) {
                return None;
            }
            (*head).count = STAMP;
            *free.noted = FREE_NOTE;
        }
        let _is_not_full = self.mirror.push(free);
        self.top = head;
        Some(())
    }

    /// A boundary, where heads have been taken since the last one and none is free again: the top of perl's list then, for
    /// [`ScalarLedger::give_birth`]. `Some(None)`: it is not so, but it may be for [`ScalarLedger::look_for_deaths`]. `None`: the
    /// list is empty, or there are new arenas.
    #[inline(always)]
    pub fn look_for_births(&self) -> Option<Option<*mut Head>> {
        // SAFETY: as in `look`.
        unsafe {
            let root = *self.heads.root;
            if root.is_null() || *self.heads.arenas != self.newest_arena {
                return None;
            }
            Some(((*root).count == STAMP).then_some(root))
        }
    }

    /// After that: what was born has that note. Returns how many were born, at most as many as the upper end of the mirror
    /// has, and whether that is all.
    #[inline(always)]
    pub fn give_birth(&mut self, root: *mut Head, birth: Note) -> (u32, bool) {
        let mut born = 0;
        let are_all = self.mirror.take_down_to(
            root,
            #[inline(always)]
            |_, noted| {
                // SAFETY: as in `note`.
                unsafe { *noted = birth }
                born += 1;
            },
        );
        if are_all {
            self.top = root;
        }
        (born, are_all)
    }

    /// The same, where the top of the list carries no stamp: have one head or two been freed since the last boundary and none
    /// taken, or has the top been taken and is free again? Then it is for [`ScalarLedger::bury_few`].
    #[inline(always)]
    pub fn look_for_deaths(&self) -> Option<Few> {
        // SAFETY: as in `look`.
        unsafe {
            let root = *self.heads.root;
            let below = (*root).any;
            if root == self.top {
                let is_same = !below.is_null() && below == self.mirror.second() && (*below).count == STAMP;
                return is_same.then_some(Few::Same(root));
            }
            let is_one = below == self.top;
            let is_few = !below.is_null() && (is_one || ((*below).any == self.top && (*below).count != STAMP));
            let is_all = is_few && !self.top.is_null() && (*self.top).count == STAMP;
            is_all.then_some(Few::Freed(root, if is_one { root } else { below }))
        }
    }

    /// After that. `None`, if `died` refuses to be told, or something is not at hand: there is to be a [`ScalarLedger::look`],
    /// which finds the rest.
    #[inline(always)]
    pub fn bury_few(&mut self, few: Few, mut died: impl FnMut(Birth) -> bool) -> Option<()> {
        let (root, mut head) = match few {
            Few::Freed(root, first) => (root, first),
            Few::Same(root) => {
                // SAFETY: as in `look`.
                unsafe { (*root).count = STAMP }
                return Some(());
            }
        };
        loop {
            self.bury_shortly(head, &mut died)?;
            if head == root {
                return Some(());
            }
            head = root;
        }
    }

    /// What is in the mirror above the first stamped head has been taken, and was born. Returns how many were.
    #[inline(always)]
    fn take(&mut self, stamped: *mut Head, birth: Note) -> u64 {
        let mut born = 0;
        while let Some(free) = self.mirror.top() {
            if free.head == stamped {
                return born;
            }
            self.mirror.pop();
            // SAFETY: a head that was free once is one of perl's. What is free again is listed, and about to be mirrored.
            if unsafe { !is_free(free.head) } {
                self.note(free, birth);
                born += 1;
            }
        }
        born + self.take_chained(stamped, birth)
    }

    /// As [`ScalarLedger::take`], when all in the upper end of the mirror has been taken.
    fn take_chained(&mut self, stamped: *mut Head, birth: Note) -> u64 {
        let (mut born, mut near) = (0, mirror::NONE);
        while self.mirror.below != NOTHING {
            near = self.unchained(near);
            if near.head == stamped {
                self.refill(near);
                break;
            }
            // SAFETY: as in `take`.
            if unsafe { !is_free(near.head) } {
                self.note(near, birth);
                born += 1;
            }
        }
        born
    }

    /// Takes the first head off the chain. It may be beside `near`.
    #[inline(always)]
    fn unchained(&mut self, near: Free) -> Free {
        let free = near.beside(self.mirror.below).unwrap_or_else(|| self.decoded(self.mirror.below));
        self.mirror.below = self.note_of(free).below();
        free
    }

    /// The next boundaries ask for `top` again, and for those below it: the upper end of the mirror, which is empty, gets some
    /// of them.
    fn refill(&mut self, top: Free) {
        let mut near = top;
        for at in (0..REFILLED).rev() {
            self.mirror.put(at, near);
            if at == 0 || self.mirror.below == NOTHING {
                self.mirror.has(at..REFILLED);
                return;
            }
            near = self.unchained(near);
        }
    }

    /// Chains all in the upper end of the mirror, and what has been freed on top of it.
    fn chain_freed(&mut self, died: &mut impl FnMut(Birth)) {
        self.chain(mirror::MOST);
        while let Some(head) = self.freed.pop() {
            let Some(free) = self.coded(head) else { continue };
            self.bury(free, Note::above(self.mirror.below), died);
            self.mirror.below = free.code;
        }
    }

    /// Chains the lower heads of the mirror.
    #[cold]
    fn chain(&mut self, most: usize) {
        for free in self.mirror.take_lower(most) {
            self.note(free, Note::above(self.mirror.below));
            self.mirror.below = free.code;
        }
    }

    /// Collects what has been freed, from the top of the list down to the first stamped head; and stamps it. Returns the
    /// first that was not collected, and the first stamped.
    fn walk(&mut self) -> (*mut Head, *mut Head) {
        // SAFETY: as in `look`.
        unsafe {
            let mut head = *self.heads.root;
            while !head.is_null() && (*head).count != STAMP {
                if self.freed.len() == MOST_COLLECTED {
                    return (head, first_stamped(head));
                }
                (*head).count = STAMP;
                self.freed.push(head);
                head = (*head).any;
            }
            (head, head)
        }
    }

    /// Puts what has been freed onto the mirror.
    fn mirror_freed(&mut self, look: Look, died: &mut impl FnMut(Birth)) {
        match look.freed {
            Freed::None | Freed::Unseen => {}
            Freed::One(head) => self.mirror(head, died),
            Freed::Many(rest) => {
                if rest != look.stamped {
                    self.mirror_rest(rest, look.stamped, died);
                }
                if self.freed.len() > mirror::MOST / 2 {
                    self.chain_freed(died);
                }
                while let Some(head) = self.freed.pop() {
                    self.mirror(head, died);
                }
            }
        }
        // SAFETY: `new`'s contract.
        self.top = unsafe { *self.heads.root };
    }

    /// Stamps what was not collected, and puts it onto the mirror.
    #[cold]
    fn mirror_rest(&mut self, rest: *mut Head, stamped: *mut Head, died: &mut impl FnMut(Birth)) {
        self.chain(mirror::MOST);
        let below_all = self.mirror.below;
        let mut above = None;
        let mut head = rest;
        while head != stamped {
            // SAFETY: as in `walk`.
            let next = unsafe {
                (*head).count = STAMP;
                (*head).any
            };
            if let Some(free) = self.coded(head) {
                self.bury(free, Note::above(below_all), died);
                match above.replace(free) {
                    Some(above) => self.note(above, Note::above(free.code)),
                    None => self.mirror.below = free.code,
                }
            }
            head = next;
        }
    }

    /// Puts a head that is free now onto the mirror.
    #[inline(always)]
    fn mirror(&mut self, head: *mut Head, died: &mut impl FnMut(Birth)) {
        let Some(free) = self.mirror.recall(head).or_else(|| self.coded(head)) else { return };
        self.bury(free, FREE_NOTE, died);
        if self.mirror.push(free) {
            self.chain(mirror::MOST / 2);
        }
    }

    /// A head is free now, and has that note: if its birth is noted, it died.
    #[inline(always)]
    fn bury(&mut self, free: Free, note: Note, died: &mut impl FnMut(Birth)) {
        let before = self.note_of(free);
        self.note(free, note);
        if let Some(birth) = before.birth() {
            died(birth);
        }
    }

    /// The note of a head.
    #[inline(always)]
    fn note_of(&self, free: Free) -> Note {
        if free.noted.is_null() {
            self.narrow_note(free.code)
        } else {
            // SAFETY: an arena has a note for each of its heads; arenas are never dropped, and what a box owns does not move
            // with the box.
            unsafe { *free.noted }
        }
    }

    /// Changes the note of a head.
    #[inline(always)]
    fn note(&mut self, free: Free, note: Note) {
        if free.noted.is_null() {
            self.note_by_code(free.code, note);
        } else {
            // SAFETY: the note is the ledger's own.
            unsafe { *free.noted = note };
        }
    }

    /// Notes arenas that perl has made since; live heads in them are `birth`'s. Returns how many those are.
    #[cold]
    fn meet_arenas(&mut self, birth: Note) -> u64 {
        let mut live = 0;
        // SAFETY: `new`'s contract: a list of arenas, each of as many heads as its first one says.
        unsafe {
            let newest = *self.heads.arenas;
            let mut arena = newest;
            while !arena.is_null() && arena != self.newest_arena {
                let count = (*arena).count as usize;
                if self.notes.is_empty() {
                    self.index_bits = count.next_power_of_two().trailing_zeros();
                }
                let number = self.notes.len() as u32;
                if number >= (CODES - 1) >> self.index_bits || count > 1 << self.index_bits {
                    self.is_full = true;
                    return live;
                }
                let mut births = vec![Note::default(); count].into_boxed_slice();
                for (index, noted) in births.iter_mut().enumerate().skip(1) {
                    let head = arena.add(index);
                    if is_free(head) {
                        (*head).count = 0;
                    } else {
                        *noted = birth;
                        live += 1;
                    }
                }
                let (start, bytes) = (arena as usize, count * size_of::<Head>());
                // Of the box where it stays: one that is moved makes pointers into it void.
                self.notes.push(ArenaNotes::Wide(births));
                let notes = self.notes.last_mut().map_or(std::ptr::null_mut(), ArenaNotes::widen);
                self.pages.add(Arena { start, bytes, notes });
                arena = (*arena).any;
            }
            self.newest_arena = newest;
        }
        if self.notes.len() >= self.narrowed_next {
            self.narrow();
        }
        live
    }

    /// Makes the notes of those arenas narrow that can be.
    #[cold]
    fn narrow(&mut self) {
        for (number, notes) in self.notes.iter_mut().enumerate() {
            if notes.narrow() {
                self.pages.set_notes(number as u32, std::ptr::null_mut());
            }
        }
        self.near = (0, NO_ARENA);
        self.mirror.forget_notes();
        self.narrowed_next = self.notes.len() + (self.notes.len() / NARROWED_OFTEN).max(WIDE_AT_FIRST);
    }

    /// The number of the arena of a head, and its index there.
    #[inline]
    fn split(&self, code: Code) -> (u32, usize) {
        (code >> self.index_bits, (code & ((1 << self.index_bits) - 1)) as usize)
    }

    /// The note of a head, which may be among narrow ones.
    #[cold]
    fn narrow_note(&self, code: Code) -> Note {
        let (number, index) = self.split(code);
        self.notes.get(number as usize).map_or(Note::default(), |notes| notes.get(index))
    }

    /// Changes the note of a head, which may be among narrow ones.
    #[cold]
    fn note_by_code(&mut self, code: Code, note: Note) {
        let free = self.decoded(code);
        if !free.noted.is_null() {
            return self.note(free, note);
        }
        let (number, index) = self.split(code);
        let Some(notes) = self.notes.get_mut(number as usize) else { return };
        if let Some(noted) = notes.own(index) {
            *noted = note;
            return;
        }
        let wide = notes.widen();
        if index < notes.len() {
            // SAFETY: within the notes.
            unsafe { *wide.add(index) = note };
        }
        self.pages.set_notes(number, wide);
        self.near = (0, NO_ARENA);
    }

    /// The number of the arena that a head is in, the arena, and the index of the head there.
    #[inline]
    fn find(&mut self, head: *const Head) -> Option<(u32, Arena, usize)> {
        let (mut number, mut arena) = self.near;
        if !arena.holds(head as usize) {
            (number, arena) = self.pages.arena_of(head as usize)?;
            self.near = (number, arena);
        }
        Some((number, arena, index_in(arena, head)))
    }

    /// What is known of a head by its address.
    #[inline]
    fn coded(&mut self, head: *mut Head) -> Option<Free> {
        let (number, arena, index) = self.find(head)?;
        Some(self.free_at(head, number, arena, index))
    }

    /// What is known of a head by where it is.
    #[inline(always)]
    fn free_at(&self, head: *mut Head, number: u32, arena: Arena, index: usize) -> Free {
        Free { head, noted: arena.note(index), code: number << self.index_bits | index as u32 }
    }

    /// As [`ScalarLedger::coded`], if it is in the arena looked up last and that has wide notes.
    #[inline(always)]
    fn coded_near(&self, head: *mut Head) -> Option<Free> {
        let (number, arena) = self.near;
        if !arena.holds(head as usize) {
            return None;
        }
        Some(self.free_at(head, number, arena, index_in(arena, head))).filter(|free| !free.noted.is_null())
    }

    /// What is known of a head by its code.
    #[inline]
    fn decoded(&self, code: Code) -> Free {
        let (number, index) = self.split(code);
        // SAFETY: a code is of an arena that was met.
        let arena = unsafe { self.pages.arena(number) };
        let head = (arena.start as *mut Head).wrapping_add(index);
        Free { head, noted: arena.note(index), code }
    }

    /// Arenas by number: their first heads, and what is noted of all of them.
    fn arenas(&self) -> impl Iterator<Item = (*mut Head, &ArenaNotes)> + '_ {
        self.pages.starts().zip(&self.notes).map(|(start, notes)| (start as *mut Head, notes))
    }

    /// All that live as of the last boundary, with where and when they were born, in the order of their addresses within an
    /// arena.
    pub fn scalars(&self) -> impl Iterator<Item = (*const Head, Birth, BornAt)> + '_ {
        self.arenas().flat_map(|(first, notes)| {
            (0..notes.len()).filter_map(move |index| {
                let note = notes.get(index);
                // Within the arena, which has as many heads as there are notes.
                Some((first.cast_const().wrapping_add(index), note.birth()?, note.born_at()))
            })
        })
    }

    /// Where and when the scalar at that address was born, if it lives.
    pub fn birth_of(&mut self, head: *const Head) -> Option<(Birth, BornAt)> {
        let (number, _, index) = self.find(head)?;
        let note = self.notes.get(number as usize)?.get(index);
        Some((note.birth()?, note.born_at()))
    }

    /// Are there more heads than can be followed (tens of gigabytes of them)? Then nothing is any more.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Walks all arenas and compares: a head is live if and only if its birth is noted. Returns the live heads, and how
    /// many heads are noted wrongly. To be called right after a boundary.
    pub fn verify(&self) -> (u64, u64) {
        let (mut live, mut wrong) = (0, 0);
        for (first, notes) in self.arenas() {
            for index in 1..notes.len() {
                // SAFETY: `new`'s contract.
                let is_live = unsafe { !is_free(first.add(index)) };
                live += u64::from(is_live);
                wrong += u64::from(is_live != notes.get(index).birth().is_some());
            }
        }
        (live, wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ids::PlaceId;
    use proptest::prelude::*;
    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;

    /// Fewer where each takes a thousand times as long.
    const STEPS: usize = if cfg!(miri) { 200 } else { 2000 };

    /// perl's heads as perl handles them (sv.c and sv_inline.h).
    struct Perl {
        root: Cell<*mut Head>,
        arenas: Cell<*mut Head>,
        memory: RefCell<Vec<Box<[Head]>>>,
    }

    impl Perl {
        fn new() -> Box<Self> {
            let none = || Cell::new(std::ptr::null_mut());
            Box::new(Self { root: none(), arenas: none(), memory: RefCell::default() })
        }

        fn heads(&self) -> Heads {
            Heads { root: self.root.as_ptr(), arenas: self.arenas.as_ptr() }
        }

        fn more(&self) {
            let head = || Head { any: std::ptr::null_mut(), count: STAMP, flags: 0, _value: 0 };
            let mut memory = self.memory.borrow_mut();
            memory.push((0..170).map(|_| head()).collect());
            // Of the box where it stays, and all is written through it: else the ledger's pointers are void.
            let Some(start) = memory.last_mut().map(|arena| arena.as_mut_ptr()) else { return };
            // SAFETY: heads of arenas that the model keeps.
            unsafe {
                for index in 1..170 {
                    let next = if index < 169 { start.add(index + 1) } else { std::ptr::null_mut() };
                    ((*start.add(index)).any, (*start.add(index)).flags) = (next, FREE);
                }
                ((*start).any, (*start).count) = (self.arenas.get(), 170);
                self.root.set(start.add(1));
            }
            self.arenas.set(start);
        }

        fn take(&self) -> *mut Head {
            if self.root.get().is_null() {
                self.more();
            }
            let head = self.root.get();
            // SAFETY: heads of arenas that the model keeps.
            unsafe {
                self.root.set((*head).any);
                *head = Head { any: std::ptr::null_mut(), count: 1, flags: 3, _value: 0 };
            }
            head
        }

        fn give_back(&self, head: *mut Head) {
            // SAFETY: heads of arenas that the model keeps.
            unsafe { *head = Head { any: self.root.get(), count: 0, flags: FREE, _value: 0 } };
            self.root.set(head);
        }
    }

    fn settle(ledger: &mut ScalarLedger, place: PlaceId, died: impl FnMut(Birth)) -> u64 {
        let look = ledger.look();
        let birth = Note::born(Birth::At(place), BornAt::default());
        let mut died = died;
        let born =
            if look.is_plain() { ledger.settle(look, birth, died) } else { ledger.settle_many(look, birth, &mut died) };
        assert!(look.has_taken || born == 0);
        born
    }

    /// The short way first, and then what is left. `refuses`: by number, whether a death is not to be told on the short way.
    fn settle_plainly(
        ledger: &mut ScalarLedger,
        place: PlaceId,
        refuses: impl Fn(u32) -> bool,
        mut died: impl FnMut(Birth),
    ) -> u64 {
        let Some(look) = ledger.look_plainly() else { return settle(ledger, place, died) };
        let mut born = 0;
        if look.has_taken {
            let (taken, are_all) = ledger.take_plainly(look, Note::born(Birth::At(place), BornAt::default()));
            born += u64::from(taken);
            if !are_all {
                return born + settle(ledger, place, died);
            }
        }
        let mut number = 0;
        let is_all = ledger.free_plainly(look, |birth| {
            number += 1;
            if !refuses(number) {
                died(birth);
            }
            !refuses(number)
        });
        assert_eq!(is_all, !ledger.has_moved());
        if !is_all {
            // Births have been told.
            assert_eq!(settle(ledger, place, died), 0);
        }
        born
    }

    /// The shortest way first, and then what is left.
    fn settle_simply(
        ledger: &mut ScalarLedger,
        place: PlaceId,
        refuses: impl Fn(u32) -> bool,
        mut died: impl FnMut(Birth),
    ) -> u64 {
        if !ledger.has_moved() {
            return settle(ledger, place, died);
        }
        let mut born = 0;
        let is_all = match ledger.look_for_births() {
            None => false,
            Some(Some(root)) => {
                let (taken, are_all) = ledger.give_birth(root, Note::born(Birth::At(place), BornAt::default()));
                born = u64::from(taken);
                are_all
            }
            Some(None) => {
                let mut number = 0;
                let all = ledger.look_for_deaths().and_then(|few| {
                    ledger.bury_few(few, |birth| {
                        number += 1;
                        if !refuses(number) {
                            died(birth);
                        }
                        !refuses(number)
                    })
                });
                all.is_some()
            }
        };
        assert_eq!(is_all, !ledger.has_moved());
        born + settle_plainly(ledger, place, refuses, died)
    }

    proptest! {
        #[test]
        fn births_less_deaths_are_what_lives(steps in prop::collection::vec((0u8..10, any::<prop::sample::Index>()), 1..STEPS)) {
            let perl = Perl::new();
            let mut live: Vec<*mut Head> = (0..50).map(|_| perl.take()).collect();
            // SAFETY: heads of arenas that the model keeps.
            let mut ledger = unsafe { ScalarLedger::new(perl.heads(), Birth::Older) };
            prop_assert_eq!(ledger.scalars().filter(|(_, birth, _)| *birth == Birth::Older).count(), 50);
            let mut counts: HashMap<Option<PlaceId>, i64> = HashMap::from([(None, 50)]);
            for (step, (what, which)) in steps.into_iter().enumerate() {
                match what {
                    0..=5 => live.push(perl.take()),
                    6..=8 if !live.is_empty() => perl.give_back(live.swap_remove(which.index(live.len()))),
                    // A temporary value.
                    9 if which.index(2) == 0 => perl.give_back(perl.take()),
                    _ => {}
                }
                if what == 9 || what == 5 || step % 17 == 0 {
                    let place = PlaceId(step as u32);
                    let died = |birth| {
                        let at = match birth { Birth::Older => None, Birth::At(place) => Some(place) };
                        *counts.entry(at).or_default() -= 1;
                    };
                    let refuses = |number| number as usize == which.index(5);
                    let born = match which.index(4) {
                        0 => settle(&mut ledger, place, died),
                        1 => settle_plainly(&mut ledger, place, refuses, died),
                        _ => settle_simply(&mut ledger, place, refuses, died),
                    };
                    *counts.entry(Some(place)).or_default() += born as i64;
                    prop_assert!(!ledger.has_moved());
                    prop_assert_eq!(ledger.verify(), (live.len() as u64, 0));
                    prop_assert_eq!(counts.values().sum::<i64>(), live.len() as i64);
                    prop_assert!(counts.values().all(|&count| count >= 0));
                    prop_assert_eq!(ledger.scalars().count(), live.len());
                }
            }
        }
    }

    #[test]
    fn an_arena_that_appears_within_a_statement_is_noted() {
        let perl = Perl::new();
        let first = perl.take();
        // SAFETY: heads of arenas that the model keeps.
        let mut ledger = unsafe { ScalarLedger::new(perl.heads(), Birth::Older) };
        let taken: Vec<_> = (0..500).map(|_| perl.take()).collect();
        assert_eq!(settle(&mut ledger, PlaceId(7), |birth| assert_ne!(birth, birth)), 500);
        taken.into_iter().for_each(|head| perl.give_back(head));
        let mut died = 0;
        assert_eq!(settle(&mut ledger, PlaceId(8), |birth| died += u32::from(birth == Birth::At(PlaceId(7)))), 0);
        assert_eq!(died, 500);
        let many: Vec<_> = (0..3 * MOST_COLLECTED).map(|_| perl.take()).collect();
        assert_eq!(settle(&mut ledger, PlaceId(7), |birth| assert_ne!(birth, birth)), many.len() as u64);
        many.iter().for_each(|&head| perl.give_back(head));
        let mut died = 0;
        assert_eq!(settle(&mut ledger, PlaceId(8), |_| died += 1), 0);
        assert_eq!((died, ledger.verify()), (many.len(), (1, 0)));
        let again: Vec<_> = many.iter().map(|_| perl.take()).collect();
        assert_eq!(again.iter().rev().collect::<Vec<_>>(), many.iter().collect::<Vec<_>>());
        assert_eq!(settle(&mut ledger, PlaceId(7), |birth| assert_ne!(birth, birth)), many.len() as u64);
        assert_eq!(ledger.verify(), (1 + many.len() as u64, 0));
        again.into_iter().for_each(|head| perl.give_back(head));
        settle(&mut ledger, PlaceId(8), |birth| assert_eq!(birth, Birth::At(PlaceId(7))));
        perl.give_back(first);
        settle(&mut ledger, PlaceId(9), |birth| assert_eq!(birth, Birth::Older));
    }
}
