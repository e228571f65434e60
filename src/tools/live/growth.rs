//! What has grown since some moment, by line, by sub, and by the call paths of either.

use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::PlaceFigures;
use crate::tools::profile::names;
use crate::tools::trace::Trace;
use rustc_hash::FxHashMap;

/// What rows are by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Line of a sub.
    #[default]
    Line,
    /// Sub.
    Sub,
}

/// A row's identity: it stays while the trace grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The sub.
    pub sub: SubId,
    /// File and line; empty and 0 for a row by sub.
    pub file: StrId,
    /// The line.
    pub line: u32,
}

/// Figures since the moment that growth counts from, and as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grown {
    /// Bytes live now.
    pub live_bytes: i64,
    /// Bytes more live than then.
    pub grown_bytes: i64,
    /// Bytes allocated since.
    pub allocated_bytes: i64,
    /// Scalars born since that are still alive, less those born before that have died since.
    pub grown_scalars: i64,
}

impl Grown {
    fn add(&mut self, other: Grown) {
        self.live_bytes = self.live_bytes.saturating_add(other.live_bytes);
        self.grown_bytes = self.grown_bytes.saturating_add(other.grown_bytes);
        self.allocated_bytes = self.allocated_bytes.saturating_add(other.allocated_bytes);
        self.grown_scalars = self.grown_scalars.saturating_add(other.grown_scalars);
    }
}

/// The figures at the moment that growth counts from.
#[derive(Clone, Debug, Default)]
pub struct Since {
    places: Vec<PlaceFigures>,
    /// Nanoseconds from the start of the trace.
    pub time_ns: u64,
    /// Marks made by then.
    pub marks: u64,
    /// Snapshots taken by then.
    pub snapshots: usize,
}

impl Since {
    /// The moment that a trace has come to.
    pub fn now(trace: &Trace) -> Self {
        let time_ns = trace.snapshots.last().map_or(0, |snapshot| snapshot.time_ns);
        Since { places: trace.figures.places.clone(), time_ns, marks: trace.marks(), snapshots: trace.snapshots.len() }
    }

    fn grown(&self, id: PlaceId, now: &PlaceFigures) -> Grown {
        let then = self.places.get(id.index()).copied().unwrap_or_default();
        let signed = |figure: u64| i64::try_from(figure).unwrap_or(i64::MAX);
        let more = |now: u64, then: u64| signed(now).saturating_sub(signed(then));
        Grown {
            live_bytes: signed(now.live_bytes),
            grown_bytes: more(now.live_bytes, then.live_bytes),
            allocated_bytes: more(now.allocated_bytes, then.allocated_bytes),
            grown_scalars: more(now.scalars_born, then.scalars_born)
                .saturating_sub(more(now.scalars_died, then.scalars_died)),
        }
    }
}

fn key(trace: &Trace, id: PlaceId, by: By) -> Option<Key> {
    let place = trace.places.get(id.index())?;
    let sub = trace.nodes.get(place.node.index())?.sub;
    Some(match by {
        By::Line => Key { sub, file: place.file, line: place.line },
        By::Sub => Key { sub, file: StrId(0), line: 0 },
    })
}

/// All rows, in the order of their keys.
pub fn rows(trace: &Trace, since: &Since, by: By) -> Vec<(Key, Grown)> {
    let mut sums: FxHashMap<Key, Grown> = FxHashMap::default();
    for (id, now) in (0..).map(PlaceId).zip(&trace.figures.places) {
        if let Some(key) = key(trace, id, by) {
            sums.entry(key).or_default().add(since.grown(id, now));
        }
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_unstable_by_key(|row| row.0);
    rows
}

/// The call paths that lead to a row, those that grew most first, at most `most` of them: each as the names of the subs
/// that called, the nearest first.
pub fn paths(trace: &Trace, since: &Since, by: By, row: Key, most: usize) -> Vec<(Vec<String>, Grown)> {
    let mut sums: FxHashMap<NodeId, Grown> = FxHashMap::default();
    for ((id, now), place) in (0..).map(PlaceId).zip(&trace.figures.places).zip(&trace.places) {
        if key(trace, id, by) == Some(row) {
            sums.entry(place.node).or_default().add(since.grown(id, now));
        }
    }
    let mut nodes: Vec<_> = sums.into_iter().collect();
    nodes.sort_unstable_by_key(|&(node, grown)| {
        (std::cmp::Reverse((grown.grown_bytes, grown.live_bytes, grown.allocated_bytes)), node)
    });
    nodes.truncate(most);
    nodes.into_iter().map(|(node, grown)| (callers(trace, node), grown)).collect()
}

/// Callers that a path tells: the nearest.
const STEPS: usize = 6;

fn callers(trace: &Trace, node: NodeId) -> Vec<String> {
    let mut callers = Vec::new();
    let mut id = node;
    while let Some(node) = trace.nodes.get(id.index()).filter(|node| node.parent != id) {
        let Some(caller) = trace.nodes.get(node.parent.index()) else { break };
        if callers.len() == STEPS {
            callers.push("…".to_owned());
            break;
        }
        callers.push(format!("{}:{}", names::sub(trace, caller.sub), node.call_line));
        id = node.parent;
    }
    callers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::records::Cause;
    use crate::format::records::{Header, SubKind, Totals};
    use crate::tools::synthetic::Synthetic;

    #[test]
    fn growth_counts_from_a_moment_by_line_and_by_sub_and_by_path() {
        let mut trace = Synthetic::new(Header::default());
        let file = trace.string("run.pl");
        let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
        let f = trace.sub(SubKind::Perl, "P", "f", "run.pl", 3);
        let root = trace.root(main);
        let calls = [10, 11].map(|line| trace.node(root, f, file, line));
        let places = [(calls[0], 4), (calls[1], 4), (calls[1], 5)].map(|(node, line)| trace.place(node, file, line));
        let figures = |rows: [u64; 3]| {
            let row = |(id, live_bytes)| PlaceFigures {
                id,
                live_bytes,
                allocated_bytes: live_bytes + 7,
                ..Default::default()
            };
            places.into_iter().zip(rows).map(row).collect::<Vec<_>>()
        };
        trace.figures(vec![], figures([100, 50, 9]));
        trace.snapshot(1, Cause::Interval, Totals::default());
        let since = Since::now(&trace.read().unwrap());
        trace.figures(vec![], figures([110, 90, 4]));
        trace.snapshot(2, Cause::Interval, Totals::default());
        let trace = trace.read().unwrap();

        let grown = |by| rows(&trace, &since, by).iter().map(|row| (row.0.line, row.1.grown_bytes)).collect::<Vec<_>>();
        assert_eq!(grown(By::Line), [(4, 50), (5, -5)]);
        assert_eq!(grown(By::Sub), [(0, 45)]);
        let from_start = rows(&trace, &Since::default(), By::Sub)[0].1;
        assert_eq!((from_start.grown_bytes, from_start.live_bytes, from_start.allocated_bytes), (204, 204, 225));

        let line = rows(&trace, &since, By::Line)[0].0;
        let paths = paths(&trace, &since, By::Line, line, 5);
        let told: Vec<_> = paths.iter().map(|(path, grown)| (path.join(" "), grown.grown_bytes)).collect();
        assert_eq!(told, [("(main program):11".to_owned(), 40), ("(main program):10".to_owned(), 10)]);
    }
}
