//! Why scalars stay, and the line that is to blame: of a cycle the reference that one would weaken, of what is held the
//! statement that put it there.

use super::cycles::cycle_through;
use super::graph::Graph;
use super::holders::Holders;
use super::origin::{Origins, Site};
use super::wording;
use crate::format::heap::{EdgeKind, HeapEdge, ScalarKind};
use crate::tools::trace::Trace;
use rustc_hash::FxHashMap;

/// Why scalars stay.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// They refer to each other, and nothing else refers to them.
    Cycle {
        /// The reference to weaken: `{parent}`; of a sub the variable it captures: `$self`.
        weakest: String,
        /// Is it a variable that a sub captures?
        is_captured: bool,
    },
    /// Something that has a name, or at least an object, holds them.
    Held {
        /// What.
        holder: String,
        /// Its type.
        kind: ScalarKind,
        /// Is the holder a container that has them as elements? Else it is a variable or reference.
        is_element: bool,
    },
    /// Something holds them that the sample does not tell of.
    Unknown,
}

/// Why, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The line to blame.
    pub site: Site,
    /// Where the reference, or what is held, was born.
    pub born: Site,
    /// Why.
    pub reason: Reason,
    /// An example of the cycle; empty for any other reason.
    pub path: String,
}

/// Keys that mostly lead back, to what holds the holder.
const BACK_KEYS: &[&str] = &[
    "parent",
    "_parent",
    "owner",
    "_owner",
    "up",
    "prev",
    "previous",
    "back",
    "root",
    "container",
    "document",
    "app",
    "_app",
    "self",
    "c",
    "_c",
    "ctx",
    "context",
    "_context",
    "tree",
    "manager",
    "loop",
    "server",
    "controller",
];

/// Subs of one cycle that are compared.
const SUBS: usize = 64;

/// Finds causes in one sample.
pub struct Causes<'a> {
    graph: &'a Graph<'a>,
    trace: &'a Trace,
    origins: &'a Origins<'a>,
    holders: Holders<'a>,
}

impl<'a> Causes<'a> {
    /// In a sample.
    pub fn new(graph: &'a Graph<'a>, trace: &'a Trace, origins: &'a Origins<'a>) -> Self {
        Causes { graph, trace, origins, holders: Holders::new(graph, trace) }
    }

    /// What has the buffer of that name, for a scalar of the sample.
    pub fn name_of(&mut self, scalar: u32) -> String {
        self.holders.name_of(scalar).text
    }

    fn born(&self, scalar: u32) -> Option<Site> {
        self.graph.scalar(scalar)?.birthplace.map(|place| self.origins.site(place))
    }

    /// Of what is held by way of `entry`.
    pub fn of_held(&mut self, entry: u32) -> Option<Cause> {
        let held = self.holders.of(entry);
        if let Some(place) = held.captured_by {
            // perl makes a variable anew when its scope is left; what keeps this one is the sub that captures it.
            let born = self.origins.site(place);
            let reason = Reason::Held { holder: held.holder, kind: held.kind, is_element: false };
            return Some(Cause { site: self.origins.nearest_own(born), born, reason, path: String::new() });
        }
        let born = self.born(entry)?;
        let reason = if held.holder.is_empty() {
            Reason::Unknown
        } else {
            Reason::Held { holder: held.holder, kind: held.kind, is_element: held.is_element }
        };
        let referent = self.graph.inner(entry).find(|edge| edge.kind == EdgeKind::Referent);
        let other = referent.and_then(|edge| self.born(edge.to));
        let site = other.and_then(|other| self.origins.joins(born, other)).unwrap_or(born);
        Some(Cause { site: self.origins.nearest_own(site), born, reason, path: String::new() })
    }

    /// Of a strongly connected component, given in order of its scalars' numbers.
    pub fn of_cycle(&mut self, members: &[u32]) -> Option<Cause> {
        let is_in = |scalar: u32| members.binary_search(&scalar).is_ok();
        let (cycle, blamed) = match self.capture(members, is_in) {
            Some(cycle) => (cycle, None),
            None => {
                let edge = self.back_edge(members, is_in)?;
                (cycle_through(self.graph, edge, is_in), Some(edge))
            }
        };
        let first = cycle.first()?;
        // Of a closure it is the sub that is to blame; of another cycle the scalar that is the reference.
        let born = self.born(if blamed.is_some() { first.to } else { first.from }).or_else(|| self.born(first.from))?;
        let site = match blamed {
            Some(edge) => self.joined(born, edge.to, &cycle),
            None => born,
        };
        let reason = Reason::Cycle { weakest: self.weakest(&cycle), is_captured: blamed.is_none() };
        let path = wording::path(self.graph, self.trace, &cycle);
        Some(Cause { site: self.origins.nearest_own(site), born, reason, path })
    }

    fn weakest(&self, cycle: &[&HeapEdge]) -> String {
        let Some(first) = cycle.first() else { return String::new() };
        match first.kind {
            EdgeKind::Variables => {
                let code = self.graph.scalar(first.from);
                let name = cycle.get(1).and_then(|edge| wording::variable(self.trace, code?, edge.index));
                name.unwrap_or_else(|| "the variable".to_owned())
            }
            EdgeKind::Value => wording::key(self.trace, first.key),
            EdgeKind::Element => "the element".to_owned(),
            _ => "the reference".to_owned(),
        }
    }

    /// The shortest cycle that begins with what a sub captures.
    fn capture(&self, members: &[u32], is_in: impl Fn(u32) -> bool + Copy) -> Option<Vec<&'a HeapEdge>> {
        let is_code = |&&scalar: &&u32| self.graph.scalar(scalar).is_some_and(|known| known.kind == ScalarKind::Code);
        let is_foreign = |code: u32| !self.born(code).is_some_and(|born| self.origins.is_own(born));
        // Subs that the program itself makes come first: a library's are made the same way for everyone.
        let mut subs: Vec<(bool, u32)> = members.iter().filter(is_code).map(|&code| (is_foreign(code), code)).collect();
        subs.sort_unstable();
        let captures = subs.into_iter().take(SUBS).flat_map(|(foreign, code)| {
            let edges = self.graph.inner(code).filter(|edge| edge.kind == EdgeKind::Variables && is_in(edge.to));
            edges.map(move |edge| (foreign, edge))
        });
        let cycles = captures.map(|(foreign, edge)| (foreign, cycle_through(self.graph, edge, is_in)));
        let cycles = cycles.filter(|(_, cycle)| !cycle.is_empty());
        cycles.min_by_key(|(foreign, cycle)| (*foreign, cycle.len())).map(|(_, cycle)| cycle)
    }

    /// The reference that one would weaken: one whose key says that it leads back, or that leads where most lead, and
    /// of these the one that was born deepest.
    fn back_edge(&self, members: &[u32], is_in: impl Fn(u32) -> bool + Copy) -> Option<&'a HeapEdge> {
        let edges = || members.iter().flat_map(|&from| self.graph.inner(from)).filter(|edge| is_in(edge.to));
        let target = |edge: &HeapEdge| {
            let followed = self.graph.inner(edge.to).find(|next| next.kind == EdgeKind::Referent && is_in(next.to));
            followed.map(|next| next.to)
        };
        let mut led_to: FxHashMap<u32, u32> = FxHashMap::default();
        for edge in edges().filter(|edge| edge.kind == EdgeKind::Referent) {
            *led_to.entry(edge.to).or_default() += 1;
        }
        let most = led_to.values().copied().max().unwrap_or(0);
        let score = |edge: &HeapEdge| {
            let key = String::from_utf8_lossy(self.trace.string(edge.key)).to_lowercase();
            let target = target(edge);
            let leads_back = edge.kind == EdgeKind::Value && BACK_KEYS.contains(&key.as_str());
            let is_most = most > 1 && target.and_then(|target| led_to.get(&target)) == Some(&most);
            let depth = self.born(edge.to).map_or(0, |born| self.origins.call_path(born).len());
            (target.is_some(), leads_back, is_most, edge.kind == EdgeKind::Value, depth)
        };
        edges().max_by_key(|edge| score(edge))
    }

    /// The line that closes a cycle: where the blamed reference and the others come together.
    fn joined(&self, born: Site, blamed: u32, cycle: &[&HeapEdge]) -> Site {
        let others = |wanted: fn(ScalarKind, bool) -> bool| -> Vec<Site> {
            let references = cycle.iter().filter(|edge| edge.kind == EdgeKind::Referent && edge.from != blamed);
            let leading = references.filter(|edge| {
                self.graph.scalar(edge.to).is_some_and(|target| wanted(target.kind, target.class.0 != 0))
            });
            leading.filter_map(|edge| self.born(edge.from)).collect()
        };
        // A reference from an object to a container of its own says nothing of how objects come together.
        let mut sites = others(|kind, is_object| is_object || kind == ScalarKind::Code);
        if sites.is_empty() {
            sites = others(|kind, _| kind == ScalarKind::Hash);
        }
        if sites.is_empty() {
            sites = others(|_, _| true);
        }
        let joins = sites.into_iter().filter_map(|other| self.origins.joins(born, other));
        joins.min_by_key(|site| self.origins.call_path(*site).len()).unwrap_or(born)
    }
}
