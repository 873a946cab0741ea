//! The command from start to end.

use std::env;
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use tributary::Shown;

use crate::args::{Args, Command};
use crate::folder::Folder;
use crate::interrupt::{self, Interrupt, Interrupted};
use crate::jobs::{self, Job, Kind};
use crate::machine::{self, raise_open_files};
use crate::own_files::OwnFiles;
use crate::print::{self, print};
use crate::progress::Progress;
use crate::rounds::{Outcome, Rounds};
use crate::stages::STAGES;
use crate::terminal::{self, GREEN, RED, YELLOW};
use crate::warnings::{self, Warning};
use crate::{child, diff, json, rows, words};
use results::Table;

/// How late the writers of the sources may be before it is worth a warning.
const LATE: Duration = Duration::from_millis(50);
/// What this process has open besides the sources.
const OTHER_FILES: u64 = 32;

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            print::error(&error);
            ExitCode::from(if error.is::<Interrupted>() { interrupt::EXIT_CODE } else { 2 })
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Some(Command::Diff { stage }) => {
            print(&diff::render(stage)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Stage(args)) => child::run(args).map(|()| ExitCode::SUCCESS),
        None => compare(&args),
    }
}

fn compare(args: &Args) -> anyhow::Result<ExitCode> {
    if args.files.is_empty() && env::args_os().next_back().is_some_and(|last| last == "--") {
        bail!("no file follows `--`, name at least one or leave `--` out");
    }
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let limit = raise_open_files();
    let own = if args.files.is_empty() { None } else { Some(OwnFiles::open(&args.files)?) };
    let jobs = jobs::asked_for(args, own);
    let stages = if args.stages.is_empty() { STAGES.iter().collect() } else { args.stages.clone() };

    let folder = Folder::open(args.keep.as_deref())?;
    for job in &jobs {
        if let Kind::Own(own) = &job.kind {
            let names = stages.iter().map(|stage| stage.name).chain(["cat"]);
            names
                .map(|name| folder.merged(job.name, name))
                .try_for_each(|output| own.refuse_output(&output))?;
        }
    }
    // Opened before the work begins, so that a wrong name does not cost a minute.
    let json = args.json.as_ref().map(|path| {
        let file = File::create(path);
        file.with_context(|| format!("{}: cannot make this file", Shown(path)))
            .map(|file| (path, file))
    });
    let mut json = json.transpose()?;

    let head = machine::head(args.seed);
    let mut result = Compared { warnings: warnings::about_machine(&head), tables: Vec::new() };
    let needed = jobs.iter().map(Job::sources).max().unwrap_or_default() as u64 + OTHER_FILES;
    if let Some(limit) = limit
        && limit < needed
    {
        result.warnings.push(Warning::FewDescriptors { limit, needed });
    }

    print(&format!("{}\n", terminal::head(&head)))?;
    let progress = Progress::new();
    let rounds = Rounds {
        stages: &stages,
        seed: args.seed,
        folder: &folder,
        interrupt: &interrupt,
        progress: &progress,
    };
    progress.expect(jobs.iter().map(|job| rounds.count(job)).sum());
    let ended = jobs.iter().try_for_each(|job| result.take(job, &rounds, &progress));
    drop(progress);

    let interrupted = match &ended {
        Err(error) if error.is::<Interrupted>() => true,
        Err(_) => return ended.map(|()| ExitCode::SUCCESS),
        Ok(()) => false,
    };
    print(&result.closing())?;
    if let Some((path, file)) = &mut json {
        let seen = words::sentences(&result.tables);
        let value = json::result(&head, &result.tables, &result.warnings, &seen, interrupted);
        writeln!(file, "{value:#}")
            .with_context(|| format!("{}: cannot write this file", Shown(path)))?;
    }
    drop(folder);
    ended?;
    let wrong = result.tables.iter().any(|table| table.wrong().next().is_some());
    Ok(ExitCode::from(u8::from(wrong)))
}

/// What has been seen so far.
struct Compared {
    tables: Vec<Table>,
    warnings: Vec<Warning>,
}

impl Compared {
    /// Runs a job, prints its table and keeps it; if it is interrupted, with
    /// the rows that it has.
    fn take(&mut self, job: &Job, rounds: &Rounds<'_>, progress: &Progress) -> anyhow::Result<()> {
        let mut outcomes = Vec::new();
        let ended = rounds.run(job, &mut outcomes);
        let table = rows::table(job, &outcomes);
        if table.rows.is_empty() {
            return ended;
        }
        progress.beside(|| print(&format!("{}\n", terminal::table(&table))))?;
        let interval = tributary::Options::default().interval.as_secs_f64();
        self.warnings.extend(warnings::about_table(&table, interval));
        self.warnings.extend(outcomes.iter().filter_map(|outcome| late_writers(job, outcome)));
        self.tables.push(table);
        ended
    }

    /// The warnings, what was wrong, and in words what was seen.
    fn closing(&self) -> String {
        let warnings =
            self.warnings.iter().map(|warning| format!("{YELLOW}warning:{YELLOW:#} {warning}\n"));
        let wrong = self.tables.iter().flat_map(|table| {
            let rows = table.wrong();
            rows.map(|(stage, _)| format!("{RED}wrong:{RED:#} {stage} on {}\n", table.name))
        });
        let seen = words::sentences(&self.tables);
        let seen = seen.iter().map(|sentence| format!("{GREEN}seen:{GREEN:#} {sentence}\n"));
        warnings.chain(wrong).chain(seen).collect()
    }
}

fn late_writers(job: &Job, outcome: &Outcome) -> Option<Warning> {
    let late = outcome.runs.iter().filter_map(|(_, run)| run.late).max()?;
    (late > LATE).then(|| Warning::LateWriters {
        workload: job.name.into(),
        stage: outcome.contender.name().into(),
        late: late.as_secs_f64(),
    })
}
