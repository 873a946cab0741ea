//! Which step a learner takes, and in which folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use conformance::{LAWS, Law, Limit};
use exercises::{Asked, EXERCISES, Exercise};
use stages::{STAGES, Stage, find};

use crate::asking::args::seconds;

/// How much longer a law may wait that has thousands of sources.
const MANY: u32 = 3;

/// Asks for an exercise.
#[derive(Debug, Args)]
pub(crate) struct YourTurnArgs {
    /// The stage that is to be written, by number or name.
    #[arg(value_parser = find)]
    pub(crate) stage: &'static Stage,

    /// The stage to begin with, where two roads lead there [default: the first].
    #[arg(long, value_name = "N", value_parser = find)]
    from: Option<&'static Stage>,

    /// Replace what you have written.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Asks how far the exercise is.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// Check again whenever the file is saved, until all holds.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Try these laws, or what is new in the step by its name [default: everything].
    #[arg(long, value_name = "NAME[,NAME]", value_delimiter = ',')]
    only: Vec<String>,

    /// How long a law may wait; a merge that hangs breaks it then.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) within: Duration,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Asks for what changes from what you have written to a stage.
#[derive(Debug, Args)]
pub(crate) struct SolutionArgs {
    /// The stage, by number or name.
    #[arg(value_parser = find)]
    pub(crate) stage: &'static Stage,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where the exercise lies.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder of the exercise [default: crates/your-turn].
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

const AFTER_HELP: &str = "Exit codes:
  0    all holds: the step is taken
  1    something does not hold, or it does not compile
  2    a mistake in what was typed, or no exercise was begun
  130  interrupted";

impl Place {
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| workspace().join("crates/your-turn"))
    }
}

/// Returns the folder of the workspace that this program was built from.
pub(crate) fn workspace() -> &'static Path {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).expect("this crate lies in the crates of the workspace")
}

impl YourTurnArgs {
    /// Returns the exercise that was asked for.
    pub(crate) fn exercise(&self) -> anyhow::Result<&'static Exercise> {
        let from = self.from.map(|stage| stage.number);
        let Some(exercise) = Exercise::to(self.stage.number, from) else {
            let there: Vec<_> =
                EXERCISES.iter().map(|it| format!("{} from {}", it.to, it.from)).collect();
            bail!("{}: no exercise, there is {}", self.stage.name, there.join(", "));
        };
        Ok(exercise)
    }
}

/// Returns the stage that has this number.
pub(crate) fn stage(number: usize) -> &'static Stage {
    &STAGES[number - 1]
}

/// Something that an exercise is held to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    Law(&'static Law),
    Check(&'static Asked),
}

impl Wanted {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Wanted::Law(law) => law.name,
            Wanted::Check(asked) => &asked.name,
        }
    }

    /// Returns how long it may wait where most may wait for so long.
    pub(crate) fn within(&self, within: Duration) -> Duration {
        let is_large = matches!(self, Wanted::Law(law) if law.theme == "scale");
        if is_large { within * MANY } else { within }
    }
}

impl CheckArgs {
    /// Returns what was asked of all that an exercise is held to.
    pub(crate) fn wanted(&self, exercise: &'static Exercise) -> anyhow::Result<Vec<Wanted>> {
        let mut all = wanted(exercise);
        if let Some(name) = self.only.iter().find(|name| all.iter().all(|it| it.name() != *name)) {
            bail!("{name}: no law that is asked in this step, and nothing that is new in it");
        }
        all.retain(|it| self.only.is_empty() || self.only.iter().any(|name| name == it.name()));
        Ok(all)
    }
}

/// Returns all that an exercise is held to: the laws that the stage keeps, and what is
/// new in it.
pub(crate) fn wanted(exercise: &'static Exercise) -> Vec<Wanted> {
    let limits = limits(exercise);
    let laws = LAWS.iter().filter(|law| limits.iter().all(|limit| limit.law != law.name));
    laws.map(Wanted::Law).chain(exercise.checks.iter().map(Wanted::Check)).collect()
}

/// Returns the laws that the stage of an exercise breaks by design.
pub(crate) fn limits(exercise: &Exercise) -> Vec<Limit> {
    Limit::declared(stage(exercise.to).manifest)
}
