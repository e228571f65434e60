//! Records to a [`Trace`], checked one by one: a record that breaks a rule leaves the trace as it was.
//!
//! Figures wait here until their snapshot has been read; what waits at the end is dropped. Never touches a file.

use super::sampling::Sampling;
use super::Fault;
use crate::format::calls::{CallEvent, CallStep, Calls};
use crate::format::records::{
    Cause, End, Figures, Header, Libraries, Marks, Node, NodeFigures, Nodes, Place, PlaceFigures, Places, Snapshot,
    Strings, Sub, Subs,
};
use crate::format::Record;
use crate::tools::history::{History, Point};
use crate::tools::trace::{Base, SnapshotTotals, Trace};
use std::collections::BTreeMap;

/// A trace in the making.
pub(super) struct Builder {
    trace: Trace,
    waiting_nodes: Vec<NodeFigures>,
    waiting_places: Vec<PlaceFigures>,
    /// Events of the stream of calls so far, by interpreter.
    call_events: BTreeMap<u32, u64>,
    waiting_marks: Option<Marks>,
    sampling: Sampling,
}

/// Rows that may wait before those of the same id are put together: a good trace has one of each, and a forged one
/// must not fill the memory.
const WAITING_ROWS: usize = 1 << 20;

/// Room for rows that is kept from one snapshot to the next.
const KEPT_ROWS: usize = 1 << 16;

/// Interpreters whose calls are told apart, at most.
const MOST_INTERPRETERS: usize = 1 << 16;

/// Labels that marks may have: those beyond are together in one.
const LABELS: usize = 257;

/// Folders of libraries there may be.
const LIBRARIES: usize = 4096;

/// Is a record's rule kept?
pub(super) fn rule(kept: bool, broken: &'static str) -> Result<(), Fault> {
    if kept {
        Ok(())
    } else {
        Err(Fault::Rule(broken))
    }
}

impl Builder {
    /// A trace of which only the header is known.
    pub(super) fn new(header: Header) -> Self {
        let trace = Trace { header, strings: vec![Vec::new()], ..Trace::default() };
        Builder {
            trace,
            waiting_nodes: Vec::new(),
            waiting_places: Vec::new(),
            waiting_marks: None,
            sampling: Sampling::default(),
            call_events: BTreeMap::new(),
        }
    }

    /// Has the trace tell how figures came to be.
    pub(super) fn keep_history(&mut self) {
        self.trace.history = Some(History::default());
    }

    /// What has been read so far.
    pub(super) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// What has been read so far, to look at.
    pub(super) fn so_far(&self) -> &Trace {
        &self.trace
    }

    /// The trace. Figures whose snapshot has not come are dropped.
    pub(super) fn finish(self) -> Trace {
        self.trace
    }

    /// Takes a record in.
    pub(super) fn apply(&mut self, record: Record) -> Result<(), Fault> {
        rule(self.trace.end.is_none(), "it stands after the end record")?;
        match record {
            Record::Header(_) => rule(false, "a second header"),
            Record::Strings(strings) => self.strings(strings),
            Record::Subs(subs) => self.subs(subs),
            Record::Nodes(nodes) => self.nodes(nodes),
            Record::Places(places) => self.places(places),
            Record::Figures(figures) => self.figures(figures),
            Record::Snapshot(snapshot) => self.snapshot(snapshot),
            Record::End(end) => self.end(end),
            Record::Libraries(libraries) => self.libraries(libraries),
            Record::Marks(marks) => self.marks(marks),
            Record::HeapBegins(begins) => self.sampling.begin(begins, &self.trace),
            Record::HeapScalars(scalars) => self.sampling.scalars(scalars, &self.trace),
            Record::HeapEdges(edges) => self.sampling.edges(edges, &self.trace),
            Record::Census(census) => self.sampling.census(census, &self.trace),
            Record::Calls(_) => Ok(()),
        }
    }

    fn strings(&mut self, record: Strings) -> Result<(), Fault> {
        let known = self.trace.strings.len();
        // String 0 is the empty one whether the writer says so or not.
        let implied = known == 1 && record.first.0 == 0 && record.strings.first().is_some_and(Vec::is_empty);
        rule(implied || record.first.index() == known, "strings out of order")?;
        fits(known, record.strings.len())?;
        self.trace.strings.extend(record.strings.into_iter().skip(usize::from(implied)));
        Ok(())
    }

    fn subs(&mut self, record: Subs) -> Result<(), Fault> {
        let strings = self.trace.strings.len();
        rule(record.first.index() == self.trace.subs.len(), "subs out of order")?;
        fits(self.trace.subs.len(), record.subs.len())?;
        let known = |sub: &Sub| [sub.package, sub.name, sub.file].iter().all(|id| id.index() < strings);
        rule(record.subs.iter().all(known), "a sub names an unknown string")?;
        self.trace.subs.extend(record.subs);
        Ok(())
    }

    fn nodes(&mut self, record: Nodes) -> Result<(), Fault> {
        let first = self.trace.nodes.len();
        rule(record.first.index() == first, "nodes out of order")?;
        fits(first, record.nodes.len())?;
        let (subs, strings) = (self.trace.subs.len(), self.trace.strings.len());
        let known = |node: &Node| node.sub.index() < subs && node.call_file.index() < strings;
        rule(record.nodes.iter().all(known), "a node names an unknown sub or string")?;
        // A parent of a lower id is what makes every walk up the tree end.
        let ordered = record.nodes.iter().enumerate().all(|(at, node)| node.parent.index() <= first + at);
        rule(ordered, "a node names a parent that comes after it")?;
        self.trace.nodes.extend(record.nodes);
        Ok(())
    }

    fn places(&mut self, record: Places) -> Result<(), Fault> {
        let (nodes, strings) = (self.trace.nodes.len(), self.trace.strings.len());
        rule(record.first.index() == self.trace.places.len(), "places out of order")?;
        fits(self.trace.places.len(), record.places.len())?;
        let known = |place: &Place| place.node.index() < nodes && place.file.index() < strings;
        rule(record.places.iter().all(known), "a place names an unknown node or string")?;
        self.trace.places.extend(record.places);
        Ok(())
    }

    fn figures(&mut self, record: Figures) -> Result<(), Fault> {
        rule(record.snapshot == self.trace.snapshots.len() as u64, "figures of another snapshot than the next")?;
        let (nodes, places) = (self.trace.nodes.len(), self.trace.places.len());
        rule(record.nodes.iter().all(|figures| figures.id.index() < nodes), "figures of an unknown node")?;
        rule(record.places.iter().all(|figures| figures.id.index() < places), "figures of an unknown place")?;
        wait(&mut self.waiting_nodes, record.nodes, nodes, |figures| figures.id.0);
        wait(&mut self.waiting_places, record.places, places, |figures| figures.id.0);
        Ok(())
    }

    fn libraries(&mut self, record: Libraries) -> Result<(), Fault> {
        rule(self.trace.libraries.is_empty(), "a second list of libraries")?;
        rule(record.folders.len() <= LIBRARIES, "too many libraries")?;
        self.trace.libraries = record.folders;
        Ok(())
    }

    fn marks(&mut self, record: Marks) -> Result<(), Fault> {
        rule(record.snapshot == self.trace.snapshots.len() as u64, "marks of another snapshot than the next")?;
        let so_far = self.waiting_marks.as_ref().map_or(self.trace.marks(), |marks| marks.marks);
        rule(record.marks >= so_far, "fewer marks than before")?;
        let strings = self.trace.strings.len();
        rule(record.labels.iter().all(|row| row.label.index() < strings), "a mark names an unknown string")?;
        let known = self.trace.mark_labels.len() + self.waiting_marks.as_ref().map_or(0, |marks| marks.labels.len());
        rule(known.max(record.labels.len()) <= 2 * LABELS, "too many labels of marks")?;
        let mut labels = self.waiting_marks.take().map(|marks| marks.labels).unwrap_or_default();
        labels.extend(record.labels);
        self.waiting_marks = Some(Marks { labels, ..record });
        Ok(())
    }

    fn snapshot(&mut self, record: Snapshot) -> Result<(), Fault> {
        let number = self.trace.snapshots.len() as u64;
        rule(record.number == number, "a snapshot is missing before it")?;
        let Snapshot { time_ns, cause, totals, .. } = record;
        let marks = self.waiting_marks.as_ref().map_or(self.trace.marks(), |waiting| waiting.marks);
        let snapshot = SnapshotTotals { time_ns, cause, totals, marks };
        self.sampling.close(&snapshot, &mut self.trace)?;
        if let Some(waiting) = self.waiting_marks.take() {
            self.trace.mark_labels.extend(waiting.labels.into_iter().map(|row| (row.label, row.marks)));
        }
        if let Some(history) = &mut self.trace.history {
            let point = Point { time_ns, marks, snapshot: number, is_mark: cause == Cause::Mark };
            history.take(point, &self.trace.figures, &self.waiting_places, &self.waiting_nodes);
        }
        let figures = &mut self.trace.figures;
        for node in self.waiting_nodes.drain(..) {
            put(&mut figures.nodes, node.id.index(), node);
        }
        let peak_number = record.totals.peak_number;
        for place in self.waiting_places.drain(..) {
            put(&mut figures.places, place.id.index(), PlaceFigures { peak_number, ..place });
        }
        // Room for the next snapshot, but not for the first, which has rows of everything.
        self.waiting_nodes.shrink_to(KEPT_ROWS);
        self.waiting_places.shrink_to(KEPT_ROWS);
        if record.cause == Cause::Base {
            self.trace.base = Some(Base { totals: record.totals, figures: figures.clone() });
        }
        self.trace.snapshots.push(snapshot);
        self.trace.threads.extend(record.threads.into_iter().map(|thread| (thread.tid, thread)));
        self.trace.timeline.extend(record.timeline);
        Ok(())
    }

    /// Checks a record of the stream of calls, which nothing is kept of.
    pub(super) fn calls(&mut self, record: &Calls) -> Result<(), Fault> {
        rule(self.trace.end.is_none(), "it stands after the end record")?;
        let nodes = self.trace.nodes.len();
        let known = |event: &CallEvent| !matches!(event.step, CallStep::Enter(node) if node.index() >= nodes);
        rule(record.events.iter().all(known), "a call of an unknown node")?;
        if self.call_events.len() <= MOST_INTERPRETERS || self.call_events.contains_key(&record.interpreter) {
            let next = self.call_events.entry(record.interpreter).or_default();
            rule(record.first == *next, "calls are missing before it")?;
            *next += record.events.len() as u64;
            return Ok(());
        }
        rule(false, "calls of too many interpreters")
    }

    fn end(&mut self, record: End) -> Result<(), Fault> {
        self.trace.end = Some(record);
        Ok(())
    }
}

/// Do so many more entries have handles?
fn fits(known: usize, more: usize) -> Result<(), Fault> {
    rule(known + more <= u32::MAX as usize, "a table is full")
}

/// Lets rows wait, the last of an id being the one that counts. `known` ids there are.
fn wait<T: Copy>(waiting: &mut Vec<T>, rows: Vec<T>, known: usize, id: impl Fn(&T) -> u32) {
    if waiting.capacity() == 0 {
        *waiting = rows;
    } else {
        waiting.extend(rows);
    }
    if waiting.len() > WAITING_ROWS.max(2 * known) {
        waiting.reverse();
        waiting.sort_by_key(&id);
        waiting.dedup_by_key(|row| id(row));
    }
}

fn put<T: Copy + Default>(table: &mut Vec<T>, index: usize, value: T) {
    if table.len() <= index {
        table.resize(index + 1, T::default());
    }
    if let Some(slot) = table.get_mut(index) {
        *slot = value;
    }
}
