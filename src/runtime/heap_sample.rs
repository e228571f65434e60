//! A sample of the heap: which scalars live on, what they are and what refers to them.
//!
//! The ledger says where and when each scalar was born. Listed are those born after the warm-up and not just now, at
//! places that bear survivors again and again; the shim tells what they are and what they refer to. One walk over all
//! scalars finds these references, and whoever else refers to a listed scalar; a few more find what refers to those
//! holders, until something has a name. Nothing is kept but the listed scalars' addresses and the holders: records are
//! handed on as they are made.

use super::birth_notes::Birth;
use super::births::BornAt;
use super::heap_visit::Visit;
use super::interp::Interp;
use super::recorder::{Recorder, SubDescription};
use super::scalar_ledger::ScalarLedger;
use super::shim_types::{MprofKind, MprofScalar, MprofSub, MprofText};
use super::snapshot::define_strings;
use crate::format::heap::{
    BirthUnit, Census, CensusGroup, EdgeKind, HeapBegins, HeapEdge, HeapEdges, HeapScalar, HeapScalars, ScalarKind,
};
use crate::format::ids::{PlaceId, StrId};
use crate::format::Record;
use rustc_hash::FxHashMap;
use std::ffi::c_void;

/// Most scalars that are listed while the program runs. Where there are more, those of the last marks are.
const MOST_LISTED: usize = 20_000;
/// The same at its end.
const MOST_LISTED_AT_END: usize = 60_000;
/// Most holders, the named ones at the ends of their chains included.
const MOST_HOLDERS: usize = 5_000;
/// Most different keys, symbols and variables that are told by name.
const MOST_KEYS: usize = 2_000;
/// Most classes that the census tells apart.
const MOST_CLASSES: usize = 4096;
/// A place's survivors are listed if they were born at so many different times of 64.
const LEAST_BIRTHS: u32 = 3;
/// Walks to find out what refers to holders: how long a chain may be.
const CHAIN_WALKS: usize = 8;
/// Referrers of one holder that are told.
const MOST_REFERRERS: u32 = 2;
/// How many scalars ahead of the one that is told of the memory of another is fetched: it takes as long as a few of them.
const AHEAD: usize = 8;
/// Scalars in one record, and references in one.
const SCALARS_A_RECORD: usize = 4096;
const EDGES_A_RECORD: usize = 8192;

/// The births that are looked at: when at least `from` and less than `to` marks, or snapshots, had been made.
#[derive(Clone, Copy)]
struct Window {
    unit: BirthUnit,
    from: u64,
    to: u64,
    /// What a forked child's parent had made.
    inherited: u64,
}

impl Window {
    /// Without the first quarter, which is the warm-up, and without the unit of work that may still be going on.
    /// `ended`: the program is over, so without marks nothing is going on any more.
    fn of(recorder: &Recorder, ended: bool) -> Self {
        let (unit, made, inherited) = recorder.births_so_far();
        let to = if unit == BirthUnit::Marks { made.saturating_sub(1) } else { made + u64::from(ended) };
        let from = (made / 4).max(1);
        Self { unit, from, to: to.max(from), inherited }
    }

    /// How many had been made when that scalar was born; `None` outside of the window.
    fn number(&self, birth: Birth, born_at: BornAt) -> Option<(PlaceId, u64)> {
        let Birth::At(place) = birth else { return None };
        let number = born_at.number(self.unit)?.checked_sub(self.inherited)?;
        (self.from..self.to).contains(&number).then_some((place, number))
    }

    /// Which of 64 parts of the window a number lies in, as a bit.
    fn part(&self, number: u64) -> u64 {
        1 << ((number - self.from) * 64 / (self.to - self.from).max(1)).min(63)
    }
}

/// A sample in the making.
struct Sample<'a> {
    recorder: &'a mut Recorder,
    put: &'a mut dyn FnMut(Record),
    interp: &'a Interp,
    snapshot: u64,
    window: Window,
    visit: Visit,
    keys: usize,
    classes: FxHashMap<usize, StrId>,
    scalars: Vec<HeapScalar>,
    first: u32,
    edges: Vec<HeapEdge>,
    holders: Vec<HeapScalar>,
    holder_numbers: FxHashMap<usize, u32>,
    listed: u32,
    most_listed: usize,
}

/// Takes a sample of the scalars of `interp`, as part of the snapshot that is being taken. To be called at a boundary.
pub fn take(recorder: &mut Recorder, interp: &Interp, ended: bool, put: &mut dyn FnMut(Record)) {
    let Some(ledger) = &interp.ledger else { return };
    let window = Window::of(recorder, ended);
    let snapshot = recorder.trace.snapshot;
    let visit = Visit::new(recorder.blocks());
    let mut sample = Sample {
        recorder,
        put,
        interp,
        snapshot,
        window,
        visit,
        keys: 0,
        classes: FxHashMap::default(),
        scalars: Vec::new(),
        first: 0,
        edges: Vec::new(),
        holders: Vec::new(),
        holder_numbers: FxHashMap::default(),
        listed: 0,
        most_listed: if ended { MOST_LISTED_AT_END } else { MOST_LISTED },
    };
    let in_window = sample.choose(ledger);
    sample.begin(interp.scalars() as u64, in_window);
    let groups = sample.walk(ledger);
    sample.find_chains(ledger);
    sample.end(groups);
}

/// Walks over all scalars of `interp` and compares how often each is referred to with its reference count. Returns how
/// many are referred to more often than perl counts, and which one is, as text: there should be none.
pub fn verify(interp: &Interp) -> (u64, String) {
    let Some(ledger) = &interp.ledger else { return (0, String::new()) };
    let mut visit = Visit::new(None);
    let mut left = Vec::new();
    for (number, (head, ..)) in ledger.scalars().enumerate() {
        visit.seek(head as usize, number as u32);
        left.push((0i64, MprofKind::Other));
    }
    for (number, (head, ..)) in ledger.scalars().enumerate() {
        let told = told_of(interp, head.cast(), &mut visit, false);
        if let Some(left) = left.get_mut(number) {
            left.0 += i64::from(told.references);
            left.1 = told.kind;
        }
        for reference in visit.references.iter().filter(|reference| reference.kind != EdgeKind::Weak) {
            if let Some(left) = left.get_mut(reference.to as usize) {
                left.0 -= 1;
            }
        }
    }
    for index in 0.. {
        if root(interp, index, &mut visit).is_none() {
            break;
        }
        for reference in &visit.references {
            if let Some(left) = left.get_mut(reference.to as usize) {
                left.0 -= 1;
            }
        }
    }
    let wrong: Vec<_> = left.iter().filter(|left| left.0 < 0).collect();
    let example = wrong.first().map_or(String::new(), |left| format!("{:?} by {}", ScalarKind::from(left.1), -left.0));
    (wrong.len() as u64, example)
}

/// Asks the shim about a scalar: what it is, and its references to what is sought.
fn told_of(interp: &Interp, head: *const c_void, visit: &mut Visit, detailed: bool) -> MprofScalar {
    let nothing = MprofText::NONE;
    let sub = MprofSub { is_xsub: false, package: nothing, name: nothing, file: nothing, line: 0 };
    let mut told = MprofScalar { kind: MprofKind::Other, references: 0, body_bytes: 0, blessed_into: nothing, sub };
    (interp.layout.describe_scalar)(interp.layout.perl, head, visit.begin(detailed), &raw mut told);
    told
}

/// Asks the shim what the interpreter itself refers to, as root `index`; `None` where there are no more.
fn root(interp: &Interp, index: u32, visit: &mut Visit) -> Option<MprofText> {
    let name = (interp.layout.heap_root)(interp.layout.perl, index, visit.begin(false));
    (!name.start.is_null()).then_some(name)
}

/// Calls `f` with each scalar of the ledger, where and when it was born, and the one that is [`AHEAD`], if there is one.
fn for_each_ahead(ledger: &ScalarLedger, mut f: impl FnMut(*const c_void, Birth, BornAt, *const c_void)) {
    let mut waiting = [None; AHEAD];
    let mut at = 0;
    ledger.scalars().for_each(|(head, birth, born_at)| {
        let head = head.cast();
        let first = waiting.get_mut(at % AHEAD).and_then(|first| first.replace((head, birth, born_at)));
        at += 1;
        if let Some((first, birth, born_at)) = first {
            f(first, birth, born_at, head);
        }
    });
    waiting.rotate_left(at % AHEAD);
    waiting.into_iter().flatten().for_each(|(head, birth, born_at)| f(head, birth, born_at, std::ptr::null()));
}

impl Sample<'_> {
    /// Chooses what is listed, and gives it numbers in the order of the walk. Returns how many were born in the window.
    fn choose(&mut self, ledger: &ScalarLedger) -> u64 {
        let mut in_window = 0;
        // Most places bear too few to be told apart at all: a byte each instead of an entry.
        let mut births = vec![0u8; self.recorder.places.count() as usize];
        // `for_each` here and below: the loop over the heads of an arena is one of its own then, and twice as fast.
        ledger.scalars().for_each(|(_, birth, born_at)| {
            if let Some((place, _)) = self.window.number(birth, born_at) {
                in_window += 1;
                if let Some(births) = births.get_mut(place.index()) {
                    *births = births.saturating_add(1);
                }
            }
        });
        let bears = |place: PlaceId| births.get(place.index()).is_some_and(|&births| u32::from(births) >= LEAST_BIRTHS);
        let mut parts: FxHashMap<PlaceId, u64> = FxHashMap::default();
        ledger.scalars().for_each(|(_, birth, born_at)| {
            if let Some((place, number)) = self.window.number(birth, born_at).filter(|&(place, _)| bears(place)) {
                *parts.entry(place).or_default() |= self.window.part(number);
            }
        });
        drop(births);
        parts.retain(|_, parts| parts.count_ones() >= LEAST_BIRTHS);
        parts.shrink_to_fit();
        if self.window.unit == BirthUnit::Snapshots {
            // A program that is still loading its modules bears survivors all the time.
            parts.retain(|&place, _| !self.recorder.is_loading(place));
        }
        if parts.is_empty() {
            return in_window;
        }
        let mut by_number: FxHashMap<u64, usize> = FxHashMap::default();
        ledger.scalars().for_each(|(_, birth, born_at)| {
            if let Some((_, number)) = self.window.number(birth, born_at).filter(|(place, _)| parts.contains_key(place))
            {
                *by_number.entry(number).or_default() += 1;
            }
        });
        let mut newest_first: Vec<_> = by_number.into_iter().collect();
        newest_first.sort_unstable_by(|a, b| b.cmp(a));
        let mut listed = 0;
        for (number, scalars) in newest_first {
            listed += scalars;
            if listed > self.most_listed {
                // Whole units of work only, so that growth per mark can be counted; the newest one counts as far as it fits.
                self.window.from = if listed > scalars { number + 1 } else { number };
                break;
            }
        }
        ledger.scalars().for_each(|(head, birth, born_at)| {
            let Some((place, _)) = self.window.number(birth, born_at) else { return };
            if parts.contains_key(&place) && (self.listed as usize) < self.most_listed {
                self.visit.seek(head as usize, self.listed);
                self.listed += 1;
            }
        });
        in_window
    }

    fn begin(&mut self, scalars: u64, scalars_in_window: u64) {
        let Window { unit, from, to, .. } = self.window;
        let (snapshot, listed) = (self.snapshot, self.listed);
        (self.put)(Record::HeapBegins(HeapBegins { snapshot, unit, from, to, scalars, scalars_in_window, listed }));
    }

    fn ask(&mut self, head: *const c_void, detailed: bool) -> MprofScalar {
        told_of(self.interp, head, &mut self.visit, detailed)
    }

    /// Walks over all scalars: takes the census, lists those chosen, and notes who refers to them.
    fn walk(&mut self, ledger: &ScalarLedger) -> Vec<CensusGroup> {
        // Most are no objects, and have groups where nothing has to be looked up.
        let mut unblessed = [CensusGroup::default(); ScalarKind::Root as usize + 1];
        let mut objects: FxHashMap<(ScalarKind, StrId), CensusGroup> = FxHashMap::default();
        for_each_ahead(ledger, |head, birth, born_at, ahead| {
            self.visit.look_ahead(ahead);
            let number = self.visit.number(head as usize);
            let told = self.ask(head, number.is_some());
            let class = self.class(told.blessed_into);
            let kind = ScalarKind::from(told.kind);
            let born_in_window = self.window.number(birth, born_at);
            let group = match unblessed.get_mut(kind as usize).filter(|_| class == StrId(0)) {
                Some(group) => group,
                None => objects.entry((kind, class)).or_default(),
            };
            (group.kind, group.class) = (kind, class);
            group.scalars += 1;
            group.body_bytes += u64::from(told.body_bytes);
            group.buffer_bytes += self.visit.buffer_bytes();
            if born_in_window.is_some() {
                group.scalars_in_window += 1;
                group.bytes_in_window += u64::from(told.body_bytes) + self.visit.buffer_bytes();
            }
            if let Some(number) = number {
                let scalar = self.described(&told, class, birth, born_in_window.map_or(0, |(_, number)| number));
                self.references_from(number);
                self.scalars.push(scalar);
                if self.scalars.len() >= SCALARS_A_RECORD {
                    self.put_scalars();
                }
            } else if !self.visit.references.is_empty() {
                self.holder(head as usize, birth);
            }
        });
        unblessed.into_iter().filter(|group| group.scalars > 0).chain(objects.into_values()).collect()
    }

    /// A scalar as a record.
    fn described(&mut self, told: &MprofScalar, class: StrId, birth: Birth, born: u64) -> HeapScalar {
        let kind = ScalarKind::from(told.kind);
        let name = match kind {
            ScalarKind::Code | ScalarKind::Glob | ScalarKind::Stash | ScalarKind::Format => {
                // SAFETY: the shim's description, of a scalar that lives.
                let description = unsafe { SubDescription::told(&told.sub) };
                let name = self.recorder.full_name(&description);
                self.key(&name)
            }
            _ => StrId(0),
        };
        let variables = std::mem::take(&mut self.visit.variables);
        HeapScalar {
            birthplace: match birth {
                Birth::At(place) => Some(place),
                Birth::Older => None,
            },
            born,
            kind,
            class,
            name,
            references: told.references,
            body_bytes: told.body_bytes,
            buffer_bytes: self.visit.buffer_bytes(),
            buffer_place: self.visit.buffer_place,
            variables: variables.into_iter().map(|(index, name)| (index, self.key(&name))).collect(),
        }
    }

    /// The references that were told are those of scalar `from`.
    fn references_from(&mut self, from: u32) {
        for reference in std::mem::take(&mut self.visit.references) {
            let key = self.key(&reference.key);
            let (to, kind, index) = (reference.to, reference.kind, reference.index);
            self.edges.push(HeapEdge { from, to, kind, index, key });
        }
        if self.edges.len() >= EDGES_A_RECORD {
            self.put_edges();
        }
    }

    /// What was asked about last holds what it refers to. Returns whether it has no name and is new.
    fn holder(&mut self, address: usize, birth: Birth) -> bool {
        if let Some(&number) = self.holder_numbers.get(&address) {
            self.references_from(number);
            return false;
        }
        if self.holders.len() >= MOST_HOLDERS {
            return false;
        }
        let number = self.listed + self.holders.len() as u32;
        self.references_from(number);
        // Now in detail: what it is called, the names of its variables, and where its buffer was allocated.
        let told = self.ask(address as *const c_void, true);
        self.visit.references.clear();
        let class = self.class(told.blessed_into);
        let holder = self.described(&told, class, birth, 0);
        let is_named = holder.name != StrId(0);
        self.holders.push(holder);
        self.holder_numbers.insert(address, number);
        !is_named
    }

    /// Finds what refers to the holders, and to what refers to those, until something has a name.
    fn find_chains(&mut self, ledger: &ScalarLedger) {
        self.roots();
        let mut wanted: FxHashMap<usize, u32> = FxHashMap::default();
        for (&address, &number) in &self.holder_numbers {
            let index = (number - self.listed) as usize;
            if self.holders.get(index).is_some_and(|holder| holder.name == StrId(0)) {
                wanted.insert(address, number);
            }
        }
        let mut referrers: FxHashMap<u32, u32> = FxHashMap::default();
        for _ in 0..CHAIN_WALKS {
            if wanted.is_empty() {
                break;
            }
            let listed = std::mem::replace(&mut self.visit, Visit::new(self.recorder.blocks()));
            for (&address, &number) in &wanted {
                self.visit.seek(address, number);
            }
            let mut found = FxHashMap::default();
            for_each_ahead(ledger, |head, birth, _, ahead| {
                let address = head as usize;
                if listed.number(address).is_some() {
                    return;
                }
                self.visit.look_ahead(ahead);
                self.ask(head, false);
                self.visit.references.retain(|reference| {
                    let told = referrers.entry(reference.to).or_default();
                    *told += 1;
                    *told <= MOST_REFERRERS
                });
                if !self.visit.references.is_empty() && self.holder(address, birth) {
                    if let Some(&number) = self.holder_numbers.get(&address) {
                        found.insert(address, number);
                    }
                }
            });
            self.roots();
            self.visit = listed;
            wanted = found;
        }
    }

    /// What the interpreter itself refers to.
    fn roots(&mut self) {
        for index in 0.. {
            let Some(name) = root(self.interp, index, &mut self.visit) else { break };
            if self.visit.references.is_empty() || self.holders.len() >= MOST_HOLDERS {
                continue;
            }
            let number = self.listed + self.holders.len() as u32;
            self.references_from(number);
            // SAFETY: a constant of the shim's.
            let name = self.recorder.strings.intern(unsafe { name.bytes() });
            self.holders.push(HeapScalar { kind: ScalarKind::Root, name, ..Default::default() });
        }
    }

    fn end(&mut self, groups: Vec<CensusGroup>) {
        self.put_scalars();
        for holders in std::mem::take(&mut self.holders).chunks(SCALARS_A_RECORD) {
            self.scalars = holders.to_vec();
            self.put_scalars();
        }
        self.put_edges();
        define_strings(self.recorder, self.put);
        (self.put)(Record::Census(Census { snapshot: self.snapshot, groups }));
    }

    fn put_scalars(&mut self) {
        let scalars = std::mem::take(&mut self.scalars);
        if scalars.is_empty() {
            return;
        }
        define_strings(self.recorder, self.put);
        let first = self.first;
        self.first += scalars.len() as u32;
        (self.put)(Record::HeapScalars(HeapScalars { snapshot: self.snapshot, first, scalars }));
    }

    fn put_edges(&mut self) {
        let edges = std::mem::take(&mut self.edges);
        if !edges.is_empty() {
            define_strings(self.recorder, self.put);
            (self.put)(Record::HeapEdges(HeapEdges { snapshot: self.snapshot, edges }));
        }
    }

    /// The id of a class. Its name stays where it is during the sample.
    fn class(&mut self, class: MprofText) -> StrId {
        if class.length == 0 {
            return StrId(0);
        }
        if let Some(&id) = self.classes.get(&(class.start as usize)) {
            return id;
        }
        // SAFETY: the name of a package that lives.
        let name = if self.classes.len() < MOST_CLASSES { unsafe { class.bytes() } } else { b"(other)" };
        let id = self.recorder.strings.intern(name);
        self.classes.insert(class.start as usize, id);
        id
    }

    /// The id of a key, a symbol or a name; empty where there are too many.
    fn key(&mut self, key: &[u8]) -> StrId {
        if let Some(id) = self.recorder.strings.find(key) {
            return id;
        }
        if self.keys >= MOST_KEYS {
            return StrId(0);
        }
        self.keys += 1;
        self.recorder.strings.intern(key)
    }
}
