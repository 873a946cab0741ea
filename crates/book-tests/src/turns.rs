//! The gallery of wrong turns: which there are, what catches each, and the table of them.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result};
use regex::Regex;

use crate::{masked, output};

/// A wrong turn: a program that compiles, and is wrong in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The name of its file, and what `wrong-turns` calls it by.
    pub name: String,
    /// Its title in the book.
    pub title: String,
    /// Where its program and its way out are, from the root of the project.
    pub folder: &'static str,
    /// Where in the book it is.
    pub page: String,
    /// What catches it.
    pub caught_by: Catch,
    /// A piece of the line by which it shows when it is run.
    pub says: String,
}

/// What catches a wrong turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Catch {
    /// A law of the suite, by which it is judged.
    Law(String),
    /// A test that shows what it does.
    Test(String),
}

/// Returns the wrong turns, in the order of the book.
///
/// # Errors
///
/// The list is not as it should be.
pub fn turns() -> Result<Vec<Turn>> {
    let list: toml::Table = include_str!("turns.toml").parse()?;
    let list = list["turn"].as_array().context("a list of turns")?;
    let turn = |entry: &toml::Value| {
        let text = |key| Some(entry.get(key)?.as_str()?.to_owned());
        let caught_by = match text("law") {
            Some(law) => Catch::Law(law),
            None => Catch::Test(text("test")?),
        };
        let of_the_suite = entry.get("of_the_suite").is_some();
        Some(Turn {
            name: text("name")?,
            title: text("title")?,
            folder: if of_the_suite { SUITE } else { BOOK },
            page: text("page")?,
            caught_by,
            says: text("says")?,
        })
    };
    list.iter().map(|entry| turn(entry).with_context(|| entry.to_string())).collect()
}

const SUITE: &str = "crates/conformance/tests/mergers";
const BOOK: &str = "crates/book-tests/src/bin/wrong-turns";

impl Turn {
    /// Tells whether it is known to hang.
    pub fn hangs(&self) -> bool {
        self.says == HANGS
    }

    /// Takes the turn by `program`, in the folder `root`; returns what the book shows.
    ///
    /// # Blocking
    ///
    /// Until it has ended, or for as many `seconds` if it is known to hang.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or not be heard.
    pub fn take(&self, program: &Path, root: &Path, seconds: u64) -> io::Result<String> {
        let limit = if self.hangs() { Duration::from_secs(seconds) } else { LONG };
        let mut command = Command::new(program);
        command.arg(&self.name).current_dir(root);
        run(command, limit, root)
    }

    /// Takes the way out, if it is a diff; returns what went wrong on it, if anything.
    ///
    /// # Blocking
    ///
    /// Until it has ended.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or not be heard.
    pub fn way_out(&self, program: &Path, root: &Path) -> io::Result<Option<String>> {
        if !root.join(self.folder).join(&self.name).with_extension("diff").exists() {
            return Ok(None);
        }
        let mut command = Command::new(program);
        command.args([&self.name, "right"]).current_dir(root);
        let said = run(command, LONG, root)?;
        let is_kept = match self.caught_by {
            Catch::Law(_) => said.starts_with("keeps the law "),
            Catch::Test(_) => !said.contains(&self.says) && !said.contains(EXIT_CODE),
        };
        Ok((!is_kept).then_some(said))
    }

    /// Returns the sentence by which it shows in what it said, if there is one.
    pub fn shows<'a>(&self, said: &'a str) -> Option<&'a str> {
        let line = said.lines().find(|line| line.contains(&self.says))?;
        line.split(". ").next()?.split("; ").next().map(str::trim)
    }

    /// Makes its row of the table.
    pub fn row(&self, shows: &str) -> String {
        let Turn { title, page, .. } = self;
        let caught_by = match &self.caught_by {
            Catch::Law(law) => format!("the law `{law}`"),
            Catch::Test(test) => format!("the test `{test}`"),
        };
        format!("| [{title}]({page}) | {caught_by} | {} |\n", code(shows))
    }
}

/// More than any of these programs takes that ends.
const LONG: Duration = Duration::from_secs(300);
/// What is said of a program that does not end.
const HANGS: &str = "(hangs";
/// What is said of one that ends badly.
const EXIT_CODE: &str = "(exit code";

/// The head of the table.
pub const HEAD: &str = "| wrong turn | what catches it | how it shows |\n|---|---|---|\n";

/// What is another one each time in what a law says: counts, and how much of a line was
/// already there.
static COUNTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\d[\d,]*( lines of| lost| MiB \(| MiB of them)|(found "s\d{4} \d{4})[^"]*"#)
        .expect("it is a pattern")
});

fn run(mut command: Command, limit: Duration, root: &Path) -> io::Result<String> {
    command.env("RUST_BACKTRACE", "0").env_remove("RUST_LOG");
    let said = masked(&output(command, limit)?, root);
    Ok(COUNTS.replace_all(&said, "$2…$1").into_owned())
}

/// Puts a line into a cell of a table, as code.
fn code(line: &str) -> String {
    format!("`` {} ``", line.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_catches_a_turn_and_by_which_line_it_shows() {
        let turn = Turn {
            name: "sleep".into(),
            title: "The sleep".into(),
            folder: SUITE,
            page: "gallery.md#the-sleep".into(),
            caught_by: Catch::Law("a_law".into()),
            says: "in vain".into(),
        };
        let shows = turn.shows("breaks the law a_law:\n  waited in `vain` | in vain\n");
        assert_eq!(shows, Some("waited in `vain` | in vain"));
        let row = "| [The sleep](gallery.md#the-sleep) | the law `a_law` | `` waited in `vain` \\| in vain `` |\n";
        assert_eq!(turn.row(shows.unwrap_or_default()), row);
        assert_eq!(turn.shows("keeps the law a_law"), None);
    }
}
