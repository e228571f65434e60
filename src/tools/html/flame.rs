//! The call tree as the page draws it: what is small in every respect folded, depth first, a column for each figure.
//!
//! Figures are each call's own; the script sums them up. A figure that may be negative weighs as much as it differs from
//! zero, so that what gives memory back is seen as well as what keeps it.

use super::folding::Folding;
use super::strings::{StringNumber, Strings};
use crate::format::ids::{NodeId, SubId};
use crate::tools::profile::{names, CallTree, Measures, Profile, Step};
use rustc_hash::FxHashMap;
use serde::Serialize;

/// Something that the tree can be measured by.
#[derive(Debug, Serialize)]
pub(super) struct Metric {
    /// Its name in the page's own links.
    pub(super) key: &'static str,
    /// What it is called.
    pub(super) label: &'static str,
    /// A sentence on it.
    pub(super) meaning: &'static str,
    /// `bytes` or `scalars`.
    pub(super) unit: &'static str,
    /// May it be negative? Then red is more and blue is less.
    pub(super) signed: bool,
    #[serde(skip)]
    get: fn(&Measures) -> i64,
}

/// All that the tree can be measured by; the first is what it shows to begin with.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        key: "allocated",
        label: "Allocated",
        meaning: "bytes allocated, freed since or not",
        unit: "bytes",
        signed: false,
        get: |measures| signed(measures.allocated_bytes),
    },
    Metric {
        key: "live",
        label: "Live",
        meaning: "bytes allocated here and not freed by the end",
        unit: "bytes",
        signed: false,
        get: |measures| signed(measures.live_bytes),
    },
    Metric {
        key: "peak",
        label: "Peak",
        meaning: "bytes allocated here and live when the process held most",
        unit: "bytes",
        signed: false,
        get: |measures| signed(measures.at_peak_bytes),
    },
    Metric {
        key: "net",
        label: "Net",
        meaning: "bytes allocated less bytes freed during the call, whoever allocated them: red grows, blue shrinks",
        unit: "bytes",
        signed: true,
        get: Measures::net_bytes,
    },
    Metric {
        key: "scalars",
        label: "Scalars",
        meaning: "scalars born here less those of them that died: red grows, blue shrinks",
        unit: "scalars",
        signed: true,
        get: Measures::net_scalars,
    },
];

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Calls that a page holds at most, whatever share they have: with as many folded ones, it stays below 5 MB and opens at
/// once.
const MOST_NODES: usize = 25_000;

/// The tree as columns, depth first; the first row is everything.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Flame {
    depth: Vec<u32>,
    /// What runs; `null` where it is what was folded.
    name: Vec<Option<StringNumber>>,
    /// Where it was called.
    file: Vec<Option<StringNumber>>,
    line: Vec<u32>,
    calls: Vec<u64>,
    /// By metric, the figures of the calls themselves.
    own: Vec<Vec<i64>>,
    /// How many nodes a folded row is, by row.
    folded: FxHashMap<usize, u64>,
    /// What is folded has no more than this many percent of the whole, in any metric.
    folded_percent: f64,
    /// How many nodes there were before.
    pub(super) nodes_in_all: usize,
    /// How many of them stand for themselves.
    pub(super) nodes_shown: usize,
}

/// The tree of a profile.
pub(super) fn flame(profile: &Profile, min_percent: f64, strings: &mut Strings) -> Flame {
    let tree = &profile.tree;
    let folding = Folding::new(&shares(tree), min_percent, MOST_NODES);
    let ones = vec![1u64; tree.len()];
    let sizes = tree.summed_up(&ones, |above, below| *above += below);
    let mut flame = Flame {
        own: vec![Vec::new(); METRICS.len()],
        folded_percent: folding.percent,
        nodes_in_all: tree.len(),
        ..Flame::default()
    };
    // A node above has no smaller share and stands first where it has the same one: so it is shown, too.
    let kept = |id: NodeId| folding.shows(id.index());
    let mut names_of: Vec<Option<StringNumber>> = vec![None; profile.trace.subs.len()];
    flame.push(0, Some(strings.number("(everything)")), None, 0, &Measures::default());
    let mut depth = 0;
    // How deep the walk is in what is folded.
    let mut hidden = 0usize;
    for step in tree.walk() {
        match step {
            Step::Enter(id) if hidden > 0 || !kept(id) => hidden += 1,
            Step::Leave(_) if hidden > 0 => hidden -= 1,
            Step::Enter(id) => {
                depth += 1;
                let node = profile.trace.nodes.get(id.index()).copied().unwrap_or_default();
                let called = (node.call_line > 0).then(|| names::string(&profile.trace, node.call_file));
                let called = called.map(|file| strings.number(&file));
                let name = name(profile, node.sub, &mut names_of, strings);
                flame.push(depth, Some(name), called, node.call_line, &tree.own(id));
                flame.nodes_shown += 1;
            }
            Step::Leave(id) => {
                flame.push_folded(profile, depth + 1, tree.children(id), &kept, &sizes);
                depth -= 1;
            }
        }
    }
    flame.push_folded(profile, 1, tree.roots(), &kept, &sizes);
    flame
}

fn name(profile: &Profile, sub: SubId, known: &mut [Option<StringNumber>], strings: &mut Strings) -> StringNumber {
    if let Some(Some(number)) = known.get(sub.index()) {
        return *number;
    }
    let number = strings.number(&names::sub(&profile.trace, sub));
    if let Some(slot) = known.get_mut(sub.index()) {
        *slot = Some(number);
    }
    number
}

/// By node: the largest of its shares of the whole, from 0 to 1. Never less than that of a node below.
fn shares(tree: &CallTree) -> Vec<f64> {
    let mut shares = vec![0f64; tree.len()];
    for metric in METRICS {
        let own: Vec<f64> = (0..).map(NodeId).take(tree.len()).map(|id| weight(metric, &tree.own(id))).collect();
        let weights = tree.summed_up(&own, |above, below| *above += below);
        let whole: f64 = own.iter().sum();
        if whole > 0.0 {
            shares.iter_mut().zip(weights).for_each(|(share, weight)| *share = share.max(weight / whole));
        }
    }
    shares
}

fn weight(metric: &Metric, measures: &Measures) -> f64 {
    (metric.get)(measures).unsigned_abs() as f64
}

impl Flame {
    fn push(&mut self, depth: u32, name: Option<StringNumber>, file: Option<StringNumber>, line: u32, own: &Measures) {
        self.depth.push(depth);
        self.name.push(name);
        self.file.push(file);
        self.line.push(line);
        self.calls.push(own.calls);
        for (column, metric) in self.own.iter_mut().zip(METRICS) {
            column.push((metric.get)(own));
        }
    }

    /// A row for those siblings that are folded, if any are.
    fn push_folded(
        &mut self,
        profile: &Profile,
        depth: u32,
        siblings: &[NodeId],
        kept: &impl Fn(NodeId) -> bool,
        sizes: &[u64],
    ) {
        let (mut nodes, mut sum) = (0, Measures::default());
        for &id in siblings.iter().filter(|&&id| !kept(id)) {
            nodes += sizes.get(id.index()).copied().unwrap_or(0);
            sum.add(&profile.tree.inclusive(id));
        }
        if nodes > 0 {
            self.folded.insert(self.depth.len(), nodes);
            self.push(depth, None, None, 0, &sum);
        }
    }
}
