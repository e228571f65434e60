//! Writes a big trace, to try the reader on: `cargo run --release --example big_trace -- NODES SNAPSHOTS CHANGES FILE`.
//!
//! A server's week, about 1 GB: `200000 2900 20000`. A program with a huge call tree: `1000000 0 0`.

#[path = "mod.rs"]
mod generator;

use generator::{write, Size};
use std::fs::File;
use std::io::BufWriter;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [nodes, snapshots, changes, path] = words.as_slice() else {
        eprintln!("usage: big_trace NODES SNAPSHOTS CHANGES FILE");
        return ExitCode::from(2);
    };
    let (Ok(nodes), Ok(snapshots), Ok(changes)) = (nodes.parse(), snapshots.parse(), changes.parse()) else {
        eprintln!("big_trace: the first three words are numbers");
        return ExitCode::from(2);
    };
    let size = Size { nodes, places_a_node: 2, snapshots, changes };
    match File::create(path).and_then(|file| write(BufWriter::with_capacity(1 << 20, file), size)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("big_trace: cannot write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}
