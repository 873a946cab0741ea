//! Shows a result on a terminal.
//!
//! Colours are written always; the stream that they go to leaves them out
//! where there is no terminal, or where `NO_COLOR` is set.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use results::Head;
use results::Table;

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// How many lines of what is wrong are shown below a table.
const DETAILS: usize = 12;

/// The head, in one or two lines.
pub(crate) fn head(head: &Head) -> String {
    let commit = head.commit.as_deref().unwrap_or("unknown (no git)");
    let cores = if head.cores == 1 { "1 core".to_owned() } else { format!("{} cores", head.cores) };
    format!(
        "{FAINT}commit {commit}, {}, profile {}\n{}, {cores}, seed {}{FAINT:#}\n",
        head.rustc, head.profile, head.kernel, head.seed
    )
}

/// A table, with what is wrong below it.
pub(crate) fn table(table: &Table) -> String {
    let rows: Vec<(&str, Result<Vec<String>, &str>)> = table
        .rows
        .iter()
        .map(|row| {
            let cells = row.cells.as_ref().map(|cells| cells.iter().map(ToString::to_string));
            (&*row.name, cells.map(Iterator::collect).map_err(|wrong| &**wrong))
        })
        .collect();
    let names = rows.iter().map(|(name, _)| name.chars().count());
    let name_width = names.chain(["stage".len()]).max().unwrap_or_default();
    let width_of = |at: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| Some(cells.as_ref().ok()?[at].chars()));
        let head = table.columns[at].head.chars();
        cells.map(Iterator::count).chain([head.count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width_of).collect();

    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        text.write_fmt(line).expect("a string takes everything");
        text.push('\n');
    };
    line(format_args!("{BOLD}{}{BOLD:#}: {}", table.name, table.what));
    let heads = table.columns.iter().zip(&widths);
    let heads: String = heads.map(|(column, width)| format!("  {:>width$}", column.head)).collect();
    line(format_args!("{FAINT}{:<name_width$}{heads}{FAINT:#}", "stage"));
    for (name, cells) in &rows {
        match cells {
            Ok(cells) => {
                let cells = cells.iter().zip(&widths);
                let cells: String =
                    cells.map(|(cell, width)| format!("  {cell:>width$}")).collect();
                line(format_args!("{name:<name_width$}{cells}"));
            }
            Err(wrong) => {
                let first = wrong.lines().next().unwrap_or_default();
                line(format_args!("{RED}{name:<name_width$}  wrong: {first}{RED:#}"));
            }
        }
    }
    for (name, wrong) in table.wrong() {
        let more = wrong.lines().count().saturating_sub(DETAILS + 1);
        for (at, detail) in wrong.lines().skip(1).take(DETAILS).enumerate() {
            let name = if at == 0 { format!("{name}: ") } else { String::new() };
            line(format_args!("  {name}{detail}"));
        }
        if more > 0 {
            line(format_args!("  … and {more} lines more (--json FILE has them all)"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::fixed::table as fixed;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_table_is_aligned_and_a_wrong_row_has_no_figure() {
        let mut wrong = fixed();
        wrong.rows[1].cells = Err("2 lines lost\nline 3 of a.log\nline 9 of a.log".into());
        insta::assert_snapshot!(plain(&table(&wrong)), @"
        backlog: 2 complete files of 1 MiB
        stage                     time        × cat     CPU  threads  switches   memory  stall
        cat           200 ms ± 10.0 ms            -  190 ms        1        12  1.9 MiB      -
        stage2-mixed  wrong: 2 lines lost
        stage4-tasks  220 ms ± 18.5 ms  1.10 ± 0.15  1.25 s        6    12,345   11 MiB  29 µs
          stage2-mixed: line 3 of a.log
          line 9 of a.log
        ");
    }

    #[test]
    fn colours_are_in_pairs() {
        let coloured = table(&fixed());
        assert!(coloured.contains(&format!("{RED}stage2-mixed")), "{coloured:?}");
        assert_eq!(coloured.matches("\u{1b}[0m").count(), 3, "{coloured:?}");
    }

    #[test]
    fn the_head_names_what_the_figures_depend_on() {
        let machine = Head {
            seed: 7,
            commit: Some("0123456".into()),
            rustc: "rustc 1.95.0".into(),
            cores: 2,
            profile: "release".into(),
            date: "2026-11-22".into(),
            kernel: "Linux 6.18 x86_64".into(),
        };
        insta::assert_snapshot!(plain(&head(&machine)), @"
        commit 0123456, rustc 1.95.0, profile release
        Linux 6.18 x86_64, 2 cores, seed 7
        ");
        let machine = Head { commit: None, cores: 1, ..machine };
        insta::assert_snapshot!(plain(&head(&machine)), @"
        commit unknown (no git), rustc 1.95.0, profile release
        Linux 6.18 x86_64, 1 core, seed 7
        ");
    }
}
