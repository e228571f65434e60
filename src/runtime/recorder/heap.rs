//! What the allocator did, and whose the blocks of perl's pools are.

use super::Recorder;
use crate::format::ids::PlaceId;
use crate::runtime::block_table::{Block, Near, SMALL_BYTES};
use crate::runtime::hurdles;
use crate::runtime::interp::Interp;
use crate::runtime::interpose::usable_bytes;
use crate::runtime::pools::{self, PoolSuspect};
use crate::runtime::thread::Thread;

/// Blocks of this many bytes may be mappings of their own, so that the resident set moves though the heap's end does not.
const MAPPING_BYTES: u64 = 128 << 10;
/// Smaller blocks are neither pools nor mappings, whatever was requested.
pub const LARGE_BYTES: u64 = *pools::ARENA_BYTES.start() as u64;
const _: () = assert!(LARGE_BYTES <= SMALL_BYTES);

impl Recorder {
    /// [`Recorder::allocated`] of fewer than [`LARGE_BYTES`] where nobody watches for ends of blocks, if all that changes is
    /// figures: its place is known well.
    #[inline(always)]
    pub fn allocated_shortly(&mut self, thread: &Thread, interp: &mut Interp, bytes: u64) -> Near {
        let hot = self.hot.held(interp.curcop() as usize, interp.node());
        if !hot.is_some_and(|hot| hot.block(bytes)) {
            return Near::Refused;
        }
        self.count_live(thread, bytes);
        Near::Done
    }

    /// As [`Recorder::allocated_shortly`], where ends are watched for.
    #[inline(always)]
    pub fn allocated_watched_shortly(
        &mut self,
        thread: &Thread,
        interp: &mut Interp,
        address: usize,
        bytes: u64,
    ) -> Near {
        let Some(hot) = self.hot.held(interp.curcop() as usize, interp.node()) else { return Near::Refused };
        let place = hot.place_if_known();
        self.allocated_near(thread, address, Block { place, bytes })
    }

    #[inline(always)]
    fn allocated_near(&mut self, thread: &Thread, address: usize, block: Block) -> Near {
        let Some(blocks) = &mut self.blocks else { return Near::Refused };
        let (places, counters) = (&mut self.places, &self.counters);
        let done = blocks.insert_near(
            address,
            block,
            #[inline(always)]
            || places.allocated_shortly(block.place, block.bytes, counters.peak_number),
        );
        if done == Near::Done {
            self.count_live(thread, block.bytes);
            self.see_peak();
        }
        done
    }

    /// After [`Near::Elsewhere`].
    pub fn allocated_elsewhere(&mut self, thread: &Thread, address: usize, block: Block) -> bool {
        self.blocks.as_mut().is_some_and(|blocks| blocks.bring_near(address))
            && self.allocated_near(thread, address, block) == Near::Done
    }

    /// A block has been resized, to fewer bytes than [`LARGE_BYTES`], and is where it was: [`Recorder::freed_watched_shortly`] and
    /// [`Recorder::allocated_watched_shortly`] in one.
    #[inline(always)]
    pub fn resized_watched_shortly(
        &mut self,
        thread: &Thread,
        interp: &mut Interp,
        address: usize,
        bytes: u64,
    ) -> bool {
        let Some(slot) = self.frees.known(interp.node()) else { return false };
        let Some(hot) = self.hot.held(interp.curcop() as usize, interp.node()) else { return false };
        let place = hot.place_if_known();
        let Some(blocks) = &mut self.blocks else { return false };
        let (places, peak) = (&mut self.places, self.counters.peak_number);
        let mut freed_bytes = 0;
        let is_done = blocks.replace_near(
            address,
            Block { place, bytes },
            #[inline(always)]
            |old| {
                // In this order: the other is possible whenever the block is known.
                let is_done = places.allocated_shortly(place, bytes, peak);
                if is_done {
                    freed_bytes = old.bytes;
                    places.freed(old.place, old.bytes, peak);
                }
                is_done
            },
        );
        if is_done {
            slot.add(freed_bytes);
            self.count_dead(thread, freed_bytes);
            self.count_live(thread, bytes);
            self.see_peak();
        }
        is_done
    }

    #[inline(always)]
    fn count_live(&mut self, thread: &Thread, bytes: u64) {
        thread.allocated(bytes);
        self.counters.live_bytes = self.counters.live_bytes.wrapping_add(bytes);
        self.counters.live_blocks = self.counters.live_blocks.wrapping_add(1);
    }

    #[inline(always)]
    fn see_peak(&mut self) {
        if self.counters.live_bytes > self.counters.peak_bytes {
            self.counters.peak_bytes = self.counters.live_bytes;
            self.counters.peak_blocks = self.counters.live_blocks;
            self.counters.peak_number += 1;
        }
    }

    /// [`Recorder::freed`] where nobody watches for ends of blocks, if all that changes is figures. The block has, or had, so
    /// many usable bytes.
    #[inline(always)]
    pub fn freed_shortly(&mut self, thread: &Thread, interp: &mut Interp, bytes: u64) -> bool {
        if bytes >= MAPPING_BYTES {
            return false;
        }
        let Some(slot) = self.frees.known(interp.node()) else { return false };
        slot.add(bytes);
        self.count_dead(thread, bytes);
        true
    }

    /// As [`Recorder::freed_shortly`], where ends are watched for.
    #[inline(always)]
    pub fn freed_watched_shortly(&mut self, thread: &Thread, interp: &mut Interp, address: usize) -> bool {
        let Some(slot) = self.frees.known(interp.node()) else { return false };
        let Some(block) = self.blocks.as_mut().and_then(|blocks| blocks.remove_near(address)) else { return false };
        slot.add(block.bytes);
        self.places.freed(block.place, block.bytes, self.counters.peak_number);
        self.count_dead(thread, block.bytes);
        true
    }

    #[inline(always)]
    fn count_dead(&mut self, thread: &Thread, bytes: u64) {
        self.counters.live_bytes = self.counters.live_bytes.wrapping_sub(bytes);
        self.counters.live_blocks = self.counters.live_blocks.wrapping_sub(1);
        thread.freed(bytes);
    }

    /// A block was allocated.
    #[inline]
    pub fn allocated(&mut self, thread: &Thread, address: usize, requested: usize) {
        if self.paused {
            return;
        }
        let bytes = usable_bytes(address);
        if bytes < LARGE_BYTES {
            self.count_allocated(thread, address, bytes, false);
        } else {
            self.allocated_large(thread, address, requested, bytes);
        }
    }

    /// A block was allocated that may be a pool, or a mapping.
    #[cold]
    #[inline(never)]
    fn allocated_large(&mut self, thread: &Thread, address: usize, requested: usize, bytes: u64) {
        if bytes >= MAPPING_BYTES {
            self.want_statm();
        }
        self.count_allocated(thread, address, bytes, pools::ARENA_BYTES.contains(&requested));
    }

    #[inline(always)]
    fn count_allocated(&mut self, thread: &Thread, address: usize, bytes: u64, may_be_pool: bool) {
        self.count_live(thread, bytes);
        let place = match self.interp_now(thread) {
            None => self.thread_root(thread).1,
            Some(interp) => {
                let cop = interp.curcop() as usize;
                let is_unwatched = self.blocks.is_none() && !may_be_pool;
                if is_unwatched && !self.is_compiled(interp, cop) && self.hot.block_in(cop, interp.node(), bytes) {
                    return;
                }
                self.place_of(interp, cop)
            }
        };
        if may_be_pool {
            self.suspect_pool(thread, PoolSuspect { address, bytes, place, peak_before: self.counters.peak_number });
        }
        self.places.allocated(place, bytes, self.options.live, self.counters.peak_number);
        if let Some(blocks) = &mut self.blocks {
            if let Some(lost) = blocks.insert(address, place, bytes) {
                self.lost(thread, lost);
            }
            self.see_peak();
        }
    }

    /// A block's end went unseen; it is over all the same.
    #[cold]
    #[inline(never)]
    fn lost(&mut self, thread: &Thread, block: Block) {
        self.gave_back(thread, block.place, block.bytes);
    }

    /// A block is about to be freed.
    #[inline]
    pub fn freed(&mut self, thread: &Thread, address: usize) {
        match self.blocks.as_mut().map(|blocks| blocks.remove(address)) {
            // The allocator is not asked: the block's head is seldom in cache.
            Some(Some(block)) => self.gave_back(thread, block.place, block.bytes),
            Some(None) => self.gave_back_older(usable_bytes(address)),
            None if self.paused => {}
            None => self.count_freed(thread, usable_bytes(address)),
        }
    }

    /// The block that was at `address`, of `bytes` usable bytes, has been resized, and is elsewhere or another now.
    pub fn freed_by_resize(&mut self, thread: &Thread, address: usize, bytes: u64) {
        let block = self.blocks.as_mut().and_then(|blocks| blocks.remove(address));
        self.freed_taken(thread, block, bytes);
    }

    /// Removes a block that may be freed from the table: what was known of it, and its usable bytes.
    #[inline]
    pub fn take_block(&mut self, address: usize) -> (Option<Block>, u64) {
        let block = self.blocks.as_mut().and_then(|blocks| blocks.remove(address));
        (block, block.map_or_else(|| usable_bytes(address), |block| block.bytes))
    }

    /// Undoes [`Recorder::take_block`].
    pub fn put_block_back(&mut self, address: usize, block: Block, bytes: u64) {
        if let Some(blocks) = &mut self.blocks {
            blocks.insert(address, block.place, bytes);
        }
    }

    /// A block that was taken is freed.
    pub fn freed_taken(&mut self, thread: &Thread, block: Option<Block>, bytes: u64) {
        match block {
            Some(block) => self.gave_back(thread, block.place, bytes),
            None if self.blocks.is_some() => self.gave_back_older(bytes),
            None if self.paused => {}
            None => self.count_freed(thread, bytes),
        }
    }

    /// A block of `place` is freed, recording or not: what was recorded is followed to its end.
    #[inline(always)]
    fn gave_back(&mut self, thread: &Thread, place: PlaceId, bytes: u64) {
        self.places.freed(place, bytes, self.counters.peak_number);
        self.count_freed(thread, bytes);
    }

    /// A block is freed that is older than the start.
    fn gave_back_older(&mut self, bytes: u64) {
        self.counters.older_freed_bytes += bytes;
        self.counters.older_freed_blocks += 1;
    }

    #[inline(always)]
    fn count_freed(&mut self, thread: &Thread, bytes: u64) {
        let node = match self.interp_now(thread) {
            Some(interp) => interp.node(),
            None => self.thread_root(thread).0,
        };
        let tree = &mut self.tree;
        self.frees.count(node, bytes, |node, bytes, blocks| tree.freed(node, bytes, blocks));
        self.count_dead(thread, bytes);
        if bytes >= MAPPING_BYTES {
            self.want_statm();
        }
    }

    /// The program mapped and unmapped so many bytes.
    pub fn mapped(&mut self, mapped_bytes: u64, unmapped_bytes: u64) {
        self.want_statm();
        if !self.paused {
            self.counters.mapped_bytes += mapped_bytes;
            self.counters.unmapped_bytes += unmapped_bytes;
        }
    }

    #[cold]
    pub(super) fn suspect_pool(&mut self, thread: &Thread, suspect: PoolSuspect) {
        if let Some(interp) = Self::interp_of(thread) {
            self.judge_pool(interp);
            interp.pool_suspect = Some(suspect);
            hurdles::let_wait();
        }
    }

    /// If the suspect has become a pool, it is the pools' and not the place's that asked.
    #[cold]
    pub(super) fn judge_pool(&mut self, interp: &mut Interp) {
        let Some(suspect) = interp.pool_suspect.take() else { return };
        if !pools::is_pool(interp, suspect.address) {
            return;
        }
        let newest = self.counters.peak_number;
        let lives = self.blocks.is_some();
        if let Some(blocks) = &mut self.blocks {
            blocks.insert(suspect.address, self.pools, suspect.bytes);
        }
        let lived_at_peak = newest > suspect.peak_before;
        self.places.reassigned(suspect.place, self.pools, suspect.bytes, lives, lived_at_peak, newest);
    }
}
