//! Which sub of one trace is which of another: by kind, package and name. Of those whose name is a place (anonymous subs,
//! string evals, BEGIN blocks), and of several of one name, by their order; where there are more on one side, by where
//! they stand among the others of their file.

use super::align::align;
use crate::format::ids::SubId;
use crate::format::records::{Sub, SubKind};
use crate::tools::profile::names;
use crate::tools::trace::Trace;
use rustc_hash::FxHashMap;

/// Subs of two traces, each with one number that is the same for both.
pub(super) struct Subs {
    /// By sub of the old trace: its number.
    pub(super) old: Vec<usize>,
    /// By sub of the new trace: its number.
    pub(super) new: Vec<usize>,
    /// By number: the sub in the old and in the new trace. At least one is there.
    pub(super) both: Vec<[Option<SubId>; 2]>,
    anchors: Anchors,
}

/// What subs that may be the same have in common.
type Key = (SubKind, String, String);

/// Subs that are one: string evals of one place are.
struct Entry {
    file: String,
    line: u32,
    ids: Vec<SubId>,
}

impl Subs {
    /// Finds out which sub is which.
    pub(super) fn new(old: &Trace, new: &Trace) -> Self {
        let mut groups: FxHashMap<Key, [Vec<Entry>; 2]> = FxHashMap::default();
        for (side, trace) in [old, new].into_iter().enumerate() {
            for (id, sub) in (0..).map(SubId).zip(&trace.subs) {
                let (key, file, line) = parts(trace, sub);
                let group = groups.entry(key).or_default();
                let Some(entries) = group.get_mut(side) else { continue };
                match entries.iter_mut().find(|entry| entry.line == line && entry.file == file) {
                    Some(entry) => entry.ids.push(id),
                    None => entries.push(Entry { file, line, ids: vec![id] }),
                }
            }
        }
        let mut subs = Subs {
            old: vec![0; old.subs.len()],
            new: vec![0; new.subs.len()],
            both: Vec::new(),
            anchors: Anchors::default(),
        };
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(a, _), (b, _)| (a.0 as u8, &a.1, &a.2).cmp(&(b.0 as u8, &b.1, &b.2)));
        for (_, group) in &mut groups {
            group.iter_mut().for_each(|entries| entries.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line))));
        }
        let (clear, unclear): (Vec<_>, Vec<_>) =
            groups.into_iter().map(|(_, group)| group).partition(|[old, new]| old.len() == new.len());
        for [old, new] in clear {
            for (old, new) in old.iter().zip(&new) {
                subs.anchors.add(old, new);
                subs.pair(Some(old), Some(new));
            }
        }
        subs.anchors.sort();
        for group in unclear {
            subs.pair_by_place(group);
        }
        subs
    }

    /// How far the lines around one may have moved in a file: as far as the sub before it has, or the one after it.
    pub(super) fn shifts(&self, file: &str, line: u32) -> [i64; 2] {
        self.anchors.shifts(file, line)
    }

    fn pair(&mut self, old: Option<&Entry>, new: Option<&Entry>) {
        let number = self.both.len();
        let first = |entry: Option<&Entry>| entry.and_then(|entry| entry.ids.first().copied());
        self.both.push([first(old), first(new)]);
        for (numbers, entry) in [(&mut self.old, old), (&mut self.new, new)] {
            for id in entry.iter().flat_map(|entry| &entry.ids) {
                if let Some(slot) = numbers.get_mut(id.index()) {
                    *slot = number;
                }
            }
        }
    }

    fn pair_by_place(&mut self, [old, mut new]: [Vec<Entry>; 2]) {
        let mut old = old.into_iter().peekable();
        while let Some(first) = old.next() {
            let file = first.file.clone();
            let mut olds = vec![first];
            olds.extend(std::iter::from_fn(|| old.next_if(|entry| entry.file == file)));
            let (news, others): (Vec<_>, Vec<_>) = new.into_iter().partition(|entry| entry.file == file);
            new = others;
            let lines = |entries: &[Entry]| entries.iter().map(|entry| (entry.line, 0)).collect::<Vec<_>>();
            let found = align(&lines(&olds), &lines(&news), |line| self.anchors.shifts(&file, line));
            let mut alone: Vec<bool> = vec![true; news.len()];
            for (old, at) in olds.iter().zip(found) {
                let partner = at.and_then(|at| news.get(at));
                if let Some(alone) = at.and_then(|at| alone.get_mut(at)) {
                    *alone = false;
                }
                self.pair(Some(old), partner);
            }
            for (entry, _) in news.iter().zip(alone).filter(|(_, alone)| *alone) {
                self.pair(None, Some(entry));
            }
        }
        for entry in &new {
            self.pair(None, Some(entry));
        }
    }
}

/// What a sub goes by, the file it is in (without the folder: programs are moved as a whole), and its first line.
fn parts(trace: &Trace, sub: &Sub) -> (Key, String, u32) {
    let name = names::string(trace, sub.name);
    let key = |name: &str| (sub.kind, names::string(trace, sub.package), name.to_owned());
    if let Some((stem, file, line)) = placed(&name) {
        return (key(stem), base_name(file).to_owned(), line);
    }
    match name.split_once('@') {
        // BEGIN@7 and its like.
        Some((stem, line)) if line.parse::<u32>().is_ok() => {
            (key(stem), base_name(&names::string(trace, sub.file)).to_owned(), line.parse().unwrap_or(0))
        }
        _ => (key(&name), base_name(&names::string(trace, sub.file)).to_owned(), sub.line),
    }
}

/// `__ANON__[lib/Foo.pm:12]` in its parts.
fn placed(name: &str) -> Option<(&str, &str, u32)> {
    let (stem, place) = name.strip_suffix(']')?.split_once('[')?;
    let (file, line) = place.rsplit_once(':')?;
    Some((stem, file, line.parse().ok()?))
}

/// A path without its folder; what is no file but a string that was evaluated has a number and a place, which move.
pub(super) fn base_name(path: &str) -> &str {
    if path.starts_with("(eval") {
        return "(eval)";
    }
    path.rsplit('/').next().unwrap_or(path)
}

/// Lines that are known to be the same, by file: the first ones of subs.
#[derive(Default)]
struct Anchors(FxHashMap<String, Vec<(u32, u32)>>);

impl Anchors {
    fn add(&mut self, old: &Entry, new: &Entry) {
        if old.line > 0 && new.line > 0 && old.file == new.file {
            self.0.entry(old.file.clone()).or_default().push((old.line, new.line));
        }
    }

    fn sort(&mut self) {
        self.0.values_mut().for_each(|anchors| anchors.sort_unstable());
    }

    fn shifts(&self, file: &str, line: u32) -> [i64; 2] {
        let anchors = self.0.get(file).map_or(&[][..], Vec::as_slice);
        let after = anchors.partition_point(|&(old, _)| old <= line);
        let shift = |at: Option<usize>| {
            let anchor = at.and_then(|at| anchors.get(at));
            anchor.map(|&(old, new)| i64::from(new) - i64::from(old))
        };
        let (before, after) = (shift(after.checked_sub(1)), shift(Some(after)));
        // Above the first sub, lines may not have moved at all; below the last, as it has.
        [before.unwrap_or(0), after.or(before).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::records::Header;
    use crate::tools::synthetic::Synthetic;

    fn trace(subs: &[(&str, u32)]) -> Trace {
        let mut trace = Synthetic::new(Header::default());
        for &(name, line) in subs {
            let kind = if name.starts_with("(eval)") { SubKind::Eval } else { SubKind::Perl };
            trace.sub(kind, "P", name, "/some/where/run.pl", line);
        }
        trace.read().unwrap()
    }

    fn paired(old: &[(&str, u32)], new: &[(&str, u32)]) -> Vec<(Option<usize>, Option<usize>)> {
        let subs = Subs::new(&trace(old), &trace(new));
        let mut pairs: Vec<_> =
            subs.both.iter().map(|[old, new]| (old.map(SubId::index), new.map(SubId::index))).collect();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn subs_are_known_by_their_names_wherever_they_stand() {
        let pairs = paired(&[("a", 3), ("b", 9), ("gone", 12)], &[("b", 1), ("a", 30), ("come", 40)]);
        assert_eq!(pairs, [(None, Some(2)), (Some(0), Some(1)), (Some(1), Some(0)), (Some(2), None)]);
    }

    #[test]
    fn anonymous_subs_evals_and_blocks_are_known_by_their_order() {
        let old = [("__ANON__[run.pl:3]", 3), ("__ANON__[run.pl:9]", 9), ("(eval)[run.pl:4]", 4), ("BEGIN@1", 1)];
        let new = [("BEGIN@8", 8), ("__ANON__[run.pl:10]", 10), ("__ANON__[run.pl:16]", 16), ("(eval)[run.pl:11]", 11)];
        assert_eq!(
            paired(&old, &new),
            [(Some(0), Some(1)), (Some(1), Some(2)), (Some(2), Some(3)), (Some(3), Some(0))]
        );
    }

    #[test]
    fn of_more_anonymous_subs_those_are_the_same_that_stand_where_the_others_moved_to() {
        let old = [("a", 2), ("__ANON__[run.pl:3]", 3), ("__ANON__[run.pl:9]", 9)];
        let new = [("a", 12), ("__ANON__[run.pl:13]", 13), ("__ANON__[run.pl:15]", 15), ("__ANON__[run.pl:19]", 19)];
        assert_eq!(paired(&old, &new), [(None, Some(2)), (Some(0), Some(0)), (Some(1), Some(1)), (Some(2), Some(3))]);
    }

    #[test]
    fn evals_of_one_place_are_one() {
        let old = [("(eval)[run.pl:4]", 4), ("(eval)[run.pl:4]", 4)];
        let subs = Subs::new(&trace(&old), &trace(&old[..1]));
        assert_eq!((subs.both.len(), subs.old, subs.new), (1, vec![0, 0], vec![0]));
    }
}
