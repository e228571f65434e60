//! The golden trace of version 3: a program that loads classes, each in the same way, so that its tables have many rows of
//! every form.

use crate::format::ids::{NodeId, PlaceId};
use crate::format::records::*;
use crate::tools::synthetic::Synthetic;

const CLASSES: u32 = 40;

/// Bytes of so many blocks, of the least size and a little more.
fn bytes(blocks: u64, more: u64) -> u64 {
    24 * blocks + 16 * more * blocks.min(1)
}

/// Figures of every form: nothing, one block, many; all of it alive, some, none; at the peak as now, or not.
fn figures(id: PlaceId) -> PlaceFigures {
    let at = u64::from(id.0);
    let allocated_blocks = [0, 1, 2, 300][at as usize % 4];
    let live_blocks = [allocated_blocks, 0, allocated_blocks / 2][at as usize % 3];
    let at_peak_blocks = if at % 7 == 0 { allocated_blocks } else { live_blocks };
    let scalars_born = [0, 1, 7, 1000][at as usize % 5 % 4];
    PlaceFigures {
        id,
        allocated_bytes: bytes(allocated_blocks, at),
        allocated_blocks,
        live_bytes: bytes(live_blocks, at),
        live_blocks,
        at_peak_bytes: bytes(at_peak_blocks, at),
        at_peak_blocks,
        scalars_born,
        scalars_died: [0, scalars_born, scalars_born / 2][at as usize / 4 % 3],
        ..PlaceFigures::default()
    }
}

fn self_figures(id: NodeId) -> NodeFigures {
    let at = u64::from(id.0);
    let freed_blocks = [0, 0, 1, 40][at as usize % 4];
    let freed_bytes = bytes(freed_blocks, at) + if at % 11 == 0 { 8 * freed_blocks } else { 0 };
    let size_pages = if at % 9 == 0 { at as i64 - 30 } else { 0 };
    let calls = if at % 3 == 0 { at + 1 } else { 1 };
    NodeFigures { id, calls, freed_bytes, freed_blocks, size_pages, resident_pages: size_pages / 2 }
}

/// Sums of what the places have.
fn totals(places: &[PlaceFigures], nodes: &[NodeFigures]) -> Totals {
    let sum = |figure: fn(&PlaceFigures) -> u64| places.iter().map(figure).sum::<u64>();
    Totals {
        allocated_bytes: sum(|place| place.allocated_bytes),
        allocated_blocks: sum(|place| place.allocated_blocks),
        live_bytes: sum(|place| place.live_bytes),
        live_blocks: sum(|place| place.live_blocks),
        peak_bytes: sum(|place| place.at_peak_bytes),
        peak_blocks: sum(|place| place.at_peak_blocks),
        freed_bytes: nodes.iter().map(|node| node.freed_bytes).sum(),
        freed_blocks: nodes.iter().map(|node| node.freed_blocks).sum(),
        scalars_born: sum(|place| place.scalars_born),
        scalars_died: sum(|place| place.scalars_died),
        ..Totals::default()
    }
}

pub(super) fn trace() -> Synthetic {
    let mut trace = Synthetic::new(Header {
        mprof_version: "0.01".to_owned(),
        perl_version: "v5.36.0".to_owned(),
        pid: 4243,
        command_line: ["perl", "-d:MProf", "classes.pl"].map(|word| word.as_bytes().to_vec()).to_vec(),
        start_unix_ns: 1_795_640_418_000_000_000,
        options: vec![("interval".to_owned(), "1".to_owned())],
        page_size_bytes: 4096,
        ..Header::default()
    });
    let [program, moose, meta] =
        ["classes.pl", "/usr/share/perl5/Moose.pm", "/usr/share/perl5/Meta.pm"].map(|file| trace.string(file));
    let main = trace.sub(SubKind::Main, "", "", "classes.pl", 0);
    let import = trace.sub(SubKind::Perl, "Moose", "import", "/usr/share/perl5/Moose.pm", 20);
    let create = trace.sub(SubKind::Perl, "Meta", "create", "/usr/share/perl5/Meta.pm", 50);
    let install = trace.sub(SubKind::Xsub, "Meta", "install", "", 0);
    let mut nodes = vec![Node { parent: NodeId(0), sub: main, ..Node::default() }];
    let mut places = Vec::new();
    for class in 0..CLASSES {
        let file = trace.string(format!("lib/Class{class}.pm"));
        let load = trace.sub(SubKind::Require, "", &format!("Class{class}.pm"), &format!("lib/Class{class}.pm"), 0);
        let [loaded, imported, created, installed] = [0, 1, 2, 3].map(|below| NodeId(nodes.len() as u32 + below));
        nodes.extend([
            Node { parent: NodeId(0), sub: load, call_file: program, call_line: 3 + class },
            Node { parent: loaded, sub: import, call_file: file, call_line: 2 },
            Node { parent: imported, sub: create, call_file: moose, call_line: 25 },
            Node { parent: created, sub: install, call_file: meta, call_line: 55 + class % 3 },
            Node { parent: created, sub: install, call_file: meta, call_line: 54 },
        ]);
        let place = |node, file, line| Place { node, file, line };
        places.extend([
            place(NodeId(0), program, 3 + class),
            place(loaded, file, 2),
            place(imported, moose, 21),
            place(imported, moose, 25),
            place(created, meta, 51),
            place(created, meta, 55),
            place(installed, meta, 55),
            place(created, meta, 54),
            place(imported, moose, 27),
            place(loaded, file, u32::MAX),
            place(created, Default::default(), 0),
        ]);
    }
    let (node_count, place_count) = (nodes.len() as u32, places.len() as u32);
    trace.nodes(nodes);
    trace.places(places);
    // At first of every third of them, then of all.
    for (number, skipped) in [(0, 3), (1, 1)] {
        let nodes: Vec<_> = (0..node_count).step_by(skipped).map(|id| self_figures(NodeId(id))).collect();
        let places: Vec<_> = (0..place_count).step_by(skipped).map(|id| figures(PlaceId(id))).collect();
        let totals = totals(&places, &nodes);
        trace.figures(nodes, places);
        let cause = [Cause::Interval, Cause::Exit][number];
        trace.snapshot(1_000_000_000 * (number as u64 + 1), cause, totals);
    }
    trace.end(2_000_000_000, Cause::Exit);
    trace
}
