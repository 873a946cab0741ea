//! What does one write cost?
//!
//! Timed: one chunk of 34 lines of 120 bytes (4 KiB), from its handing over until the
//! caller knows that it is written; nobody else writes. The output is `/dev/null`, so
//! each way shows its own cost, above the floor: `append` alone. Not timed: the start
//! of threads, runtimes and channels.
//!
//! Where a stage gives its chunk away, the caller here shares one with the writer
//! (`Arc`): to read a new one for each write would be the larger part of the figure.
//!
//! | id | the way |
//! |---|---|
//! | `append` | no guard: the floor |
//! | `RefCell` | stage 4 |
//! | `parking_lot::Mutex` | stages 1 and 3 |
//! | `block_on + tokio Mutex` | stage 2, from a thread of the blocking pool |
//! | `crossbeam + oneshot` | stage 5: to a writer thread and back |
//! | `tokio mpsc + oneshot` | the same with `blocking_recv` in the thread |
//! | `spawn_blocking` | a job of the pool for each write |
//! | `tokio::fs` | `write_all` and `flush` of a `tokio::fs::File` |

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use benches::{Files, NOWHERE, settings};
use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tributary::{Error, Lines, Output, Read};

const LINES: usize = 34;

fn chunk_and_output() -> (Arc<Lines>, Output) {
    let files = Files::even(LINES, 120);
    let mut plan = files.plan(NOWHERE);
    let Ok(Read::Lines(lines)) = plan.sources[0].read_lines() else {
        panic!("the file can be read");
    };
    assert_eq!(lines.count(), LINES as u64);
    (Arc::new(lines), plan.output)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime can start")
}

/// Times one write after the other, on a runtime of its own.
fn async_writes(b: &mut Bencher<'_>, mut write: impl AsyncFnMut()) {
    let runtime = runtime();
    b.iter_custom(|writes| {
        runtime.block_on(async {
            let begin = Instant::now();
            for _ in 0..writes {
                write().await;
            }
            begin.elapsed()
        })
    });
}

fn append(b: &mut Bencher<'_>) {
    let (lines, mut output) = chunk_and_output();
    b.iter(|| output.append(&lines));
}

fn ref_cell(b: &mut Bencher<'_>) {
    let (lines, output) = chunk_and_output();
    let output = RefCell::new(output);
    b.iter(|| output.borrow_mut().append(&lines));
}

fn mutex(b: &mut Bencher<'_>) {
    let (lines, output) = chunk_and_output();
    let output = parking_lot::Mutex::new(output);
    b.iter(|| output.lock().append(&lines));
}

fn block_on(b: &mut Bencher<'_>) {
    let (lines, output) = chunk_and_output();
    let output = Arc::new(tokio::sync::Mutex::new(output));
    let runtime = runtime();
    b.iter_custom(|writes| {
        let (lines, output) = (Arc::clone(&lines), Arc::clone(&output));
        let job = move || {
            let handle = Handle::current();
            let begin = Instant::now();
            for _ in 0..writes {
                let written = handle.block_on(async { output.lock().await.append(&lines) });
                written.expect("/dev/null takes everything");
            }
            begin.elapsed()
        };
        runtime.block_on(runtime.spawn_blocking(job)).expect("the job does not panic")
    });
}

/// A chunk to write, and the sender of the answer, as in stage 5.
struct Request {
    lines: Arc<Lines>,
    answer: oneshot::Sender<Result<(), Error>>,
}

fn serve(output: &mut Output, Request { lines, answer }: Request) {
    let written = output.append(&lines);
    drop(lines);
    answer.send(written).expect("the bench waits for its answer");
}

fn crossbeam(b: &mut Bencher<'_>) {
    let (lines, mut output) = chunk_and_output();
    let (requests, inbox) = crossbeam_channel::unbounded();
    let writer = thread::spawn(move || inbox.into_iter().for_each(|r| serve(&mut output, r)));
    async_writes(b, async || {
        let (answer, written) = oneshot::channel();
        let request = Request { lines: Arc::clone(&lines), answer };
        requests.send(request).expect("the writer is there");
        written.await.expect("the writer answers").expect("/dev/null takes everything");
    });
    drop(requests);
    writer.join().expect("the writer does not panic");
}

fn tokio_mpsc(b: &mut Bencher<'_>) {
    let (lines, mut output) = chunk_and_output();
    let (requests, mut inbox) = mpsc::unbounded_channel();
    let writer = thread::spawn(move || {
        while let Some(request) = inbox.blocking_recv() {
            serve(&mut output, request);
        }
    });
    async_writes(b, async || {
        let (answer, written) = oneshot::channel();
        let request = Request { lines: Arc::clone(&lines), answer };
        requests.send(request).expect("the writer is there");
        written.await.expect("the writer answers").expect("/dev/null takes everything");
    });
    drop(requests);
    writer.join().expect("the writer does not panic");
}

fn a_job_a_write(b: &mut Bencher<'_>) {
    let (lines, output) = chunk_and_output();
    let mut output = Some(output);
    async_writes(b, async || {
        let lines = Arc::clone(&lines);
        let mut taken = output.take().expect("the job brought it back");
        let job = spawn_blocking(move || (taken.append(&lines), taken));
        let (written, back) = job.await.expect("the job does not panic");
        written.expect("/dev/null takes everything");
        output = Some(back);
    });
}

fn tokio_fs(b: &mut Bencher<'_>) {
    let (lines, _) = chunk_and_output();
    let file = std::fs::OpenOptions::new().write(true).open(NOWHERE);
    let mut file = tokio::fs::File::from_std(file.expect("/dev/null can be opened"));
    async_writes(b, async || {
        file.write_all(lines.as_bytes()).await.expect("/dev/null takes everything");
        // Without `flush`, `write_all` returns when the bytes are in a buffer.
        file.flush().await.expect("/dev/null takes everything");
    });
}

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("write");
    group.throughput(Throughput::Elements(LINES as u64));
    group.bench_function("append", append);
    group.bench_function("RefCell", ref_cell);
    group.bench_function("parking_lot::Mutex", mutex);
    group.bench_function("block_on + tokio Mutex", block_on);
    group.bench_function("crossbeam + oneshot", crossbeam);
    group.bench_function("tokio mpsc + oneshot", tokio_mpsc);
    group.bench_function("spawn_blocking", a_job_a_write);
    group.bench_function("tokio::fs", tokio_fs);
    group.finish();
}

criterion_group! { name = benches; config = settings(); targets = write }
criterion_main!(benches);
