//! Which code is the program's own, and which line of a call path is to be named.

use crate::format::ids::{NodeId, PlaceId, StrId};
use crate::format::records::SubKind;
use crate::tools::trace::Trace;

/// A statement as reached by one call path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Site {
    /// The call path it runs in.
    pub node: NodeId,
    /// Its file.
    pub file: StrId,
    /// Its line.
    pub line: u32,
}

/// Tells the program's own code from library code.
pub struct Origins<'a> {
    trace: &'a Trace,
    /// By string: is it a file of the program's own?
    is_own: Vec<bool>,
}

/// The lowest ancestor that two call paths share, and how they go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The ancestor.
    pub node: NodeId,
    /// The node below it on the first path; `None` where the ancestor is the path's own node.
    pub first: Option<NodeId>,
    /// The node below it on the second path.
    pub second: Option<NodeId>,
}

impl<'a> Origins<'a> {
    /// Of a trace, whose libraries say what is no code of the program's own.
    pub fn new(trace: &'a Trace) -> Self {
        let is_own = trace.strings.iter().map(|file| is_own(file, &trace.libraries)).collect();
        Origins { trace, is_own }
    }

    /// The statement of a place.
    pub fn site(&self, place: PlaceId) -> Site {
        let place = self.trace.places.get(place.index()).copied().unwrap_or_default();
        Site { node: place.node, file: place.file, line: place.line }
    }

    /// Is it a statement of the program's own?
    pub fn is_own(&self, site: Site) -> bool {
        site.line > 0 && self.is_own.get(site.file.index()) == Some(&true)
    }

    /// The caller of a node; `None` for a root.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.trace.nodes.get(node.index()).map(|known| known.parent).filter(|&parent| parent != node)
    }

    /// The statement that called a node.
    pub fn caller(&self, node: NodeId) -> Option<Site> {
        let known = self.trace.nodes.get(node.index())?;
        Some(Site { node: self.parent(node)?, file: known.call_file, line: known.call_line })
    }

    /// The nearest statement of the program's own on the way up from `site`; `site` where there is none, or where that
    /// statement only started all that followed: a script that calls its library once.
    pub fn nearest_own(&self, site: Site) -> Site {
        let mut at = site;
        let mut below = None;
        loop {
            if self.is_own(at) {
                let is_start = self.parent(at.node).is_none() && below.is_some_and(|node| self.calls(node) == 1);
                return if is_start { site } else { at };
            }
            below = Some(at.node);
            // The body of a string eval has a file of its own; what is named is where the eval stands.
            let sub = self.trace.nodes.get(at.node.index()).map(|node| self.trace.sub(node.sub)).unwrap_or_default();
            match self.caller(at.node) {
                Some(caller) => at = caller,
                None if sub.kind == SubKind::Eval => return Site { file: sub.file, line: sub.line, ..at },
                None => return site,
            }
        }
    }

    /// Calls of a node.
    fn calls(&self, node: NodeId) -> u64 {
        self.trace.figures.node(node).calls
    }

    /// The nodes from the root to `node`.
    fn path(&self, node: NodeId) -> Vec<NodeId> {
        let mut path: Vec<NodeId> = std::iter::successors(Some(node), |&node| self.parent(node)).collect();
        path.reverse();
        path
    }

    /// Where two call paths part; `None` where they share no root.
    pub fn fork(&self, first: NodeId, second: NodeId) -> Option<Fork> {
        let (one, other) = (self.path(first), self.path(second));
        let shared = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        let node = *one.get(shared.checked_sub(1)?)?;
        Some(Fork { node, first: one.get(shared).copied(), second: other.get(shared).copied() })
    }

    /// The line that brings two scalars together, where `site` bore the one that refers: its own line, or that of a
    /// call on the way to it, where the other was born in the caller and `site` is but a setter or constructor.
    ///
    /// A setter is one call deep, or called in the statement that made the other scalar as well; what is further away
    /// is no setter, and names its own line (`None`).
    pub fn joins(&self, site: Site, other: Site) -> Option<Site> {
        let fork = self.fork(site.node, other.node)?;
        let Some(below) = fork.first else { return Some(site) };
        let call = self.caller(below)?;
        let other_line = match fork.second {
            Some(below) => self.caller(below)?,
            None => other,
        };
        let same_statement = (other_line.file, other_line.line) == (call.file, call.line);
        let is_setter = self.parent(site.node) == Some(fork.node) || same_statement;
        (is_setter && self.is_own(call)).then_some(call)
    }

    /// The statements that call each other on the way to `site`, the outermost first, `site` last.
    pub fn call_path(&self, site: Site) -> Vec<Site> {
        let mut path: Vec<Site> = std::iter::successors(Some(site), |site| self.caller(site.node)).collect();
        path.reverse();
        path
    }
}

/// Is it a file of the program's own? Not what lies in a library, and no name that a code generator made up:
/// `(eval 12)`, `generated method (unknown origin)`, `accessor Foo::bar (defined at lib/Foo.pm line 3)`.
fn is_own(file: &[u8], libraries: &[Vec<u8>]) -> bool {
    let in_library = |folder: &Vec<u8>| {
        let folder = folder.strip_suffix(b"/").unwrap_or(folder);
        !folder.is_empty() && file.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"))
    };
    let blank = |byte: &u8| *byte == b' ';
    let is_made_up = file.starts_with(b"(")
        || file.iter().any(blank) && (file.contains(&b'(') || !file.contains(&b'/') && !file.contains(&b'.'));
    !file.is_empty() && !is_made_up && !libraries.iter().any(in_library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_made_up_names_are_not_the_programs_own() {
        let libraries = [b"/usr/share/perl5".to_vec(), b"/usr/lib/perl/".to_vec()];
        for (file, own) in [
            ("run.pl", true),
            ("-e", true),
            ("-", true),
            ("lib/Foo.pm", true),
            ("/home/me/my app/run.pl", true),
            ("my script.pl", true),
            ("/usr/share/perl5extra/Foo.pm", true),
            ("/usr/share/perl5/Foo.pm", false),
            ("/usr/lib/perl/5.36/Foo.pm", false),
            ("(eval 12)", false),
            ("generated method (unknown origin)", false),
            ("accessor Foo::bar (defined at lib/Foo.pm line 3)", false),
            ("input text", false),
            ("", false),
        ] {
            assert_eq!(is_own(file.as_bytes(), &libraries), own, "{file}");
        }
    }
}
