//! Marks: labelled instants at which a unit of the program's work is done.
//!
//! Counts them, and says when a snapshot is due: at each of the first marks, then about sixteen times in each doubling
//! of their number, so that a program's thousandth request costs what its first did. Labels are bounded.

use super::strings::Strings;
use crate::format::ids::{StrId, SubId};
use crate::format::records::{MarkLabel, Marks as Record, Sub};

/// Labels that are told apart.
const LABELS: usize = 256;
/// What all others are called.
const OTHER: &[u8] = b"(other)";
/// Bytes of a label that are kept.
const LABEL_BYTES: usize = 200;
/// A full snapshot is due, where nothing else was asked for, at this mark and whenever their number has doubled.
pub const FIRST_FULL: u64 = 32;

/// The marks of a process.
#[derive(Default)]
pub struct Marks {
    /// How many have been made.
    pub made: u64,
    /// How many a forked child's parent had made: they count in times of birth.
    pub inherited: u64,
    labels: Vec<Label>,
    /// Subs whose return is a mark.
    subs: Vec<SubId>,
    next_snapshot: u64,
}

struct Label {
    name: StrId,
    marks: u64,
    is_written: bool,
}

impl Marks {
    /// A mark. A label that is one too many, or none, is folded.
    pub fn make(&mut self, label: &[u8], strings: &mut Strings) {
        self.made += 1;
        let label = label.get(..LABEL_BYTES).unwrap_or(label);
        let found = strings.find(label).and_then(|name| self.labels.iter().position(|known| known.name == name));
        let index = found.unwrap_or_else(|| {
            let label = if self.labels.len() < LABELS { label } else { OTHER };
            let name = strings.intern(label);
            self.labels.iter().position(|known| known.name == name).unwrap_or_else(|| {
                self.labels.push(Label { name, marks: 0, is_written: true });
                self.labels.len() - 1
            })
        });
        if let Some(label) = self.labels.get_mut(index) {
            label.marks += 1;
            label.is_written = false;
        }
    }

    /// Is this mark one for a snapshot? Says so once, and then again after some more.
    pub fn is_snapshot_due(&self) -> bool {
        self.made >= self.next_snapshot
    }

    /// A snapshot was taken at the last mark.
    pub fn snapshot_taken(&mut self) {
        self.next_snapshot = self.made + (self.made / 16).max(1);
    }

    /// What has changed, as the record for the snapshot of that number.
    pub fn take_changed(&mut self, snapshot: u64) -> Option<Record> {
        let changed: Vec<_> = self
            .labels
            .iter_mut()
            .filter_map(|label| {
                let is_written = std::mem::replace(&mut label.is_written, true);
                (!is_written).then_some(MarkLabel { label: label.name, marks: label.marks })
            })
            .collect();
        (!changed.is_empty()).then_some(Record { snapshot, marks: self.made, labels: changed })
    }

    /// A forked child counts its own.
    pub fn begin_child(&mut self) {
        self.inherited += self.made;
        self.made = 0;
        self.labels.clear();
        self.next_snapshot = 0;
    }

    /// If the sub is called `wanted` (with its package), its returns are marks from now on. Says whether it is.
    pub fn watch(&mut self, wanted: &[u8], id: SubId, sub: &Sub, strings: &Strings) -> bool {
        let (package, name) = (strings.get(sub.package), strings.get(sub.name));
        let is_wanted = wanted.strip_prefix(package).and_then(|rest| rest.strip_prefix(b"::")) == Some(name);
        if is_wanted && !self.subs.contains(&id) {
            self.subs.push(id);
        }
        is_wanted
    }

    /// Is the sub's return a mark?
    pub fn is_watched(&self, sub: SubId) -> bool {
        self.subs.contains(&sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded_and_none_is_lost() {
        let (mut marks, mut strings) = (Marks::default(), Strings::new());
        for number in 0..10_000 {
            marks.make(format!("GET /{}", number % 1000).as_bytes(), &mut strings);
        }
        let record = marks.take_changed(3).unwrap();
        assert_eq!(record.labels.len(), LABELS + 1);
        assert_eq!(record.labels.iter().map(|label| label.marks).sum::<u64>(), 10_000);
        assert_eq!((record.marks, record.snapshot), (10_000, 3));
        assert!(strings.len() < 2 * LABELS as u32);
        assert_eq!(marks.take_changed(4), None);
        marks.make(b"GET /1", &mut strings);
        assert_eq!(marks.take_changed(4).unwrap().labels.len(), 1);
    }

    #[test]
    fn snapshots_become_rarer() {
        let (mut marks, mut strings) = (Marks::default(), Strings::new());
        let mut taken = 0;
        for _ in 0..1_000_000 {
            marks.make(b"", &mut strings);
            if marks.is_snapshot_due() {
                marks.snapshot_taken();
                taken += 1;
            }
        }
        assert!((100..250).contains(&taken), "{taken}");
    }
}
