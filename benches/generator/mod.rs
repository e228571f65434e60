//! Big traces, made up: what a server writes that runs for long. The same numbers give the same bytes.
//!
//! Figures are written as the profiler writes them (cumulative, of what changed, at most [`ROWS_A_CHUNK`] to a chunk), and
//! they add up: what the places have is what the process has.

use mprof::format::ids::{NodeId, PlaceId, StrId, SubId};
use mprof::format::records::*;
use mprof::format::{encode_chunk, encode_prefix, Record};
use std::io::{self, Write};

/// Rows of a table that the profiler puts into one chunk at most.
const ROWS_A_CHUNK: usize = 1 << 13;

/// How big a trace is to be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Nodes of the call tree.
    pub nodes: u32,
    /// Places of each node.
    pub places_a_node: u32,
    /// Snapshots after the first, which has figures of everything.
    pub snapshots: u64,
    /// Places that change from one snapshot to the next, each with its node.
    pub changes: u32,
}

/// xorshift64*: the numbers need to look irregular, no more.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        ((high * u64::from(bound)) >> 32) as u32
    }
}

struct Trace<W> {
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> Trace<W> {
    fn put(&mut self, record: &Record) -> io::Result<()> {
        self.buffer.clear();
        encode_chunk(record, &mut self.buffer).map_err(io::Error::other)?;
        self.out.write_all(&self.buffer)
    }
}

/// A sub has so many nodes on average, a package so many subs.
const NODES_A_SUB: u32 = 16;
const SUBS_A_PACKAGE: u32 = 25;

/// Writes a trace of that size.
///
/// # Errors
/// Those of `out`.
pub fn write(out: impl Write, size: Size) -> io::Result<()> {
    let mut trace = Trace { out, buffer: Vec::new() };
    trace.out.write_all(&encode_prefix())?;
    trace.put(&Record::Header(header()))?;
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let subs = (size.nodes / NODES_A_SUB).max(1);
    names(&mut trace, subs)?;
    let nodes = tree(&mut trace, &mut numbers, size.nodes, subs)?;
    figures(&mut trace, &mut numbers, size, &nodes)?;
    trace.out.flush()
}

fn header() -> Header {
    Header {
        mprof_version: "0.01".to_owned(),
        perl_version: "v5.36.0".to_owned(),
        perl_archname: "made-up".to_owned(),
        pid: 4242,
        parent_pid: 1,
        command_line: vec![b"perl".to_vec(), b"server.pl".to_vec()],
        hostname: "box".to_owned(),
        start_unix_ns: 1_795_554_018_000_000_000,
        page_size_bytes: 4096,
        start_resident_pages: 2_000,
        start_size_pages: 6_000,
        start_scalars: 30_000,
        ..Header::default()
    }
}

/// Strings and subs: for each package a name and a file, for each sub a name.
fn names(trace: &mut Trace<impl Write>, subs: u32) -> io::Result<()> {
    let packages = subs.div_ceil(SUBS_A_PACKAGE);
    let package = |at: u32| {
        [format!("App::Part{}::Thing{at}", at % 40), format!("/srv/app/lib/App/Part{}/Thing{at}.pm", at % 40)]
    };
    let mut strings: Vec<Vec<u8>> = vec![Vec::new()];
    strings.extend((0..packages).flat_map(package).map(String::into_bytes));
    strings.extend((0..subs).map(|at| format!("method_of_some_length_{at}").into_bytes()));
    for (at, strings) in strings.chunks(ROWS_A_CHUNK).enumerate() {
        let first = StrId((at * ROWS_A_CHUNK) as u32);
        trace.put(&Record::Strings(Strings { first, strings: strings.to_vec() }))?;
    }
    let sub = |at: u32| Sub {
        kind: if at == 0 { SubKind::Main } else { SubKind::Perl },
        package: if at == 0 { StrId(0) } else { StrId(1 + 2 * (at / SUBS_A_PACKAGE)) },
        name: StrId(1 + 2 * packages + at),
        file: file(at),
        line: 1 + 40 * (at % SUBS_A_PACKAGE),
    };
    let subs: Vec<Sub> = (0..subs).map(sub).collect();
    for (at, subs) in subs.chunks(ROWS_A_CHUNK).enumerate() {
        trace.put(&Record::Subs(Subs { first: SubId((at * ROWS_A_CHUNK) as u32), subs: subs.to_vec() }))?;
    }
    Ok(())
}

fn file(sub: u32) -> StrId {
    StrId(2 + 2 * (sub / SUBS_A_PACKAGE))
}

/// The call tree: who calls is mostly not far before.
fn tree(trace: &mut Trace<impl Write>, numbers: &mut Numbers, count: u32, subs: u32) -> io::Result<Vec<Node>> {
    let mut nodes: Vec<Node> = vec![Node::default()];
    for id in 1..count.max(1) {
        let parent = id - 1 - numbers.below(id.min(2_000));
        let caller = nodes[parent as usize].sub.0;
        let sub = SubId(1 + numbers.below(subs.max(2) - 1));
        let call_line = 2 + 40 * (caller % SUBS_A_PACKAGE) + numbers.below(30);
        nodes.push(Node { parent: NodeId(parent), sub, call_file: file(caller), call_line });
    }
    for (at, nodes) in nodes.chunks(ROWS_A_CHUNK).enumerate() {
        trace.put(&Record::Nodes(Nodes { first: NodeId((at * ROWS_A_CHUNK) as u32), nodes: nodes.to_vec() }))?;
    }
    Ok(nodes)
}

fn figures(trace: &mut Trace<impl Write>, numbers: &mut Numbers, size: Size, nodes: &[Node]) -> io::Result<()> {
    let per_node = size.places_a_node.max(1);
    let place = |id: u32| {
        let sub = nodes[(id / per_node) as usize].sub.0;
        let line = 3 + 40 * (sub % SUBS_A_PACKAGE) + 2 * (id % per_node);
        Place { node: NodeId(id / per_node), file: file(sub), line }
    };
    let places: Vec<Place> = (0..nodes.len() as u32 * per_node).map(place).collect();
    for (at, places) in places.chunks(ROWS_A_CHUNK).enumerate() {
        trace.put(&Record::Places(Places { first: PlaceId((at * ROWS_A_CHUNK) as u32), places: places.to_vec() }))?;
    }
    let mut of_nodes: Vec<NodeFigures> =
        (0..nodes.len() as u32).map(|id| NodeFigures { id: NodeId(id), ..NodeFigures::default() }).collect();
    let mut of_places: Vec<PlaceFigures> =
        (0..places.len() as u32).map(|id| PlaceFigures { id: PlaceId(id), ..PlaceFigures::default() }).collect();
    let mut totals = Totals { size_pages: 6_000, resident_pages: 2_000, scalars: 30_000, ..Totals::default() };
    for number in 0..=size.snapshots {
        let changed: Vec<u32> = if number == 0 {
            (0..places.len() as u32).collect()
        } else {
            let mut changed: Vec<u32> = (0..size.changes).map(|_| numbers.below(places.len() as u32)).collect();
            changed.sort_unstable();
            changed.dedup();
            changed
        };
        for &id in &changed {
            work(numbers, &mut of_places[id as usize], &mut of_nodes[(id / per_node) as usize], &mut totals);
        }
        if totals.live_bytes > totals.peak_bytes {
            (totals.peak_bytes, totals.peak_blocks) = (totals.live_bytes, totals.live_blocks);
            totals.peak_number += 1;
            totals.peak_time_ns = number * 1_000_000_000;
            for &id in &changed {
                let place = &mut of_places[id as usize];
                (place.at_peak_bytes, place.at_peak_blocks) = (place.live_bytes, place.live_blocks);
            }
        }
        let mut changed_nodes: Vec<u32> = changed.iter().map(|id| id / per_node).collect();
        changed_nodes.dedup();
        for ids in changed_nodes.chunks(ROWS_A_CHUNK) {
            let nodes = ids.iter().map(|&id| of_nodes[id as usize]).collect();
            trace.put(&Record::Figures(Figures { snapshot: number, nodes, places: Vec::new() }))?;
        }
        for ids in changed.chunks(ROWS_A_CHUNK) {
            let places = ids.iter().map(|&id| of_places[id as usize]).collect();
            trace.put(&Record::Figures(Figures { snapshot: number, nodes: Vec::new(), places }))?;
        }
        let time_ns = (number + 1) * 1_000_000_000;
        let point = TimePoint {
            time_ns,
            live_bytes: totals.live_bytes,
            scalars: totals.scalars,
            size_pages: 6_000,
            resident_pages: 2_000,
        };
        trace.put(&Record::Snapshot(Snapshot {
            number,
            time_ns,
            totals,
            timeline: vec![point],
            ..Snapshot::default()
        }))?;
    }
    trace.put(&Record::End(End { time_ns: (size.snapshots + 1) * 1_000_000_000, cause: Cause::Exit }))
}

/// A second's work at one place: some blocks come, some of those that were there go.
fn work(numbers: &mut Numbers, place: &mut PlaceFigures, node: &mut NodeFigures, totals: &mut Totals) {
    let blocks = u64::from(1 + numbers.below(30));
    let bytes = blocks * 8 * u64::from(3 + numbers.below(20));
    place.allocated_blocks += blocks;
    place.allocated_bytes += bytes;
    // Most of it goes again, and now and then something of it stays.
    let (gone_blocks, gone_bytes) = if numbers.below(8) == 0 { (blocks / 2, bytes / 16 * 8) } else { (blocks, bytes) };
    place.live_blocks += blocks - gone_blocks;
    place.live_bytes += bytes - gone_bytes;
    let scalars = u64::from(numbers.below(40));
    place.scalars_born += scalars;
    place.scalars_died += scalars - u64::from(numbers.below(2)).min(scalars);
    node.calls += u64::from(1 + numbers.below(9));
    node.freed_blocks += gone_blocks;
    node.freed_bytes += gone_bytes;
    totals.allocated_blocks += blocks;
    totals.allocated_bytes += bytes;
    totals.freed_blocks += gone_blocks;
    totals.freed_bytes += gone_bytes;
    totals.live_blocks += blocks - gone_blocks;
    totals.live_bytes += bytes - gone_bytes;
    totals.scalars_born += scalars;
}
