//! `callgrind`: subs, their lines and their calls with inclusive figures, for callgrind_annotate and KCachegrind.
//!
//! The format is that of "Callgrind Format Specification", valgrind's manual. A sub is called by its file and name, given
//! in full where it first stands, as `(1) name`, and as `(1)` from then on.
//!
//! Readers sum what is booked on the calls of a sub to its inclusive figures. So a call counts, with all below it, only
//! where the same sub is not running already: recursion is counted once. Calls within a recursion are listed with
//! their number, and 0.

use super::metric::{profiled, LeftOut, PROFILED};
use super::stacks::shown_name;
use super::{ExportError, Options, Traces};
use crate::format::ids::{NodeId, StrId, SubId};
use crate::tools::profile::{names, outermost, Measures, Profile};
use crate::tools::render::printable;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::io::Write;

/// A figure of each metric.
type Costs = [u64; PROFILED];

/// Index of a file's name, or of a sub's.
type Name = usize;

/// Writes all traces as one profile.
pub(super) fn write(traces: &mut Traces, _: &Options, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    let mut graph = Graph::default();
    for profile in traces {
        graph.add(&profile?);
    }
    graph.write(out)?;
    Ok(graph.left_out)
}

/// A sub, by its file and name.
struct Function {
    file: Name,
    name: Name,
    /// Where it begins.
    line: u32,
    /// By line.
    own: BTreeMap<u32, Costs>,
    /// By line, and what is called: how often, and what that costs.
    calls: BTreeMap<(u32, usize), (u64, Costs)>,
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    index: FxHashMap<String, Name>,
    texts: Vec<String>,
}

impl Texts {
    fn of(&mut self, text: &str) -> Name {
        if let Some(&name) = self.index.get(text) {
            return name;
        }
        self.index.insert(text.to_owned(), self.texts.len());
        self.texts.push(text.to_owned());
        self.texts.len() - 1
    }
}

#[derive(Default)]
struct Graph {
    commands: Vec<String>,
    files: Texts,
    names: Texts,
    index: FxHashMap<(Name, Name), usize>,
    functions: Vec<Function>,
    left_out: LeftOut,
}

/// What stands for a file that is not known, as callgrind has it.
const NO_FILE: &str = "???";

impl Graph {
    fn add(&mut self, profile: &Profile) {
        self.commands.push(printable(&super::run::command_line(profile)).into_owned());
        let subs = (0..).map(SubId).zip(&profile.trace.subs);
        let functions: Vec<usize> = subs.map(|(id, _)| self.function(profile, id)).collect();
        let function_of = |id: NodeId| functions.get(profile.trace.nodes.get(id.index())?.sub.index()).copied();
        for row in profile.places() {
            let Some(function) = function_of(row.node) else { continue };
            let line = line_of(profile, row.node, row.file, row.line);
            let costs = costs(&row.own, &mut self.left_out);
            if costs == Costs::default() {
                continue;
            }
            if let Some(function) = self.functions.get_mut(function) {
                add(function.own.entry(line).or_default(), &costs);
            }
        }
        // What is left out of a place is left out of all calls that lead there: it counts once.
        let mut ignored = LeftOut::default();
        let outermost = outermost(&profile.tree, self.functions.len(), function_of);
        for ((id, node), outermost) in (0..).map(NodeId).zip(&profile.trace.nodes).zip(outermost) {
            let Some(parent) = profile.tree.parent(id) else { continue };
            let (Some(caller), Some(callee)) = (function_of(parent), function_of(id)) else { continue };
            let line = line_of(profile, parent, node.call_file, node.call_line);
            let costs = if outermost { costs(&profile.tree.inclusive(id), &mut ignored) } else { Costs::default() };
            if let Some(caller) = self.functions.get_mut(caller) {
                let (calls, sum) = caller.calls.entry((line, callee)).or_default();
                *calls = calls.saturating_add(profile.own(id).calls);
                add(sum, &costs);
            }
        }
    }

    fn function(&mut self, profile: &Profile, id: SubId) -> usize {
        let sub = profile.trace.sub(id);
        let file = self.file(profile, sub.file);
        let name = self.names.of(&shown_name(profile, id));
        let next = self.functions.len();
        let at = *self.index.entry((file, name)).or_insert(next);
        if at == next {
            let (own, calls) = (BTreeMap::new(), BTreeMap::new());
            self.functions.push(Function { file, name, line: sub.line, own, calls });
        }
        at
    }

    fn file(&mut self, profile: &Profile, id: StrId) -> Name {
        match names::string(&profile.trace, id) {
            file if file.is_empty() => self.files.of(NO_FILE),
            file => self.files.of(&printable(&file)),
        }
    }

    fn write(&self, out: &mut dyn Write) -> Result<(), ExportError> {
        writeln!(out, "# callgrind format\nversion: 1\ncreator: Devel::MProf {}", env!("CARGO_PKG_VERSION"))?;
        if let Some(command) = self.commands.first() {
            writeln!(out, "cmd: {command}")?;
        }
        for command in self.commands.iter().skip(1) {
            writeln!(out, "desc: Also: {command}")?;
        }
        let events: Vec<&str> = profiled().iter().map(|metric| metric.name).collect();
        writeln!(out, "positions: line\nevents: {}", events.join(" "))?;
        let mut totals = Costs::default();
        let mut names = Compressed {
            graph: self,
            files: vec![false; self.files.texts.len()],
            names: vec![false; self.names.texts.len()],
        };
        for function in self.functions.iter().filter(|function| !function.own.is_empty() || !function.calls.is_empty())
        {
            writeln!(out, "\nfl={}", names.file(function.file))?;
            writeln!(out, "fn={}", names.name(function.name))?;
            for (line, costs) in &function.own {
                writeln!(out, "{line}{}", Shown(costs))?;
                add(&mut totals, costs);
            }
            for (&(line, callee), (calls, costs)) in &function.calls {
                let Some(callee) = self.functions.get(callee) else { continue };
                writeln!(out, "cfi={}", names.file(callee.file))?;
                writeln!(out, "cfn={}", names.name(callee.name))?;
                // A call that began before the process did, in a forked child, is one all the same: readers take what
                // follows no call for the caller's own.
                writeln!(out, "calls={} {}\n{line}{}", (*calls).max(1), callee.line, Shown(costs))?;
            }
        }
        writeln!(out, "\ntotals:{}", Shown(&totals))?;
        Ok(())
    }
}

/// The line of a sub's own file for what happens in a node on a line of some file. What perl does while it enters a sub
/// has the line of the call, and what a string eval does has lines of a file of its own: both count for the line where
/// the sub begins. Readers would take another file for another sub.
fn line_of(profile: &Profile, node: NodeId, file: StrId, line: u32) -> u32 {
    let sub = profile.trace.nodes.get(node.index()).map(|node| profile.trace.sub(node.sub)).unwrap_or_default();
    if profile.trace.string(file) == profile.trace.string(sub.file) {
        line
    } else {
        sub.line
    }
}

/// Names as the file has them: in full the first time.
struct Compressed<'a> {
    graph: &'a Graph,
    files: Vec<bool>,
    names: Vec<bool>,
}

impl Compressed<'_> {
    fn file(&mut self, name: Name) -> String {
        compressed(&self.graph.files, &mut self.files, name)
    }

    fn name(&mut self, name: Name) -> String {
        compressed(&self.graph.names, &mut self.names, name)
    }
}

fn compressed(texts: &Texts, known: &mut [bool], name: Name) -> String {
    match (known.get_mut(name), texts.texts.get(name)) {
        (Some(known), Some(text)) if !*known => {
            *known = true;
            format!("({}) {text}", name + 1)
        }
        _ => format!("({})", name + 1),
    }
}

fn costs(measures: &Measures, left_out: &mut LeftOut) -> Costs {
    let mut costs = Costs::default();
    for (cost, metric) in costs.iter_mut().zip(profiled()) {
        *cost = metric.weight(measures, left_out);
    }
    costs
}

fn add(sum: &mut Costs, more: &Costs) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.saturating_add(*more);
    }
}

/// Costs as they follow a line's number.
struct Shown<'a>(&'a Costs);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.0.iter().try_for_each(|cost| write!(f, " {cost}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{profiles, recursive, text};
    use super::*;

    /// Figures by file and sub as callgrind_annotate sums them: those of its lines, and those of the calls to it.
    fn summed(text: &str) -> BTreeMap<String, (Costs, Costs)> {
        let mut names: FxHashMap<(char, String), String> = FxHashMap::default();
        let mut full = |of: char, name: &str| {
            let (id, text) = name.split_once(") ").map_or((name.trim_end_matches(')'), ""), |(id, text)| (id, text));
            let known = names.entry((of, id.to_owned())).or_default();
            if !text.is_empty() {
                *known = text.to_owned();
            }
            known.clone()
        };
        let (mut sums, mut file, mut callee_file) =
            (BTreeMap::<String, (Costs, Costs)>::new(), String::new(), String::new());
        let (mut function, mut callee) = (String::new(), None);
        for line in text.lines().skip_while(|line| !line.starts_with("events:")).skip(1) {
            match line.split_once('=') {
                Some(("fl", name)) => file = full('l', name),
                Some(("fn", name)) => function = format!("{file}:{}", full('n', name)),
                Some(("cfi", name)) => callee_file = full('l', name),
                Some(("cfn", name)) => callee = Some(format!("{callee_file}:{}", full('n', name))),
                Some(("calls", numbers)) => assert!(!numbers.starts_with("0 ")),
                _ if line.starts_with(|c: char| c.is_ascii_digit()) => {
                    let costs: Vec<u64> = line.split(' ').skip(1).map(|cost| cost.parse().unwrap()).collect();
                    let costs = Costs::try_from(costs).unwrap();
                    match callee.take() {
                        Some(callee) => add(&mut sums.entry(callee).or_default().1, &costs),
                        None => add(&mut sums.entry(function.clone()).or_default().0, &costs),
                    }
                }
                _ => assert!(line.is_empty() || line.starts_with("totals:"), "{line:?}"),
            }
        }
        sums
    }

    #[test]
    fn sums_by_sub_are_those_of_the_table_of_subs() {
        for profile in profiles() {
            let mut expected: BTreeMap<String, (Costs, Costs)> = BTreeMap::new();
            for row in &profile.subs {
                let file = if row.file.is_empty() { NO_FILE.into() } else { printable(&row.file) };
                let (own, inclusive) = expected.entry(format!("{file}:{}", shown_name(&profile, row.id))).or_default();
                add(own, &costs(&row.own, &mut LeftOut::default()));
                let is_root = profile.tree.roots().iter().any(|id| profile.trace.nodes[id.index()].sub == row.id);
                if !is_root {
                    add(inclusive, &costs(&row.inclusive, &mut LeftOut::default()));
                }
            }
            let exported = summed(&text(vec![profile], &Options::default(), write));
            for (name, sums) in expected {
                assert_eq!(exported.get(&name).copied().unwrap_or_default(), sums, "{name}");
            }
        }
    }

    #[test]
    fn names_are_given_once_and_calls_within_a_recursion_cost_nothing() {
        let text = text(vec![recursive()], &Options::default(), write);
        for (line, times) in
            [("fn=(2) P::a", 0), ("cfn=(2) P::a", 1), ("fn=(2)\n", 1), ("calls=2 10\n21 0 0 0 0 0 0\n", 1)]
        {
            assert_eq!(text.matches(&format!("\n{line}")).count(), times, "{line}: {text}");
        }
        assert!(text.ends_with("\ntotals: 11111 0 5555 0 0 0\n"), "{text}");
    }
}
