//! Figures by module, and what it costs to load it.

use super::measures::Measures;
use super::names;
use super::outermost::outermost;
use super::subs::SubRow;
use super::tree::CallTree;
use crate::format::ids::NodeId;
use crate::format::records::{Sub, SubKind};
use crate::tools::trace::Trace;
use std::collections::{BTreeMap, HashMap};

/// Figures of a module: a package of subs, or a file that was required.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModuleRow {
    /// The package; of a file that is no module, the file.
    pub module: String,
    /// How many of its subs have figures.
    pub subs: u64,
    /// Figures of its subs and of its files' own code, without what they call.
    pub own: Measures,
    /// Figures of loading it, with everything it loads and calls then; zero where it was loaded before the start.
    pub load: Measures,
}

/// The modules in which anything happened, by name.
pub(super) fn modules(trace: &Trace, tree: &CallTree, subs: &[SubRow]) -> Vec<ModuleRow> {
    let mut rows: BTreeMap<String, ModuleRow> = BTreeMap::new();
    for sub in subs {
        let row = rows.entry(sub.module.clone()).or_default();
        row.subs += u64::from(sub.kind != SubKind::Require);
        row.own.add(&sub.own);
    }
    // By sub: the number of the module that it loads.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut number = |sub: &Sub| {
        let next = numbers.len();
        (sub.kind == SubKind::Require).then(|| *numbers.entry(names::module(trace, sub)).or_insert(next))
    };
    let loads: Vec<Option<usize>> = trace.subs.iter().map(&mut number).collect();
    let loaded = |id: NodeId| loads.get(trace.nodes.get(id.index())?.sub.index()).copied().flatten();
    let mut sums = vec![Measures::default(); numbers.len()];
    for (id, outermost) in (0..).map(NodeId).zip(outermost(tree, sums.len(), loaded)) {
        if let Some(sum) = loaded(id).filter(|_| outermost).and_then(|module| sums.get_mut(module)) {
            sum.add(&tree.inclusive(id));
        }
    }
    for (module, number) in numbers {
        if let (Some(row), Some(&sum)) = (rows.get_mut(&module), sums.get(number)) {
            row.load = sum;
        }
    }
    rows.into_iter().map(|(module, row)| ModuleRow { module, ..row }).collect()
}
