//! Who holds what is held: the way up from a scalar to something that has a name.
//!
//! Of several the nearest counts; of two as near the one that a reader finds first: a global, a variable of the main
//! program, of a named sub, of an anonymous one.

use super::graph::Graph;
use super::wording;
use crate::format::heap::{EdgeKind, HeapEdge, HeapScalar, ScalarKind};
use crate::format::ids::PlaceId;
use crate::tools::profile::names;
use crate::tools::trace::Trace;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Scalars that are looked at on the way up from one.
const FARTHEST: usize = 4096;

/// Rank of what an anonymous sub captures.
const ANONYMOUS: u8 = 3;

/// Steps of a way down that are shown.
const STEPS: usize = 4;

/// A name for something held, or for what holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `%Foo::CACHE`, `my @queue of main::handler`, `{queue} of a Foo object`.
    pub text: String,
    /// Lower is better known.
    rank: u8,
}

/// How listed scalars are held.
pub struct Holders<'a> {
    graph: &'a Graph<'a>,
    trace: &'a Trace,
    named: FxHashMap<u32, Named>,
}

/// How an entry is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// By what; empty where that is not known.
    pub holder: String,
    /// Type of the holder; `Other` where it is not known.
    pub kind: ScalarKind,
    /// Is the entry one of many in a container?
    pub is_element: bool,
    /// Where the entry is a variable that an anonymous sub captures: the birthplace of that sub.
    pub captured_by: Option<PlaceId>,
}

impl<'a> Holders<'a> {
    /// In a sample.
    pub fn new(graph: &'a Graph<'a>, trace: &'a Trace) -> Self {
        Holders { graph, trace, named: FxHashMap::default() }
    }

    /// How a listed scalar is held from outside.
    pub fn of(&mut self, entry: u32) -> Held {
        let graph = self.graph;
        let mut best: Option<(u8, Held)> = None;
        for edge in graph.into(entry).filter(|edge| !graph.is_listed(edge.from)) {
            let Some(holder) = graph.scalar(edge.from) else { continue };
            let is_variable = edge.kind == EdgeKind::Element && self.is_variables(edge.from);
            let named = match edge.kind {
                // The entry is itself the thing that has a name, not one of many in it.
                EdgeKind::Slot | EdgeKind::Referent => self.name_of(entry),
                EdgeKind::Element if is_variable => self.name_of(entry),
                _ => self.name_of(edge.from),
            };
            if best.as_ref().is_none_or(|(rank, _)| named.rank < *rank) {
                let is_element = matches!(edge.kind, EdgeKind::Element | EdgeKind::Value) && !is_variable;
                let captured_by = is_variable.then(|| self.anonymous_sub(edge.from)).flatten();
                best = Some((named.rank, Held { holder: named.text, kind: holder.kind, is_element, captured_by }));
            }
        }
        best.map(|(_, held)| held).unwrap_or(Held { kind: ScalarKind::Other, ..Held::default() })
    }

    /// Is it the array of a sub's variables?
    fn is_variables(&self, scalar: u32) -> bool {
        self.graph.into(scalar).any(|edge| edge.kind == EdgeKind::Variables)
    }

    /// The birthplace of the anonymous sub with these variables.
    fn anonymous_sub(&self, variables: u32) -> Option<PlaceId> {
        let subs = self.graph.into(variables).filter(|edge| edge.kind == EdgeKind::Variables);
        let mut subs = subs.filter_map(|edge| self.graph.scalar(edge.from));
        subs.find(|sub| names::string(self.trace, sub.name).contains("__ANON__"))?.birthplace
    }

    /// The best name of a scalar.
    pub fn name_of(&mut self, scalar: u32) -> Named {
        if let Some(known) = self.named.get(&scalar) {
            return known.clone();
        }
        let named = self.look_up(scalar);
        self.named.insert(scalar, named.clone());
        named
    }

    fn look_up(&self, start: u32) -> Named {
        let mut way: FxHashMap<u32, &HeapEdge> = FxHashMap::default();
        let mut waiting = VecDeque::from([(start, 0usize)]);
        let mut best: Option<(usize, Named)> = None;
        while let Some((scalar, distance)) = waiting.pop_front() {
            let is_found = best.as_ref().is_some_and(|(found, named)| *found < distance && named.rank < ANONYMOUS);
            if is_found || way.len() > FARTHEST {
                break;
            }
            // A root holds no name's scalar, but the scalar itself.
            if let Some(named) = self.end(start, scalar, &way) {
                // What an anonymous sub captures has a name, but who has the sub says more.
                let goes_on = named.rank == ANONYMOUS;
                if best.as_ref().is_none_or(|(_, known)| named.rank < known.rank) {
                    best = Some((distance, named));
                }
                if !goes_on {
                    continue;
                }
            }
            for edge in self.graph.into(scalar) {
                let up = edge.from;
                // Listed scalars are held themselves; an object does not hold its class in any useful sense.
                let useful = !self.graph.is_listed(up) && edge.kind != EdgeKind::Class;
                if useful && up != start && !way.contains_key(&up) {
                    way.insert(up, edge);
                    waiting.push_back((up, distance + 1));
                }
            }
        }
        best.map(|(_, named)| named).unwrap_or_else(|| self.unnamed(start, &way))
    }

    /// The name of `start`, if the way up has come to something that gives one.
    fn end(&self, start: u32, top: u32, way: &FxHashMap<u32, &HeapEdge>) -> Option<Named> {
        let known = self.graph.scalar(top).filter(|_| !self.graph.is_listed(top))?;
        let edge = way.get(&top);
        let name = names::string(self.trace, known.name);
        let (base, rank, below) = match (known.kind, edge) {
            (ScalarKind::Root, Some(edge)) => (name, 5, edge.to),
            (ScalarKind::Glob, Some(edge)) if !name.is_empty() => {
                let sigil = match self.trace.string(edge.key) {
                    b"ARRAY" => "@",
                    b"HASH" => "%",
                    b"CODE" => "&",
                    b"SCALAR" => "$",
                    _ => "*",
                };
                (format!("{sigil}{name}"), 0, edge.to)
            }
            (ScalarKind::Glob, None) if !name.is_empty() => (format!("*{name}"), 0, top),
            (ScalarKind::Code, Some(edge)) if edge.kind == EdgeKind::Variables => {
                let Some(element) = self.below(start, edge.to, way) else {
                    return Some(Named { text: format!("the variables of {name}"), rank: 4 });
                };
                let variable = wording::variable(self.trace, known, element.index);
                let variable = variable.unwrap_or_else(|| "a variable".to_owned());
                let (sub, rank) = match name.as_str() {
                    "" => ("an anonymous sub".to_owned(), ANONYMOUS),
                    "(main program)" => ("the main program".to_owned(), 1),
                    name if name.contains("__ANON__") => (format!("the anonymous sub {name}"), ANONYMOUS),
                    name => (name.to_owned(), 2),
                };
                let my = if variable.starts_with(['$', '@', '%']) { "my " } else { "" };
                return Some(Named {
                    text: self.with_steps(&format!("{my}{variable}"), &format!(" of {sub}"), start, element.to, way),
                    rank,
                });
            }
            (ScalarKind::Code, None) if !name.is_empty() => (format!("sub {name}"), 2, top),
            (ScalarKind::Stash, _) if !name.is_empty() => (format!("the symbol table of {name}"), 4, top),
            _ => return None,
        };
        if known.kind == ScalarKind::Stash {
            return Some(Named { text: base, rank });
        }
        Some(Named { text: self.with_steps(&base, "", start, below, way), rank })
    }

    /// The reference by which the way goes on below `top`; `None` where it ends there.
    fn below<'e>(&self, start: u32, top: u32, way: &FxHashMap<u32, &'e HeapEdge>) -> Option<&'e HeapEdge> {
        way.get(&top).copied().filter(|_| top != start)
    }

    /// A name, and the steps from `top` down to `start`: `$main::app->{queue}`.
    fn with_steps(&self, name: &str, of: &str, start: u32, top: u32, way: &FxHashMap<u32, &HeapEdge>) -> String {
        let (mut steps, mut shown) = (String::new(), 0);
        let mut object = None;
        let mut at = top;
        while let Some(edge) = self.below(start, at, way) {
            let step = match edge.kind {
                EdgeKind::Value => wording::key(self.trace, edge.key),
                EdgeKind::Element if !self.is_variables(at) => "[…]".to_owned(),
                _ => String::new(),
            };
            shown += usize::from(!step.is_empty());
            if shown <= STEPS {
                steps.push_str(&step);
            }
            object = self.class(at).or(object);
            at = edge.to;
        }
        if shown > STEPS {
            steps.push('…');
        }
        let class = object.map(|class| format!(" (in a {class} object)")).unwrap_or_default();
        format!("{}{of}{class}", stepped(name, &steps))
    }

    fn class(&self, scalar: u32) -> Option<String> {
        let known = self.graph.scalar(scalar)?;
        (known.class.0 != 0).then(|| names::string(self.trace, known.class))
    }

    /// What can be said of a scalar that nothing with a name leads to: the object it is in, or what it is.
    fn unnamed(&self, start: u32, way: &FxHashMap<u32, &HeapEdge>) -> Named {
        let object =
            way.iter().filter_map(|(&top, edge)| Some((self.steps_to(start, top, way)?, self.class(top)?, edge)));
        let nearest = object.min_by_key(|(steps, class, _)| (*steps, class.clone()));
        if let Some((_, class, edge)) = nearest.filter(|(_, _, edge)| edge.kind == EdgeKind::Value) {
            return Named { text: format!("{} of a {class} object", wording::key(self.trace, edge.key)), rank: 6 };
        }
        let text = match self.graph.scalar(start) {
            Some(known) if known.class.0 != 0 => format!("a {} object", names::string(self.trace, known.class)),
            Some(known) => unnamed_kind(known).to_owned(),
            None => String::new(),
        };
        Named { text, rank: 7 }
    }

    fn steps_to(&self, start: u32, top: u32, way: &FxHashMap<u32, &HeapEdge>) -> Option<usize> {
        let (mut at, mut steps) = (top, 0);
        while at != start {
            at = way.get(&at)?.to;
            steps += 1;
        }
        Some(steps)
    }
}

/// A name followed by steps, as perl spells it: `$main::SIG{ALRM}` of `%main::SIG`, `$app->{queue}` of `$app`.
fn stepped(name: &str, steps: &str) -> String {
    let (my, variable) = name.strip_prefix("my ").map_or(("", name), |variable| ("my ", variable));
    match variable.strip_prefix(['%', '@']) {
        _ if steps.is_empty() => name.to_owned(),
        Some(container) => format!("{my}${container}{steps}"),
        None => format!("{name}->{steps}"),
    }
}

fn unnamed_kind(scalar: &HeapScalar) -> &'static str {
    match scalar.kind {
        ScalarKind::Array => "an array without a name",
        ScalarKind::Hash => "a hash without a name",
        ScalarKind::Code => "an anonymous sub",
        ScalarKind::Reference => "a reference without a name",
        ScalarKind::Glob => "a file handle or glob without a name",
        _ => "a scalar without a name",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_spelled_as_perl_does() {
        for (name, steps, spelled) in [
            ("%main::CACHE", "", "%main::CACHE"),
            ("%main::SIG", "{ALRM}", "$main::SIG{ALRM}"),
            ("my @queue", "[…]{id}", "my $queue[…]{id}"),
            ("$main::app", "{queue}", "$main::app->{queue}"),
        ] {
            assert_eq!(stepped(name, steps), spelled);
        }
    }
}
