//! A call tree for formats of stacks: nodes that look the same there are one.

use crate::format::ids::SubId;
use crate::tools::profile::{names, Measures, Profile};
use crate::tools::render::printable;
use rustc_hash::FxHashMap;

/// What a level of a stack is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    /// Name of the sub; what is no visible character is spelled out.
    pub(super) name: String,
    /// File it is defined in; empty where unknown.
    pub(super) file: String,
    /// First line of its body; 0 where unknown.
    pub(super) line: u32,
}

impl Frame {
    /// The frame of a sub.
    pub(super) fn of(profile: &Profile, id: SubId) -> Self {
        let sub = profile.trace.sub(id);
        Frame {
            name: shown_name(profile, id),
            file: printable(&names::string(&profile.trace, sub.file)).into_owned(),
            line: sub.line,
        }
    }
}

/// Name of a sub for formats that people look at.
pub(super) fn shown_name(profile: &Profile, id: SubId) -> String {
    match names::sub(&profile.trace, id) {
        name if name.is_empty() => "(unnamed)".to_owned(),
        name => printable(&name).into_owned(),
    }
}

struct Node {
    frame: usize,
    children: Vec<usize>,
    own: Measures,
}

/// A step of a walk over the stacks.
pub(super) enum Step<'a> {
    /// Into a stack that ends in this frame and has these figures itself.
    Enter(usize, &'a Measures),
    /// Out of it.
    Leave,
}

/// Stacks of frames, as a tree.
#[derive(Default)]
pub(super) struct Stacks {
    frames: Vec<Frame>,
    frame_index: FxHashMap<Frame, usize>,
    nodes: Vec<Node>,
    node_index: FxHashMap<(Option<usize>, usize), usize>,
    roots: Vec<usize>,
}

impl Stacks {
    /// All frames, by their number.
    pub(super) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Adds what a trace has. `frame` says what a sub is called: subs of the same frame become one.
    pub(super) fn add(&mut self, profile: &Profile, frame: impl Fn(&Profile, SubId) -> Frame) {
        let frames: Vec<usize> = (0..profile.trace.subs.len())
            .map(|id| {
                let next = self.frames.len();
                let frame = frame(profile, SubId(u32::try_from(id).unwrap_or(u32::MAX)));
                *self.frame_index.entry(frame.clone()).or_insert_with(|| {
                    self.frames.push(frame);
                    next
                })
            })
            .collect();
        // By node of the trace: ours. A parent comes before its children.
        let mut nodes: Vec<usize> = Vec::with_capacity(profile.trace.nodes.len());
        for (id, node) in (0..).map(crate::format::ids::NodeId).zip(&profile.trace.nodes) {
            let parent = profile.tree.parent(id).and_then(|parent| nodes.get(parent.index()).copied());
            let frame = frames.get(node.sub.index()).copied().unwrap_or_default();
            let at = self.node(parent, frame);
            if let Some(node) = self.nodes.get_mut(at) {
                node.own.add(&profile.own(id));
            }
            nodes.push(at);
        }
    }

    fn node(&mut self, parent: Option<usize>, frame: usize) -> usize {
        let next = self.nodes.len();
        let at = *self.node_index.entry((parent, frame)).or_insert(next);
        if at == next {
            self.nodes.push(Node { frame, children: Vec::new(), own: Measures::default() });
            match parent.and_then(|parent| self.nodes.get_mut(parent)) {
                Some(parent) => parent.children.push(at),
                None => self.roots.push(at),
            }
        }
        at
    }

    /// Walks over all stacks, depth first.
    pub(super) fn walk(&self) -> impl Iterator<Item = Step<'_>> {
        // Nodes to enter, and to leave where the flag is set. Never recurses: a tree may be a million levels deep.
        let mut waiting: Vec<(usize, bool)> = self.roots.iter().rev().map(|&root| (root, false)).collect();
        std::iter::from_fn(move || {
            let (at, leaving) = waiting.pop()?;
            let node = self.nodes.get(at)?;
            if leaving {
                return Some(Step::Leave);
            }
            waiting.push((at, true));
            waiting.extend(node.children.iter().rev().map(|&child| (child, false)));
            Some(Step::Enter(node.frame, &node.own))
        })
    }
}
