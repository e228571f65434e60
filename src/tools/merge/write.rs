//! A [`Trace`] to bytes: the tables, the last figures of everything, one snapshot. How the figures came about is lost.

use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::{Figures, Libraries, MarkLabel, Marks, Nodes, Places, Snapshot, Strings, Subs};
use crate::format::{encode_prefix, Encoder, Record};
use crate::tools::trace::Trace;
use std::io::{self, Write};

/// Rows that go into one chunk at most, as in a trace that the profiler writes.
const ROWS_A_CHUNK: usize = 1 << 13;

/// Writes a trace that has no base.
///
/// # Errors
/// Those of `out`.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&encode_prefix())?;
    let mut out = Chunks { out, encoder: Encoder::default(), buffer: Vec::new() };
    out.put(&Record::Header(trace.header.clone()))?;
    if !trace.libraries.is_empty() {
        out.put(&Record::Libraries(Libraries { folders: trace.libraries.clone() }))?;
    }
    for (first, strings) in parts(&trace.strings) {
        out.put(&Record::Strings(Strings { first: StrId(first), strings: strings.to_vec() }))?;
    }
    for (first, subs) in parts(&trace.subs) {
        out.put(&Record::Subs(Subs { first: SubId(first), subs: subs.to_vec() }))?;
    }
    for (first, nodes) in parts(&trace.nodes) {
        out.put(&Record::Nodes(Nodes { first: NodeId(first), nodes: nodes.to_vec() }))?;
    }
    for (first, places) in parts(&trace.places) {
        out.put(&Record::Places(Places { first: PlaceId(first), places: places.to_vec() }))?;
    }
    for (_, nodes) in parts(&trace.figures.nodes) {
        out.put(&Record::Figures(Figures { snapshot: 0, nodes: nodes.to_vec(), places: Vec::new() }))?;
    }
    for (_, places) in parts(&trace.figures.places) {
        out.put(&Record::Figures(Figures { snapshot: 0, nodes: Vec::new(), places: places.to_vec() }))?;
    }
    if let Some(last) = trace.snapshots.last() {
        if last.marks > 0 {
            let labels = trace.mark_labels.iter().map(|(&label, &marks)| MarkLabel { label, marks });
            out.put(&Record::Marks(Marks { snapshot: 0, marks: last.marks, labels: labels.collect() }))?;
        }
        out.put(&Record::Snapshot(Snapshot {
            number: 0,
            time_ns: last.time_ns,
            cause: last.cause,
            totals: last.totals,
            threads: trace.threads.values().copied().collect(),
            timeline: trace.timeline.clone(),
        }))?;
    }
    if let Some(end) = &trace.end {
        out.put(&Record::End(end.clone()))?;
    }
    Ok(())
}

struct Chunks<'a, W> {
    out: &'a mut W,
    encoder: Encoder,
    buffer: Vec<u8>,
}

impl<W: Write> Chunks<'_, W> {
    fn put(&mut self, record: &Record) -> io::Result<()> {
        self.buffer.clear();
        self.encoder.encode(record, &mut self.buffer).map_err(io::Error::other)?;
        self.out.write_all(&self.buffer)
    }
}

/// A table in parts, each with the id of its first row.
fn parts<T>(table: &[T]) -> impl Iterator<Item = (u32, &[T])> {
    let first = (0..).map(|part: usize| u32::try_from(part * ROWS_A_CHUNK).unwrap_or(u32::MAX));
    first.zip(table.chunks(ROWS_A_CHUNK))
}
