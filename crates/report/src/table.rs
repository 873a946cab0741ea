//! The table of one workload: what terminal, JSON and page are renderers over.

use std::fmt;

/// The figures of one workload: a row for each stage, and for `cat`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name of the workload.
    pub name: String,
    /// What it was, with the sizes of this run.
    pub what: String,
    /// What the cells of each row hold.
    pub columns: Vec<Column>,
    /// A row for each contender.
    pub rows: Vec<Row>,
}

/// What a column holds, for both kinds of readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in JSON, with the unit.
    pub key: &'static str,
    /// Its head on the terminal.
    pub head: &'static str,
}

/// What came of one contender.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name: that of a stage, or of a program such as `cat`.
    pub name: String,
    /// A cell for each column; or what is wrong, and then no figure at all.
    pub cells: Result<Vec<Cell>, String>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// There is none: no loop that could stall, a system that does not tell.
    None,
    /// So many.
    Count(u64),
    /// So many bytes.
    Bytes(u64),
    /// So many seconds.
    Seconds(f64),
    /// A time that was taken several times, in seconds.
    Times(Spread),
    /// How many times as much as another contender, round by round.
    Ratio(Spread),
    /// So many in a second.
    Rate(f64),
}

/// A figure that was taken several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// Keeps the values in the order of the rounds.
    ///
    /// # Panics
    ///
    /// Panics if there is none.
    pub fn new(values: Vec<f64>) -> Spread {
        assert!(!values.is_empty(), "a spread has at least one value");
        Spread(values)
    }

    /// Returns the values, in the order of the rounds.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// Returns the middle value; of an even number, the mean of the middle two.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        }
    }

    /// Returns half the way from the least value to the largest.
    pub fn half_range(&self) -> f64 {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (most - least) / 2.0
    }
}

impl Table {
    /// Returns the cell of `row` in the column of this key, if it has one.
    pub fn cell<'a>(&self, row: &'a Row, key: &str) -> Option<&'a Cell> {
        let at = self.columns.iter().position(|column| column.key == key)?;
        row.cells.as_ref().ok()?.get(at)
    }

    /// Returns the one number of a cell: the median, where there are several.
    pub fn number(&self, row: &Row, key: &str) -> Option<f64> {
        match self.cell(row, key)? {
            Cell::None => None,
            Cell::Count(number) | Cell::Bytes(number) => Some(*number as f64),
            Cell::Seconds(number) | Cell::Rate(number) => Some(*number),
            Cell::Times(spread) | Cell::Ratio(spread) => Some(spread.median()),
        }
    }

    /// Returns the rows in which something is wrong, with what it is.
    pub fn wrong(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().filter_map(|row| Some((&*row.name, &**row.cells.as_ref().err()?)))
    }
}

/// A time in three digits, with the unit that suits it.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Time(seconds) = *self;
        let (value, unit) = match seconds {
            0.0 => return f.write_str("0 s"),
            // The bounds are where three digits would round up to the next unit.
            _ if seconds < 999.5e-6 => (seconds * 1e6, "µs"),
            _ if seconds < 999.5e-3 => (seconds * 1e3, "ms"),
            _ => (seconds, "s"),
        };
        let decimals = match value {
            _ if value < 9.995 => 2,
            _ if value < 99.95 => 1,
            _ => 0,
        };
        // A microsecond has no decimals: no clock here is that exact.
        let decimals = if unit == "µs" { 0 } else { decimals };
        write!(f, "{value:.decimals$} {unit}")
    }
}

/// A number of bytes, in the unit that suits it.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        for (unit, least) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            let value = bytes / f64::from(1 << least);
            if value >= 1.0 {
                let decimals = usize::from(value < 9.95 && value.fract() != 0.0);
                return write!(f, "{value:.decimals$} {unit}");
            }
        }
        write!(f, "{} bytes", self.0)
    }
}

/// A count with a comma before every third digit.
#[derive(Debug, Clone, Copy)]
pub struct Grouped(pub u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::None => f.write_str("-"),
            Cell::Count(count) => Grouped(*count).fmt(f),
            Cell::Bytes(bytes) => Size(*bytes).fmt(f),
            Cell::Seconds(seconds) => Time(*seconds).fmt(f),
            // A rate below ten is told from another by its tenths.
            Cell::Rate(rate) if *rate < 9.95 => write!(f, "{rate:.1}/s"),
            Cell::Rate(rate) => write!(f, "{}/s", Grouped(rate.round() as u64)),
            Cell::Times(spread) if spread.values().len() == 1 => Time(spread.median()).fmt(f),
            Cell::Times(spread) => {
                write!(f, "{} ± {}", Time(spread.median()), Time(spread.half_range()))
            }
            Cell::Ratio(spread) if spread.values().len() == 1 => {
                write!(f, "{:.2}", spread.median())
            }
            Cell::Ratio(spread) => write!(f, "{:.2} ± {:.2}", spread.median(), spread.half_range()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::fixed::table as fixed;

    #[test]
    fn a_spread_has_its_median_and_half_its_range() {
        let odd = Spread::new(vec![3.0, 1.0, 2.0]);
        assert_eq!((odd.median(), odd.half_range()), (2.0, 1.0));
        let even = Spread::new(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!((even.median(), even.half_range()), (2.5, 1.5));
    }

    #[test]
    fn times_and_sizes_have_three_digits_and_the_unit_that_suits() {
        for (seconds, shown) in [
            (0.0, "0 s"),
            (0.000_000_4, "0 µs"),
            (0.000_029_4, "29 µs"),
            (0.000_999_6, "1.00 ms"),
            (0.012_34, "12.3 ms"),
            (0.9994, "999 ms"),
            (0.9996, "1.00 s"),
            (12.345, "12.3 s"),
            (123.45, "123 s"),
        ] {
            assert_eq!(Time(seconds).to_string(), shown);
        }
        for (bytes, shown) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (64 << 20, "64 MiB"),
            ((1 << 30) + (1 << 29), "1.5 GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), shown);
        }
        for (count, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(Grouped(count).to_string(), shown);
        }
    }

    #[test]
    fn a_rate_has_tenths_where_they_tell() {
        for (rate, shown) in
            [(0.0, "0.0/s"), (9.94, "9.9/s"), (9.96, "10/s"), (10_000.4, "10,000/s")]
        {
            assert_eq!(Cell::Rate(rate).to_string(), shown);
        }
    }

    #[test]
    fn a_cell_is_found_by_its_key_and_a_wrong_row_has_none() {
        let table = fixed();
        assert_eq!(table.number(&table.rows[0], "time_seconds"), Some(0.2));
        assert_eq!(table.number(&table.rows[0], "ratio_to_cat"), None);
        assert_eq!(table.number(&table.rows[2], "peak_threads"), Some(6.0));
        assert_eq!(table.number(&table.rows[1], "time_seconds"), None);
        assert_eq!(table.number(&table.rows[0], "no_such_key"), None);
        assert_eq!(table.wrong().collect::<Vec<_>>(), [("stage2-mixed", "2 lines lost")]);
    }
}
