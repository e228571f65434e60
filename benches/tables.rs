//! The tables of the hot path: what a malloc and a free, and an allocation's place, cost in them.
//!
//! `cargo bench --bench tables`. The sizes show whether the cost grows with the number of live blocks and places.

#![allow(missing_docs)] // criterion's macros make functions without

use criterion::measurement::WallTime;
use criterion::{criterion_group, criterion_main, BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use mprof::format::ids::{NodeId, PlaceId, StrId};
use mprof::runtime::block_table::BlockTable;
use mprof::runtime::locations::{Location, Locations};
use mprof::runtime::places::Places;
use std::hint::black_box;

/// Addresses as a heap of 48-byte blocks gives them out.
fn address(block: usize) -> usize {
    0x5555_5555_0010 + block * 48
}

/// A block is freed and another allocated, far from each other, while so many live.
fn blocks(criterion: &mut Criterion) {
    for (apart, name) in
        [(true, "a free and a malloc in the block table"), (false, "the same where blocks may be close")]
    {
        blocks_of(criterion.benchmark_group(name), apart);
    }
}

fn blocks_of(mut group: BenchmarkGroup<'_, WallTime>, apart: bool) {
    for live in [1_000usize, 100_000, 1_000_000] {
        let mut table = BlockTable::new(apart);
        for block in 0..live {
            table.insert(address(block), PlaceId(7), 40);
        }
        let mut at = 0;
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(live), |bencher| {
            bencher.iter(|| {
                at = (at + 7919) % live;
                let block = table.remove(address(at));
                black_box(block);
                table.insert(address(at), PlaceId(9), 40)
            });
        });
    }
    group.finish();
}

/// The figures of a place at a malloc and at a free.
fn places(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a malloc and a free in the places");
    for count in [100u32, 10_000, 300_000] {
        let (mut places, mut locations) = (Places::new(), Locations::new());
        for line in 0..count {
            places.intern(NodeId(line / 4), locations.intern(Location { file: StrId(1), line }));
        }
        let (mut at, mut peak) = (0, 0);
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                at = (at + 7919) % count;
                peak += 1;
                places.allocated(PlaceId(at), 40, true, peak);
                places.freed(PlaceId(at), 40, peak);
            });
        });
    }
    group.finish();
}

criterion_group!(tables, blocks, places);
criterion_main!(tables);
