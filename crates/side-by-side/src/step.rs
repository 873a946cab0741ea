//! Two files side by side.
//!
//! Items are laid side by side first, by their names, and lines within them: so
//! a `}` of one item never finds its like in another. Lines that are the same
//! are found by a diff. In what is left between them a changed line is laid
//! beside the line that it is most like, if it is like one at all.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};
use steps::{Item, Line, items};

use crate::words::{differences, likeness};

/// Below this, two lines are two lines and not one that has changed.
const LIKE: f64 = 0.45;

/// A line, and what of it the line beside it does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The line.
    pub line: Line,
    /// The bytes that differ; none where the whole line is gone or new.
    pub marks: Vec<Range<usize>>,
}

impl Side {
    fn whole(line: &Line) -> Side {
        Side { line: line.clone(), marks: Vec::new() }
    }
}

/// What stands side by side: nothing on the left where a line is new, nothing on
/// the right where one is gone. Both are there where a line is the same or has
/// changed, or where one that is gone and one that is new share a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the old file.
    pub old: Option<Side>,
    /// The line of the new file.
    pub new: Option<Side>,
    /// Whether the line is the same in both; how far it is indented counts.
    pub same: bool,
}

impl Row {
    /// Returns the line of the new file, or of the old one.
    pub fn side(&self, is_new: bool) -> Option<&Side> {
        if is_new { self.new.as_ref() } else { self.old.as_ref() }
    }

    /// A line that is in both.
    pub(crate) fn same(old: &Line, new: &Line) -> Row {
        Row { old: Some(Side::whole(old)), new: Some(Side::whole(new)), same: true }
    }
}

/// The rows of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The name of the item, in both files or in the only one that has it.
    pub name: String,
    /// Its rows, with every line of both sides.
    pub rows: Vec<Row>,
}

/// Lays two files side by side, item by item.
pub fn step(old: &str, new: &str) -> Vec<Section> {
    let (old, new) = (items(old), items(new));
    let names = |items: &[Item]| items.iter().map(|item| item.name.clone()).collect::<Vec<_>>();
    let (old_names, new_names) = (names(&old), names(&new));
    let mut sections = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old_names, &new_names) {
        let (tag, old_range, new_range) = op.as_tag_tuple();
        let (gone, added) = (&old[old_range], &new[new_range]);
        if tag == DiffTag::Equal {
            let pairs = gone.iter().zip(added);
            sections
                .extend(pairs.map(|(gone, added)| section(&gone.lines, &added.lines, &gone.name)));
        } else {
            sections.extend(gone.iter().map(|item| section(&item.lines, &[], &item.name)));
            sections.extend(added.iter().map(|item| section(&[], &item.lines, &item.name)));
        }
    }
    sections
}

fn section(old: &[Line], new: &[Line], name: &str) -> Section {
    let texts = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
    let ops = capture_diff_slices(Algorithm::Patience, &texts(old), &texts(new));
    let mut rows = Vec::new();
    // What differs, up to the next stretch that is the same.
    let (mut gone, mut added) = (0..0, 0..0);
    for (at, op) in ops.iter().enumerate() {
        let (tag, in_old, in_new) = op.as_tag_tuple();
        let between = at > 0 && at + 1 < ops.len();
        let is_rest = |line: &Line| !line.text.chars().any(char::is_alphanumeric);
        // A lone brace or blank line between changes is no stretch: laid side
        // by side, it would part lines that belong together.
        let is_rest = between && old[in_old.clone()].iter().all(is_rest);
        if tag == DiffTag::Equal && !is_rest {
            lay(&old[gone], &new[added], &mut rows);
            let same = old[in_old.clone()].iter().zip(&new[in_new.clone()]);
            rows.extend(same.map(|(old, new)| Row::same(old, new)));
            (gone, added) = (in_old.end..in_old.end, in_new.end..in_new.end);
        } else {
            (gone.end, added.end) = (in_old.end, in_new.end);
        }
    }
    lay(&old[gone], &new[added], &mut rows);
    Section { name: name.to_owned(), rows }
}

/// Lays side by side what has changed.
fn lay(old: &[Line], new: &[Line], rows: &mut Vec<Row>) {
    let (mut at_old, mut at_new) = (0, 0);
    for (in_old, in_new) in pairs(old, new).into_iter().chain([(old.len(), new.len())]) {
        // What is like no line: gone and new share their rows.
        let gone = &old[at_old..in_old];
        let added = &new[at_new..in_new];
        for row in 0..gone.len().max(added.len()) {
            let [old, new] = [gone, added].map(|lines| lines.get(row).map(Side::whole));
            rows.push(Row { old, new, same: false });
        }
        if let (Some(before), Some(after)) = (old.get(in_old), new.get(in_new)) {
            rows.push(pair(before, after));
        }
        (at_old, at_new) = (in_old + 1, in_new + 1);
    }
}

fn pair(old: &Line, new: &Line) -> Row {
    if old.text == new.text {
        return Row::same(old, new);
    }
    let (gone, added) = differences(&old.text, &new.text);
    let side = |line: &Line, marks| Some(Side { line: line.clone(), marks });
    Row { old: side(old, gone), new: side(new, added), same: false }
}

/// Finds the lines that have become each other: in order, and as like each
/// other as can be, taken together.
fn pairs(old: &[Line], new: &[Line]) -> Vec<(usize, usize)> {
    let gain = |i: usize, j: usize| gain(&old[i].text, &new[j].text);
    // best[i][j] is what the lines from i and from j on can give.
    let mut best = vec![vec![0.0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let apart = f64::max(best[i + 1][j], best[i][j + 1]);
            best[i][j] =
                gain(i, j).map_or(apart, |gain| f64::max(apart, gain + best[i + 1][j + 1]));
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        if gain(i, j).is_some_and(|gain| best[i][j] == gain + best[i + 1][j + 1]) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[i][j] == best[i + 1][j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Says what it is worth to lay two lines side by side, if they may be.
fn gain(old: &str, new: &str) -> Option<f64> {
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let has_words = |line: &str| line.chars().any(char::is_alphanumeric);
    if !has_words(old) || !has_words(new) {
        // A brace is like every brace: worth little, so that it follows the
        // lines that have words.
        return (old.trim() == new.trim()).then_some(if old == new { 0.02 } else { 0.01 });
    }
    let like = likeness(old, new);
    (is_comment(old) == is_comment(new) && like >= LIKE).then_some(like)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes rows the way they would be seen: `old | new`, changed words in
    /// brackets, `=` between lines that are the same.
    fn seen(old: &str, new: &str) -> String {
        let mut text = String::new();
        for section in step(old, new) {
            text += &format!("[{}]\n", section.name);
            for row in section.rows {
                let sign = if row.same { '=' } else { '|' };
                let (left, right) = (side(row.old), side(row.new));
                text += format!("{left:<36} {sign} {right}").trim_end();
                text += "\n";
            }
        }
        text
    }

    fn side(side: Option<Side>) -> String {
        let Some(Side { line, marks }) = side else { return String::new() };
        let mut text = line.text;
        for range in marks.iter().rev() {
            text.insert(range.end, ']');
            text.insert(range.start, '[');
        }
        text
    }

    const OLD: &str = "\
//! Stage 1.

use a;

// ANCHOR: merge
fn merge() {
    start();
}
// ANCHOR_END: merge

// ANCHOR: tail
fn tail(writer: &Writer) {
    // Until it closes.
    loop {
        writer.write(lines)?;
    }
}
// ANCHOR_END: tail
";
    const NEW: &str = "\
//! Stage 2, the other one.

use a;

// ANCHOR: merge
fn merge() {
    run(merge_async());
}
// ANCHOR_END: merge

// ANCHOR: merge_async
async fn merge_async() {
    start();
}
// ANCHOR_END: merge_async

// ANCHOR: tail
async fn tail(writer: Rc<Writer>) {
    loop {
        // Bridge: on the loop.
        writer.write(lines).await?;
    }
}
// ANCHOR_END: tail
";

    #[test]
    fn items_stand_beside_items_and_lines_beside_what_they_became() {
        insta::assert_snapshot!(seen(OLD, NEW));
    }

    #[test]
    fn an_item_that_only_one_file_has_stands_alone() {
        let old = "// ANCHOR: a\na\n// ANCHOR: gone\nb\n";
        let new = "// ANCHOR: a\na\n// ANCHOR: new\nb\n";
        insta::assert_snapshot!(seen(old, new), @r"
        [a]
        a                                    = a
        [gone]
        b                                    |
        [new]
                                             | b
        ");
    }

    #[test]
    fn a_lone_brace_does_not_part_what_belongs_together() {
        let old = "start();\n}\ntail(source, writer);\nend();\n";
        let new = "run();\ntail(source, &writer);\n}\nend();\n";
        insta::assert_snapshot!(seen(old, new), @r"
        [imports]
        start();                             | run();
        }                                    |
        tail(source, writer);                | tail(source, [&]writer);
                                             | }
        end();                               = end();
        ");
    }

    #[test]
    fn a_comment_is_never_what_has_become_of_code() {
        insta::assert_snapshot!(seen("let x = find(y);\n", "// let x = find(y);\nlet x = find(y, z);\n"), @r"
        [imports]
                                             | // let x = find(y);
        let x = find(y);                     | let x = find(y[, z]);
        ");
    }
}
