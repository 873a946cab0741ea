//! What does a span cost that the recorder hears, and one that nobody hears?
//!
//! Timed: a thousand spans like those of an append, on one thread, and on two at once,
//! of which the slower counts. `cargo compare cost` says what the spans of a whole
//! merge cost.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use benches::settings;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use recorder::Recorder;
use tracing::{Dispatch, callsite, dispatcher, warn_span};
use tracing_subscriber::layer::SubscriberExt;

const SPANS: usize = 1_000;

fn span(c: &mut Criterion) {
    let mut group = c.benchmark_group("span");
    group.throughput(Throughput::Elements(SPANS as u64));
    let recorded = || {
        let recorder = Recorder::new(4 * SPANS);
        Dispatch::new(tracing_subscriber::registry().with(recorder.layer()))
    };
    for (name, threads, dispatch) in [
        ("recorded", 1, &recorded as &dyn Fn() -> Dispatch),
        ("recorded by two threads", 2, &recorded),
        ("unheard", 1, &Dispatch::none),
    ] {
        group.bench_function(name, |b| {
            b.iter_custom(|times| (0..times).map(|_| spans(threads, &dispatch())).sum());
        });
    }
    group.finish();
}

/// Opens spans on this many threads at once, and returns the time of the slowest.
fn spans(threads: usize, dispatch: &Dispatch) -> Duration {
    // A span asks again who listens only after this call.
    callsite::rebuild_interest_cache();
    let work = || {
        let source = Path::new("/var/log/nginx/access.log").display();
        let begin = Instant::now();
        for _ in 0..SPANS {
            let _span = warn_span!(target: "tributary", "append", %source).entered();
        }
        begin.elapsed()
    };
    thread::scope(|scope| {
        let recorded = || dispatcher::with_default(dispatch, work);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(recorded)).collect();
        threads.into_iter().map(|it| it.join().expect("no panic")).max().expect("there are some")
    })
}

criterion_group! { name = benches; config = settings(); targets = span }
criterion_main!(benches);
