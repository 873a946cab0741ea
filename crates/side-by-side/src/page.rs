//! Writes steps and files as HTML.
//!
//! Everything is a table that a screen reader can read line by line; how it is
//! laid out is the business of `docs/css/side-by-side.css`. The roles are
//! written out, because a table loses its meaning where a style sheet lays it
//! out as something else, as it does on a narrow screen.

use std::collections::BTreeSet;
use std::ops::Range;

use maud::{Markup, html};
use steps::{DOC, Line};

use crate::breaks;
use crate::colour::{Kind, colours};
use crate::step::{Row, Section, Side};

/// How many unchanged lines are shown round a change.
const AROUND: usize = 3;
/// Fewer than these are not worth a click.
const LEAST: usize = 4;

/// A stage's file, and where its page is.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// The name of the stage.
    pub(crate) stage: String,
    /// What it holds.
    pub(crate) text: String,
    /// The address of its page, as seen from the page that is written.
    pub(crate) address: String,
}

/// One of the two columns.
#[derive(Clone, Copy)]
struct Column<'a> {
    file: &'a File,
    colours: &'a [Vec<(Range<usize>, Kind)>],
    class: &'static str,
    /// What is said of a line that has changed, to who does not see colours.
    said: &'static str,
    /// The lines above which another one is left out.
    skips: &'a BTreeSet<usize>,
}

/// What is said of a line above which another one is left out.
const SKIP: &str = "a mark of this book's listings, // ANCHOR, is left out above";

/// Writes sections of a step as two columns.
pub(crate) fn step(old: &File, new: &File, sections: &[Section]) -> String {
    let [in_old, in_new] = [colours(&old.text), colours(&new.text)];
    let skips = |is_new| -> BTreeSet<usize> {
        sections.iter().flat_map(|section| skips(numbers(&section.rows, is_new))).collect()
    };
    let [old_skips, new_skips] = [skips(false), skips(true)];
    let columns = [
        Column { file: old, colours: &in_old, class: "old", said: "removed: ", skips: &old_skips },
        Column { file: new, colours: &in_new, class: "new", said: "added: ", skips: &new_skips },
    ];
    let label = format!("The step from {} to {}", old.stage, new.stage);
    let written = html! {
        div.step role="group" aria-label=(label) {
            div.step-files {
                @for column in columns {
                    a.(column.class) href=(column.file.address) { (column.file.stage) "/src/lib.rs" }
                }
            }
            @for section in sections { (item(section, columns)) }
        }
    };
    for_markdown(written)
}

/// Says in one line what the colours of a step mean.
pub(crate) fn legend() -> String {
    let written = html! {
        p.step-legend {
            span.old { "− gone" }
            span.new { "+ new" }
            span { mark.old { "deep" } mark.new { "er" } ": what differs in the line" }
            span { span.shifted { span.old { "pal" } span.new { "er" } } ": only its indent differs" }
            span { span.skip { "9" } ": a line above is left out, a mark of this book" }
        }
    };
    for_markdown(written)
}

/// Lists the numbers of one column, in order.
fn numbers(rows: &[Row], is_new: bool) -> impl Iterator<Item = usize> {
    rows.iter().filter_map(move |row| match row {
        Row::Same(old, new) => Some(if is_new { new } else { old }.number),
        Row::Changed(old, new) => {
            (if is_new { new } else { old }).as_ref().map(|side| side.line.number)
        }
    })
}

/// Finds the numbers that do not follow on the one before.
fn skips(numbers: impl Iterator<Item = usize>) -> BTreeSet<usize> {
    let mut last = None;
    let skipped = |number: &usize| {
        let before = last.replace(*number);
        before.is_some_and(|before| before + 1 != *number)
    };
    numbers.filter(skipped).collect()
}

fn item(section: &Section, columns: [Column<'_>; 2]) -> Markup {
    html! {
        div.step-item role="group" aria-label=(section.name) {
            p.step-name { (section.name) }
            @for stretch in stretches(section) {
                @match stretch {
                    Stretch::Shown(rows) => (table(rows, columns)),
                    Stretch::Folded(rows) => details {
                        summary { (fold_text(rows)) }
                        (table(rows, columns))
                    },
                }
            }
        }
    }
}

/// Rows that are shown at once, or after a click.
#[derive(Debug, PartialEq, Eq)]
enum Stretch<'a> {
    Shown(&'a [Row]),
    Folded(&'a [Row]),
}

/// Folds what is far from every change. The doc of a crate is folded whole: it
/// tells the step in words, and would bury it here.
fn stretches(section: &Section) -> Vec<Stretch<'_>> {
    let rows = &section.rows;
    if section.name == DOC {
        return vec![Stretch::Folded(rows)];
    }
    let mut stretches = Vec::new();
    let mut shown_from = 0;
    let mut at = 0;
    while at < rows.len() {
        let same = rows[at..].iter().take_while(|row| matches!(row, Row::Same(..))).count();
        if same == 0 {
            at += 1;
            continue;
        }
        // Nothing to keep in view at an end of the item: there is no change there.
        let from = if at == 0 { 0 } else { at + AROUND };
        let to =
            if at + same == rows.len() { rows.len() } else { (at + same).saturating_sub(AROUND) };
        if to >= from + LEAST {
            if from > shown_from {
                stretches.push(Stretch::Shown(&rows[shown_from..from]));
            }
            stretches.push(Stretch::Folded(&rows[from..to]));
            shown_from = to;
        }
        at += same;
    }
    if shown_from < rows.len() {
        stretches.push(Stretch::Shown(&rows[shown_from..]));
    }
    stretches
}

fn fold_text(rows: &[Row]) -> String {
    let (old, new) = rows.iter().fold((0, 0), |(old, new), row| match row {
        Row::Same(..) => (old + 1, new + 1),
        Row::Changed(gone, added) => {
            (old + usize::from(gone.is_some()), new + usize::from(added.is_some()))
        }
    });
    let lines = |count| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    if rows.iter().all(|row| matches!(row, Row::Same(..))) {
        format!("{}, the same", lines(new))
    } else {
        format!("{}, now {}", lines(old), lines(new))
    }
}

fn table(rows: &[Row], columns: [Column<'_>; 2]) -> Markup {
    let is_same = |row: &Row| matches!(row, Row::Same(..));
    html! {
        table role="table" {
            colgroup { col.number; col; col.number; col; }
            thead role="rowgroup" {
                tr role="row" {
                    @for column in columns {
                        th.number role="columnheader" scope="col" { "line" }
                        th role="columnheader" scope="col" { (column.file.stage) }
                    }
                }
            }
            // On a narrow screen what is gone stands above what is new, group by group.
            @for group in rows.chunk_by(|row, next| is_same(row) == is_same(next)) {
                @let class = if is_same(&group[0]) { "same" } else { "changed" };
                tbody.(class) role="rowgroup" {
                    @for row in group { (write_row(row, columns)) }
                }
            }
        }
    }
}

fn write_row(row: &Row, columns: [Column<'_>; 2]) -> Markup {
    let [old, new] = columns;
    html! {
        tr.shifted[is_shifted(row)] role="row" {
            @match row {
                Row::Same(before, after) => {
                    (cells(Some((before, &[])), old, false))
                    (cells(Some((after, &[])), new, false))
                },
                Row::Changed(gone, added) => {
                    (cells(gone.as_ref().map(parts), old, true))
                    (cells(added.as_ref().map(parts), new, true))
                },
            }
        }
    }
}

/// Says whether a line has only been indented in another way.
fn is_shifted(row: &Row) -> bool {
    let Row::Changed(Some(old), Some(new)) = row else { return false };
    old.line.text.trim() == new.line.text.trim()
}

fn parts(side: &Side) -> (&Line, &[Range<usize>]) {
    (&side.line, &side.marks)
}

fn cells(side: Option<(&Line, &[Range<usize>])>, column: Column<'_>, changed: bool) -> Markup {
    let class = column.class;
    let Some((line, marks)) = side else {
        return html! {
            td.number.(class).none role="cell" {}
            td.(class).none role="cell" {}
        };
    };
    let number = line.number;
    let address = format!("{}#{}", column.file.address, name(column.file, number));
    html! {
        (numbered(number, &address, class, column.skips.contains(&number)))
        td.(class) role="cell" style=(indent(line)) {
            @if changed { span.said { (column.said) } }
            (text(line, &column.colours[number - 1], marks))
        }
    }
}

fn numbered(number: usize, address: &str, class: &str, skip: bool) -> Markup {
    html! {
        th.number.(class).skip[skip] role="rowheader" scope="row" title=[skip.then_some(SKIP)] {
            a href=(address) { (number) }
        }
    }
}

/// Says how far a line is indented, so that it can be broken further right.
fn indent(line: &Line) -> String {
    format!("--indent:{}", line.text.len() - line.text.trim_start().len())
}

/// Writes a line in colours, with what differs marked. Its indent is apart: a
/// long line is not to be broken there.
fn text(line: &Line, colours: &[(Range<usize>, Kind)], marks: &[Range<usize>]) -> Markup {
    let text = &*line.text;
    let mut cuts: Vec<_> = colours.iter().map(|(range, _)| range).chain(marks).collect();
    cuts.sort_by_key(|range| range.start);
    let mut places: Vec<_> = cuts.iter().flat_map(|range| [range.start, range.end]).collect();
    let indent = text.len() - text.trim_start().len();
    places.extend([indent, text.len()]);
    places.sort_unstable();
    places.dedup();
    places.retain(|place| *place >= indent);
    let breaks = breaks::of_code(text);
    html! {
        @if indent > 0 { span.indent { (&text[..indent]) } }
        @for place in places.windows(2) {
            @let (start, end) = (place[0], place[1]);
            @let piece = broken(text, start..end, &breaks);
            @let kind = colours.iter().find(|(range, _)| range.contains(&start));
            @let coloured = html! {
                @match kind {
                    Some((_, kind)) => span.(kind.class()) { (piece) },
                    None => (piece),
                }
            };
            @if marks.iter().any(|mark| mark.contains(&start)) {
                mark { (coloured) }
            } @else {
                (coloured)
            }
        }
    }
}

/// Writes a part of a text, with the places where it may be broken.
fn broken(text: &str, part: Range<usize>, breaks: &[usize]) -> Markup {
    let inside = breaks.iter().copied().filter(|place| part.contains(place));
    let mut from = part.start;
    let mut pieces = Vec::new();
    for place in inside {
        pieces.push(&text[from..place]);
        from = place;
    }
    html! {
        @for piece in pieces { (piece) span.wb {} }
        (text[from..part.end])
    }
}

/// Writes a whole file, each line with a name that links can lead to.
pub(crate) fn file(file: &File) -> String {
    let colours = colours(&file.text);
    let items = steps::items(&file.text);
    let lines: Vec<_> = items.into_iter().flat_map(|item| item.lines).collect();
    let skips = skips(lines.iter().map(|line| line.number));
    let written = html! {
        div.step.file role="group" aria-label=(format!("{}/src/lib.rs", file.stage)) {
            table role="table" {
                colgroup { col.number; col; }
                thead role="rowgroup" {
                    tr role="row" {
                        th.number role="columnheader" scope="col" { "line" }
                        th role="columnheader" scope="col" { (file.stage) }
                    }
                }
                tbody.same role="rowgroup" {
                    @for line in &lines {
                        tr id=(name(file, line.number)) role="row" {
                            @let address = format!("#{}", name(file, line.number));
                            (numbered(line.number, &address, "new", skips.contains(&line.number)))
                            td.new role="cell" style=(indent(line)) { (text(line, &colours[line.number - 1], &[])) }
                        }
                    }
                }
            }
        }
    };
    for_markdown(written)
}

/// Names a line of a file. The stage is in it, since all files are on one page
/// where the book is printed.
fn name(file: &File, number: usize) -> String {
    format!("{}-{number}", file.stage)
}

/// Keeps what is in the code from being taken for a directive of mdBook. There
/// is no line break in what is written, so Markdown takes it for one block.
fn for_markdown(written: Markup) -> String {
    written.into_string().replace("{{", "{&#123;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(old: &str, new: &str) -> String {
        let file = |stage: &str, text: &str| File {
            stage: stage.into(),
            text: text.into(),
            address: format!("files/{stage}.html"),
        };
        step(&file("one", old), &file("two", new), &crate::step::step(old, new))
    }

    /// Breaks the one line where a reader would, for the snapshot only.
    fn in_lines(html: &str) -> String {
        ["<table", "<tbody", "<tr", "<details", "</details", "<div", "</div"]
            .iter()
            .fold(html.to_owned(), |html, tag| html.replace(tag, &format!("\n{tag}")))
    }

    #[test]
    fn two_tiny_files_side_by_side() {
        let old = "fn a() {\n    b(1); // <b>\n    c();\n}\n";
        let new = "fn a() {\n    b(2); // <b>\n}\n";
        insta::assert_snapshot!(in_lines(&made(old, new)));
    }

    #[test]
    fn far_from_a_change_lines_are_folded_and_the_doc_always() {
        let far: String = (0..12).map(|n| format!("line{n};\n")).collect();
        let old = format!("//! Old.\n\n{far}change;\n{far}");
        let new = format!("//! New.\n//! Newer.\n\n{far}changed;\n{far}");
        let html = made(&old, &new);
        let folds: Vec<_> =
            html.split("<summary>").skip(1).map(|rest| &rest[..rest.find('<').unwrap()]).collect();
        assert_eq!(folds, ["2 lines, now 3 lines", "9 lines, the same", "9 lines, the same"]);
    }

    #[test]
    fn what_is_near_or_little_is_not_folded() {
        let html = made("a\nb\nc\nd\nx\n", "a\nb\nc\nd\ny\n");
        assert!(!html.contains("<details"), "{html}");
        let html = made("a\nb\nc\nd\ne\nf\ng\nx\n", "a\nb\nc\nd\ne\nf\ng\ny\n");
        assert!(html.contains("4 lines, the same"), "{html}");
    }

    #[test]
    fn no_line_breaks_and_no_directives_are_left_for_the_book() {
        let html = made("fn a() {\n\n    format!(\"{{#include x}}\");\n}\n", "\n\n");
        assert!(!html.contains('\n') && !html.contains("{{"), "{html}");
    }

    #[test]
    fn a_whole_file_has_a_name_for_every_line() {
        let text = "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n";
        let file = File { stage: "one".into(), text: text.into(), address: String::new() };
        insta::assert_snapshot!(in_lines(&super::file(&file)));
    }
}
