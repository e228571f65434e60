//! Heap samples in the making: their records are checked one by one, and the whole counts once its snapshot is read.
//!
//! References may name scalars that come later, so where they lead is checked when the sample is closed. Of the samples
//! only the last are kept, and of the censuses a bounded number.

use super::builder::rule;
use super::Fault;
use crate::format::heap::{Census, CensusGroup, HeapBegins, HeapEdges, HeapScalar, HeapScalars};
use crate::format::ids::PlaceId;
use crate::format::records::Cause;
use crate::tools::trace::{PastCensus, Sample, SnapshotTotals, Trace};

/// Scalars that a sample may have.
const SCALARS: usize = 1 << 21;

/// References that a sample may have.
const EDGES: usize = 1 << 23;

/// Names of variables that the subs of a sample may have, together.
const VARIABLES: usize = 1 << 22;

/// Groups that a census may have: every type without a class, and 4096 classes of every type.
const GROUPS: usize = 1 << 15;

/// Censuses that are kept.
const CENSUSES: usize = 32;

/// The sample that waits for its snapshot.
#[derive(Default)]
pub(super) struct Sampling {
    waiting: Option<Box<Sample>>,
    variables: usize,
}

impl Sampling {
    pub(super) fn begin(&mut self, record: HeapBegins, trace: &Trace) -> Result<(), Fault> {
        rule(is_next(record.snapshot, trace), "a sample of another snapshot than the next")?;
        rule(self.waiting.is_none(), "a second sample of one snapshot")?;
        rule(record.from <= record.to, "a sample's window ends before it begins")?;
        rule(record.listed as usize <= SCALARS, "a sample lists too many scalars")?;
        self.waiting = Some(Box::new(Sample { begins: record, ..Sample::default() }));
        self.variables = 0;
        Ok(())
    }

    pub(super) fn scalars(&mut self, record: HeapScalars, trace: &Trace) -> Result<(), Fault> {
        rule(is_next(record.snapshot, trace), "scalars of another snapshot than the next")?;
        let sample = open(&mut self.waiting)?;
        rule(record.first as usize == sample.scalars.len(), "sampled scalars out of order")?;
        rule(sample.scalars.len() + record.scalars.len() <= SCALARS, "a sample has too many scalars")?;
        let (strings, places) = (trace.strings.len(), trace.places.len());
        let place = |id: &Option<PlaceId>| id.is_none_or(|id| id.index() < places);
        let known = |scalar: &HeapScalar| {
            place(&scalar.birthplace)
                && place(&scalar.buffer_place)
                && scalar.class.index() < strings
                && scalar.name.index() < strings
                && scalar.variables.iter().all(|(_, name)| name.index() < strings)
        };
        rule(record.scalars.iter().all(known), "a sampled scalar names an unknown place or string")?;
        let variables = record.scalars.iter().map(|scalar| scalar.variables.len()).sum::<usize>();
        rule(self.variables + variables <= VARIABLES, "a sample has too many variables")?;
        self.variables += variables;
        sample.scalars.extend(record.scalars);
        Ok(())
    }

    pub(super) fn edges(&mut self, record: HeapEdges, trace: &Trace) -> Result<(), Fault> {
        rule(is_next(record.snapshot, trace), "references of another snapshot than the next")?;
        let sample = open(&mut self.waiting)?;
        rule(sample.edges.len() + record.edges.len() <= EDGES, "a sample has too many references")?;
        let strings = trace.strings.len();
        rule(record.edges.iter().all(|edge| edge.key.index() < strings), "a reference names an unknown string")?;
        sample.edges.extend(record.edges);
        Ok(())
    }

    pub(super) fn census(&mut self, record: Census, trace: &Trace) -> Result<(), Fault> {
        rule(is_next(record.snapshot, trace), "a census of another snapshot than the next")?;
        let sample = open(&mut self.waiting)?;
        rule(sample.census.is_empty(), "a second census of one sample")?;
        rule(record.groups.len() <= GROUPS, "a census has too many groups")?;
        let known = |group: &CensusGroup| group.class.index() < trace.strings.len();
        rule(record.groups.iter().all(known), "a census names an unknown string")?;
        sample.census = record.groups;
        Ok(())
    }

    /// The snapshot has come: the sample, if there is one, becomes part of the trace.
    pub(super) fn close(&mut self, snapshot: &SnapshotTotals, trace: &mut Trace) -> Result<(), Fault> {
        let Some(mut sample) = self.waiting.take() else { return Ok(()) };
        let scalars = sample.scalars.len();
        rule(sample.begins.listed as usize <= scalars, "a sample lists scalars that it does not have")?;
        let known = |end: u32| (end as usize) < scalars;
        rule(sample.edges.iter().all(|edge| known(edge.from) && known(edge.to)), "a reference of an unknown scalar")?;
        let SnapshotTotals { time_ns, cause, marks, .. } = *snapshot;
        (sample.time_ns, sample.cause, sample.marks) = (time_ns, cause, marks);
        trace.censuses.push(PastCensus { time_ns, marks, groups: sample.census.clone() });
        if trace.censuses.len() > CENSUSES {
            thin(&mut trace.censuses);
        }
        let slot = if cause == Cause::Mark { &mut trace.sample_at_mark } else { &mut trace.sample };
        *slot = Some(sample);
        Ok(())
    }
}

fn is_next(snapshot: u64, trace: &Trace) -> bool {
    snapshot == trace.snapshots.len() as u64
}

fn open(waiting: &mut Option<Box<Sample>>) -> Result<&mut Sample, Fault> {
    waiting.as_deref_mut().ok_or(Fault::Rule("a sample's record without its beginning"))
}

/// Leaves every second one out, and keeps the last.
fn thin(censuses: &mut Vec<PastCensus>) {
    let last = censuses.len().saturating_sub(1);
    let mut at = 0;
    censuses.retain(|_| {
        at += 1;
        (at - 1) % 2 == last % 2
    });
}
