//! Traces made up for tests, through the same coding that the profiler writes with.

use crate::format::heap::{Census, CensusGroup, HeapBegins, HeapEdge, HeapEdges, HeapScalar, HeapScalars};
use crate::format::ids::{NodeId, PlaceId, StrId, SubId};
use crate::format::records::*;
use crate::format::{encode_chunk, encode_prefix, Record};
use crate::tools::reader::{read, read_keeping, Keep, ReadError};
use crate::tools::trace::Trace;
use std::path::Path;

/// A trace in the making, as bytes.
pub(crate) struct Synthetic {
    pub(crate) bytes: Vec<u8>,
    strings: u32,
    subs: u32,
    nodes: u32,
    places: u32,
    snapshots: u64,
}

impl Synthetic {
    /// A trace of a header.
    pub(crate) fn new(header: Header) -> Self {
        let mut trace = Synthetic { bytes: encode_prefix(), strings: 1, subs: 0, nodes: 0, places: 0, snapshots: 0 };
        trace.push(&Record::Header(header));
        trace
    }

    pub(crate) fn push(&mut self, record: &Record) {
        encode_chunk(record, &mut self.bytes).unwrap();
    }

    pub(crate) fn string(&mut self, string: impl AsRef<[u8]>) -> StrId {
        let first = StrId(self.strings);
        self.strings += 1;
        self.push(&Record::Strings(Strings { first, strings: vec![string.as_ref().to_vec()] }));
        first
    }

    pub(crate) fn sub(&mut self, kind: SubKind, package: &str, name: &str, file: &str, line: u32) -> SubId {
        let [package, name, file] = [package, name, file].map(|s| if s.is_empty() { StrId(0) } else { self.string(s) });
        self.sub_of(Sub { kind, package, name, file, line })
    }

    pub(crate) fn sub_of(&mut self, sub: Sub) -> SubId {
        let first = SubId(self.subs);
        self.subs += 1;
        self.push(&Record::Subs(Subs { first, subs: vec![sub] }));
        first
    }

    pub(crate) fn root(&mut self, sub: SubId) -> NodeId {
        self.node(NodeId(self.nodes), sub, StrId(0), 0)
    }

    pub(crate) fn node(&mut self, parent: NodeId, sub: SubId, call_file: StrId, call_line: u32) -> NodeId {
        self.nodes(vec![Node { parent, sub, call_file, call_line }])
    }

    pub(crate) fn place(&mut self, node: NodeId, file: StrId, line: u32) -> PlaceId {
        self.places(vec![Place { node, file, line }])
    }

    /// Nodes in one record. A root is its own parent.
    pub(crate) fn nodes(&mut self, nodes: Vec<Node>) -> NodeId {
        let first = NodeId(self.nodes);
        self.nodes += nodes.len() as u32;
        self.push(&Record::Nodes(Nodes { first, nodes }));
        first
    }

    /// Places in one record.
    pub(crate) fn places(&mut self, places: Vec<Place>) -> PlaceId {
        let first = PlaceId(self.places);
        self.places += places.len() as u32;
        self.push(&Record::Places(Places { first, places }));
        first
    }

    pub(crate) fn figures(&mut self, nodes: Vec<NodeFigures>, places: Vec<PlaceFigures>) {
        self.push(&Record::Figures(Figures { snapshot: self.snapshots, nodes, places }));
    }

    pub(crate) fn snapshot(&mut self, time_ns: u64, cause: Cause, totals: Totals) {
        self.full_snapshot(Snapshot { number: self.snapshots, time_ns, cause, totals, ..Snapshot::default() });
    }

    pub(crate) fn full_snapshot(&mut self, snapshot: Snapshot) {
        self.snapshots = snapshot.number + 1;
        self.push(&Record::Snapshot(snapshot));
    }

    pub(crate) fn end(&mut self, time_ns: u64, cause: Cause) {
        self.push(&Record::End(End { time_ns, cause }));
    }

    pub(crate) fn marks(&mut self, marks: u64, label: StrId) {
        let labels = vec![MarkLabel { label, marks }];
        self.push(&Record::Marks(Marks { snapshot: self.snapshots, marks, labels }));
    }

    /// A heap sample for the next snapshot.
    pub(crate) fn sample(
        &mut self,
        begins: HeapBegins,
        scalars: &[HeapScalar],
        edges: &[HeapEdge],
        census: &[CensusGroup],
    ) {
        let snapshot = self.snapshots;
        self.push(&Record::HeapBegins(HeapBegins { snapshot, ..begins }));
        self.push(&Record::HeapScalars(HeapScalars { snapshot, first: 0, scalars: scalars.to_vec() }));
        self.push(&Record::HeapEdges(HeapEdges { snapshot, edges: edges.to_vec() }));
        self.push(&Record::Census(Census { snapshot, groups: census.to_vec() }));
    }

    /// The trace with its history.
    pub(crate) fn read_with_history(&self) -> Trace {
        read_keeping(Path::new("synthetic.mprof"), Keep::History, self.bytes.as_slice()).unwrap()
    }

    pub(crate) fn read(&self) -> Result<Trace, ReadError> {
        read(Path::new("synthetic.mprof"), self.bytes.as_slice())
    }
}
