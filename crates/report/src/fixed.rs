//! Results with fixed numbers, for the tests of whatever shows results.

mod lanes;

use crate::{
    Bucket, Cell, Column, Comparison, Distribution, Growth, Head, Outcome, Row, Spread, Table,
    Verdict, Verdicts, Workload,
};

pub use lanes::lanes;

/// The stages, as the comparison has them.
const STAGES: [&str; 5] =
    ["stage1-threads", "stage2-mixed", "stage3-bottom-up", "stage4-tasks", "stage5-fully-async"];

/// A comparison with a piece of each kind.
pub fn comparison() -> Comparison {
    Comparison {
        head: Head {
            seed: 62,
            commit: Some("0123abcde".into()),
            rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
            cores: 2,
            profile: "release".into(),
            kernel: "Linux 6.18.44 x86_64".into(),
            date: "2026-11-22".into(),
        },
        command: "cargo compare --workload backlog,live --seed 62".into(),
        interrupted: false,
        workloads: vec![
            Workload { table: table(), distributions: Vec::new() },
            Workload { table: live(), distributions: distributions() },
        ],
        verdicts: verdicts(),
        lanes: lanes(),
        growth: growth(),
        wrong: vec!["the lanes of stage2-mixed: no end within 10 s".into()],
        warnings: vec!["backlog: the runs of cat are far apart (30%): close what else runs".into()],
        seen: vec!["On backlog, stage4-tasks took 1.10 ± 0.15 times as long as cat.".into()],
    }
}

/// A table of lines on their way, with a row a stage.
fn live() -> Table {
    let column = |key, head| Column { key, head };
    let row = |(at, name): (usize, &&str)| Row {
        name: (*name).into(),
        cells: Ok(vec![
            Cell::Count(10_000),
            Cell::Seconds(0.000_4 * (at + 1) as f64),
            Cell::Seconds(0.003),
            Cell::Seconds(0.018),
        ]),
    };
    Table {
        name: "live".into(),
        what: "50 growing files, 100 lines a second each, for 2 s".into(),
        columns: vec![
            column("lines", "lines"),
            column("p50_seconds", "p50"),
            column("p99_seconds", "p99"),
            column("max_seconds", "max"),
        ],
        rows: STAGES.iter().enumerate().map(row).collect(),
    }
}

/// Ten buckets a decade: a hill whose place is the stage's, and one late line.
fn distributions() -> Vec<Distribution> {
    let edge = |at: i32| 10f64.powf(f64::from(at) / 10.0 - 4.0);
    let bucket = |at, lines| Bucket { from: edge(at), below: edge(at + 1), lines };
    let of = |(at, stage): (usize, &&str)| {
        let first = 3 + 2 * at as i32;
        let hill = [40, 400, 2_500, 4_000, 2_000, 900, 150, 9];
        let mut buckets: Vec<Bucket> =
            (first..).zip(hill).map(|(at, lines)| bucket(at, lines)).collect();
        buckets.push(bucket(22, 1));
        Distribution { stage: (*stage).into(), buckets }
    };
    STAGES.iter().enumerate().map(of).collect()
}

/// Three laws: one that all keep, one limit, one that is wrong.
fn verdicts() -> Vec<Verdicts> {
    let verdict = |theme: &str, law: &str, sentence: &str, outcome| Verdict {
        theme: theme.into(),
        law: law.into(),
        sentence: sentence.into(),
        outcome,
    };
    let of = |stage: &&str| {
        let looked_at = match *stage {
            "stage4-tasks" => {
                Outcome::BrokenAsDeclared { reason: "append runs on the loop".into() }
            }
            _ => Outcome::Held,
        };
        let once = match *stage {
            "stage2-mixed" => Outcome::Wrong { seen: "2 lines lost".into() },
            _ => Outcome::Held,
        };
        let laws = vec![
            verdict("lines", "every_line_once", "Every line of every source comes once.", once),
            verdict("stop", "stops_at_once", "A stop ends the run at once.", Outcome::Held),
            verdict(
                "fairness",
                "idle_source_is_looked_at",
                "While the output blocks, an idle source is still looked at.",
                looked_at,
            ),
        ];
        Verdicts { stage: (*stage).into(), laws }
    };
    STAGES.iter().map(of).collect()
}

/// Stages 1 to 3 have a thread a source, the others a few.
fn growth() -> Vec<Growth> {
    let of = |(at, stage): (usize, &&str)| {
        [8, 64, 512, 2_000].map(|sources| {
            let seconds = 0.004 + sources as f64 * 0.000_1 * (1.0 + at as f64 / 10.0);
            let threads = if at < 3 { sources + 1 } else { 6 + at as u64 };
            Growth {
                stage: (*stage).into(),
                sources,
                seconds: vec![seconds, seconds * 1.1, seconds * 0.95],
                threads: Some(threads),
            }
        })
    };
    STAGES.iter().enumerate().flat_map(of).collect()
}

/// A table with fixed numbers, one cell of each kind, and a wrong row.
pub fn table() -> Table {
    let column = |key, head| Column { key, head };
    Table {
        name: "backlog".into(),
        what: "2 complete files of 1 MiB".into(),
        columns: vec![
            column("time_seconds", "time"),
            column("ratio_to_cat", "× cat"),
            column("cpu_seconds", "CPU"),
            column("peak_threads", "threads"),
            column("context_switches", "switches"),
            column("peak_memory_bytes", "memory"),
            column("longest_stall_seconds", "stall"),
        ],
        rows: vec![
            Row {
                name: "cat".into(),
                cells: Ok(vec![
                    Cell::Times(Spread::new(vec![0.200, 0.210, 0.190])),
                    Cell::None,
                    Cell::Seconds(0.1905),
                    Cell::Count(1),
                    Cell::Count(12),
                    Cell::Bytes(1_966_080),
                    Cell::None,
                ]),
            },
            Row { name: "stage2-mixed".into(), cells: Err("2 lines lost".into()) },
            Row {
                name: "stage4-tasks".into(),
                cells: Ok(vec![
                    Cell::Times(Spread::new(vec![0.220, 0.210, 0.247])),
                    Cell::Ratio(Spread::new(vec![1.1, 1.0, 1.3])),
                    Cell::Seconds(1.25),
                    Cell::Count(6),
                    Cell::Count(12_345),
                    Cell::Bytes(11 << 20),
                    Cell::Seconds(0.000_029),
                ]),
            },
        ],
    }
}
