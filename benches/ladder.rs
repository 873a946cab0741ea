//! What is each change from stage 5 to stage 6 worth? A group for each rung of the
//! book's chapter "From correct to fast" that can be timed by itself.
//!
//! - `ladder/look`: a look at a growing file that finds one line of 120 bytes: by a
//!   job of the pool, as in stage 5; and by the task itself, as in stage 6.
//! - `ladder/write`: 256 chunks of one line of 120 bytes to `/dev/null`: a write for
//!   each, and one for all. `write` has the ways to the writer's thread and back.
//! - `ladder/batch`: 16 MiB from one file into another. One thread reads into three
//!   batches in turn, and one writes them: by the size of a batch.

use std::hint::black_box;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use benches::{Files, Growing, NOWHERE, settings};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tributary::{Batch, Lines, Look, Plan, Read, Source};

const LENGTH: usize = 120;
const MEBIBYTE: usize = 1024 * 1024;

fn look(c: &mut Criterion) {
    let mut group = c.benchmark_group("ladder/look");
    group.bench_function("by a job of the pool", |b| {
        let runtime = Builder::new_current_thread().build().expect("a runtime can start");
        b.iter_custom(|looks| runtime.block_on(looks_of_the_pool(looks)));
    });
    group.bench_function("by the task itself", |b| b.iter_custom(looks_of_the_task));
    group.finish();
}

async fn looks_of_the_pool(looks: u64) -> Duration {
    let mut growing = Growing::new(LENGTH);
    let mut source = growing.plan.sources.pop().expect("there is one");
    let mut timed = Duration::ZERO;
    for _ in 0..looks {
        growing.write(1);
        let begin = Instant::now();
        let job = spawn_blocking(move || (source.read_lines(), source));
        let read;
        (read, source) = job.await.expect("the job does not panic");
        timed += begin.elapsed();
        assert!(matches!(read, Ok(Read::Lines(_))));
    }
    timed
}

fn looks_of_the_task(looks: u64) -> Duration {
    let mut growing = Growing::new(LENGTH);
    let mut batch = Batch::new(MEBIBYTE);
    let mut timed = Duration::ZERO;
    for _ in 0..looks {
        growing.write(1);
        let begin = Instant::now();
        let look = growing.plan.sources[0].look_into(&mut batch, MEBIBYTE);
        timed += begin.elapsed();
        assert!(look.is_ok() && batch.as_bytes().len() == LENGTH);
        batch.clear();
    }
    timed
}

fn write(c: &mut Criterion) {
    const CHUNKS: usize = 256;
    let mut group = c.benchmark_group("ladder/write");
    group.throughput(Throughput::Elements(CHUNKS as u64));
    group.bench_function("a write for each", |b| {
        let mut output = Files::even(0, LENGTH).plan(NOWHERE).output;
        let chunks = chunks(CHUNKS);
        b.iter(|| chunks.iter().for_each(|lines| output.append(lines).expect("it takes all")));
    });
    group.bench_function("one for all", |b| {
        let mut output = Files::even(0, LENGTH).plan(NOWHERE).output;
        let mut batch = Batch::new(MEBIBYTE);
        chunks(CHUNKS).into_iter().for_each(|lines| batch.push(lines));
        b.iter(|| output.append_batch(&batch).expect("it takes all"));
    });
    group.finish();
}

/// Returns chunks of one line, each read when the file has grown by it.
fn chunks(chunks: usize) -> Vec<Lines> {
    let mut growing = Growing::new(LENGTH);
    let chunk = |_| {
        growing.write(1);
        match growing.plan.sources[0].read_lines() {
            Ok(Read::Lines(lines)) => lines,
            read => panic!("{read:?} and no line"),
        }
    };
    (0..chunks).map(chunk).collect()
}

fn batch(c: &mut Criterion) {
    let mut group = c.benchmark_group("ladder/batch");
    let files = Files::backlog(1, 16 * MEBIBYTE as u64);
    let folder = tempfile::tempdir().expect("a temporary folder");
    group.throughput(Throughput::Bytes(16 * MEBIBYTE as u64));
    for kibibytes in [64, 256, 1024, 4096] {
        group.bench_function(BenchmarkId::new("KiB", kibibytes), |b| {
            let plan = || files.plan(folder.path().join("merged"));
            b.iter_batched(plan, |plan| merge(plan, kibibytes * 1024), BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// Merges one source with two threads and three batches.
fn merge(Plan { mut sources, mut output, .. }: Plan, size: usize) {
    let (full, to_write) = channel::<Batch>();
    let (empty, to_fill) = channel();
    (0..3).for_each(|_| empty.send(Batch::new(size)).expect("it is received below"));
    let writer = thread::spawn(move || {
        for mut batch in to_write {
            output.append_batch(&batch).expect("the disk takes it");
            batch.clear();
            // The reader may be gone.
            let _ = empty.send(batch);
        }
    });
    while let Ok(mut batch) = to_fill.recv() {
        let ended = fill(&mut sources[0], &mut batch);
        full.send(batch).expect("the writer is there");
        if ended {
            break;
        }
    }
    drop(full);
    writer.join().expect("the writer does not panic");
}

/// Fills a batch. Returns true if the source has closed.
fn fill(source: &mut Source, batch: &mut Batch) -> bool {
    loop {
        match black_box(source.look_into(batch, 256 * 1024)).expect("the file can be read") {
            Look::More if batch.is_full() => return false,
            Look::More => {}
            Look::Full => return false,
            Look::Closed => return true,
            // Nothing to read on in memory: a read that may wait comes next.
            Look::Idle | Look::Blocks => match source.read_lines().expect("the file can be read") {
                Read::Lines(lines) => batch.push(lines),
                Read::NoNewData => {}
                Read::Closed => return true,
            },
        }
    }
}

criterion_group! { name = benches; config = settings(); targets = look, write, batch }
criterion_main!(benches);
