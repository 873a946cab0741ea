//! Numbers as people read them.

use std::fmt;

/// Seconds, shown in three digits with the unit that suits them; microseconds have no
/// decimals.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Time(seconds) = *self;
        let (value, unit) = match seconds {
            0.0 => return f.write_str("0 s"),
            // From these bounds on, three digits would round up to the next unit.
            _ if seconds < 999.5e-6 => (seconds * 1e6, "µs"),
            _ if seconds < 999.5e-3 => (seconds * 1e3, "ms"),
            _ => (seconds, "s"),
        };
        let decimals = match value {
            // No clock here is more exact than a microsecond.
            _ if unit == "µs" => 0,
            _ if value < 9.995 => 2,
            _ if value < 99.95 => 1,
            _ => 0,
        };
        write!(f, "{value:.decimals$} {unit}")
    }
}

/// A number of bytes, shown in the unit that suits it.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        for (unit, least) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            let value = bytes / f64::from(1 << least);
            // From this bound on, the next smaller unit would be shown as 1024.
            if value >= if least > 10 { 1.0 - 0.5 / 1024.0 } else { 1.0 } {
                let decimals = usize::from(value < 9.95 && value.fract() != 0.0);
                return write!(f, "{value:.decimals$} {unit}");
            }
        }
        write!(f, "{} byte{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

/// A count, shown with a comma before every third digit.
#[derive(Debug, Clone, Copy)]
pub struct Grouped(pub u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            count @ 0..1_000 => write!(f, "{count}"),
            count => write!(f, "{},{:03}", Grouped(count / 1_000), count % 1_000),
        }
    }
}

/// A number a second, shown with its tenths below ten.
#[derive(Debug, Clone, Copy)]
pub struct Rate(pub f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            rate if rate < 9.95 => write!(f, "{rate:.1}/s"),
            rate => write!(f, "{}/s", Grouped(rate.round() as u64)),
        }
    }
}

/// `no thread`, `1 thread`, `2 threads`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", Grouped(count as u64)),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_digits_that_tell_and_the_unit_that_suits() {
        let times = [0.0, 4e-7, 29.4e-6, 999.6e-6, 0.01234, 0.9994, 0.9996, 12.345, 123.45];
        let shown = "0 s, 0 µs, 29 µs, 1.00 ms, 12.3 ms, 999 ms, 1.00 s, 12.3 s, 123 s";
        assert_eq!(times.map(|it| Time(it).to_string()).join(", "), shown);
        let most = (1 << 20) - 1;
        let sizes = [0, 1, 1023, 1024, 1536, most, 64 << 20, most << 10, (1 << 30) + (1 << 29)];
        let shown =
            "0 bytes, 1 byte, 1023 bytes, 1 KiB, 1.5 KiB, 1.0 MiB, 64 MiB, 1.0 GiB, 1.5 GiB";
        assert_eq!(sizes.map(|it| Size(it).to_string()).join(", "), shown);
        for (count, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(Grouped(count).to_string(), shown);
        }
        for (rate, shown) in [(0.0, "0.0/s"), (9.94, "9.9/s"), (9.96, "10/s"), (1e4, "10,000/s")] {
            assert_eq!(Rate(rate).to_string(), shown);
        }
    }
}
