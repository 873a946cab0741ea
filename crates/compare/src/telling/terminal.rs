//! Shows a result on a terminal, and prints it.
//!
//! Colours are always written. The stream leaves them out where there is no terminal,
//! or where `NO_COLOR` is set.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};

use anstyle::{AnsiColor, Style};
use anyhow::Context;
use report::{Column, Grouped, Growth, Head, Spread, Table, Time};

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// How many lines about each wrong row are shown below a table.
const DETAILS: usize = 12;

/// Prints to stdout. A reader that is gone (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("stdout: cannot write the result"),
    }
}

/// Prints an error on one line, even if a name in it has a newline.
pub(crate) fn error(error: &anyhow::Error) {
    let said = format!("{error:#}").replace('\n', " ");
    // If stderr is gone, nobody can be told.
    let _: io::Result<()> = writeln!(anstream::stderr(), "{RED}error:{RED:#} {said}");
}

/// The head, in two lines.
pub(crate) fn head(head: &Head) -> String {
    let commit = head.commit.as_deref().unwrap_or("unknown (no git)");
    let cores = if head.cores == 1 { "1 core".to_owned() } else { format!("{} cores", head.cores) };
    format!(
        "{FAINT}commit {commit}, {}, profile {}\n{}, {cores}, seed {}{FAINT:#}\n",
        head.rustc, head.profile, head.kernel, head.seed
    )
}

/// A table, and below it the details of the wrong rows.
pub(crate) fn table(table: &Table) -> String {
    let columns = table.columns();
    let heads: Vec<String> = columns.iter().map(|column| column.head().to_owned()).collect();
    let rows: Vec<(&str, Result<Vec<String>, &str>)> = table
        .rows
        .iter()
        .map(|row| {
            let cells = columns.iter().map(|column: &Column| row.shown(*column)).collect();
            (&*row.name, row.wrong.as_deref().map_or(Ok(cells), Err))
        })
        .collect();
    let mut text = grid(&format!("{BOLD}{}{BOLD:#}: {}", table.name, table.what), &heads, &rows);
    for (name, wrong) in table.wrong() {
        let more = wrong.lines().count().saturating_sub(DETAILS + 1);
        for (at, detail) in wrong.lines().skip(1).take(DETAILS).enumerate() {
            let name = if at == 0 { format!("{name}: ") } else { String::new() };
            text += &format!("  {name}{detail}\n");
        }
        if more > 0 {
            let lines = if more == 1 { "line" } else { "lines" };
            text += &format!("  … and {more} {lines} more (the JSON has them all)\n");
        }
    }
    text
}

/// Rows of cells below their heads. A wrong row has its reason instead of cells.
fn grid(title: &str, heads: &[String], rows: &[(&str, Result<Vec<String>, &str>)]) -> String {
    let width = |text: &str| text.chars().count();
    let names = rows.iter().map(|(name, _)| width(name));
    let name_width = names.chain(["stage".len()]).max().unwrap_or_default();
    let width_of = |at: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| Some(width(&cells.as_ref().ok()?[at])));
        cells.chain([width(&heads[at])]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len()).map(width_of).collect();
    let aligned = |cells: &[String]| -> String {
        cells.iter().zip(&widths).map(|(cell, width)| format!("  {cell:>width$}")).collect()
    };

    let mut text = format!("{title}\n{FAINT}{:<name_width$}{}{FAINT:#}\n", "stage", aligned(heads));
    for (name, cells) in rows {
        text += &match cells {
            Ok(cells) => format!("{name:<name_width$}{}\n", aligned(cells)),
            Err(wrong) => {
                let first = wrong.lines().next().unwrap_or_default();
                format!("{RED}{name:<name_width$}  wrong: {first}{RED:#}\n")
            }
        };
    }
    text
}

/// Time and threads by the number of sources: a row a stage.
pub(crate) fn growth(growth: &[Growth]) -> String {
    let mut stages: Vec<&str> = growth.iter().map(|step| &*step.stage).collect();
    stages.dedup();
    let sources: BTreeSet<u64> = growth.iter().map(|step| step.sources).collect();
    if sources.is_empty() {
        return String::new();
    }
    let cell = |stage: &str, sources: u64| {
        let step = growth.iter().find(|step| step.stage == stage && step.sources == sources);
        let threads =
            step.and_then(|step| step.threads).map_or("-".into(), |it| Grouped(it).to_string());
        let time = step.map(|step| Time(Spread::new(step.seconds.clone()).median));
        time.map_or("-".into(), |time| format!("{time} / {threads}"))
    };
    let heads: Vec<String> = sources.iter().map(|&sources| Grouped(sources).to_string()).collect();
    let rows = stages.iter().map(|stage| {
        let cells = sources.iter().map(|&sources| cell(stage, sources));
        (*stage, Ok(cells.collect()))
    });
    let head = format!("{BOLD}growth{BOLD:#}: time / threads, by the number of sources of 16 KiB");
    grid(&head, &heads, &rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn fixed() -> Table {
        let table = serde_json::json!({
            "workload": "backlog",
            "what": "2 complete files of 1 MiB",
            "rows": [
                { "stage": "cat", "time_seconds": { "median": 0.2, "half_range": 0.01, "runs": [0.2, 0.21, 0.19] },
                  "ratio_to_cat": null, "peak_threads": 1, "peak_memory_bytes": 1_966_080 },
                { "stage": "stage2-mixed", "wrong": "2 lines lost\nline 3 of a.log\nline 9 of a.log" },
                { "stage": "stage4-tasks", "time_seconds": { "median": 0.22, "half_range": 0.0, "runs": [0.22] },
                  "ratio_to_cat": { "median": 1.1, "half_range": 0.15, "runs": [1.1, 1.0, 1.3] },
                  "peak_threads": 1234, "peak_memory_bytes": 11_534_336 },
            ],
            "latencies": [],
        });
        serde_json::from_value(table).unwrap()
    }

    #[test]
    fn a_table_is_aligned_and_a_wrong_row_has_no_figure() {
        insta::assert_snapshot!(plain(&table(&fixed())), @"
        backlog: 2 complete files of 1 MiB
        stage                     time        × cat  threads   memory
        cat           200 ms ± 10.0 ms            -        1  1.9 MiB
        stage2-mixed  wrong: 2 lines lost
        stage4-tasks            220 ms  1.10 ± 0.15    1,234   11 MiB
          stage2-mixed: line 3 of a.log
          line 9 of a.log
        ");
    }

    #[test]
    fn of_many_details_the_first_are_shown_and_the_others_counted() {
        let shown = |details: usize| {
            let mut table = fixed();
            table.rows[1].wrong = Some("wrong\n".repeat(1 + details));
            plain(&super::table(&table)).lines().last().unwrap().to_owned()
        };
        assert_eq!(shown(DETAILS), "  wrong");
        assert_eq!(shown(DETAILS + 1), "  … and 1 line more (the JSON has them all)");
        assert_eq!(shown(DETAILS + 2), "  … and 2 lines more (the JSON has them all)");
    }

    #[test]
    fn growth_has_a_column_for_each_number_of_sources() {
        let step = |stage: &str, sources, threads| Growth {
            stage: stage.into(),
            sources,
            seconds: vec![0.1, 0.3, 0.2],
            threads,
        };
        let steps = [step("a", 8, Some(9)), step("a", 2_000, Some(2_001)), step("b", 8, None)];
        insta::assert_snapshot!(plain(&growth(&steps)), @"
        growth: time / threads, by the number of sources of 16 KiB
        stage           8           2,000
        a      200 ms / 9  200 ms / 2,001
        b      200 ms / -               -
        ");
        assert_eq!(growth(&[]), "");
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
            commit: None,
            rustc: "rustc 1.95.0".into(),
            cores: 1,
            profile: "release".into(),
            date: "2026-11-22".into(),
            kernel: "Linux 6.18 x86_64".into(),
        };
        insta::assert_snapshot!(plain(&head(&machine)), @"
        commit unknown (no git), rustc 1.95.0, profile release
        Linux 6.18 x86_64, 1 core, seed 7
        ");
    }
}
