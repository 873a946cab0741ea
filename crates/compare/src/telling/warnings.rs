//! What makes a figure doubtful, and what to do about it.

use std::fmt;

use report::Head;
use report::{Cell, Grouped, Table, Time};

/// Above this part of the median, half the range is a spread to warn about.
const WIDE: f64 = 0.25;
/// Below this median, starting a process is a large part of what is timed.
const SHORT: f64 = 0.05;
/// So many intervals late is far.
const FAR: f64 = 2.0;

/// Says what was seen, why it may be, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Warning {
    DebugBuild,
    OneCore,
    WideSpread { workload: String, stage: String, median: f64, half_range: f64 },
    ShortRun { workload: String, seconds: f64 },
    LateLines { workload: String, stage: String, p99: f64, interval: f64 },
    LateWriters { workload: String, stage: String, late: f64 },
    FewDescriptors { limit: u64, needed: u64 },
    NotRun { program: &'static str, workload: String, why: &'static str },
    NotKept { why: String },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::DebugBuild => f.write_str(
                "this is a debug build, several times slower than the stages are; \
                 run `cargo compare`, which builds with --release",
            ),
            Warning::OneCore => f.write_str(
                "there is one core, so the threads of a stage take turns, and readers never \
                 read while the writer writes; run it where there are two or more",
            ),
            Warning::WideSpread { workload, stage, median, half_range } => write!(
                f,
                "{workload}: {stage} took {} ± {}; the machine may be busy or its disk slow; \
                 close what else runs, or take more runs (--runs 9)",
                Time(*median),
                Time(*half_range)
            ),
            Warning::ShortRun { workload, seconds } => write!(
                f,
                "{workload}: cat took {}, of which starting a process is a large part, \
                 so the ratios say little; give it more to merge",
                Time(*seconds)
            ),
            Warning::LateLines { workload, stage, p99, interval } => write!(
                f,
                "{workload}: one line in a hundred took {} or longer through {stage}, where an \
                 interval of {} bounds the wait for a look; the machine may be busy; run it again",
                Time(*p99),
                Time(*interval)
            ),
            Warning::LateWriters { workload, stage, late } => write!(
                f,
                "{workload}: during {stage} the writers of the sources were up to {} behind their \
                 schedule; the machine may be busy; run it again with nothing beside it",
                Time(*late)
            ),
            Warning::FewDescriptors { limit, needed } => write!(
                f,
                "at most {} files may be open at once, and about {} are needed; \
                 raise the hard limit, then `ulimit -n {needed}`",
                Grouped(*limit),
                Grouped(*needed)
            ),
            Warning::NotRun { program, workload, why } => {
                write!(f, "{workload}: {program} was not run, since {why}")
            }
            Warning::NotKept { why } => {
                write!(f, "{why}; name another place with --html and --json")
            }
        }
    }
}

/// What can be said before anything has run.
pub(crate) fn about_machine(head: &Head) -> Vec<Warning> {
    let debug = cfg!(debug_assertions).then_some(Warning::DebugBuild);
    let one_core = (head.cores == 1).then_some(Warning::OneCore);
    debug.into_iter().chain(one_core).collect()
}

/// What the rows of a workload say. `interval` is how long a merge that
/// follows waits between two looks.
pub(crate) fn about_table(table: &Table, interval: f64) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let workload = || table.name.clone();
    let cat = table.rows.iter().find(|row| row.name == "cat");
    let short = cat.and_then(|cat| table.number(cat, "time_seconds")).filter(|cat| *cat < SHORT);
    if let Some(seconds) = short {
        warnings.push(Warning::ShortRun { workload: workload(), seconds });
    }
    for row in &table.rows {
        if let Some(Cell::Times(spread)) = table.cell(row, "time_seconds")
            && short.is_none()
            && spread.half_range() > WIDE * spread.median()
        {
            let (median, half_range) = (spread.median(), spread.half_range());
            let stage = row.name.clone();
            warnings.push(Warning::WideSpread { workload: workload(), stage, median, half_range });
        }
        if let Some(p99) = table.number(row, "p99_seconds")
            && table.name == "live"
            && p99 > FAR * interval
        {
            let stage = row.name.clone();
            warnings.push(Warning::LateLines { workload: workload(), stage, p99, interval });
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use report::{Column, Row, Spread};

    fn table(name: &str, key: &'static str, rows: Vec<(&str, Cell)>) -> Table {
        let rows =
            rows.into_iter().map(|(name, cell)| Row { name: name.into(), cells: Ok(vec![cell]) });
        Table {
            name: name.into(),
            what: String::new(),
            columns: vec![Column { key, head: "" }],
            rows: rows.collect(),
        }
    }

    fn times(values: &[f64]) -> Cell {
        Cell::Times(Spread::new(values.to_vec()))
    }

    #[test]
    fn a_spread_is_too_wide_above_a_quarter_of_the_median() {
        let rows = vec![("a", times(&[0.4, 0.5, 0.64])), ("b", times(&[0.4, 0.5, 0.66]))];
        let seen = about_table(&table("backlog", "time_seconds", rows), 0.1);
        let [Warning::WideSpread { stage, .. }] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!(stage, "b");
    }

    #[test]
    fn a_run_is_too_short_by_the_time_of_cat() {
        // Beside it, a wide spread is no news.
        let rows = vec![("cat", times(&[0.049])), ("a", times(&[0.01, 0.03]))];
        let seen = about_table(&table("backlog", "time_seconds", rows), 0.1);
        assert_eq!(seen, [Warning::ShortRun { workload: "backlog".into(), seconds: 0.049 }]);
        let rows = vec![("cat", times(&[0.051])), ("a", times(&[0.01]))];
        assert_eq!(about_table(&table("backlog", "time_seconds", rows), 0.1), []);
    }

    #[test]
    fn lines_are_late_above_two_intervals_and_only_where_the_output_is_quick() {
        let rows = || vec![("a", Cell::Seconds(0.201)), ("b", Cell::Seconds(0.199))];
        let seen = about_table(&table("live", "p99_seconds", rows()), 0.1);
        let [Warning::LateLines { stage, .. }] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!(stage, "a");
        assert_eq!(about_table(&table("slow-output", "p99_seconds", rows()), 0.1), []);
    }

    #[test]
    fn every_warning_says_what_to_do() {
        let (workload, stage) = ("live".to_owned(), "stage1-threads".to_owned());
        for (warning, advice) in [
            (Warning::DebugBuild, "cargo compare"),
            (Warning::OneCore, "two or more"),
            (
                Warning::WideSpread {
                    workload: workload.clone(),
                    stage: stage.clone(),
                    median: 1.0,
                    half_range: 0.5,
                },
                "1.00 s ± 500 ms",
            ),
            (Warning::ShortRun { workload: workload.clone(), seconds: 0.01 }, "more to merge"),
            (
                Warning::LateLines {
                    workload: workload.clone(),
                    stage: stage.clone(),
                    p99: 0.5,
                    interval: 0.1,
                },
                "run it again",
            ),
            (Warning::LateWriters { workload, stage, late: 0.1 }, "nothing beside it"),
            (Warning::FewDescriptors { limit: 1024, needed: 4000 }, "ulimit -n 4000"),
            (Warning::NotKept { why: "a: no".into() }, "--html"),
        ] {
            assert!(warning.to_string().contains(advice), "{warning}");
        }
    }
}
