//! The warnings about doubtful figures: what was seen, what it may come from, and what
//! to do.

use report::{Column, Grouped, Head, Table, Time};
use tributary::Options;

use crate::asking::contender::Program;

/// A spread is worth a warning if half its range is above this part of its median.
const WIDE: f64 = 0.25;
/// Below this time of `cat`, starting a process is a large part of each figure.
const SHORT: f64 = 0.05;
/// A p99 of more intervals than this is worth a warning.
const FAR: f64 = 2.0;

/// The warnings before the first run.
pub(crate) fn about_machine(head: &Head) -> Vec<String> {
    let debug = "this is a debug build, several times slower than the stages are; \
                 run `cargo compare`, which builds with --release";
    let one_core = "there is one core, so the threads of a stage take turns, and readers never \
                    read while the writer writes; run it where there are two or more";
    let debug = cfg!(debug_assertions).then_some(debug);
    let one_core = (head.cores == 1).then_some(one_core);
    debug.into_iter().chain(one_core).map(str::to_owned).collect()
}

/// Warns that more files are needed at once than may be open.
pub(crate) fn few_descriptors(limit: u64, needed: u64) -> String {
    format!(
        "at most {} files may be open at once, and about {} are needed; \
         raise the hard limit, then `ulimit -n {needed}`",
        Grouped(limit),
        Grouped(needed)
    )
}

/// Warns that a program of `--against` cannot run a workload.
pub(crate) fn not_run(workload: &str, program: Program) -> String {
    format!("{workload}: {} was not run, since {}", program.name(), program.why_not())
}

/// Warns that the writers of the sources were late, by up to `late` seconds.
pub(crate) fn late_writers(workload: &str, stage: &str, late: f64) -> String {
    format!(
        "{workload}: during {stage} the writers of the sources were up to {} behind their \
         schedule; the machine may be busy; run it again with nothing beside it",
        Time(late)
    )
}

/// The warnings about the rows of a workload.
pub(crate) fn about_table(table: &Table) -> Vec<String> {
    let interval = Options::default().interval.as_secs_f64();
    let workload = &table.name;
    let mut warnings = Vec::new();
    let cat = table.rows.iter().find(|row| row.name == "cat");
    let short = cat.and_then(|cat| cat.number(Column::Time)).filter(|cat| *cat < SHORT);
    if let Some(seconds) = short {
        warnings.push(format!(
            "{workload}: cat took {}, of which starting a process is a large part, so the ratios \
             say little; give it more to merge",
            Time(seconds)
        ));
    }
    for row in &table.rows {
        let stage = &row.name;
        if let Some(spread) = row.spread(Column::Time)
            && short.is_none()
            && spread.half_range > WIDE * spread.median
        {
            warnings.push(format!(
                "{workload}: {stage} took {} ± {}; the machine may be busy or its disk slow; \
                 close what else runs, or take more runs (--runs 9)",
                Time(spread.median),
                Time(spread.half_range)
            ));
        }
        if let Some(p99) = row.number(Column::P99)
            && workload == "live"
            && p99 > FAR * interval
        {
            warnings.push(format!(
                "{workload}: one line in a hundred took {} or longer through {stage}, where an \
                 interval of {} bounds the wait for a look; the machine may be busy; run it again",
                Time(p99),
                Time(interval)
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use report::{Cell, Row, Spread};

    /// The warnings about rows that have one figure each.
    fn said(name: &str, column: Column, rows: Vec<(&str, Cell)>) -> Vec<String> {
        let row = |(name, cell): (&str, Cell)| Row {
            name: name.into(),
            wrong: None,
            cells: [(column, cell)].into(),
        };
        let rows = rows.into_iter().map(row).collect();
        let (what, latencies) = (String::new(), Vec::new());
        about_table(&Table { name: name.into(), what, rows, latencies })
    }

    fn times(values: &[f64]) -> Cell {
        Cell::Spread(Spread::new(values.to_vec()))
    }

    #[track_caller]
    fn assert_one(said: &[String], begin: &str) {
        assert!(said.len() == 1 && said[0].starts_with(begin), "{said:?}");
    }

    #[test]
    fn a_spread_is_too_wide_above_a_quarter_of_the_median() {
        let rows = vec![("a", times(&[0.4, 0.5, 0.64])), ("b", times(&[0.4, 0.5, 0.66]))];
        assert_one(&said("backlog", Column::Time, rows), "backlog: b took 500 ms ± 130 ms");
    }

    #[test]
    fn a_run_is_too_short_by_the_time_of_cat() {
        // The wide spread of `a` gets no warning of its own.
        let rows = vec![("cat", times(&[0.049])), ("a", times(&[0.01, 0.03]))];
        assert_one(&said("backlog", Column::Time, rows), "backlog: cat took 49.0 ms");
        let rows = vec![("cat", times(&[0.051])), ("a", times(&[0.01]))];
        assert!(said("backlog", Column::Time, rows).is_empty());
    }

    #[test]
    fn lines_are_late_above_two_intervals_and_only_where_the_output_is_quick() {
        let rows = || vec![("a", Cell::Number(0.201)), ("b", Cell::Number(0.199))];
        let late = "live: one line in a hundred took 201 ms or longer through a";
        assert_one(&said("live", Column::P99, rows()), late);
        assert!(said("slow-output", Column::P99, rows()).is_empty());
    }
}
