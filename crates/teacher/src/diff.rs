//! The taught steps: what changes from the predecessors of a stage to the stage.
//!
//! A stage names its predecessors in its manifest, under `follows` in
//! `[package.metadata.tributary]`, and a step is shown for each. The crate docs are left
//! out: they tell the same step in words, and would bury the code. The marks of the
//! book's listings and of what is new are left out, too.

use std::fmt::{self, Write};

use ::steps::Line;
use anstyle::{AnsiColor, Effects, Style};
use similar::{ChangeTag, DiffOp, TextDiff};
use stages::{STAGES, Stage, find};

const BOLD: Style = Style::new().bold();
const GONE: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const PLACE: Style = AnsiColor::Cyan.on_default();
/// How many unchanged lines are shown round a change.
const AROUND: usize = 3;

/// What changes from one stage to the next.
#[derive(Debug)]
pub struct Step {
    /// The predecessor.
    pub from: &'static Stage,
    /// The stage that follows it.
    pub to: &'static Stage,
    before: Code,
    after: Code,
    dependencies: Vec<(ChangeTag, String)>,
}

/// Returns the steps to a stage, one for each predecessor that its manifest names; the
/// first stage has none.
///
/// # Panics
///
/// Panics if a predecessor is no stage.
pub fn steps(to: &'static Stage) -> Vec<Step> {
    let follows = to.said().follows.into_iter();
    let step = |name: String| {
        let from =
            find(&name).unwrap_or_else(|names| panic!("{} follows {name}: {names}", to.name));
        let (before, after) = (Code::parse(from.source), Code::parse(to.source));
        Step { from, to, before, after, dependencies: dependencies(from, to) }
    };
    follows.map(step).collect()
}

impl Step {
    /// Counts the lines of code that the step adds and removes, without comments and
    /// blank lines.
    pub fn code_lines(&self) -> (usize, usize) {
        let (before, after) = (self.before.without_comments(), self.after.without_comments());
        let diff = TextDiff::from_lines(&*before, &*after);
        let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        (count(ChangeTag::Insert), count(ChangeTag::Delete))
    }
}

/// A file in a diff: its name, its path, and its text.
pub(crate) type File<'a> = (&'a str, &'a str, &'a str);

/// Returns the diff from one file to another, as [`render`] does for a step.
pub(crate) fn between((what, path, text): File<'_>, (to, file, source): File<'_>) -> String {
    let (before, after) = (Code::parse(text), Code::parse(source));
    format!(
        "{BOLD}{what} → {to}{BOLD:#}\n\
         {GONE}--- {path}{GONE:#}\n{NEW}+++ {file}{NEW:#}\n{}",
        Changes(&before, &after)
    )
}

/// The changes between two files, in groups.
struct Changes<'a>(&'a Code, &'a Code);

impl Changes<'_> {
    /// Writes the line above a group of changes, with the line numbers in both files.
    fn write_place(&self, f: &mut fmt::Formatter<'_>, ops: &[DiffOp]) -> fmt::Result {
        let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return Ok(()) };
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        writeln!(
            f,
            "{PLACE}@@ -{},{} +{},{} @@{PLACE:#}",
            self.0.number(old.start),
            old.len(),
            self.1.number(new.start),
            new.len()
        )
    }
}

/// Returns the steps to a stage as unified diffs, in colours, with the differing words
/// emphasised. Of a stage without predecessors, says what to read.
pub fn render(to: &'static Stage) -> String {
    let steps = steps(to);
    if steps.is_empty() {
        let follows = |stage: &&Stage| stage.said().follows.iter().any(|name| name == to.name);
        let next = STAGES.iter().filter(follows);
        let next: Vec<_> =
            next.map(|stage| format!("`cargo compare diff {}`", stage.number)).collect();
        return format!(
            "{BOLD}{}{BOLD:#} has no predecessor: it is where the roads begin.\n\
             Read crates/{}/src/lib.rs, then {}.\n",
            to.name,
            to.name,
            next.join(" and ")
        );
    }
    let mut text = String::new();
    for (at, step) in steps.iter().enumerate() {
        let gap = if at > 0 { "\n" } else { "" };
        let _ = write!(text, "{gap}{step}");
    }
    text
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (added, removed) = self.code_lines();
        let (from, to) = (self.from.name, self.to.name);
        let lines = if added == 1 { "line" } else { "lines" };
        writeln!(f, "{BOLD}{from} → {to}{BOLD:#}: {added} {lines} of code more, {removed} fewer")?;
        writeln!(f, "(the crate docs are left out; that of {to} says why)")?;
        for (tag, dependency) in &self.dependencies {
            let style = style(*tag);
            writeln!(f, "{style}{tag} dependency {dependency}{style:#}")?;
        }
        writeln!(f, "{GONE}--- crates/{from}/src/lib.rs{GONE:#}")?;
        writeln!(f, "{NEW}+++ crates/{to}/src/lib.rs{NEW:#}")?;
        write!(f, "{}", Changes(&self.before, &self.after))
    }
}

impl fmt::Display for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (self.0.text(), self.1.text());
        let diff = TextDiff::from_lines(&*before, &*after);
        for ops in diff.grouped_ops(AROUND) {
            self.write_place(f, &ops)?;
            for change in ops.iter().flat_map(|op| diff.iter_inline_changes(op)) {
                let style = style(change.tag());
                write!(f, "{style}{}{style:#}", change.tag())?;
                for (emphasised, piece) in change.iter_strings_lossy() {
                    let style = if emphasised {
                        style.effects(Effects::BOLD | Effects::UNDERLINE)
                    } else {
                        style
                    };
                    // Without the newline: a style ends on the line that it begins on.
                    write!(f, "{style}{}{style:#}", piece.trim_end_matches('\n'))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

fn style(tag: ChangeTag) -> Style {
    match tag {
        ChangeTag::Equal => Style::new(),
        ChangeTag::Delete => GONE,
        ChangeTag::Insert => NEW,
    }
}

/// The lines of a file that a diff shows, with their numbers in the file.
#[derive(Debug, Clone)]
struct Code(Vec<Line>);

impl Code {
    fn parse(file: &str) -> Code {
        Code(::steps::code(&::steps::without_new(file)))
    }

    fn text(&self) -> String {
        self.lines(|_| true)
    }

    fn without_comments(&self) -> String {
        self.lines(|line| !line.is_empty() && !line.starts_with("//"))
    }

    /// Joins the lines of which `is_taken` holds, once trimmed.
    fn lines(&self, is_taken: impl Fn(&str) -> bool) -> String {
        let taken = self.0.iter().filter(|line| is_taken(line.text.trim()));
        taken.flat_map(|line| [&*line.text, "\n"]).collect()
    }

    /// Returns the number in the file, from 1, of the line at this index.
    fn number(&self, at: usize) -> usize {
        let after = self.0.last().map_or(0, |last| last.number + 1);
        self.0.get(at).map_or(after, |line| line.number)
    }
}

/// Names the dependencies of a stage, each with its features.
fn named(stage: &Stage) -> Vec<String> {
    let named = stage.dependencies().into_iter().map(|(name, features)| {
        if features.is_empty() { name } else { format!("{name} ({})", features.join(", ")) }
    });
    named.collect()
}

/// Returns the dependencies that are gone, and those that are new.
fn dependencies(from: &Stage, to: &Stage) -> Vec<(ChangeTag, String)> {
    let (from, to) = (named(from), named(to));
    let gone = from.iter().filter(|name| !to.contains(name)).map(|name| (ChangeTag::Delete, name));
    let new = to.iter().filter(|name| !from.contains(name)).map(|name| (ChangeTag::Insert, name));
    gone.chain(new).map(|(tag, name)| (tag, name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(before: &str, after: &str) -> Step {
        Step {
            from: &STAGES[0],
            to: &STAGES[1],
            before: Code::parse(before),
            after: Code::parse(after),
            dependencies: vec![(ChangeTag::Insert, "tokio (rt)".into())],
        }
    }

    const BEFORE: &str =
        "//! Doc.\n//! More.\n\nuse a;\n\n/// Old words.\nfn tail() {\n    wait(interval);\n}\n";
    const AFTER: &str = "//! Doc.\n\nuse a; // New\n\n// ANCHOR: tail\n/// New words.\n\nasync fn tail() {\n    wait(interval).await;\n}\n";

    #[test]
    fn a_step_is_a_unified_diff_with_the_numbers_of_the_files() {
        let shown = step(BEFORE, AFTER).to_string();
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown).to_string(), @"
        stage1-threads → stage2-mixed: 2 lines of code more, 2 fewer
        (the crate docs are left out; that of stage2-mixed says why)
        + dependency tokio (rt)
        --- crates/stage1-threads/src/lib.rs
        +++ crates/stage2-mixed/src/lib.rs
        @@ -4,6 +3,7 @@
         use a;
         
        -/// Old words.
        -fn tail() {
        -    wait(interval);
        +/// New words.
        +
        +async fn tail() {
        +    wait(interval).await;
         }
        ");
    }

    #[test]
    fn only_code_is_counted() {
        assert_eq!(step(BEFORE, AFTER).code_lines(), (2, 2));
        assert_eq!(step(BEFORE, BEFORE).code_lines(), (0, 0));
        assert_eq!(
            step("//! A.\n\nfn a() {}\n", "//! B.\n//! C.\n\n// c\nfn a() {}\n").code_lines(),
            (0, 0)
        );
    }

    #[test]
    fn the_words_that_differ_are_emphasised_and_every_style_ends_on_its_line() {
        let shown = step(BEFORE, AFTER).to_string();
        let emphasised = NEW.effects(Effects::BOLD | Effects::UNDERLINE);
        assert!(shown.contains(&format!("{emphasised}.await{emphasised:#}")), "{shown:?}");
        for line in shown.lines() {
            let last = line.rfind('\u{1b}').map(|at| &line[at..]);
            assert!(last.is_none_or(|last| last.starts_with("\u{1b}[0m")), "{line:?}");
        }
    }
}
