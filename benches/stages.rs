//! What does a stage cost by the number of its sources?
//!
//! Timed: `merge`, from the open plan to its return. So the start and the end of every
//! thread, of every runtime and of the watch are included. Each source is a file of 16
//! KiB, whose pages are in memory, and the output is `/dev/null`: the disk has no part
//! in it. Not timed: the opening of the plan.

use benches::{Files, NOWHERE, settings};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use stages::{STAGES, Stage};

fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("stages");
    for sources in [8, 64, 512] {
        let files = Files::backlog(sources, 16 * 1024);
        let lines = files.count_lines();
        group.throughput(Throughput::Elements(lines));
        for &Stage { name, merge, .. } in STAGES {
            let report = merge(files.plan(NOWHERE)).expect("the merge is in order");
            assert_eq!(report.lines, lines, "{name} merges every line");
            group.bench_function(BenchmarkId::new(name, sources), |b| {
                b.iter_batched(|| files.plan(NOWHERE), merge, BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = settings(); targets = stages }
criterion_main!(benches);
