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
    missing(merged, last, false)
}

/// Checks as [`lost`] does the merged lines of a log that was truncated while its
/// program wrote: of a line that is missing, the beginning may stand alone.
///
/// A `write` that crosses a page grows the file twice. Who reads in between has the
/// beginning of a line, and its rest may be truncated before the next read.
///
/// # Panics
///
/// Panics as [`lost`] does, and if a line comes behind its own beginning.
pub fn lost_by_truncation(merged: &[u8], last: u64) -> Vec<Lost> {
    missing(merged, last, true)
}

fn missing(merged: &[u8], last: u64, truncated: bool) -> Vec<Lost> {
    let mut lost = Vec::new();
    let mut expected = 1;
    let mut begun = None;
    for found in merged.split_inclusive(|byte| *byte == b'\n') {
        let shown = found.escape_ascii();
        let beginning = found.strip_suffix(b"\n").unwrap_or(found);
        let whole = line(expected);
        if truncated
            && expected <= last
            && (1..whole.len() - 1).contains(&beginning.len())
            && whole.as_bytes().starts_with(beginning)
        {
            let again = begun.replace(expected) == Some(expected);
            assert!(!again, "{expected} was begun twice: {shown}");
            continue;
        }
        let number =
            found.get(..9).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let number: u64 = number.unwrap_or_else(|| panic!("torn, before {expected}: {shown}"));
        assert_eq!(found, line(number).as_bytes(), "torn, before {expected}: {shown}");
        assert_ne!(begun, Some(number), "torn: {number} comes behind its own beginning");
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
    fn the_beginning_of_a_missing_line_may_stand_alone_where_a_log_was_truncated() {
        let halves = [&merged(1..=4)[..], b"0\n", &merged(9..=10), b"000000011 the\n"].concat();
        assert_eq!(lost_by_truncation(&halves, 11), [5..=8, 11..=11]);
        let said = panic_of(|| lost(&halves, 11));
        assert!(said.contains("torn, before 5: 0"), "{said}");
        for (refused, merged) in [
            ("its own beginning", [&merged(1..=4)[..], b"0\n", &merged(5..=9)].concat()),
            ("begun twice", [&merged(1..=4)[..], b"0\n00\n", &merged(9..=9)].concat()),
            ("torn", [&merged(1..=4)[..], b"000000006\n", &merged(9..=9)].concat()),
            ("torn", [&merged(1..=4)[..], b"\n", &merged(9..=9)].concat()),
            ("comes late", [&merged(1..=4)[..], &merged(4..=9)].concat()),
        ] {
            let said = panic_of(|| lost_by_truncation(&merged, 9));
            assert!(said.contains(refused), "{said}");
        }
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
