//! How scalars and references are called: `HASH{parent}`, `CODE captures $self`, `Foo[…]`. Never escapes for a terminal:
//! [`crate::tools::render`] does.

use super::graph::Graph;
use crate::format::heap::{EdgeKind, HeapEdge, HeapScalar, ScalarKind};
use crate::format::ids::StrId;
use crate::tools::profile::names;
use crate::tools::trace::Trace;

/// What a type is called, as perl's `ref` and `reftype` have it.
pub fn kind(kind: ScalarKind) -> &'static str {
    match kind {
        ScalarKind::Plain => "SCALAR",
        ScalarKind::Reference => "REF",
        ScalarKind::Array => "ARRAY",
        ScalarKind::Hash => "HASH",
        ScalarKind::Stash => "STASH",
        ScalarKind::Code => "CODE",
        ScalarKind::Glob => "GLOB",
        ScalarKind::Regexp => "REGEXP",
        ScalarKind::Io => "IO",
        ScalarKind::Format => "FORMAT",
        ScalarKind::Lvalue => "LVALUE",
        ScalarKind::Object => "OBJECT",
        ScalarKind::Other => "OTHER",
        ScalarKind::Root => "ROOT",
    }
}

/// What a scalar is called in a path: its class, or its type.
pub fn scalar(trace: &Trace, scalar: &HeapScalar) -> String {
    if scalar.class == StrId(0) {
        kind(scalar.kind).to_owned()
    } else {
        names::string(trace, scalar.class)
    }
}

/// Longest key that is shown whole, in characters.
const LONGEST_KEY: usize = 40;

/// A key in braces; one that is too long, unknown, or an address, as `…`.
pub fn key(trace: &Trace, key: StrId) -> String {
    let text = names::string(trace, key);
    if text.is_empty() || text.contains("(0x") || text.chars().count() > LONGEST_KEY {
        return "{…}".to_owned();
    }
    format!("{{{text}}}")
}

/// Name of variable `index` of a sub.
pub fn variable(trace: &Trace, code: &HeapScalar, index: u32) -> Option<String> {
    let known = code.variables.iter().find(|(at, _)| *at == index).map(|(_, name)| names::string(trace, *name));
    known.filter(|name| !name.is_empty())
}

/// A path of references, `HASH{parent} → HASH{child}`. A reference's own scalar is not shown, nor the array of a sub's
/// variables.
pub fn path(graph: &Graph, trace: &Trace, edges: &[&HeapEdge]) -> String {
    let mut steps = Vec::new();
    for (at, edge) in edges.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| edges.get(before)).or(edges.last());
        let Some(from) = graph.scalar(edge.from) else { continue };
        let is_variable = before.is_some_and(|before| before.kind == EdgeKind::Variables && before.to == edge.from);
        match edge.kind {
            EdgeKind::Variables => {
                let next = edges.get(at + 1).or(edges.first());
                let name = next
                    .filter(|next| next.kind == EdgeKind::Element && next.from == edge.to)
                    .and_then(|next| variable(trace, from, next.index));
                let name = name.unwrap_or_else(|| "a variable".to_owned());
                steps.push(format!("{} captures {name}", scalar(trace, from)));
            }
            EdgeKind::Element if is_variable => {}
            EdgeKind::Element => steps.push(format!("{}[…]", scalar(trace, from))),
            EdgeKind::Value => steps.push(format!("{}{}", scalar(trace, from), key(trace, edge.key))),
            EdgeKind::Referent if from.kind == ScalarKind::Reference && edges.len() > 1 && is_named(before, edge) => {}
            EdgeKind::Referent => steps.push(scalar(trace, from)),
            EdgeKind::Slot => steps.push(format!("{}{}", scalar(trace, from), key(trace, edge.key))),
            EdgeKind::Outer => steps.push(format!("{} inside of", scalar(trace, from))),
            EdgeKind::Magic => steps.push(format!("{} (magic)", scalar(trace, from))),
            EdgeKind::Weak | EdgeKind::Class | EdgeKind::NamedBy | EdgeKind::Internal => {
                steps.push(scalar(trace, from))
            }
        }
    }
    steps.join(" → ")
}

/// Is the reference that `edge` follows named by the step before, as an element or variable?
fn is_named(before: Option<&&HeapEdge>, edge: &HeapEdge) -> bool {
    before.is_some_and(|before| {
        before.to == edge.from && matches!(before.kind, EdgeKind::Element | EdgeKind::Value | EdgeKind::Variables)
    })
}
