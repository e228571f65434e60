//! Blocks that have been freed, by the node that did: a small table in front of the tree, for few nodes run at a time.

use crate::format::ids::NodeId;

/// Slots; a power of two.
const SLOTS: usize = 1 << 8;

/// A node, and what it has freed that the tree does not know of yet.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Slot {
    bytes: u64,
    node: NodeId,
    blocks: u32,
}

impl Slot {
    /// A block of so many bytes more.
    #[inline(always)]
    pub fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.blocks += 1;
    }
}

/// The table.
pub struct Frees {
    slots: [Slot; SLOTS],
}

impl Default for Frees {
    fn default() -> Self {
        Self { slots: [Slot { bytes: 0, node: NodeId(0), blocks: 0 }; SLOTS] }
    }
}

impl Frees {
    #[inline(always)]
    fn slot(&mut self, node: NodeId) -> &mut Slot {
        // SAFETY: masked to the length.
        unsafe { self.slots.get_unchecked_mut(node.index() & (SLOTS - 1)) }
    }

    /// The slot of a node, if it has one and there is room for a block.
    #[inline(always)]
    pub fn known(&mut self, node: NodeId) -> Option<&mut Slot> {
        let slot = self.slot(node);
        (slot.node == node && slot.blocks < u32::MAX).then_some(slot)
    }

    /// Counts a block. What has to give way to it is handed over: a node, bytes, and blocks.
    #[inline]
    pub fn count(&mut self, node: NodeId, bytes: u64, hand_over: impl FnOnce(NodeId, u64, u64)) {
        if let Some(slot) = self.known(node) {
            return slot.add(bytes);
        }
        let before = std::mem::replace(self.slot(node), Slot { bytes, node, blocks: 1 });
        if before.blocks > 0 {
            hand_over(before.node, before.bytes, before.blocks.into());
        }
    }

    /// Hands over all.
    pub fn settle(&mut self, mut hand_over: impl FnMut(NodeId, u64, u64)) {
        for slot in self.slots.iter_mut().filter(|slot| slot.blocks > 0) {
            hand_over(slot.node, std::mem::take(&mut slot.bytes), std::mem::take(&mut slot.blocks).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustc_hash::FxHashMap;

    proptest! {
        #[test]
        fn no_block_is_lost(frees in prop::collection::vec((0u32..1000, 0u64..1 << 40), 0..3000)) {
            let (mut table, mut sums, mut model) = (Frees::default(), FxHashMap::default(), FxHashMap::default());
            let mut hand_over = |node: NodeId, bytes: u64, blocks: u64| {
                let sum: &mut (u64, u64) = sums.entry(node.0).or_default();
                *sum = (sum.0 + bytes, sum.1 + blocks);
            };
            for (number, (node, bytes)) in frees.into_iter().enumerate() {
                let sum: &mut (u64, u64) = model.entry(node).or_default();
                *sum = (sum.0 + bytes, sum.1 + 1);
                match table.known(NodeId(node)).filter(|_| number % 3 > 0) {
                    Some(slot) => slot.add(bytes),
                    None => table.count(NodeId(node), bytes, &mut hand_over),
                }
                if number % 500 == 499 {
                    table.settle(&mut hand_over);
                }
            }
            table.settle(&mut hand_over);
            prop_assert_eq!(sums, model);
        }
    }
}
