//! What do the watch and the names cost? The same work on a bare runtime and on a
//! watched one, in turns, so that whatever else the machine does meets all of them.
//! What counts is the time on a processor, of all threads: a machine that is busy
//! makes everything take longer, and not so much of that.
//!
//! ```sh
//! cargo run --release -p tokio-loop --example watch-cost
//! ```
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::hint::black_box;
use std::io;
use std::mem;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio::task::{spawn_blocking, spawn_local, yield_now};
use tokio_loop::{SLOW, hook_into, watched};
use tracing::dispatcher::{get_default, set_default, with_default};
use tracing::{Dispatch, Instrument, warn_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Identity, Layer, SubscriberExt};

const ROUNDS: usize = 15;
/// How long a runtime is left idle in a round.
const REST: Duration = Duration::from_secs(1);

/// How the work is run; the first is what the others are compared with.
const ON_WORKERS: [(&str, Way); 5] = [
    ("a bare runtime", Way { on: On::Workers(Watch::None), named: false }),
    ("a bare runtime, names()", Way { on: On::Workers(Watch::None), named: true }),
    ("watched", Way { on: On::Workers(Watch::Watched), named: false }),
    ("watched, names()", Way { on: On::Workers(Watch::Watched), named: true }),
    ("the same with hook_into()", Way { on: On::Workers(Watch::Hooked), named: true }),
];

const ON_A_LOOP: [(&str, Way); 5] = [
    ("a bare runtime", Way { on: On::Loop, named: false }),
    ("run, debug off", Way { on: On::Run(None), named: false }),
    ("run, debug off, names()", Way { on: On::Run(None), named: true }),
    ("run, debug on", Way { on: On::Run(Some(SLOW)), named: false }),
    ("run, debug on, names()", Way { on: On::Run(Some(SLOW)), named: true }),
];

#[derive(Clone, Copy)]
struct Way {
    on: On,
    /// Whether the layer of the names is there; without it, no subscriber is.
    named: bool,
}

#[derive(Clone, Copy)]
enum On {
    /// The thread that calls, as a loop that nobody watches.
    Loop,
    /// The same with `tokio_loop::run`, and its debug mode.
    Run(Option<Duration>),
    /// Two workers.
    Workers(Watch),
}

#[derive(Clone, Copy)]
enum Watch {
    None,
    Watched,
    Hooked,
}

fn main() -> io::Result<()> {
    // Before there is a subscriber; afterwards `tracing` asks it more.
    let nobody = time_of_spans();
    let hears_events = filter_fn(|metadata| metadata.is_event());
    let printing = tracing_subscriber::registry().with(Identity::new().with_filter(hears_events));
    let refused = with_default(&printing.into(), time_of_spans);
    println!(
        "a span that is off: {nobody:.1} ns without a subscriber, {refused:.1} ns where one refuses it\n"
    );
    println!(
        "Time on a processor: medians of {ROUNDS} rounds; ratio to a bare runtime, with extremes"
    );
    on_workers()?;
    for workers in [2, 8] {
        idle(workers)?;
    }
    on_a_loop()
}

fn on_workers() -> io::Result<()> {
    let ways = &ON_WORKERS;
    compare("300,000 turns of a task on 2 workers", ways, async || {
        tokio::spawn(turns(300_000)).await.expect("it does not panic");
    })?;
    compare("the same in a span, which is entered for each", ways, async || {
        let span = warn_span!(target: "tributary", "append", source = %"a.log");
        tokio::spawn(turns(300_000).instrument(span)).await.expect("it does not panic");
    })?;
    compare("the same with `tokio_loop::spawn`, and no span", ways, async || {
        tokio_loop::spawn(turns(300_000)).await.expect("it does not panic");
    })?;
    compare("50,000 hops from the main thread to a task and back", ways, async || {
        let (question, mut asked) = mpsc::channel(1);
        let (answer, mut answered) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(()) = asked.recv().await {
                answer.send(()).await.expect("somebody waits for it");
            }
        });
        for _ in 0..50_000 {
            question.send(()).await.expect("the task lives");
            answered.recv().await.expect("the task lives");
        }
    })
}

fn on_a_loop() -> io::Result<()> {
    let ways = &ON_A_LOOP;
    compare("300,000 turns of one task on a loop", ways, async || turns(300_000).await)?;
    compare("300 tasks, 1,000 turns each", ways, async || {
        let tasks: Vec<_> = (0..300).map(|_| spawn_local(turns(1_000))).collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
    })?;
    compare("10,000 hops to a blocking thread", ways, async || {
        for _ in 0..10_000 {
            spawn_blocking(|| ()).await.expect("it does not panic");
        }
    })?;
    compare("300,000 spans on the loop", ways, async || {
        spans(300_000);
    })?;
    compare("300,000 spans elsewhere", ways, async || {
        let dispatch = get_default(Dispatch::clone);
        let spans = move || with_default(&dispatch, || spans(300_000));
        spawn_blocking(spans).await.expect("it does not panic");
    })?;
    compare("100 timers of 1 ms, one by one", ways, async || {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })?;
    compare("an empty main", ways, async || ())
}

async fn turns(count: u64) {
    for _ in 0..count {
        yield_now().await;
    }
}

/// Returns how long the threads of this process have been on a processor.
fn used() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("it began at zero")
}

/// Opens and closes so many spans, one after the other, such as `append` has.
fn spans(count: u64) {
    for number in 0..count {
        let _span = warn_span!(target: "tributary", "append", source = %"a.log").entered();
        black_box(number);
    }
}

/// Returns the nanoseconds that a span takes: the least of some rounds.
fn time_of_spans() -> f64 {
    const SPANS: u64 = 1_000_000;
    let time = |_| {
        let begin = used();
        spans(SPANS);
        (used() - begin).as_nanos() as f64 / SPANS as f64
    };
    (0..ROUNDS).map(time).fold(f64::INFINITY, f64::min)
}

/// Measures each way in each round. Who comes first changes, so that no one always
/// meets a warm machine.
fn measure<W: Copy, T>(
    rounds: usize,
    ways: &[(&str, W)],
    mut one: impl FnMut(W) -> io::Result<T>,
) -> io::Result<Vec<Vec<T>>> {
    let mut measured: Vec<Vec<T>> = ways.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..ways.len() {
            let which = (round + turn) % ways.len();
            measured[which].push(one(ways[which].1)?);
        }
    }
    Ok(measured)
}

/// Returns the least, the middle and the most of some figures.
fn spread(mut figures: Vec<f64>) -> [f64; 3] {
    figures.sort_by(f64::total_cmp);
    [0, figures.len() / 2, figures.len() - 1].map(|at| figures[at])
}

/// Prints the time of each way, and its ratio to that of the first.
fn compare(name: &str, ways: &[(&str, Way)], work: impl AsyncFn()) -> io::Result<()> {
    let times = measure(ROUNDS, ways, |way| Ok(way.time(&work)?.as_secs_f64()))?;
    println!("\n{name}");
    for ((way, _), own) in ways.iter().zip(&times) {
        let ratios = own.iter().zip(&times[0]).map(|(time, bare)| time / bare).collect();
        let ([least, middle, most], [_, time, _]) = (spread(ratios), spread(own.clone()));
        let time = Duration::from_secs_f64(time);
        println!("  {way:<26} {time:>10.3?}   {middle:.3} ({least:.3} to {most:.3})");
    }
    Ok(())
}

/// Prints how much of a processor a program takes that has nothing to do.
fn idle(workers: usize) -> io::Result<()> {
    let ways = [
        ("a bare runtime", Watch::None),
        ("watched", Watch::Watched),
        ("the same with hook_into()", Watch::Hooked),
    ];
    let shares = measure(5, &ways, |watch| {
        let rest = async {
            tokio::time::sleep(REST / 10).await;
            let begin = used();
            tokio::time::sleep(REST).await;
            (used() - begin).as_secs_f64()
        };
        Ok(100.0 * watch.block_on(workers, None, rest)? / REST.as_secs_f64())
    })?;
    println!("\nidle, {workers} workers");
    for ((way, _), shares) in ways.iter().zip(shares) {
        let [least, middle, most] = spread(shares);
        println!("  {way:<26} {middle:.2} % of a core ({least:.2} to {most:.2})");
    }
    Ok(())
}

impl Way {
    fn time(self, work: &impl AsyncFn()) -> io::Result<Duration> {
        if !self.named {
            return self.on.time(work, None);
        }
        let names = Dispatch::new(tracing_subscriber::registry().with(tokio_loop::names()));
        with_default(&names, || self.on.time(work, Some(&names)))
    }
}

impl On {
    fn time(self, work: &impl AsyncFn(), subscriber: Option<&Dispatch>) -> io::Result<Duration> {
        let timed = async {
            let begin = used();
            work().await;
            used() - begin
        };
        match self {
            // The start is not in it: a program starts once.
            On::Workers(watch) => watch.block_on(2, subscriber, timed),
            On::Loop => {
                let begin = used();
                let runtime = Builder::new_current_thread()
                    .enable_time()
                    .max_blocking_threads(1)
                    .build_local(LocalOptions::default())?;
                runtime.block_on(work());
                drop(runtime);
                Ok(used() - begin)
            }
            On::Run(debug) => {
                let begin = used();
                tokio_loop::run(1, debug, work())?;
                Ok(used() - begin)
            }
        }
    }
}

impl Watch {
    fn block_on<T>(
        self,
        workers: usize,
        subscriber: Option<&Dispatch>,
        main: impl Future<Output = T>,
    ) -> io::Result<T> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers).enable_all();
        if let Watch::Hooked = self {
            hook_into(&mut builder);
        }
        if let Some(subscriber) = subscriber.cloned() {
            builder.on_thread_start(move || mem::forget(set_default(&subscriber)));
        }
        let runtime = builder.build()?;
        match self {
            Watch::None => Ok(runtime.block_on(main)),
            Watch::Watched | Watch::Hooked => runtime.block_on(watched(SLOW, main)),
        }
    }
}
