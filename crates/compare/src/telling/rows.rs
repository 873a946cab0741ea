//! Turns the runs of a job into its table.

use std::collections::BTreeMap;
use std::path::Path;

use crate::asking::contender::Program;
use crate::asking::jobs::Job;
use crate::running::attempt::Figures;
use crate::running::rounds::Runs;
use report::{Bucket, Cell, Column, Distribution, Growth, Row, Spread, StageLanes, Table};

/// Returns the table of a job: a row for every contender that has run, and the
/// distributions of the latencies.
pub(crate) fn table(job: &Job, all: &[Runs]) -> Table {
    let is_stamped = |(_, figures): &(u32, Figures)| !figures.latencies.is_empty();
    let first: &[Column] = match () {
        () if job.has_floor() => &[Column::Time, Column::Ratio],
        () if job.is_idle() => &[Column::RestCpu, Column::WakeUps],
        () if all.iter().flat_map(|runs| &runs.right).any(is_stamped) => {
            &[Column::Lines, Column::P50, Column::P99, Column::Max]
        }
        () => &[Column::Time],
    };
    let cost = [Column::Cpu, Column::Threads, Column::Switches, Column::Memory, Column::Stall];
    let columns = [first, &cost].concat();
    let cat = all.iter().find(|runs| runs.contender.is(Program::Cat));
    let cat = cat.map_or(&[][..], |cat| &cat.right);
    let rows = all.iter().filter_map(|runs| row(runs, cat, &columns)).collect();
    let latencies = all.iter().filter_map(distribution).collect();
    Table { name: job.name.into(), what: job.what(), rows, latencies }
}

fn distribution(runs: &Runs) -> Option<Distribution> {
    let nanos = runs.right.iter().flat_map(|(_, figures)| &figures.latencies).copied();
    let buckets = buckets(nanos);
    let right = runs.wrong.is_none() && !buckets.is_empty();
    right.then(|| Distribution { stage: runs.contender.name().to_owned(), buckets })
}

/// Returns the times and the threads of each stage in a job of growth.
pub(crate) fn growth(job: &Job, all: &[Runs]) -> Vec<Growth> {
    let sources = job.sources() as u64;
    let ran = all.iter().filter(|runs| !runs.right.is_empty()).map(|runs| {
        let figures = || runs.right.iter().map(|(_, figures)| figures);
        let seconds = figures().map(|run| run.merge.unwrap_or(run.took.wall.as_secs_f64()));
        let threads = figures().filter_map(|run| run.took.threads).max();
        Growth { stage: runs.contender.name().into(), sources, seconds: seconds.collect(), threads }
    });
    ran.collect()
}

/// Returns the lanes of each recorded stage. A source is called by its file name: its
/// folder is temporary, and says nothing.
pub(crate) fn lanes(job: &Job, all: &[Runs]) -> Vec<StageLanes> {
    let name = |path: &mut String| {
        let name = Path::new(&*path).file_name().map(|name| name.to_string_lossy().into_owned());
        *path = name.unwrap_or_default();
    };
    let lanes = all.iter().filter_map(|runs| {
        let mut recording = runs.recording()?.clone();
        recording.sources.iter_mut().for_each(name);
        recording.stalls.iter_mut().filter_map(|stall| stall.source.as_mut()).for_each(name);
        Some(StageLanes {
            stage: runs.contender.name().to_owned(),
            what: job.what(),
            seconds: recording.seconds,
            left_out: recording.left_out,
            lanes: recording.lanes(),
        })
    });
    lanes.collect()
}

/// Says what was wrong in a job that has no table.
pub(crate) fn wrong(all: &[Runs], on: &str) -> Vec<String> {
    let wrong = all.iter().filter_map(|runs| {
        let first = runs.wrong.as_ref()?.lines().next().unwrap_or_default();
        Some(format!("{} on {on}: {first}", runs.contender.name()))
    });
    wrong.collect()
}

/// Ten buckets a decade from the least latency to the largest, the empty ones between
/// included. The bounds are the same for every contender.
fn buckets(nanos: impl Iterator<Item = u64>) -> Vec<Bucket> {
    const A_DECADE: u32 = 10;
    const DECADES: u32 = 12;
    let bound = |step: u32| 1e-9 * 10_f64.powf(f64::from(step) / f64::from(A_DECADE));
    let bounds: Vec<f64> = (0..=A_DECADE * DECADES).map(bound).collect();
    let mut lines = vec![0_u64; bounds.len() - 1];
    for nanos in nanos {
        let seconds = nanos as f64 / 1e9;
        // Latencies beyond the ends (0, or 1,000 s and more) count in the first or the
        // last bucket.
        let at = bounds.partition_point(|&bound| bound <= seconds).clamp(1, lines.len());
        lines[at - 1] += 1;
    }
    let Some(first) = lines.iter().position(|&lines| lines > 0) else { return Vec::new() };
    let last = lines.iter().rposition(|&lines| lines > 0).unwrap_or(first);
    (first..=last)
        .map(|at| Bucket { from: bounds[at], below: bounds[at + 1], lines: lines[at] })
        .collect()
}

fn row(runs: &Runs, cat: &[(u32, Figures)], columns: &[Column]) -> Option<Row> {
    let name = runs.contender.name().to_owned();
    if runs.wrong.is_some() {
        return Some(Row { name, wrong: runs.wrong.clone(), cells: BTreeMap::new() });
    }
    let all: Vec<&Figures> = runs.right.iter().map(|(_, figures)| figures).collect();
    // Interrupted before the contender's first run.
    let first = *all.first()?;
    let latency = latencies(&first.latencies);
    let number = |number: Option<f64>| number.map_or(Cell::None, Cell::Number);
    let count = |count: Option<u64>| count.map_or(Cell::None, Cell::Count);
    let cell = |column| match column {
        Column::Time => Cell::Spread(each(&all, |run| run.took.wall.as_secs_f64())),
        Column::Ratio => ratio(runs, cat),
        Column::Lines => Cell::Count(first.lines),
        Column::P50 => number(latency.map(|it| it[0])),
        Column::P99 => number(latency.map(|it| it[1])),
        Column::Max => number(latency.map(|it| it[2])),
        Column::RestCpu => number(first.seen.rest.map(|rest| rest.cpu)),
        Column::WakeUps => number(first.seen.rest.map(|rest| rest.wakeups)),
        Column::Cpu => Cell::Number(each(&all, |run| run.took.cpu.as_secs_f64()).median),
        Column::Switches => {
            Cell::Count(each(&all, |run| run.took.switches as f64).median.round() as u64)
        }
        Column::Threads => count(most(&all, |run| run.took.threads)),
        Column::Memory => count(most(&all, |run| run.took.memory)),
        Column::Stall => number(all.iter().filter_map(|run| run.stall).max_by(f64::total_cmp)),
    };
    let cells = columns.iter().map(|&column| (column, cell(column))).collect();
    Some(Row { name, wrong: None, cells })
}

fn each(runs: &[&Figures], figure: impl Fn(&Figures) -> f64) -> Spread {
    Spread::new(runs.iter().map(|run| figure(run)).collect())
}

fn most(runs: &[&Figures], figure: impl Fn(&Figures) -> Option<u64>) -> Option<u64> {
    runs.iter().filter_map(|run| figure(run)).max()
}

/// Round by round: a slow moment of the machine then meets both.
fn ratio(runs: &Runs, cat: &[(u32, Figures)]) -> Cell {
    if runs.contender.is(Program::Cat) {
        return Cell::Spread(Spread::new(vec![1.0]));
    }
    let ratios = runs.right.iter().filter_map(|(round, figures)| {
        let (_, floor) = cat.iter().find(|(of, _)| of == round)?;
        Some(figures.took.wall.div_duration_f64(floor.took.wall))
    });
    let ratios: Vec<f64> = ratios.collect();
    if ratios.is_empty() { Cell::None } else { Cell::Spread(Spread::new(ratios)) }
}

/// The median, the 99th percentile and the maximum, in seconds.
fn latencies(nanos: &[u64]) -> Option<[f64; 3]> {
    let mut sorted = nanos.to_vec();
    sorted.sort_unstable();
    // The least latency that `percent` of a hundred lines do not exceed.
    let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?);
    Some([*at(50)?, *at(99)?, *at(100)?].map(|nanos| nanos as f64 / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::asking::args::Args;
    use crate::asking::contender::Contender;
    use crate::asking::jobs;
    use clap::Parser;
    use runner::Took;
    use stages::STAGES;

    fn job(name: &str) -> Job {
        let args = Args::try_parse_from(["compare", "--workload", name]).unwrap();
        jobs::asked_for(&args, None).remove(0)
    }

    fn runs(contender: Contender, millis: &[(u32, u64)]) -> Runs {
        let right = millis.iter().map(|&(round, millis)| {
            let wall = Duration::from_millis(millis);
            let took = Took { wall, switches: millis, threads: Some(millis), ..Took::default() };
            (round, Figures { took, ..Figures::default() })
        });
        Runs { contender, right: right.collect(), wrong: None }
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let cat = runs(Contender::Floor, &[(0, 125), (1, 250), (2, 125)]);
        let stage = runs(Contender::Stage(&STAGES[0]), &[(0, 250), (1, 250), (2, 375)]);
        let table = table(&job("backlog"), &[cat, stage]);
        let stage = &table.rows[1];
        let ratios = Spread::new(vec![2.0, 1.0, 3.0]);
        assert_eq!(stage.cells.get(&Column::Ratio), Some(&Cell::Spread(ratios)));
        assert_eq!(stage.number(Column::Time), Some(0.25));
        assert_eq!(stage.number(Column::Switches), Some(250.0));
        // The peak of all runs; a time is their median.
        assert_eq!(stage.number(Column::Threads), Some(375.0));
        assert_eq!(stage.cells.get(&Column::Stall), Some(&Cell::None));
    }

    #[test]
    fn an_interrupted_job_has_the_rows_that_it_has() {
        let cat = runs(Contender::Floor, &[]);
        let stage = runs(Contender::Stage(&STAGES[0]), &[(0, 150)]);
        let mut wrong = runs(Contender::Stage(&STAGES[1]), &[]);
        wrong.wrong = Some("2 lines lost".into());
        let table = table(&job("backlog"), &[cat, stage, wrong]);
        let names: Vec<_> = table.rows.iter().map(|row| &*row.name).collect();
        assert_eq!(names, ["stage1-threads", "stage2-mixed"]);
        assert_eq!(table.rows[0].cells.get(&Column::Ratio), Some(&Cell::None));
        assert_eq!(table.wrong().collect::<Vec<_>>(), [("stage2-mixed", "2 lines lost")]);
    }

    #[test]
    fn growth_has_every_run_and_the_most_threads() {
        let mut bad = runs(Contender::Stage(&STAGES[1]), &[]);
        bad.wrong = Some("2 lines lost\nline 7".into());
        let right = runs(Contender::Stage(&STAGES[0]), &[(0, 250), (1, 500), (2, 125)]);
        let all = [right, bad];
        let (seconds, stage) = (vec![0.25, 0.5, 0.125], "stage1-threads".into());
        let grown = Growth { stage, sources: 8, seconds, threads: Some(500) };
        assert_eq!(growth(&jobs::growth(true, u64::MAX)[0], &all), [grown]);
        assert_eq!(wrong(&all, "8 sources"), ["stage2-mixed on 8 sources: 2 lines lost"]);
    }

    #[test]
    fn every_line_is_in_the_bucket_that_its_latency_is_in() {
        // Just below and at a bound, which is a whole number of nanoseconds.
        let nanos = [99_999, 100_000, 100_001, 1_000_000, 12_345_678, 12_345_679];
        let buckets = buckets(nanos.into_iter());
        assert_eq!(buckets.iter().map(|bucket| bucket.lines).sum::<u64>(), 6);
        for bucket in &buckets {
            let inside = |nanos: &&u64| {
                let seconds = **nanos as f64 / 1e9;
                bucket.from <= seconds && seconds < bucket.below
            };
            assert_eq!(nanos.iter().filter(inside).count() as u64, bucket.lines, "{bucket:?}");
        }
        let gaps = buckets.windows(2).filter(|pair| pair[0].below != pair[1].from).count();
        // From 79 µs to 12.6 ms, ten a decade.
        assert_eq!((gaps, buckets.len()), (0, 22), "{buckets:?}");
        assert_eq!(super::buckets([].into_iter()), []);
        assert_eq!(super::buckets([0, u64::MAX].into_iter()).len(), 120);
    }

    #[test]
    fn percentiles_are_those_of_the_lines() {
        let nanos: Vec<u64> = (1..=1000).map(|millis| millis * 1_000_000).collect();
        assert_eq!(latencies(&nanos), Some([0.5, 0.99, 1.0]));
        assert_eq!(latencies(&nanos[..1]), Some([0.001; 3]));
        assert_eq!(latencies(&[]), None);
    }
}
