//! How many lines can the checker judge in a second?
//!
//! Timed: the check of a stage's merge of 8 files of 8 MiB. Their pages are in memory.

use benches::{Files, settings};
use checker::{check_tagged, check_untagged};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stages::STAGES;

fn check(c: &mut Criterion) {
    let files = Files::backlog(8, 8 * 1024 * 1024);
    let merged = files.paths[0].with_file_name("merged.log");
    let report = (STAGES[0].merge)(files.plan(&merged)).expect("the merge is in order");
    let mut group = c.benchmark_group("check");
    group.throughput(Throughput::Elements(report.lines));
    group.bench_function("tagged", |b| {
        b.iter(|| assert!(check_tagged(&files.paths, &merged).expect("it is read").is_right()));
    });
    group.bench_function("untagged", |b| {
        b.iter(|| assert!(check_untagged(&files.paths, &merged).expect("it is read").is_right()));
    });
    group.finish();
}

criterion_group! { name = benches; config = settings(); targets = check }
criterion_main!(benches);
