//! What does a read of whole lines cost?
//!
//! Timed: every `read_lines` of one source, from the beginning of its file to
//! [`Read::Closed`](tributary::Read::Closed), and the drop of each chunk. All pages of
//! the file are in memory. Not timed: the opening of the plan.
//!
//! - `read/chunk`: the same file of 8 MiB by size of the chunk. A plan gives
//!   each source its share of 16 MiB, at most 256 KiB and at least 4 KiB, so
//!   empty sources beside the one that is read make its chunk smaller.
//!   `line by line` is the same file with `BufRead::read_until`, one line a
//!   call into one buffer: what a merger does that has no chunks.
//! - `read/line`: 8 MiB in chunks of 256 KiB by the length of the lines.
//! - `read/look`: what one look costs by what it finds, in bytes: nothing, or
//!   a line of 120 bytes, or 34 of them. This is what a live file is about.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use benches::{Files, Growing, NOWHERE, drain, settings};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tributary::Read;

const BYTES: u64 = 8 * 1024 * 1024;

fn chunk(c: &mut Criterion) {
    let mut group = c.benchmark_group("read/chunk");
    for (sources, chunk) in [(1, "256 KiB"), (256, "64 KiB"), (1024, "16 KiB"), (4096, "4 KiB")] {
        let files = Files::backlog(1, BYTES).with_empty_ones(sources);
        group.throughput(Throughput::Elements(files.count_lines()));
        group.bench_function(chunk, |b| {
            let plan = || files.plan(NOWHERE);
            b.iter_batched_ref(plan, |plan| drain(&mut plan.sources[0]), BatchSize::PerIteration);
        });
    }
    let files = Files::backlog(1, BYTES);
    group.throughput(Throughput::Elements(files.count_lines()));
    group.bench_function("line by line", |b| {
        let open = || BufReader::new(File::open(&files.paths[0]).expect("the file can be opened"));
        b.iter_batched_ref(open, line_by_line, BatchSize::PerIteration);
    });
    group.finish();
}

fn line_by_line(file: &mut BufReader<File>) -> u64 {
    let (mut line, mut lines) = (Vec::new(), 0);
    while file.read_until(b'\n', &mut line).expect("the file can be read") > 0 {
        black_box(&line);
        line.clear();
        lines += 1;
    }
    lines
}

fn line(c: &mut Criterion) {
    let mut group = c.benchmark_group("read/line");
    for length in [20, 120, 400, 4000] {
        let lines = BYTES as usize / length;
        let files = Files::even(lines, length);
        group.throughput(Throughput::Elements(lines as u64));
        group.bench_with_input(BenchmarkId::from_parameter(length), &files, |b, files| {
            let plan = || files.plan(NOWHERE);
            b.iter_batched_ref(plan, |plan| drain(&mut plan.sources[0]), BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn look(c: &mut Criterion) {
    let mut group = c.benchmark_group("read/look");
    for found in [0, 120, 34 * 120] {
        group.bench_function(BenchmarkId::from_parameter(found), |b| {
            b.iter_custom(|looks| time_looks(looks, found));
        });
    }
    group.finish();
}

/// Writes `found` bytes and times one look at them, `looks` times. Returns the sum.
fn time_looks(looks: u64, found: usize) -> Duration {
    let mut growing = Growing::new(120);
    let mut timed = Duration::ZERO;
    for _ in 0..looks {
        growing.write(found / 120);
        let begin = Instant::now();
        let read = black_box(growing.plan.sources[0].read_lines());
        timed += begin.elapsed();
        assert_eq!(found > 0, matches!(read, Ok(Read::Lines(_))));
    }
    timed
}

criterion_group! { name = benches; config = settings(); targets = chunk, line, look }
criterion_main!(benches);
