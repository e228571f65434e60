//! A trace summed up: by node, sub, line, file and module.
//!
//! Every rule about what a figure means is applied here, once: the at-peak rule, the base of a forked child,
//! inclusive = self + children, recursion counted once. Reports only choose and show. Nothing here reads a file or
//! formats a number.

mod line_numbers;
mod lines;
mod measures;
mod modules;
pub mod names;
mod outermost;
mod places;
mod subs;
#[cfg(test)]
mod tests;
mod totals;
mod tree;

pub use lines::{FileRow, LineFigure, LineRow, TopLines};
pub use measures::{difference, Measures};
pub use modules::ModuleRow;
pub(super) use outermost::outermost;
pub use places::PlaceRow;
pub use subs::SubRow;
pub use totals::pages_in_bytes;
pub use tree::{CallTree, Shape, Step};

use super::trace::Trace;
use super::warning::Warning;
use crate::format::ids::NodeId;
use crate::format::records::{SubKind, Totals};
use std::sync::OnceLock;

/// All that a report may show of a trace.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The trace as it was read.
    pub trace: Trace,
    /// The process's counters at the last snapshot, without what a forked child inherited.
    pub totals: Totals,
    /// The call tree.
    pub tree: CallTree,
    /// By sub, in no order that means anything.
    pub subs: Vec<SubRow>,
    /// See [`Profile::lines`].
    lines: OnceLock<Vec<LineRow>>,
    /// Everything together.
    pub all: Measures,
    /// What belongs to perl's pools of scalar heads and bodies.
    pub pools: Measures,
    /// Live bytes of the process that no place accounts for.
    pub unplaced_live_bytes: i64,
    /// Bytes that the process allocated and no place accounts for.
    pub unplaced_allocated_bytes: i64,
    /// What to know before trusting the figures: the reader's warnings and the counters' own.
    pub warnings: Vec<Warning>,
}

impl Profile {
    /// Sums a trace up.
    pub fn new(trace: Trace) -> Self {
        let base = trace.base.as_ref().map(|base| base.totals).unwrap_or_default();
        let totals = totals::since(&trace.last_totals(), &base);
        let tree = CallTree::new(&trace);
        let subs = subs::subs(&trace, &tree);
        let mut all = Measures::default();
        tree.roots().iter().for_each(|&root| all.add(&tree.inclusive(root)));
        let mut pools = Measures::default();
        for (id, _) in
            (0..).map(NodeId).zip(&trace.nodes).filter(|(_, node)| trace.sub(node.sub).kind == SubKind::Pools)
        {
            pools.add(&tree.own(&trace, id));
        }
        let mut warnings = trace.warnings.clone();
        warnings.extend(totals::warnings(&trace, &totals));
        let unplaced_live_bytes = totals::unplaced(totals.live_bytes, all.live_bytes);
        let unplaced_allocated_bytes = totals::unplaced(totals.allocated_bytes, all.allocated_bytes);
        Profile {
            trace,
            totals,
            tree,
            subs,
            lines: OnceLock::new(),
            all,
            pools,
            unplaced_live_bytes,
            unplaced_allocated_bytes,
            warnings,
        }
    }

    /// Figures of a node without what it calls.
    pub fn own(&self, node: NodeId) -> Measures {
        self.tree.own(&self.trace, node)
    }

    /// Figures by line, in order of their ids. Summed up when they are first asked for: not every report has them.
    pub fn lines(&self) -> &[LineRow] {
        self.lines.get_or_init(|| lines::lines(&self.trace, &self.tree))
    }

    /// For each of `figures` the `most` lines with the highest own figure, as of [`Profile::lines`] but sooner. Perl's
    /// pools are no line.
    pub fn lines_with_most(&self, figures: &[LineFigure], most: usize) -> Vec<TopLines> {
        lines::lines_with_most(&self.trace, &self.tree, figures, most)
    }

    /// Figures by file, in order of names.
    pub fn files(&self) -> Vec<FileRow> {
        lines::files(self.lines())
    }

    /// Figures by module, in order of names.
    pub fn modules(&self) -> Vec<ModuleRow> {
        modules::modules(&self.trace, &self.tree, &self.subs)
    }

    /// Figures by place, by node.
    pub fn places(&self) -> impl Iterator<Item = PlaceRow> + '_ {
        places::places(&self.trace, &self.tree)
    }

    /// The process's counters of a snapshot without what a forked child inherited.
    pub fn since_fork(&self, now: &Totals) -> Totals {
        totals::since(now, &self.trace.base.as_ref().map(|base| base.totals).unwrap_or_default())
    }

    /// Is it of a forked child whose inherited state is known?
    pub fn is_child(&self) -> bool {
        self.trace.base.is_some()
    }

    /// Pages in bytes.
    pub fn pages_in_bytes(&self, pages: u64) -> u64 {
        pages_in_bytes(&self.trace, pages)
    }
}
