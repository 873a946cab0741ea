//! Turns the runs of a job into its table.

use hdrhistogram::Histogram;

use crate::attempt::{Contender, Run};
use crate::jobs::Job;
use crate::rounds::Outcome;
use results::{Cell, Column, Row, Spread, Table};

const TIME: Column = Column { key: "time_seconds", head: "time" };
const RATIO: Column = Column { key: "ratio_to_cat", head: "× cat" };
const LINES: Column = Column { key: "lines", head: "lines" };
const P50: Column = Column { key: "p50_seconds", head: "p50" };
const P99: Column = Column { key: "p99_seconds", head: "p99" };
const MAX: Column = Column { key: "max_seconds", head: "max" };
const CPU: Column = Column { key: "cpu_seconds", head: "CPU" };
const THREADS: Column = Column { key: "peak_threads", head: "threads" };
const SWITCHES: Column = Column { key: "context_switches", head: "switches" };
const MEMORY: Column = Column { key: "peak_memory_bytes", head: "memory" };
const STALL: Column = Column { key: "longest_stall_seconds", head: "stall" };

/// The table of a job: a row for every contender that has run.
pub(crate) fn table(job: &Job, outcomes: &[Outcome]) -> Table {
    let stamped = outcomes
        .iter()
        .any(|outcome| outcome.runs.iter().any(|(_, run)| !run.latencies.is_empty()));
    let first: &[Column] = match () {
        () if job.has_floor() => &[TIME, RATIO],
        () if stamped => &[LINES, P50, P99, MAX],
        () => &[TIME],
    };
    let columns = [first, &[CPU, THREADS, SWITCHES, MEMORY, STALL]].concat();
    let cat = outcomes.iter().find(|outcome| matches!(outcome.contender, Contender::Cat));
    let cat = cat.map_or(&[][..], |cat| &cat.runs);
    let rows = outcomes.iter().filter_map(|outcome| row(outcome, cat, &columns));
    Table { name: job.name.into(), what: job.what(), rows: rows.collect(), columns }
}

fn row(outcome: &Outcome, cat: &[(u32, Run)], columns: &[Column]) -> Option<Row> {
    let name = outcome.contender.name().to_owned();
    if let Some(wrong) = &outcome.wrong {
        return Some(Row { name, cells: Err(wrong.clone()) });
    }
    let runs: Vec<&Run> = outcome.runs.iter().map(|(_, run)| run).collect();
    // Interrupted before its first run: it has no row.
    let first = *runs.first()?;
    let latency = latencies(&first.latencies);
    let cells = columns.iter().map(|&column| match column {
        TIME => Cell::Times(each(&runs, |run| run.wall.as_secs_f64())),
        RATIO => ratio(outcome, cat),
        LINES => Cell::Count(first.lines),
        P50 => latency.map_or(Cell::None, |[p50, _, _]| Cell::Seconds(p50)),
        P99 => latency.map_or(Cell::None, |[_, p99, _]| Cell::Seconds(p99)),
        MAX => latency.map_or(Cell::None, |[_, _, max]| Cell::Seconds(max)),
        CPU => Cell::Seconds(each(&runs, |run| run.cpu.as_secs_f64()).median()),
        SWITCHES => Cell::Count(each(&runs, |run| run.switches as f64).median().round() as u64),
        THREADS => most(&runs, |run| run.threads).map_or(Cell::None, Cell::Count),
        MEMORY => most(&runs, |run| run.memory).map_or(Cell::None, Cell::Bytes),
        STALL => {
            let stalls = runs.iter().filter_map(|run| run.stall);
            stalls.max_by(f64::total_cmp).map_or(Cell::None, Cell::Seconds)
        }
        column => unreachable!("{} has no figure", column.key),
    });
    Some(Row { name, cells: Ok(cells.collect()) })
}

fn each(runs: &[&Run], figure: impl Fn(&Run) -> f64) -> Spread {
    Spread::new(runs.iter().map(|run| figure(run)).collect())
}

fn most(runs: &[&Run], figure: impl Fn(&Run) -> Option<u64>) -> Option<u64> {
    runs.iter().filter_map(|run| figure(run)).max()
}

/// Round by round, so that a slow moment of the machine meets both.
fn ratio(outcome: &Outcome, cat: &[(u32, Run)]) -> Cell {
    if let Contender::Cat = outcome.contender {
        return Cell::Ratio(Spread::new(vec![1.0]));
    }
    let ratios = outcome.runs.iter().filter_map(|(round, run)| {
        let (_, floor) = cat.iter().find(|(of, _)| of == round)?;
        Some(run.wall.as_secs_f64() / floor.wall.as_secs_f64())
    });
    let ratios: Vec<f64> = ratios.collect();
    if ratios.is_empty() { Cell::None } else { Cell::Ratio(Spread::new(ratios)) }
}

/// The median, the 99th percentile and the maximum, in seconds.
fn latencies(nanos: &[u64]) -> Option<[f64; 3]> {
    let max = *nanos.iter().max()?;
    let mut histogram = Histogram::<u64>::new(3).expect("three digits are allowed");
    for &nanos in nanos {
        histogram.record(nanos).expect("the histogram resizes itself");
    }
    let at = |quantile| histogram.value_at_quantile(quantile).min(max);
    Some([at(0.5), at(0.99), max].map(|nanos| nanos as f64 / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::args::Args;
    use crate::jobs;
    use crate::stages::STAGES;
    use clap::Parser;

    fn job(name: &str) -> Job {
        let args = Args::try_parse_from(["compare", "--workload", name]).unwrap();
        jobs::asked_for(&args, None).remove(0)
    }

    fn outcome(contender: Contender, millis: &[(u32, u64)]) -> Outcome {
        let run = |&(round, millis): &(u32, u64)| {
            let wall = Duration::from_millis(millis);
            (round, Run { wall, switches: millis, threads: Some(millis), ..Run::default() })
        };
        Outcome { contender, runs: millis.iter().map(run).collect(), wrong: None }
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let cat = outcome(Contender::Cat, &[(0, 125), (1, 250), (2, 125)]);
        let stage = outcome(Contender::Stage(&STAGES[0]), &[(0, 250), (1, 250), (2, 375)]);
        let table = table(&job("backlog"), &[cat, stage]);
        let stage = &table.rows[1];
        let ratios = Spread::new(vec![2.0, 1.0, 3.0]);
        assert_eq!(table.cell(stage, "ratio_to_cat"), Some(&Cell::Ratio(ratios)));
        assert_eq!(table.number(stage, "time_seconds"), Some(0.25));
        assert_eq!(table.number(stage, "context_switches"), Some(250.0));
        // The peak of all runs, where a time is their median.
        assert_eq!(table.number(stage, "peak_threads"), Some(375.0));
        assert_eq!(table.cell(stage, "longest_stall_seconds"), Some(&Cell::None));
    }

    #[test]
    fn an_interrupted_job_has_the_rows_that_it_has() {
        let cat = outcome(Contender::Cat, &[]);
        let stage = outcome(Contender::Stage(&STAGES[0]), &[(0, 150)]);
        let mut wrong = outcome(Contender::Stage(&STAGES[1]), &[]);
        wrong.wrong = Some("2 lines lost".into());
        let table = table(&job("backlog"), &[cat, stage, wrong]);
        let names: Vec<_> = table.rows.iter().map(|row| &*row.name).collect();
        assert_eq!(names, ["stage1-threads", "stage2-mixed"]);
        assert_eq!(table.cell(&table.rows[0], "ratio_to_cat"), Some(&Cell::None));
        assert_eq!(table.wrong().collect::<Vec<_>>(), [("stage2-mixed", "2 lines lost")]);
    }

    #[test]
    fn percentiles_are_those_of_the_lines() {
        let nanos: Vec<u64> = (1..=1000).map(|millis| millis * 1_000_000).collect();
        let [p50, p99, max] = latencies(&nanos).unwrap();
        assert!((p50 - 0.5).abs() < 0.001 && (p99 - 0.99).abs() < 0.001, "{p50} {p99}");
        assert_eq!(max, 1.0);
        assert_eq!(latencies(&[]), None);
    }
}
