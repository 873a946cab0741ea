//! Lines that carry their number, and what became of them.

use std::ops::RangeInclusive;

/// Returns the line with this number, newline included.
///
/// The number stands at both ends, so that a piece of one line and a piece of
/// another never make a line. The lengths differ, so that a wrong offset is hardly
/// ever the end of a line.
pub fn line(number: u64) -> String {
    let padding = &"the quick brown fox jumps over the lazy dog"[..(number % 43) as usize];
    format!("{number:09} {padding} {number:09}\n")
}

/// The numbers of lines that are missing in a merged file, without a gap.
pub type Lost = RangeInclusive<u64>;

/// Checks a merged file against the lines `1..=last`, and returns which are
/// missing.
///
/// # Panics
///
/// Panics if a line is torn, or there twice, or before one that was written
/// earlier, or was never written.
pub fn lost(merged: &[u8], last: u64) -> Vec<Lost> {
    let mut lost = Vec::new();
    let mut expected = 1;
    for found in merged.split_inclusive(|byte| *byte == b'\n') {
        let shown = found.escape_ascii();
        let number =
            found.get(..9).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let number: u64 = number.unwrap_or_else(|| panic!("torn, before {expected}: {shown}"));
        assert_eq!(found, line(number).as_bytes(), "torn, before {expected}: {shown}");
        if number < expected {
            let times = merged.split_inclusive(|byte| *byte == b'\n').filter(|it| *it == found);
            panic!(
                "{number} comes late, or again: {} times; expected was {expected}",
                times.count()
            );
        }
        assert!(number <= last, "{number} was never written, the last was {last}");
        if number > expected {
            lost.push(expected..=number - 1);
        }
        expected = number + 1;
    }
    if expected <= last {
        lost.push(expected..=last);
    }
    lost
}

#[cfg(test)]
mod tests {
    use testkit::panic_of;

    use super::*;

    fn merged(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
        numbers.into_iter().map(line).collect::<String>().into_bytes()
    }

    #[test]
    fn finds_what_is_missing() {
        assert_eq!(lost(&merged(1..=100), 100), []);
        assert_eq!(lost(&merged((4..=9).chain(12..=20)), 25), [1..=3, 10..=11, 21..=25]);
    }

    #[test]
    fn refuses_what_is_doubled_in_another_order_or_torn() {
        let mut joined = merged(1..=2);
        joined.remove(line(1).len() - 1);
        for (merged, refused) in [
            (merged([1, 2, 2]), "comes late, or again"),
            (merged([1, 3, 2]), "comes late, or again"),
            (joined, "torn"),
            (merged(1..=2)[3..].to_vec(), "torn"),
        ] {
            let said = panic_of(|| lost(&merged, 3));
            assert!(said.contains(refused), "{said}");
        }
    }
}
