//! Times in one unit and with one decimal, so that a sum is that of what is shown.

use crate::Grouped;

/// `152.1 ms`: every time in the lanes that may be added to another has one unit
/// and one decimal.
pub(super) fn millis(seconds: f64) -> String {
    shown(tenths(seconds))
}

/// The sum of the lengths as they are shown, without the unit.
pub(super) fn sum(lengths: impl Iterator<Item = f64>) -> String {
    bare(lengths.map(tenths).sum())
}

/// Tenths of a millisecond.
pub(super) fn tenths(seconds: f64) -> u64 {
    (seconds * 1e4).round() as u64
}

/// The text of so many tenths: `152.1 ms`.
pub(super) fn shown(tenths: u64) -> String {
    bare(tenths) + " ms"
}

fn bare(tenths: u64) -> String {
    format!("{}.{}", Grouped(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_what_is_shown() {
        let lengths = [0.130_44, 0.130_44, 1.0];
        assert_eq!(lengths.map(millis), ["130.4 ms", "130.4 ms", "1,000.0 ms"]);
        assert_eq!(sum(lengths.into_iter()), "1,260.8");
    }
}
