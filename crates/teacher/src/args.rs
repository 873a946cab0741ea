//! The command line: which step is shown or taken, and in which folder.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use conformance::{LAWS, Law, Limit};
use exercises::{Asked, EXERCISES, Exercise};
use runner::{seconds, workspace};
use service::Version;
use stages::{Stage, find};

/// The factor on the bound of a law of the theme `scale`, which has hundreds of sources
/// or more.
const MANY: u32 = 3;
/// The theme of a check that names none: what is new in the step.
const STEP: &str = "step";
/// The prefix of a version of the service.
const SERVICE: &str = "service/";

/// Asks for an exercise.
#[derive(Debug, Args)]
pub struct YourTurnArgs {
    /// The stage that is to be written, by number or name; or `service`.
    #[arg(value_name = "STAGE", value_parser = End::find)]
    to: End,

    /// The stage to begin with, where two roads lead there [default: the first].
    #[arg(long, value_name = "N", value_parser = End::find)]
    from: Option<End>,

    /// Replace what you have written.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Asks how far the exercise is.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct CheckArgs {
    /// Check again whenever the file is saved, until all holds.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Try these laws or checks, or those of these themes [default: everything].
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
pub struct SolutionArgs {
    /// The stage, by number or name; or `service`.
    #[arg(value_name = "STAGE", value_parser = End::find)]
    pub(crate) to: End,

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

impl YourTurnArgs {
    /// Returns the exercise that was asked for.
    pub(crate) fn exercise(&self) -> anyhow::Result<&'static Exercise> {
        let from = self.from.map(|from| from.key());
        let Some(exercise) = Exercise::to(&self.to.key(), from.as_deref()) else {
            let there: Vec<_> =
                EXERCISES.iter().map(|it| format!("{} from {}", it.to, it.from)).collect();
            bail!("{}: no exercise, there is {}", self.to.name(), there.join(", "));
        };
        Ok(exercise)
    }
}

/// One end of a step: a stage, or a version of the service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Stage(&'static Stage),
    Service(&'static Version),
}

impl End {
    /// Finds a stage by any of its names, the last version of the service by `service`,
    /// and any version by `service/` and its name.
    pub(crate) fn find(word: &str) -> Result<End, String> {
        let of_service =
            if word == "service" { Some("fully_async") } else { word.strip_prefix(SERVICE) };
        match of_service {
            None => find(word).map(End::Stage).map_err(|said| format!("{said}; and service")),
            Some(name) => Version::named(name).map(End::Service).ok_or_else(|| {
                let names: Vec<_> = service::VERSIONS.iter().map(|version| version.name).collect();
                format!("the service has the versions {}", names.join(", "))
            }),
        }
    }

    /// Returns the stage or the version that an exercise names by `key`.
    ///
    /// # Panics
    ///
    /// Panics if there is none, which a test of `exercises` does not allow.
    pub(crate) fn of(key: &str) -> End {
        End::find(key).unwrap_or_else(|said| panic!("{key}: {said}"))
    }

    /// The key by which exercises name it.
    pub(crate) fn key(&self) -> String {
        match self {
            End::Stage(stage) => stage.number.to_string(),
            End::Service(version) => format!("{SERVICE}{}", version.name),
        }
    }

    /// The word for it on the command line.
    pub(crate) fn word(&self) -> String {
        match self {
            End::Stage(stage) => stage.number.to_string(),
            End::Service(_) => "service".to_owned(),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            End::Stage(stage) => stage.name.to_owned(),
            End::Service(_) => self.key(),
        }
    }

    /// The path of its file, from the workspace.
    pub(crate) fn file(&self) -> String {
        match self {
            End::Stage(stage) => format!("crates/{}/src/lib.rs", stage.name),
            End::Service(version) => format!("crates/service/src/{}.rs", version.name),
        }
    }

    /// The text of its file, changed so that it compiles in another crate.
    pub(crate) fn source(&self) -> String {
        match self {
            End::Stage(stage) => stage.source.to_owned(),
            End::Service(version) => version.source.replace("use crate::", "use service::"),
        }
    }

    /// What is new in it, if its manifest says so.
    pub(crate) fn what_is_new(&self) -> Option<String> {
        match self {
            End::Stage(stage) => Some(stage.said().new),
            End::Service(_) => None,
        }
    }
}

/// A law or a check that an exercise must hold.
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

    /// Returns its theme.
    pub(crate) fn theme(&self) -> &'static str {
        match self {
            Wanted::Law(law) => law.theme,
            Wanted::Check(asked) => asked.theme.as_deref().unwrap_or(STEP),
        }
    }

    /// Returns its own bound, where most have `within`.
    pub(crate) fn within(&self, within: Duration) -> Duration {
        let is_large = matches!(self, Wanted::Law(law) if law.theme == "scale");
        if is_large { within * MANY } else { within }
    }
}

impl CheckArgs {
    /// Returns the laws and checks of an exercise that `--only` names, or all.
    pub(crate) fn wanted(&self, exercise: &'static Exercise) -> anyhow::Result<Vec<Wanted>> {
        let mut all = wanted(exercise);
        let is_meant = |it: &Wanted, name: &str| name == it.name() || name == it.theme();
        if let Some(name) = self.only.iter().find(|name| !all.iter().any(|it| is_meant(it, name))) {
            let themes = all.chunk_by(|a, b| a.theme() == b.theme()).map(|of_theme| {
                let names: Vec<_> = of_theme.iter().map(Wanted::name).collect();
                format!("{}: {}", of_theme[0].theme(), names.join(", "))
            });
            let themes: Vec<_> = themes.collect();
            bail!("{name}: no law and no check of this step, there are {}", themes.join("; "));
        }
        all.retain(|it| self.only.is_empty() || self.only.iter().any(|name| is_meant(it, name)));
        Ok(all)
    }
}

/// Returns the laws that the stage of an exercise keeps, and the checks.
pub(crate) fn wanted(exercise: &'static Exercise) -> Vec<Wanted> {
    let limits = limits(exercise);
    let is_kept = |law: &&Law| limits.iter().all(|limit| limit.law != law.name);
    let is_merge = matches!(End::of(&exercise.to), End::Stage(_));
    let laws = LAWS.iter().filter(|_| is_merge).filter(is_kept);
    laws.map(Wanted::Law).chain(exercise.checks.iter().map(Wanted::Check)).collect()
}

/// Returns the laws that the stage of an exercise breaks by design.
pub(crate) fn limits(exercise: &Exercise) -> Vec<Limit> {
    match End::of(&exercise.to) {
        End::Stage(stage) => Limit::declared(stage.manifest),
        End::Service(_) => Vec::new(),
    }
}
