//! A stage 4 that also computes after each read: on the loop, in up to 512 jobs, in a
//! job for each core, on a fixed pool, on a second runtime. `just computing`.
//!
//! Each chunk is hashed twenty times, which takes as long as to compress it. The lines
//! are written nowhere: the figures show who computes, and who waits meanwhile.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::{Context, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{spawn_blocking, spawn_local};
use tributary::{Lines, Options, Plan, Read, Source};

/// As in stage 4.
const READERS: usize = 4;
const SOURCES: usize = 200;
const LINES: usize = 20_000;
const LINE: &str = "2026-11-28 21:07:12 a line of a log, as long as many are\n";

/// Who computes.
enum Who {
    Loop,
    Jobs,
    JobForEachCore(Arc<Semaphore>),
    FixedPool(ThreadPool),
    SecondRuntime(Runtime),
}

impl Who {
    /// Hashes some lines. All ways but `Loop` give the turn away meanwhile.
    async fn hash(&self, lines: Lines) -> Result<u64> {
        Ok(match self {
            Who::Loop => hash(&lines),
            Who::Jobs => spawn_blocking(move || hash(&lines)).await?,
            Who::JobForEachCore(places) => {
                let place = Arc::clone(places).acquire_owned().await?;
                let job = move || {
                    let _place = place;
                    hash(&lines)
                };
                spawn_blocking(job).await?
            }
            Who::FixedPool(pool) => {
                let (answer, hashed) = oneshot::channel();
                pool.spawn(move || {
                    // The receiver may be gone.
                    let _ = answer.send(hash(&lines));
                });
                hashed.await?
            }
            Who::SecondRuntime(runtime) => runtime.spawn(async move { hash(&lines) }).await?,
        })
    }
}

fn hash(lines: &Lines) -> u64 {
    let mut hasher = DefaultHasher::new();
    (0..20).for_each(|_| hasher.write(lines.as_bytes()));
    hasher.finish()
}

/// Reads a source to its end, and has each chunk hashed.
async fn tail(mut source: Source, who: Rc<Who>) -> Result<()> {
    loop {
        let read;
        (read, source) = spawn_blocking(move || (source.read_lines(), source)).await?;
        match read? {
            Read::Lines(lines) => drop(who.hash(lines).await?),
            Read::NoNewData => source.changed().await,
            Read::Closed => return Ok(()),
        }
    }
}

/// Runs one way, and returns its row: the seconds, the longest stall, and the threads.
fn run(sources: &[PathBuf], who: Who) -> Result<String> {
    let plan = Plan::open(sources, PathBuf::from("/dev/null"), Options::default())?;
    let begin = Instant::now();
    let pool = if matches!(who, Who::Jobs) { 512 } else { READERS };
    let ran = tokio_loop::run(pool, None, async {
        let who = Rc::new(who);
        let start = |source| spawn_local(tail(source, Rc::clone(&who)));
        let tails: Vec<_> = plan.sources.into_iter().map(start).collect();
        for tail in tails {
            tail.await??;
        }
        let threads = fs::read_dir("/proc/self/task")?.count();
        // Handed out, because a runtime must not be dropped in async code.
        Ok::<_, anyhow::Error>((threads, Rc::into_inner(who)))
    })?;
    let (threads, _who) = ran.answer?;
    let (took, stall) = (begin.elapsed(), ran.longest_stall.unwrap_or_default());
    let stall = stall.as_secs_f64() * 1e3;
    Ok(format!("{:5.2} s  {stall:6.1} ms  {threads:3} threads", took.as_secs_f64()))
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let source = |number| {
        let path = folder.path().join(format!("{number}.log"));
        fs::write(&path, LINE.repeat(LINES)).map(|()| path)
    };
    let sources: Vec<_> = (0..SOURCES).map(source).collect::<io::Result<_>>()?;
    let cores = available_parallelism()?.get();
    let say = |name: &str, who| {
        let said = run(&sources, who).with_context(|| name.to_owned())?;
        Ok::<_, anyhow::Error>(writeln!(io::stdout(), "{name:24} {said}")?)
    };
    say("on the loop", Who::Loop)?;
    say("in jobs, up to 512", Who::Jobs)?;
    say("a job for each core", Who::JobForEachCore(Arc::new(Semaphore::new(cores))))?;
    say("a fixed pool", Who::FixedPool(ThreadPoolBuilder::new().num_threads(cores).build()?))?;
    let second = Builder::new_multi_thread().worker_threads(cores).build()?;
    say("a second runtime", Who::SecondRuntime(second))
}
