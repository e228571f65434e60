//! Places (call path, location) and what lives there.
//!
//! The exact peak of each place costs no log: a place keeps what it held at the newest peak it knows of, and on its
//! first change after a newer one it first notes what it held until then. A place that has not changed since the newest
//! peak held then what it holds now.
//!
//! Figures are kept in one or two bytes each. A place that outgrows them is moved to full width, and no unit is lost.

use super::bit_set::BitSet;
use super::block_table::MAX_PLACES;
use super::chains::Chains;
use super::direct_mapped::spread;
use super::locations::{LocationId, Locations};
use super::narrow::{State, Units};
use super::paged::{Paged, Stated};
use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::{Place, PlaceFigures};

/// A place and, as long as they are small, its figures.
#[derive(Clone, Copy, Default)]
struct Small {
    node: NodeId,
    at: LocationId,
    /// Low half of the peak's number; of a big place, the index of its figures.
    peak: u32,
    allocated: Units,
    live: Units,
    at_peak: Units,
    allocated_blocks: u8,
    live_blocks: u8,
    at_peak_blocks: u8,
    scalars_born: u8,
    scalars_died: u8,
    state: State,
}

/// All places met so far.
pub struct Places {
    all: Paged<Small>,
    big: Vec<Big>,
    /// The places of each node.
    of_nodes: Chains,
    /// Locations that have places.
    seen: BitSet,
    /// The place looked up last.
    last: PlaceId,
}

#[inline]
fn hash(node: NodeId, at: LocationId) -> u64 {
    spread(u64::from(node.0) << 32 | u64::from(at.number()))
}

fn hash_of(all: &Paged<Small>, id: u32) -> u64 {
    all.get(id as usize).map_or(0, |place| hash(place.node, place.at))
}

/// Figures of a place in full width: a line of cache. Of blocks that live, 2³² would be at least 96 GiB.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Big {
    allocated_bytes: u64,
    allocated_blocks: u64,
    live_bytes: u64,
    at_peak_bytes: u64,
    scalars_born: u64,
    scalars_died: u64,
    live_blocks: u32,
    at_peak_blocks: u32,
    /// Low half of the peak's number.
    peak: u32,
}

const _: () = assert!(size_of::<Big>() == 64);

impl Big {
    /// A place that has not changed since a newer peak held then what it holds now.
    #[inline]
    fn bring_up_to(&mut self, peak: u64) {
        if self.peak != peak as u32 {
            self.peak = peak as u32;
            self.at_peak_bytes = self.live_bytes;
            self.at_peak_blocks = self.live_blocks;
        }
    }

    /// Counts a block.
    #[inline(always)]
    fn allocate(&mut self, bytes: u64, lives: bool) {
        self.allocated_bytes += bytes;
        self.allocated_blocks += 1;
        if lives {
            self.live_bytes += bytes;
            self.live_blocks = self.live_blocks.wrapping_add(1);
        }
    }

    fn told(self, id: PlaceId, peak: u64) -> PlaceFigures {
        PlaceFigures {
            id,
            allocated_bytes: self.allocated_bytes,
            allocated_blocks: self.allocated_blocks,
            live_bytes: self.live_bytes,
            live_blocks: self.live_blocks.into(),
            at_peak_bytes: self.at_peak_bytes,
            at_peak_blocks: self.at_peak_blocks.into(),
            peak_number: peak,
            scalars_born: self.scalars_born,
            scalars_died: self.scalars_died,
        }
    }
}

impl Stated for Small {
    #[inline]
    fn state(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Small {
    #[inline]
    fn is(&self, node: NodeId, at: LocationId) -> bool {
        self.node == node && self.at == at
    }

    #[inline]
    fn bring_up_to(&mut self, peak: u64) {
        if self.peak != peak as u32 {
            self.peak = peak as u32;
            self.at_peak = self.live;
            self.at_peak_blocks = self.live_blocks;
        }
    }

    fn widened(self) -> Big {
        Big {
            allocated_bytes: self.allocated.bytes(),
            allocated_blocks: self.allocated_blocks.into(),
            live_bytes: self.live.bytes(),
            at_peak_bytes: self.at_peak.bytes(),
            scalars_born: self.scalars_born.into(),
            scalars_died: self.scalars_died.into(),
            live_blocks: self.live_blocks.into(),
            at_peak_blocks: self.at_peak_blocks.into(),
            peak: self.peak,
        }
    }

    /// Counts a block, if it fits: what lives was allocated, so it fits where that does.
    #[inline(always)]
    fn allocate(&mut self, bytes: u64, lives: bool, peak: u64) -> bool {
        let (Some(allocated), Some(live)) = (self.allocated.with(bytes), self.live.with(bytes)) else { return false };
        if self.allocated_blocks == u8::MAX {
            return false;
        }
        self.bring_up_to(peak);
        self.allocated = allocated;
        self.allocated_blocks += 1;
        if lives {
            self.live = live;
            self.live_blocks += 1;
        }
        true
    }
}

/// The figures of a place, as of the newest peak.
fn figures(big: &[Big], id: PlaceId, place: Small, peak: u64) -> PlaceFigures {
    let known = big.get(place.peak as usize).filter(|_| place.state.is_big());
    let mut figures = known.copied().unwrap_or_else(|| place.widened());
    figures.bring_up_to(peak);
    figures.told(id, peak)
}

impl Default for Places {
    fn default() -> Self {
        Self::new()
    }
}

impl Places {
    /// None yet.
    pub fn new() -> Self {
        Self { all: Paged::new(), big: Vec::new(), of_nodes: Chains::new(), seen: BitSet::new(), last: PlaceId(0) }
    }

    /// The id of a place, new or old. Programs do again what they did before, and ids are in the order of first visits: it may
    /// well be the one after the last.
    pub fn intern(&mut self, node: NodeId, at: LocationId) -> PlaceId {
        let next = PlaceId(self.last.0 + 1);
        let is_next = self.all.get(next.index()).is_some_and(|place| place.is(node, at));
        self.last = match if is_next { Some(next) } else { self.find(node, at) } {
            Some(id) => id,
            None if self.all.len() as u32 >= MAX_PLACES => PlaceId(0),
            None => self.add(node, at),
        };
        self.last
    }

    fn find(&mut self, node: NodeId, at: LocationId) -> Option<PlaceId> {
        // Most are of lines that run for the first time.
        if self.seen.insert(at.number()) {
            return None;
        }
        let is_it = |id: u32| self.all.get(id as usize).is_some_and(|place| place.is(node, at));
        self.of_nodes.find(node.0, hash(node, at), is_it, |id| hash_of(&self.all, id)).map(PlaceId)
    }

    fn add(&mut self, node: NodeId, at: LocationId) -> PlaceId {
        let id = PlaceId(self.all.len() as u32);
        self.all.push(Small { node, at, ..Default::default() });
        self.of_nodes.add(node.0, id.0, |id| hash_of(&self.all, id));
        id
    }

    /// No place is looked up any more.
    pub fn look_up_no_more(&mut self) {
        (self.of_nodes, self.seen) = (Chains::new(), BitSet::new());
    }

    /// The call path of a place.
    pub fn node_of(&self, id: PlaceId) -> NodeId {
        self.all.get(id.index()).map_or(NodeId(0), |place| place.node)
    }

    /// Figures in full width, as of the newest peak.
    #[inline]
    fn big(&mut self, index: u32, peak: u64) -> Option<&mut Big> {
        let figures = self.big.get_mut(index as usize)?;
        figures.bring_up_to(peak);
        Some(figures)
    }

    /// Moves the figures of a place to full width.
    #[cold]
    fn widen(&mut self, id: PlaceId, peak: u64) -> Option<&mut Big> {
        let place = self.all.get_mut(id.index())?;
        if !place.state.is_big() {
            let figures = place.widened();
            place.state.outgrow();
            place.peak = self.big.len() as u32;
            self.big.push(figures);
        }
        let index = place.peak;
        self.big(index, peak)
    }

    /// [`Places::allocated`] of a block that lives, if all that changes is figures.
    #[inline(always)]
    pub fn allocated_shortly(&mut self, id: PlaceId, bytes: u64, peak: u64) -> bool {
        let Some(place) = self.all.touched(id.index()) else { return false };
        if !place.state.is_big() {
            return place.allocate(bytes, true, peak);
        }
        let index = place.peak;
        let Some(figures) = self.big(index, peak) else { return false };
        figures.allocate(bytes, true);
        true
    }

    /// A block of `bytes` was allocated here; it `lives` unless nobody watches for its end.
    #[inline(always)]
    pub fn allocated(&mut self, id: PlaceId, bytes: u64, lives: bool, peak: u64) {
        let Some(place) = self.all.touch(id.index()) else { return };
        let figures = if place.state.is_big() {
            let index = place.peak;
            self.big(index, peak)
        } else if place.allocate(bytes, lives, peak) {
            return;
        } else {
            self.widen(id, peak)
        };
        if let Some(figures) = figures {
            figures.allocate(bytes, lives);
        }
    }

    /// So many blocks were allocated here, of `bytes` together. Nobody watches for their ends.
    pub fn allocated_unwatched(&mut self, id: PlaceId, bytes: u64, blocks: u32, peak: u64) {
        let Some(place) = self.all.touch(id.index()) else { return };
        if !place.state.is_big() {
            let sum = u8::try_from(u32::from(place.allocated_blocks) + blocks);
            if let (Some(allocated), Ok(blocks)) = (place.allocated.with(bytes), sum) {
                (place.allocated, place.allocated_blocks) = (allocated, blocks);
                return;
            }
        }
        if let Some(figures) = self.widen(id, peak) {
            figures.allocated_bytes += bytes;
            figures.allocated_blocks += u64::from(blocks);
        }
    }

    /// A block of `bytes` that was allocated here is freed.
    #[inline(always)]
    pub fn freed(&mut self, id: PlaceId, bytes: u64, peak: u64) {
        let Some(place) = self.all.touch(id.index()) else { return };
        if place.state.is_big() {
            let index = place.peak;
            if let Some(figures) = self.big(index, peak) {
                figures.live_bytes = figures.live_bytes.wrapping_sub(bytes);
                figures.live_blocks = figures.live_blocks.wrapping_sub(1);
            }
            return;
        }
        place.bring_up_to(peak);
        place.live = place.live.without(bytes);
        place.live_blocks = place.live_blocks.wrapping_sub(1);
    }

    /// So many scalars were born here, and so many died. What lived at the peak is a matter of bytes: this leaves it alone.
    #[inline]
    pub fn scalars(&mut self, id: PlaceId, born: u64, died: u64, peak: u64) {
        let Some(place) = self.all.touch(id.index()) else { return };
        let figures = if place.state.is_big() {
            let index = place.peak;
            self.big.get_mut(index as usize)
        } else {
            let sum = |old: u8, more: u64| u8::try_from(u64::from(old) + more).ok();
            if let (Some(born), Some(died)) = (sum(place.scalars_born, born), sum(place.scalars_died, died)) {
                (place.scalars_born, place.scalars_died) = (born, died);
                return;
            }
            self.widen(id, peak)
        };
        let Some(figures) = figures else { return };
        figures.scalars_born += born;
        figures.scalars_died += died;
    }

    /// A block of `bytes` turns out to be the place `to`'s. It lived at the newest peak, or did not. Unless nobody watches for ends, it `lives`.
    pub fn reassigned(&mut self, from: PlaceId, to: PlaceId, bytes: u64, lives: bool, lived_at_peak: bool, peak: u64) {
        self.allocated(to, bytes, lives, peak);
        if lives {
            self.freed(from, bytes, peak);
        }
        let at_peak = if lived_at_peak && lives { (bytes, 1) } else { (0, 0) };
        self.correct(from, peak, |figures| {
            figures.allocated_bytes -= bytes;
            figures.allocated_blocks -= 1;
            figures.at_peak_bytes -= at_peak.0;
            figures.at_peak_blocks -= at_peak.1;
        });
        self.correct(to, peak, |figures| {
            figures.at_peak_bytes += at_peak.0;
            figures.at_peak_blocks += at_peak.1;
        });
    }

    /// Changes figures of a place; they need not fit where they were.
    fn correct(&mut self, id: PlaceId, peak: u64, change: impl FnOnce(&mut Big)) {
        if let Some(figures) = self.widen(id, peak) {
            change(figures);
        }
    }

    /// At most `most` of the places that have changed since they were last taken, in the order of their ids, with their
    /// figures as of the newest peak. None are left when there are none here.
    pub fn take_changed(&mut self, most: usize, peak: u64) -> Vec<PlaceFigures> {
        let big = &self.big;
        self.all.take_changed(most, |id, place| figures(big, PlaceId(id as u32), place, peak))
    }

    /// Marks every place as changed, for a trace that begins anew.
    pub fn change_all(&mut self) {
        self.all.touch_all();
    }

    /// Has any place changed?
    pub fn has_changed(&self) -> bool {
        self.all.has_changed()
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.all.len() as u32
    }

    /// `count` places from id `first` on.
    pub fn from<'a>(&'a self, first: u32, count: usize, locations: &'a Locations) -> impl Iterator<Item = Place> + 'a {
        self.all.from(first as usize).take(count).map(|place| {
            let at = locations.get(place.at);
            Place { node: place.node, file: at.file, line: at.line }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::locations::Location;
    use super::*;
    use proptest::prelude::*;

    fn figures_of(places: &Places, id: PlaceId, peak: u64) -> PlaceFigures {
        figures(&places.big, id, *places.all.get(id.index()).unwrap(), peak)
    }

    proptest! {
        /// Against the slow model: a copy of everything at each new peak. Sizes up to 3 GiB make places outgrow 32 bits.
        #[test]
        fn figures_are_exact_and_so_is_what_lived_at_the_peak(
            steps in prop::collection::vec((0u32..6, prop_oneof![1u64..9, 1u64 << 24..3 << 27], any::<bool>()), 1..300)
        ) {
            let mut places = Places::new();
            let mut locations = Locations::new();
            for line in 0..6 {
                places.intern(NodeId(line), locations.intern(Default::default()));
            }
            let (mut peak, mut number) = (0u64, 0u64);
            let mut blocks: Vec<Vec<u64>> = vec![vec![]; 6];
            let mut allocated = [0u64; 6];
            let mut at_peak = [0u64; 6];
            for (which, words, free) in steps {
                let (bytes, at) = (words * 8, which as usize);
                if free {
                    if let Some(bytes) = blocks[at].pop() {
                        places.freed(PlaceId(which), bytes, number);
                    }
                    continue;
                }
                places.allocated(PlaceId(which), bytes, true, number);
                blocks[at].push(bytes);
                allocated[at] += bytes;
                let live: Vec<u64> = blocks.iter().map(|of_place| of_place.iter().sum()).collect();
                if live.iter().sum::<u64>() > peak {
                    peak = live.iter().sum();
                    number += 1;
                    at_peak.copy_from_slice(&live);
                }
            }
            for id in 0..6u32 {
                let figures = figures_of(&places, PlaceId(id), number);
                let of_place = &blocks[id as usize];
                prop_assert_eq!(figures.live_bytes, of_place.iter().sum::<u64>());
                prop_assert_eq!(figures.live_blocks, of_place.len() as u64);
                prop_assert_eq!(figures.allocated_bytes, allocated[id as usize]);
                prop_assert_eq!(figures.at_peak_bytes, at_peak[id as usize]);
            }
        }
    }

    #[test]
    fn a_place_is_one_id_whichever_was_the_last() {
        let mut places = Places::new();
        let mut locations = Locations::new();
        let at: Vec<_> = (0..40).map(|line| locations.intern(Location { line, ..Default::default() })).collect();
        let all: Vec<_> = (0..400u32).map(|n| (NodeId(n * 7 % 20), at[(n * 7 / 20) as usize % 40])).collect();
        for (n, &(node, at)) in all.iter().enumerate() {
            assert_eq!(places.intern(node, at), PlaceId(n as u32));
            assert_eq!(places.count(), n as u32 + 1);
        }
        for step in [1, 3, 77] {
            let mut again = (0..400).map(|n| n * step % 400);
            assert!(again.all(|n| places.intern(all[n].0, all[n].1) == PlaceId(n as u32)));
        }
        assert_eq!(places.count(), 400);
    }

    #[test]
    fn a_block_that_is_reassigned_leaves_nothing_behind() {
        let mut places = Places::new();
        let mut locations = Locations::new();
        let nowhere = locations.intern(Default::default());
        let (from, to) = (places.intern(NodeId(1), nowhere), places.intern(NodeId(2), nowhere));
        places.allocated(from, 4088, true, 0);
        places.reassigned(from, to, 4088, true, true, 1);
        let (from, to) = (figures_of(&places, from, 1), figures_of(&places, to, 1));
        assert_eq!((from.allocated_bytes, from.live_blocks, from.at_peak_bytes), (0, 0, 0));
        assert_eq!((to.allocated_bytes, to.live_blocks, to.at_peak_bytes), (4088, 1, 4088));
    }
}
