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

/// A file, and where its page is.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// The name of the stage, or of crate and module.
    pub(crate) name: String,
    /// Where it is, seen from the folder of the crates.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) text: String,
    /// The address of its page, as seen from the page that is written.
    pub(crate) address: String,
}

/// One of the columns.
struct Column<'a> {
    file: &'a File,
    colours: Vec<Vec<(Range<usize>, Kind)>>,
    is_new: bool,
    class: &'static str,
    /// What is said of a line that has changed, to who does not see colours.
    said: &'static str,
    /// The lines above which another one is left out.
    skips: BTreeSet<usize>,
}

impl Column<'_> {
    /// The column of a file that is, or is not, the new one of two.
    fn of<'a>(file: &'a File, is_new: bool, sections: &[Section]) -> Column<'a> {
        let skips = |section: &Section| skips(numbers(&section.rows, is_new));
        Column {
            file,
            colours: colours(&file.text),
            is_new,
            class: if is_new { "new" } else { "old" },
            said: if is_new { "added: " } else { "removed: " },
            skips: sections.iter().flat_map(skips).collect(),
        }
    }
}

/// What is said of a line above which another one is left out.
const SKIP: &str = "a mark of this book's listings, // ANCHOR, is left out above";

/// Writes sections of a step as two columns.
pub(crate) fn step(old: &File, new: &File, sections: &[Section]) -> String {
    let columns = [Column::of(old, false, sections), Column::of(new, true, sections)];
    let label = format!("The step from {} to {}", old.name, new.name);
    let written = html! {
        div.step role="group" aria-label=(label) {
            div.step-files {
                @for column in &columns {
                    a.(column.class) href=(column.file.address) { (column.file.path) }
                }
            }
            @for section in sections { (item(section, &columns)) }
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
    rows.iter().filter_map(move |row| Some(row.side(is_new)?.line.number))
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

fn item(section: &Section, columns: &[Column<'_>]) -> Markup {
    html! {
        div.step-item role="group" aria-label=(section.name) {
            p.step-name { (section.name) }
            @for stretch in stretches(section) {
                @match stretch {
                    Stretch::Shown(rows) => (table(rows, columns, false)),
                    Stretch::Folded(rows) => details {
                        summary { (fold_text(rows)) }
                        (table(rows, columns, false))
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
        let same = rows[at..].iter().take_while(|row| row.same).count();
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
    let lines = |is_new| match numbers(rows, is_new).count() {
        1 => "1 line".to_owned(),
        count => format!("{count} lines"),
    };
    if rows.iter().all(|row| row.same) {
        format!("{}, the same", lines(true))
    } else {
        format!("{}, now {}", lines(false), lines(true))
    }
}

/// Writes rows; with names, each line has one that links can lead to.
fn table(rows: &[Row], columns: &[Column<'_>], named: bool) -> Markup {
    html! {
        table role="table" {
            colgroup { @for _ in columns { col.number; col; } }
            thead role="rowgroup" {
                tr role="row" {
                    @for column in columns {
                        th.number role="columnheader" scope="col" { "line" }
                        th role="columnheader" scope="col" { (column.file.name) }
                    }
                }
            }
            // On a narrow screen what is gone stands above what is new, group by group.
            @for group in rows.chunk_by(|row, next| row.same == next.same) {
                @let class = if group[0].same { "same" } else { "changed" };
                tbody.(class) role="rowgroup" {
                    @for row in group { (write_row(row, columns, named)) }
                }
            }
        }
    }
}

fn write_row(row: &Row, columns: &[Column<'_>], named: bool) -> Markup {
    let name = |column: &Column<'_>| {
        let number = row.side(column.is_new)?.line.number;
        named.then(|| name(column.file, number))
    };
    html! {
        tr class=[is_shifted(row).then_some("shifted")] id=[columns.first().and_then(name)] role="row" {
            @for column in columns { (cells(row.side(column.is_new), column, !row.same)) }
        }
    }
}

/// Says whether a line has only been indented in another way.
fn is_shifted(row: &Row) -> bool {
    let (Some(old), Some(new)) = (&row.old, &row.new) else { return false };
    !row.same && old.line.text.trim() == new.line.text.trim()
}

fn cells(side: Option<&Side>, column: &Column<'_>, changed: bool) -> Markup {
    let class = column.class;
    let Some(Side { line, marks }) = side else {
        return html! {
            td.number.(class).none role="cell" {}
            td.(class).none role="cell" {}
        };
    };
    let number = line.number;
    let address = format!("{}#{}", column.file.address, name(column.file, number));
    let skip = column.skips.contains(&number);
    html! {
        th.number.(class).skip[skip] role="rowheader" scope="row" title=[skip.then_some(SKIP)] {
            a href=(address) { (number) }
        }
        td.(class) role="cell" style=(indent(line)) {
            @if changed { span.said { (column.said) } }
            (text(line, &column.colours[number - 1], marks))
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

/// Writes a whole file, whose page this is: each line with a name that links can
/// lead to.
pub(crate) fn file(file: &File) -> String {
    let lines = steps::items(&file.text).into_iter().flat_map(|item| item.lines);
    let rows = lines.map(|line| Row::same(&line, &line)).collect();
    let whole = Section { name: String::new(), rows };
    let column = Column::of(file, true, std::slice::from_ref(&whole));
    let written = html! {
        div.step.file role="group" aria-label=(file.path) {
            (table(&whole.rows, &[column], true))
        }
    };
    for_markdown(written)
}

/// Names a line of a file. Its file is in it, since all files are on one page
/// where the book is printed.
fn name(file: &File, number: usize) -> String {
    format!("{}-{number}", file.name)
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
            name: stage.into(),
            path: format!("{stage}/src/lib.rs"),
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
        let (name, path) = ("one".into(), "one/src/lib.rs".into());
        let file = File { name, path, text: text.into(), address: String::new() };
        insta::assert_snapshot!(in_lines(&super::file(&file)));
    }
}
