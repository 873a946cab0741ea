//! What differs between two lines.

use std::ops::Range;

use similar::{ChangeTag, TextDiff};

/// Says how much of two lines is the same, from 0 to 1. Blanks do not count.
pub fn likeness(old: &str, new: &str) -> f64 {
    let weight = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count() as f64;
    let total = weight(old) + weight(new);
    if total == 0.0 {
        return 1.0;
    }
    let diff = TextDiff::from_unicode_words(old.trim(), new.trim());
    let same = diff.iter_all_changes().filter(|change| change.tag() == ChangeTag::Equal);
    2.0 * same.map(|change| weight(change.value())).sum::<f64>() / total
}

/// Returns the bytes of the old line that are gone in the new one, and those
/// of the new line that the old one did not have. How far a line is indented
/// is not marked: it is seen.
pub fn differences(old: &str, new: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut gone, mut added) = (Vec::new(), Vec::new());
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut in_old, mut in_new) = (indent(old), indent(new));
    let diff = TextDiff::from_unicode_words(&old[in_old..], &new[in_new..]);
    for change in diff.iter_all_changes() {
        let length = change.value().len();
        let tag = change.tag();
        if tag != ChangeTag::Insert {
            if tag == ChangeTag::Delete {
                push(&mut gone, old, in_old..in_old + length);
            }
            in_old += length;
        }
        if tag != ChangeTag::Delete {
            if tag == ChangeTag::Insert {
                push(&mut added, new, in_new..in_new + length);
            }
            in_new += length;
        }
    }
    (gone, added)
}

/// Adds a range, as one with the last if only blanks are between them: three
/// changed words in a row are one change.
fn push(ranges: &mut Vec<Range<usize>>, line: &str, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if line[last.end..range.start].trim().is_empty() => last.end = range.end,
        _ => ranges.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(line: &str, ranges: &[Range<usize>]) -> String {
        let mut text = line.to_owned();
        for range in ranges.iter().rev() {
            text.insert(range.end, ']');
            text.insert(range.start, '[');
        }
        text
    }

    fn both(old: &str, new: &str) -> (String, String) {
        let (gone, added) = differences(old, new);
        (marked(old, &gone), marked(new, &added))
    }

    #[test]
    fn the_words_that_differ_are_marked() {
        assert_eq!(
            both("    writer.write(lines)?;", "    writer.write(lines).await?;"),
            ("    writer.write(lines)?;".into(), "    writer.write(lines)[.await]?;".into()),
        );
        assert_eq!(
            both("a red car", "a very blue car"),
            ("a [red] car".into(), "a [very blue] car".into())
        );
    }

    #[test]
    fn an_indent_is_seen_and_not_marked() {
        assert_eq!(both("x;", "    x;"), ("x;".into(), "    x;".into()));
        assert_eq!(both("é x", "  é y"), ("é [x]".into(), "  é [y]".into()));
    }

    #[test]
    fn likeness_goes_from_nothing_to_all() {
        assert_eq!(likeness("a(b);", "    a(b);"), 1.0);
        assert_eq!(likeness("one", "two"), 0.0);
        assert_eq!(likeness("", "  "), 1.0);
        let part = likeness("writer.write(lines)?", "writer.write(lines).await?");
        assert!(part > 0.8 && part < 1.0, "{part}");
    }
}
