//! The call tree as the page draws it: what is small in every respect folded, depth first, a column for each figure.
//!
//! Figures are each call's own; the script sums them up. A figure that may be negative weighs as much as it differs from
//! zero, so that what gives memory back is seen as well as what keeps it. Every figure of a diff is such a one: how much
//! more there is in the new trace than in the old.

use super::folding::Folding;
use super::strings::{StringNumber, Strings};
use crate::format::ids::NodeId;
use crate::tools::diff::{Diff, Pair};
use crate::tools::profile::{difference, names, Measures, Profile, Shape, Step};
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
    /// May it be negative? Then what grows is red, and what shrinks is blue.
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
        meaning: "bytes allocated less bytes freed during the call, whoever allocated them",
        unit: "bytes",
        signed: true,
        get: Measures::net_bytes,
    },
    Metric {
        key: "scalars",
        label: "Scalars",
        meaning: "scalars born here less those of them that died",
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

/// As many of a diff, which has what was beside what is.
const MOST_NODES_OF_DIFF: usize = 12_500;

/// A call tree that can be drawn.
pub(super) trait Drawn {
    /// Is it of two traces?
    const COMPARES: bool;

    /// Which node calls which.
    fn shape(&self) -> &Shape;

    /// Number of a node's sub: nodes of the same have the same name.
    fn sub(&self, node: NodeId) -> usize;

    /// What runs.
    fn name(&self, node: NodeId) -> String;

    /// File and line that it was called on.
    fn call(&self, node: NodeId) -> Option<(String, u32)>;

    /// Figures of a node, without what it calls. Where there is only one trace, it is the new one.
    fn own(&self, node: NodeId) -> Pair;
}

impl Drawn for Profile {
    const COMPARES: bool = false;

    fn shape(&self) -> &Shape {
        &self.tree
    }

    fn sub(&self, node: NodeId) -> usize {
        self.trace.nodes.get(node.index()).map_or(0, |node| node.sub.index())
    }

    fn name(&self, node: NodeId) -> String {
        let node = self.trace.nodes.get(node.index()).copied().unwrap_or_default();
        names::sub(&self.trace, node.sub)
    }

    fn call(&self, node: NodeId) -> Option<(String, u32)> {
        let node = self.trace.nodes.get(node.index()).filter(|node| node.call_line > 0)?;
        Some((names::string(&self.trace, node.call_file), node.call_line))
    }

    fn own(&self, node: NodeId) -> Pair {
        Pair { new: self.own(node), ..Pair::default() }
    }
}

impl Drawn for Diff {
    const COMPARES: bool = true;

    fn shape(&self) -> &Shape {
        &self.tree
    }

    fn sub(&self, node: NodeId) -> usize {
        self.sub(node)
    }

    fn name(&self, node: NodeId) -> String {
        self.name(node).to_owned()
    }

    fn call(&self, node: NodeId) -> Option<(String, u32)> {
        self.call(node).map(|(file, line)| (file.to_owned(), line))
    }

    fn own(&self, node: NodeId) -> Pair {
        self.own(node)
    }
}

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
    calls: Vec<i64>,
    /// By metric, the figures of the calls themselves; of a diff, how much more there is than before.
    own: Vec<Vec<i64>>,
    /// What was before, of a diff.
    before: Option<Before>,
    /// How many nodes a folded row is, by row.
    folded: FxHashMap<usize, u64>,
    /// What is folded has no more than this many percent of the whole, in any metric.
    folded_percent: f64,
    /// How many nodes there were before.
    pub(super) nodes_in_all: usize,
    /// How many of them stand for themselves.
    pub(super) nodes_shown: usize,
}

/// Figures of the old trace, by row as in [`Flame`].
#[derive(Serialize, Default)]
struct Before {
    calls: Vec<u64>,
    own: Vec<Vec<i64>>,
}

/// What is folded below a node.
#[derive(Default)]
struct Folded {
    nodes: u64,
    sum: Pair,
}

/// The tree of a profile or a diff.
pub(super) fn flame<T: Drawn>(drawn: &T, min_percent: f64, strings: &mut Strings) -> Flame {
    let tree = drawn.shape();
    let most_nodes = if T::COMPARES { MOST_NODES_OF_DIFF } else { MOST_NODES };
    let folding = Folding::new(&shares(drawn), min_percent, most_nodes);
    let columns = || vec![Vec::new(); METRICS.len()];
    let mut flame = Flame {
        own: columns(),
        before: T::COMPARES.then(|| Before { own: columns(), ..Before::default() }),
        folded_percent: folding.percent,
        nodes_in_all: tree.len(),
        ..Flame::default()
    };
    let mut names_of: FxHashMap<usize, StringNumber> = FxHashMap::default();
    flame.push(0, Some(strings.number("(everything)")), None, &Pair::default());
    // A node above has no smaller share and stands first where it has the same one: so it is shown, too. What is folded
    // below each of those that the walk is in, and below everything.
    let mut folded = vec![Folded::default()];
    let mut depth = 0;
    // How deep the walk is in what is folded.
    let mut hidden = 0usize;
    for step in tree.walk() {
        match step {
            Step::Enter(id) if hidden > 0 || !folding.shows(id.index()) => {
                hidden += 1;
                if let Some(folded) = folded.last_mut() {
                    folded.add(&drawn.own(id));
                }
            }
            Step::Leave(_) if hidden > 0 => hidden -= 1,
            Step::Enter(id) => {
                depth += 1;
                let called = drawn.call(id).map(|(file, line)| (strings.number(&file), line));
                let name = *names_of.entry(drawn.sub(id)).or_insert_with(|| strings.number(&drawn.name(id)));
                flame.push(depth, Some(name), called, &drawn.own(id));
                flame.nodes_shown += 1;
                folded.push(Folded::default());
            }
            Step::Leave(_) => {
                flame.push_folded(depth + 1, folded.pop());
                depth -= 1;
            }
        }
    }
    flame.push_folded(1, folded.pop());
    flame
}

/// By node: the largest of its shares of the whole, from 0 to 1. Never less than that of a node below.
fn shares(drawn: &impl Drawn) -> Vec<f64> {
    let tree = drawn.shape();
    let mut shares = vec![0f64; tree.len()];
    for metric in METRICS {
        let own: Vec<f64> = (0..).map(NodeId).take(tree.len()).map(|id| metric.weight(&drawn.own(id))).collect();
        let weights = tree.summed_up(&own, |above, below| *above += below);
        let whole: f64 = own.iter().sum();
        if whole > 0.0 {
            shares.iter_mut().zip(weights).for_each(|(share, weight)| *share = share.max(weight / whole));
        }
    }
    shares
}

impl Metric {
    /// How much more there is than before.
    fn more(&self, own: &Pair) -> i64 {
        (self.get)(&own.new).saturating_sub((self.get)(&own.old))
    }

    fn weight(&self, own: &Pair) -> f64 {
        self.more(own).unsigned_abs() as f64
    }
}

impl Folded {
    fn add(&mut self, own: &Pair) {
        self.nodes += 1;
        self.sum.old.add(&own.old);
        self.sum.new.add(&own.new);
    }
}

impl Flame {
    fn push(&mut self, depth: u32, name: Option<StringNumber>, called: Option<(StringNumber, u32)>, own: &Pair) {
        self.depth.push(depth);
        self.name.push(name);
        self.file.push(called.map(|(file, _)| file));
        self.line.push(called.map_or(0, |(_, line)| line));
        self.calls.push(difference(own.new.calls, own.old.calls));
        for (column, metric) in self.own.iter_mut().zip(METRICS) {
            column.push(metric.more(own));
        }
        if let Some(before) = &mut self.before {
            before.calls.push(own.old.calls);
            for (column, metric) in before.own.iter_mut().zip(METRICS) {
                column.push((metric.get)(&own.old));
            }
        }
    }

    /// A row for what is folded, if anything is.
    fn push_folded(&mut self, depth: u32, folded: Option<Folded>) {
        if let Some(folded) = folded.filter(|folded| folded.nodes > 0) {
            self.folded.insert(self.depth.len(), folded.nodes);
            self.push(depth, None, None, &folded.sum);
        }
    }
}
