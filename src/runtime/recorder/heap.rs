//! What the allocator did, and whose the blocks of perl's pools are.

use super::Recorder;
use crate::runtime::block_table::Block;
use crate::runtime::interp::Interp;
use crate::runtime::interpose::usable_bytes;
use crate::runtime::pools::{self, PoolSuspect};
use crate::runtime::recording::mprof_attention;
use crate::runtime::thread::{self, Thread};
use std::sync::atomic::Ordering::Relaxed;

/// Blocks of this many bytes may be mappings of their own, so that the resident set moves though the heap's end does not.
const MAPPING_BYTES: u64 = 128 << 10;

impl Recorder {
    /// A block was allocated.
    #[inline]
    pub fn allocated(&mut self, thread: &Thread, address: usize, requested: usize) {
        if self.paused {
            return;
        }
        let bytes = usable_bytes(address);
        thread::count(&thread.allocated, bytes);
        let place = self.place_now(thread);
        if pools::ARENA_BYTES.contains(&requested) {
            self.suspect_pool(thread, PoolSuspect { address, bytes, place, peak_before: self.counters.peak_number });
        }
        self.counters.live_bytes = self.counters.live_bytes.wrapping_add(bytes);
        self.counters.live_blocks = self.counters.live_blocks.wrapping_add(1);
        self.places.allocated(place, bytes, self.options.live, self.counters.peak_number);
        if let Some(blocks) = &mut self.blocks {
            if let Some(lost) = blocks.insert(address, place, bytes) {
                // Its end went unseen; it is over all the same.
                let lost_bytes = lost.bytes.unwrap_or(0);
                self.freed(thread, Some(lost), lost_bytes);
            }
            if self.counters.live_bytes > self.counters.peak_bytes {
                self.counters.peak_bytes = self.counters.live_bytes;
                self.counters.peak_blocks = self.counters.live_blocks;
                self.counters.peak_number += 1;
            }
        }
        if bytes >= MAPPING_BYTES {
            self.statm_due = true;
        }
    }

    /// Removes a block from the table.
    #[inline]
    pub fn take_block(&mut self, address: usize) -> Option<Block> {
        self.blocks.as_mut()?.remove(address)
    }

    /// Undoes [`Recorder::take_block`].
    pub fn put_block_back(&mut self, address: usize, block: Block, bytes: u64) {
        if let Some(blocks) = &mut self.blocks {
            blocks.insert(address, block.place, bytes);
        }
    }

    /// A block of so many usable bytes is freed; `block` is what the table knew of it.
    #[inline]
    pub fn freed(&mut self, thread: &Thread, block: Option<Block>, bytes: u64) {
        if let Some(block) = block {
            self.places.freed(block.place, bytes, self.counters.peak_number);
        } else if self.blocks.is_some() {
            self.counters.older_freed_bytes += bytes;
            self.counters.older_freed_blocks += 1;
            return;
        } else if self.paused {
            return;
        }
        self.counters.live_bytes = self.counters.live_bytes.wrapping_sub(bytes);
        self.counters.live_blocks = self.counters.live_blocks.wrapping_sub(1);
        thread::count(&thread.freed, bytes);
        let node = match self.interp_now(thread) {
            Some(interp) => interp.node,
            None => self.thread_root(thread).0,
        };
        self.tree.freed(node, bytes);
        if bytes >= MAPPING_BYTES {
            self.statm_due = true;
        }
    }

    /// The program mapped and unmapped so many bytes.
    pub fn mapped(&mut self, mapped_bytes: u64, unmapped_bytes: u64) {
        self.statm_due = true;
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
            mprof_attention.store(1, Relaxed);
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
