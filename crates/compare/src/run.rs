//! The command from start to end.

use std::env;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use runner::{Interrupt, Interrupted};

use crate::asking::args::{Args, Command};
use crate::asking::jobs::{self, Job};
use crate::asking::own_files::OwnFiles;
use crate::asking::places::take_folder;
use crate::asking::programs::ConformArgs;
use crate::keeping::compared::Compared;
use crate::keeping::files::Files;
use crate::running::folder::Folder;
use crate::running::laws::Laws;
use crate::running::machine;
use crate::running::rounds::Setup;
use crate::running::{child, cost};
use crate::telling::terminal::{self, print};
use crate::telling::{figures, warnings};

/// How many files this process has open besides the sources.
const OTHER_FILES: u64 = 32;
/// How many files every stage has open besides the sources: the output, and stdin,
/// stdout and stderr.
const OF_A_STAGE: u64 = 4;

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            terminal::error(&error);
            ExitCode::from(if error.is::<Interrupted>() { runner::EXIT_CODE } else { 2 })
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    let done = match args.command {
        Some(Command::Lesson(lesson)) => {
            let holds = lesson.take(Interrupt::listen, print)?;
            return Ok(ExitCode::from(u8::from(!holds)));
        }
        Some(Command::Cost) => cost::run(print),
        Some(Command::Stage(args)) => child::merge(args),
        Some(Command::Law(args)) => child::law(&args),
        Some(Command::Conform(args)) => return conform(&args),
        None => return compare(&args),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Judges programs by the laws, one after the other.
fn conform(args: &ConformArgs) -> anyhow::Result<ExitCode> {
    let templates = args.templates()?;
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    // The programs inherit the limit.
    rlimit::increase_nofile_limit(u64::MAX).context("cannot open many files")?;
    let is_given_up = || interrupt.check().is_err();
    let mut programs = Vec::new();
    let progress = runner::bar();
    progress.set_length(templates.len() as u64);
    for template in &templates {
        progress.set_message(format!("{}: {} laws", template.name(), args.laws().len()));
        programs.push(conform::judge(template, &args.laws(), args.within, &is_given_up)?);
        interrupt.check()?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    print(&if args.json { conform::json(&programs) } else { conform::text(&programs) })?;
    Ok(ExitCode::from(u8::from(!programs.iter().all(conform::Judged::is_right))))
}

fn compare(args: &Args) -> anyhow::Result<ExitCode> {
    if args.files.is_empty() && env::args_os().next_back().is_some_and(|last| last == "--") {
        bail!("no file follows `--`, name at least one or leave `--` out");
    }
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    // The stages inherit the limit.
    let limit = rlimit::increase_nofile_limit(u64::MAX).context("cannot open many files")?;
    args.against.iter().try_for_each(|program| program.find())?;
    let own = match &args.files[..] {
        [] => None,
        files => Some(OwnFiles::open(files, &interrupt)?),
    };
    let jobs = jobs::asked_for(args, own);
    let stages = args.stages();
    if most_sources(&jobs) > limit.saturating_sub(OF_A_STAGE) {
        bail!("{}", warnings::few_descriptors(limit, most_sources(&jobs) + OTHER_FILES));
    }

    // A file that would be replaced, or that cannot be written, is refused before the
    // work: a wrong name costs no minute.
    let files = Files::open(args)?;
    let folder = Folder::open(args.keep.as_deref(), args.force)?;
    if !folder.is_kept() {
        interrupt.would_leave(folder.path());
    }
    for (named, option) in [(&args.trace, "--trace"), (&args.figures, "--figures")] {
        named.as_ref().map_or(Ok(()), |folder| take_folder(folder, option, args.force))?;
    }

    let head = machine::head(args.seed);
    let mut doubts = warnings::about_machine(&head);
    let whole = if args.is_whole() { jobs::growth(false, u64::MAX) } else { Vec::new() };
    let needed = most_sources(&jobs).max(most_sources(&whole)) + OTHER_FILES;
    if limit < needed {
        doubts.push(warnings::few_descriptors(limit, needed));
    }
    for job in &jobs {
        let not_run = args.against.iter().filter(|program| !job.can_be_done_by(**program));
        doubts.extend(not_run.map(|program| warnings::not_run(job.name, *program)));
    }

    let progress = runner::bar();
    let setup = Setup {
        stages: &stages,
        against: &args.against,
        seed: args.seed,
        folder: &folder,
        interrupt: &interrupt,
        progress: &progress,
    };
    let mut compared = Compared::begin(files, head, doubts, &setup)?;
    let ended = everything(args, &jobs, limit, &setup, &mut compared);
    let interrupted = ended.as_ref().is_err_and(|error| error.is::<Interrupted>());
    let kept = compared.end(ended.is_err());
    let mut ended = if interrupted { kept.and(ended) } else { ended.and(kept) };
    // An unfinished run makes no pictures.
    if let Some(folder) = args.figures.as_ref().filter(|_| ended.is_ok()) {
        ended = figures::write(folder, &compared.comparison);
    }
    // Also after an error or an interrupt: what was seen so far is told.
    let (closing, wrong) = (compared.closing(), compared.is_wrong());
    progress.finish_and_clear();
    let printed = print(&closing);
    drop(folder);
    ended.and(printed)?;
    Ok(ExitCode::from(u8::from(wrong)))
}

/// Runs the workloads and, unless a part was asked for, lanes, growth and laws.
fn everything(
    args: &Args,
    jobs: &[Job],
    limit: u64,
    setup: &Setup<'_>,
    compared: &mut Compared<'_>,
) -> anyhow::Result<()> {
    let growth = jobs::growth(args.quick, limit.saturating_sub(OTHER_FILES));
    let laws = Laws::new(setup.stages, args.quick);
    let count = |jobs: &[Job]| jobs.iter().map(|job| setup.count(job)).sum::<u64>();
    let besides = count(&growth) + setup.count(&jobs::lanes()) + laws.count();
    setup.progress.set_length(count(jobs) + if args.is_whole() { besides } else { 0 });

    jobs.iter().try_for_each(|job| compared.job(job))?;
    if args.is_whole() {
        compared.lanes(args.trace.as_deref())?;
        compared.growth(&growth)?;
        compared.laws(&laws)?;
    }
    Ok(())
}

fn most_sources(jobs: &[Job]) -> u64 {
    jobs.iter().map(|job| job.sources() as u64).max().unwrap_or_default()
}
