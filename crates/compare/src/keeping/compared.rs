//! The comparison as it grows: each part is shown on the terminal, and kept on the
//! disk.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use anstyle::Style;
use report::{Comparison, Grouped, Growth, Head, Outcome};

use crate::asking::jobs::{self, Job};
use crate::keeping::files::Files;
use crate::running::laws::Laws;
use crate::running::rounds::{Runs, Setup};
use crate::telling::terminal::{self, GREEN, RED, YELLOW, print};
use crate::telling::{figures, rows, warnings};

/// If the writers of the sources are later than this, the user is warned.
const LATE: Duration = Duration::from_millis(50);
/// How often the JSON is written while laws are tried: most take a few milliseconds.
const KEEP: Duration = Duration::from_millis(500);

/// A comparison as it grows.
pub(crate) struct Compared<'a> {
    pub(crate) comparison: Comparison,
    files: Files,
    /// Whether the page was written; until then, the file holds an older comparison or
    /// none.
    has_page: bool,
    setup: &'a Setup<'a>,
}

impl<'a> Compared<'a> {
    /// Begins a comparison, and writes its JSON at once.
    pub(crate) fn begin(
        files: Files,
        head: Head,
        warnings: Vec<String>,
        setup: &'a Setup<'a>,
    ) -> anyhow::Result<Compared<'a>> {
        let comparison = Comparison {
            head,
            command: command(env::args_os().skip(1)),
            // Until the end: if this process is killed, this is what the JSON says.
            interrupted: true,
            warnings,
            ..Comparison::default()
        };
        let mut compared = Compared { comparison, files, has_page: false, setup };
        compared.keep()?;
        compared.show(&terminal::head(&compared.comparison.head))?;
        Ok(compared)
    }

    fn keep(&mut self) -> anyhow::Result<()> {
        self.files.write_json(&self.comparison)
    }

    /// Writes the JSON and the page. `interrupted` says that the comparison is not
    /// whole.
    pub(crate) fn end(&mut self, interrupted: bool) -> anyhow::Result<()> {
        self.comparison.interrupted = interrupted;
        let kept = self.keep();
        let page = self.files.write_page(&self.comparison);
        self.has_page = page.is_ok();
        page.and(kept)
    }

    /// Prints a part without tearing the progress bar.
    fn show(&self, part: &str) -> anyhow::Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        self.setup.progress.suspend(|| print(&format!("{part}\n")))
    }

    /// Runs a job and shows its table; if the job is interrupted, with the rows so far.
    pub(crate) fn job(&mut self, job: &Job) -> anyhow::Result<()> {
        let at = self.comparison.workloads.len();
        let mut late = Vec::new();
        let ended = self.setup.run(job, |all| {
            late = all.iter().filter_map(|runs| late_writers(job, runs)).collect();
            self.comparison.workloads.truncate(at);
            self.comparison.workloads.push(rows::table(job, all));
            self.keep()
        });
        if let Some(table) = self.comparison.workloads.get(at) {
            let seen = warnings::about_table(table);
            let table = terminal::table(table);
            self.comparison.warnings.extend(seen.into_iter().chain(late));
            self.show(&table)?;
        }
        ended
    }

    /// Records what the threads of each stage do. With a folder, writes a trace of
    /// each.
    pub(crate) fn lanes(&mut self, trace: Option<&Path>) -> anyhow::Result<()> {
        let (job, wrong) = (jobs::lanes(), self.comparison.wrong.clone());
        self.setup.run(&job, |all| {
            self.comparison.lanes = rows::lanes(&job, all);
            self.comparison.wrong = [&wrong[..], &rows::wrong(all, "its lanes")].concat();
            // The stages run in order, so the last recording is the new one.
            let recorded = all.iter().rev().find_map(|it| Some((it.contender, it.recording()?)));
            if let (Some(folder), Some((stage, recording))) = (trace, recorded) {
                figures::write_trace(folder, stage.name(), recording)?;
            }
            self.keep()
        })
    }

    pub(crate) fn growth(&mut self, jobs: &[Job]) -> anyhow::Result<()> {
        for job in jobs {
            let (growth, wrong) = (self.comparison.growth.clone(), self.comparison.wrong.clone());
            let on = format!("{} sources", Grouped(job.sources() as u64));
            self.setup.run(job, |all| {
                self.comparison.growth = [&growth[..], &rows::growth(job, all)].concat();
                let place = |step: &Growth| (step.stage.clone(), step.sources);
                self.comparison.growth.sort_by_key(place);
                self.comparison.wrong = [&wrong[..], &rows::wrong(all, &on)].concat();
                self.keep()
            })?;
        }
        self.show(&terminal::growth(&self.comparison.growth))
    }

    pub(crate) fn laws(&mut self, laws: &Laws) -> anyhow::Result<()> {
        let mut kept = Instant::now();
        laws.run(self.setup, |verdicts| {
            self.comparison.verdicts = verdicts;
            if kept.elapsed() < KEEP {
                return Ok(());
            }
            kept = Instant::now();
            self.keep()
        })
    }

    /// Says whether a stage or a law was wrong. A program of `--against` may be wrong.
    pub(crate) fn is_wrong(&self) -> bool {
        self.wrong().next().is_some()
    }

    fn wrong(&self) -> impl Iterator<Item = String> {
        let rows = self.comparison.workloads.iter().flat_map(|table| {
            table
                .wrong()
                .filter(|(name, _)| self.is_ours(name))
                .map(|(name, _)| (name, &table.name))
        });
        let rows = rows.map(|(name, workload)| format!("{name} on {workload}"));
        let laws = self.outcomes().filter_map(|(stage, law, outcome)| match outcome {
            Outcome::Wrong { seen } => Some(format!("{stage} in the law {law}: {seen}")),
            _ => None,
        });
        rows.chain(laws).chain(self.comparison.wrong.iter().cloned())
    }

    /// Every verdict: the stage, the law, the outcome.
    fn outcomes(&self) -> impl Iterator<Item = (&str, &str, &Outcome)> {
        self.comparison.verdicts.iter().flat_map(|of| {
            of.laws.iter().map(|verdict| (&*of.stage, &*verdict.law, &verdict.outcome))
        })
    }

    /// Whether a wrong row of this name is a defect: of a stage, or of the floor. A
    /// program of `--against` may be wrong.
    fn is_ours(&self, name: &str) -> bool {
        self.setup.against.iter().all(|program| program.name() != name)
    }

    /// Returns the last lines on the terminal: the warnings, what was wrong, what was
    /// seen, why a stage breaks a law by design, and where the page is.
    pub(crate) fn closing(&self) -> String {
        let line =
            |style: Style, head: &str, said: &str| format!("{style}{head}:{style:#} {said}\n");
        let warnings = self.comparison.warnings.iter().map(|said| line(YELLOW, "warning", said));
        let wrong = self.wrong().map(|said| line(RED, "wrong", &said));
        let seen = report::seen(&self.comparison);
        let seen = seen.iter().map(|said| line(GREEN, "seen", said));
        let limits = self.outcomes().filter_map(|(stage, law, outcome)| match outcome {
            Outcome::BrokenAsDeclared { reason } => {
                Some(line(YELLOW, "limit", &format!("{stage} breaks {law}: {reason}")))
            }
            _ => None,
        });
        let page = self.has_page.then(|| format!("page: {}\n", self.files.page.display()));
        warnings.chain(wrong).chain(seen).chain(limits).chain(page).collect()
    }
}

/// The command line, quoted so that it can be typed again.
fn command(arguments: impl Iterator<Item = OsString>) -> String {
    // No shell gives these bytes a meaning after the name of a command, but `try_quote`
    // puts quotes round some of them.
    let plain = |word: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=,./:@%+".contains(&byte);
        !word.is_empty() && word.bytes().all(fits)
    };
    arguments.fold("cargo compare".to_owned(), |command, argument| {
        let word = argument.to_string_lossy();
        // `try_quote` fails only for a NUL, which no argument can hold.
        let word = if plain(&word) {
            word
        } else {
            shlex::try_quote(&word).map_or(word.clone(), |it| it.into_owned().into())
        };
        format!("{command} {word}")
    })
}

fn late_writers(job: &Job, runs: &Runs) -> Option<String> {
    let late = runs.right.iter().filter_map(|(_, figures)| figures.seen.late).max()?;
    let name = runs.contender.name();
    (late > LATE).then(|| warnings::late_writers(job.name, name, late.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_can_be_typed_again() {
        let typed = ["--stages=1,5", "--", "/var/log/a b.log", "it's", "$HOME", ""];
        let command = command(typed.into_iter().map(OsString::from));
        assert!(command.starts_with("cargo compare --stages=1,5 -- "), "{command}");
        let words = shlex::split(&command).unwrap();
        assert_eq!(words[2..], typed);
        assert!(!command.contains(" $HOME"), "{command}");
    }
}
