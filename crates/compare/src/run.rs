//! The command from start to end.

use std::env;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;

use crate::asking::args::{Args, Command};
use crate::asking::jobs::{self, Job, Kind};
use crate::asking::own_files::OwnFiles;
use crate::diff;
use crate::keeping::compared::Compared;
use crate::keeping::kept::Kept;
use crate::keeping::writable::make_folder;
use crate::running::folder::Folder;
use crate::running::growth::Steps;
use crate::running::interrupt::{self, Interrupt, Interrupted};
use crate::running::machine::{self, raise_open_files};
use crate::running::rounds::Rounds;
use crate::running::verdicts::Laws;
use crate::running::{child, cost, lanes, law};
use crate::telling::print::{self, print};
use crate::telling::progress::Progress;
use crate::telling::warnings::{self, Warning};
use crate::telling::{figures, terminal};

/// What this process has open besides the sources.
const OTHER_FILES: u64 = 32;
/// What any stage has open besides the sources: the output, and stdin and its kin.
const OF_A_STAGE: u64 = 4;

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
        Some(Command::Cost) => cost::run().map(|()| ExitCode::SUCCESS),
        Some(Command::Stage(args)) => child::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Law(args)) => law::run(&args).map(|()| ExitCode::SUCCESS),
        None => compare(&args),
    }
}

fn compare(args: &Args) -> anyhow::Result<ExitCode> {
    if args.files.is_empty() && env::args_os().next_back().is_some_and(|last| last == "--") {
        bail!("no file follows `--`, name at least one or leave `--` out");
    }
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let limit = raise_open_files();
    for program in &args.against {
        program.find()?;
    }
    let own = match &args.files[..] {
        [] => None,
        files => Some(OwnFiles::open(files, &interrupt)?),
    };
    // What would be lost, and what cannot be kept, is known before the work
    // begins: a wrong name does not cost a minute.
    let (kept, not_kept) = Kept::open(args, own.as_ref())?;
    let jobs = jobs::asked_for(args, own);
    let stages = args.stages();
    refuse_too_many(&jobs, limit)?;

    let folder = Folder::open(args.keep.as_deref())?;
    if !folder.is_kept() {
        interrupt.would_leave(folder.path());
    }
    for job in &jobs {
        if let Kind::Own(own) = &job.kind {
            let names = stages.iter().map(|stage| stage.name).chain(["cat"]);
            names.map(|name| folder.merged(job.name, name)).try_for_each(|output| {
                own.refuse_output(&output, "name another folder with --keep")
            })?;
        }
    }
    if let Some(folder) = &args.trace {
        make_folder(folder, "--trace")?;
    }
    if let Some(folder) = &args.figures {
        make_folder(folder, "--figures")?;
    }

    let head = machine::head(args.seed);
    let mut doubts = warnings::about_machine(&head);
    let growth = if args.is_whole() { Steps::most() } else { 0 };
    let most = jobs.iter().map(|job| job.sources() as u64).chain([growth]).max();
    let needed = most.unwrap_or_default() + OTHER_FILES;
    if let Some(limit) = limit
        && limit < needed
    {
        doubts.push(Warning::FewDescriptors { limit, needed });
    }
    doubts.extend(not_run(args, &jobs));
    doubts.extend(not_kept);

    let shown = terminal::head(&head);
    let progress = Progress::new();
    let mut compared = Compared::begin(args, kept, head, doubts, &progress)?;
    compared.show(&shown)?;
    let rounds = Rounds {
        stages: &stages,
        against: &args.against,
        seed: args.seed,
        folder: &folder,
        interrupt: &interrupt,
        progress: &progress,
    };
    let ended = everything(args, &jobs, limit, &rounds, &mut compared);
    let interrupted = ended.as_ref().is_err_and(|error| error.is::<Interrupted>());
    let kept = compared.end(ended.is_err());
    let mut ended = if interrupted { kept.and(ended) } else { ended.and(kept) };
    // Half of a run is no picture for anybody's book.
    if let Some(folder) = args.figures.as_ref().filter(|_| ended.is_ok()) {
        ended = figures::write(folder, &compared.comparison);
    }
    // However it has ended: what was seen by then is told.
    let (closing, wrong) = (compared.closing(), compared.is_wrong());
    drop(compared);
    drop(progress);
    let printed = print(&closing);
    drop(folder);
    ended.and(printed)?;
    Ok(ExitCode::from(u8::from(wrong)))
}

/// The workloads; then, unless a part was asked for, what else there is to see.
fn everything(
    args: &Args,
    jobs: &[Job],
    limit: Option<u64>,
    rounds: &Rounds<'_>,
    compared: &mut Compared<'_>,
) -> anyhow::Result<()> {
    let steps = Steps::new(args.quick, limit, OTHER_FILES);
    let laws = Laws::new(rounds.stages, args.quick);
    let besides = || steps.count(rounds.stages.len()) + rounds.stages.len() as u64 + laws.count();
    let besides = if args.is_whole() { besides() } else { 0 };
    rounds.progress.expect(jobs.iter().map(|job| rounds.count(job)).sum::<u64>() + besides);

    jobs.iter().try_for_each(|job| compared.run(job, rounds))?;
    if args.is_whole() {
        lanes::run(rounds, compared, args.trace.as_deref())?;
        compared.show(&terminal::lanes(&compared.comparison.lanes))?;
        steps.run(rounds, compared)?;
        compared.show(&terminal::growth(&compared.comparison.growth))?;
        laws.run(compared, rounds.folder, rounds.interrupt)?;
        compared.show(&terminal::verdicts(&compared.comparison.verdicts))?;
    }
    Ok(())
}

/// Refuses a job whose sources no stage could have open at once.
fn refuse_too_many(jobs: &[Job], limit: Option<u64>) -> anyhow::Result<()> {
    let Some(limit) = limit else { return Ok(()) };
    let sources = jobs.iter().map(|job| job.sources() as u64).max().unwrap_or_default();
    if sources + OF_A_STAGE <= limit {
        return Ok(());
    }
    bail!("{}", Warning::FewDescriptors { limit, needed: sources + OTHER_FILES })
}

/// Which programs were asked for that cannot do what a job is about.
fn not_run(args: &Args, jobs: &[Job]) -> Vec<Warning> {
    let pairs = jobs.iter().flat_map(|job| args.against.iter().map(move |&program| (job, program)));
    let pairs = pairs.filter(|(job, program)| !program.can(job));
    pairs
        .map(|(job, program)| Warning::NotRun {
            program: program.name(),
            workload: job.name.into(),
            why: program.why_not(),
        })
        .collect()
}
