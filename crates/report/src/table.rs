//! The table of one workload, which terminal, JSON and page show.
//! `crates/compare/schema.md` says what each field is, and the glossary what each
//! column is.

#![allow(missing_docs, reason = "schema.md says what each field is")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::units::{Grouped, Rate, Size, Time};

/// The figures of one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    #[serde(rename = "workload")]
    pub name: String,
    pub what: String,
    pub rows: Vec<Row>,
    pub latencies: Vec<Distribution>,
}

/// The results of one contender.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    #[serde(rename = "stage")]
    pub name: String,
    /// What is wrong. If something is, there are no figures: a wrong merge may well be
    /// a short one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    #[serde(flatten)]
    pub cells: BTreeMap<Column, Cell>,
}

/// The kind of a figure, in the order of the terminal's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Column {
    #[serde(rename = "time_seconds")]
    Time,
    #[serde(rename = "ratio_to_cat")]
    Ratio,
    #[serde(rename = "lines")]
    Lines,
    #[serde(rename = "p50_seconds")]
    P50,
    #[serde(rename = "p99_seconds")]
    P99,
    #[serde(rename = "max_seconds")]
    Max,
    #[serde(rename = "rest_cpu_seconds_per_second")]
    RestCpu,
    #[serde(rename = "rest_wakeups_per_second")]
    WakeUps,
    #[serde(rename = "cpu_seconds")]
    Cpu,
    #[serde(rename = "peak_threads")]
    Threads,
    #[serde(rename = "context_switches")]
    Switches,
    #[serde(rename = "peak_memory_bytes")]
    Memory,
    #[serde(rename = "longest_stall_seconds")]
    Stall,
}

/// One figure. Its column knows the unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// No figure: no loop that could stall, or a system that does not tell.
    None,
    Count(u64),
    Number(f64),
    Spread(Spread),
}

/// A figure that was measured several times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Of an even number of runs, the mean of the middle two.
    pub median: f64,
    pub half_range: f64,
    pub runs: Vec<f64>,
}

/// The latencies of the lines of one stage, in buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    pub stage: String,
    pub buckets: Vec<Bucket>,
}

/// Lines with about the same latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    pub from: f64,
    pub below: f64,
    pub lines: u64,
}

impl Column {
    /// Returns the head of the column.
    pub fn head(self) -> &'static str {
        match self {
            Column::Time => "time",
            Column::Ratio => "× cat",
            Column::Lines => "lines",
            Column::P50 => "p50",
            Column::P99 => "p99",
            Column::Max => "max",
            Column::RestCpu => "CPU/s",
            Column::WakeUps => "wake-ups",
            Column::Cpu => "CPU",
            Column::Threads => "threads",
            Column::Switches => "switches",
            Column::Memory => "memory",
            Column::Stall => "stall",
        }
    }

    /// Returns a figure of this column with its unit, as people read it.
    pub fn show(self, cell: &Cell) -> String {
        match (cell, self) {
            (Cell::None, _) => "-".to_owned(),
            (Cell::Count(bytes), Column::Memory) => Size(*bytes).to_string(),
            (Cell::Count(count), _) => Grouped(*count).to_string(),
            (Cell::Number(rate), Column::WakeUps) => Rate(*rate).to_string(),
            (Cell::Number(seconds), _) => Time(*seconds).to_string(),
            (Cell::Spread(ratio), Column::Ratio) => ratio.show(|it| format!("{it:.2}")),
            (Cell::Spread(times), _) => times.show(|it| Time(it).to_string()),
        }
    }
}

impl Spread {
    /// Makes the spread of some values, and keeps them in the order of the rounds.
    ///
    /// # Panics
    ///
    /// Panics if there are no values.
    pub fn new(runs: Vec<f64>) -> Spread {
        let mut sorted = runs.clone();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (0, sorted.len().checked_sub(1).expect("a spread has a value"));
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        };
        Spread { median, half_range: (sorted[last] - sorted[first]) / 2.0, runs }
    }

    /// Returns the least and the largest value.
    pub fn bounds(&self) -> (f64, f64) {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        self.runs.iter().fold((least, most), |(least, most), it| (least.min(*it), most.max(*it)))
    }

    /// Returns the median or, of several values, the median and half the range, as in
    /// `200 ms ± 10.0 ms`.
    pub fn show(&self, value: impl Fn(f64) -> String) -> String {
        match self.runs.len() {
            1 => value(self.median),
            _ => format!("{} ± {}", value(self.median), value(self.half_range)),
        }
    }
}

impl Row {
    /// Returns the number of a cell: the median, if it has several.
    pub fn number(&self, column: Column) -> Option<f64> {
        match self.cells.get(&column)? {
            Cell::None => None,
            Cell::Count(count) => Some(*count as f64),
            Cell::Number(number) => Some(*number),
            Cell::Spread(spread) => Some(spread.median),
        }
    }

    /// Returns the spread of a cell, if it has one.
    pub fn spread(&self, column: Column) -> Option<&Spread> {
        match self.cells.get(&column)? {
            Cell::Spread(spread) => Some(spread),
            _ => None,
        }
    }

    /// Returns a figure as people read it; an empty text if the row has none.
    pub fn shown(&self, column: Column) -> String {
        self.cells.get(&column).map_or_else(String::new, |cell| column.show(cell))
    }

    /// Says whether this is a stage, and not a program beside the stages.
    pub fn is_stage(&self) -> bool {
        stage_number(&self.name).is_some()
    }
}

impl Table {
    /// Returns the columns of the first row that is right, in order.
    pub fn columns(&self) -> Vec<Column> {
        let row = self.rows.iter().find(|row| !row.cells.is_empty());
        row.map_or_else(Vec::new, |row| row.cells.keys().copied().collect())
    }

    /// Returns the name of each wrong row, and what is wrong.
    pub fn wrong(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().filter_map(|row| Some((&*row.name, row.wrong.as_deref()?)))
    }

    /// Returns the stages with this figure, from the least to the largest.
    pub(crate) fn sorted(&self, column: Column) -> Vec<(&Row, f64)> {
        let stages = self.rows.iter().filter(|row| row.is_stage());
        let mut stages: Vec<_> =
            stages.filter_map(|row| Some((row, row.number(column)?))).collect();
        stages.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        stages
    }
}

/// Returns the number of a stage, from its name.
pub(crate) fn stage_number(name: &str) -> Option<usize> {
    name.strip_prefix("stage")?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_its_median_and_half_its_range() {
        let odd = Spread::new(vec![3.0, 1.0, 2.0]);
        assert_eq!((odd.median, odd.half_range, odd.bounds()), (2.0, 1.0, (1.0, 3.0)));
        let even = Spread::new(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!((even.median, even.half_range), (2.5, 1.5));
    }

    #[test]
    fn a_figure_is_shown_in_the_unit_of_its_column() {
        let spread = |values: &[f64]| Cell::Spread(Spread::new(values.to_vec()));
        for (column, cell, shown) in [
            (Column::Time, spread(&[0.2, 0.21, 0.19]), "200 ms ± 10.0 ms"),
            (Column::Time, spread(&[0.2]), "200 ms"),
            (Column::Ratio, spread(&[1.1, 1.0, 1.3]), "1.10 ± 0.15"),
            (Column::Switches, Cell::Count(12_345), "12,345"),
            (Column::Memory, Cell::Count(11 << 20), "11 MiB"),
            (Column::Stall, Cell::Number(0.000_029), "29 µs"),
            (Column::WakeUps, Cell::Number(9.94), "9.9/s"),
            (Column::Stall, Cell::None, "-"),
        ] {
            assert_eq!(column.show(&cell), shown);
        }
    }
}
