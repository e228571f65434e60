//! Which nodes count for the inclusive figures of what runs in them, so that recursion is counted once.

use super::tree::{CallTree, Step};
use crate::format::ids::NodeId;

/// For every node: has it a key, and has no node above it the same? Keys are numbers below `keys`.
pub(in crate::tools) fn outermost(tree: &CallTree, keys: usize, key: impl Fn(NodeId) -> Option<usize>) -> Vec<bool> {
    let mut outermost = vec![false; tree.len()];
    // How many nodes of each key the walk is in.
    let mut open = vec![0u32; keys];
    for step in tree.walk() {
        let (Step::Enter(id) | Step::Leave(id)) = step;
        let Some(depth) = key(id).and_then(|key| open.get_mut(key)) else { continue };
        match step {
            Step::Enter(_) => {
                *depth += 1;
                if let Some(flag) = outermost.get_mut(id.index()) {
                    *flag = *depth == 1;
                }
            }
            Step::Leave(_) => *depth -= 1,
        }
    }
    outermost
}
