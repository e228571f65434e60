//! The reader: how fast a trace is read, and what the first page of a usual one takes.
//!
//! `cargo bench --bench reading`. For traces that are too big for a benchmark there is the example `big_trace`.

#![allow(missing_docs)] // criterion's macros make functions without

mod generator;

use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use generator::{write, Size};
use mprof::tools::profile::Profile;
use mprof::tools::reader::read;
use mprof::tools::render::text::{text, Look};
use mprof::tools::report::{document, Options, REPORTS};
use std::hint::black_box;
use std::path::Path;

/// A trace as a program of some size leaves it after a minute.
const USUAL: Size = Size { nodes: 4_000, places_a_node: 2, snapshots: 60, changes: 800 };

fn trace(size: Size) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = write(&mut bytes, size);
    bytes
}

/// Bytes to tables.
fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let server = Size { nodes: 50_000, places_a_node: 2, snapshots: 150, changes: 10_000 };
    for (name, size) in [("a usual trace", USUAL), ("a server's", server)] {
        let bytes = trace(size);
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(read(Path::new("x"), bytes.as_slice()))));
    }
    group.finish();
}

/// Bytes to the first page.
fn summary(criterion: &mut Criterion) {
    let bytes = trace(USUAL);
    criterion.bench_function("the summary of a usual trace", |bencher| {
        bencher.iter(|| {
            let profile = Profile::new(read(Path::new("x"), bytes.as_slice()).unwrap_or_default());
            document(REPORTS[0], &profile, &Options::default()).map(|document| text(&document, &Look::default()))
        });
    });
}

/// Tables to figures by node, sub and line.
fn summing(criterion: &mut Criterion) {
    let bytes = trace(Size { nodes: 200_000, places_a_node: 2, snapshots: 0, changes: 0 });
    let trace = read(Path::new("x"), bytes.as_slice()).unwrap_or_default();
    let mut group = criterion.benchmark_group("sum up");
    group.sample_size(10).bench_function("a tree of 200,000 nodes", |bencher| {
        let sum_up = |trace| {
            let profile = Profile::new(trace);
            black_box(profile.lines().len());
            profile
        };
        bencher.iter_batched(|| trace.clone(), sum_up, criterion::BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, reading, summary, summing);
criterion_main!(benches);
