//! The laws of a merge that can be seen from outside, for any program in any language.
//!
//! A program is a command line with places for its files ([`Template`]). It gets files,
//! makes one, and is asked to stop with SIGTERM; [`judge`] says which of the [`LAWS`] it
//! keeps, and of each that it breaks the first witness: which line of which file is
//! torn, missing, doubled or late, and at which byte.
//!
//! - A program that ends by itself does not follow its files. What only a follower can
//!   keep is not asked of it, and never counts as kept.
//! - Every wait has a bound. A program that does not end breaks the law, and is killed
//!   with all that it has started.
//! - The waits are for things that can be seen: bytes of the output, the end of the
//!   program, a word on stderr.
//!
//! Reading order: `laws/`, a file a theme; `scene.rs`, what they are written with;
//! [`Judged`], what is told.

mod command;
mod judged;
mod laws;
mod log;
mod program;
mod scene;
mod telling;
mod witness;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub use command::Template;
pub use judged::{Answer, Judged, Outcome};
pub use laws::{Asked, LAWS, Law};
pub use program::kill_all;
pub use telling::{json, table, text};

use scene::Scene;

/// How long a program may take for each thing that is waited for, unless it is told.
pub const WITHIN: Duration = Duration::from_secs(10);

/// How many laws are tried at a time: a law mostly waits.
const AT_A_TIME: usize = 6;

/// Why a program cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// There is no word.
    #[error("name a program to judge: `-- python3 merge.py {{output}} {{inputs}}`")]
    NoProgram,
    /// There is no place for the sources.
    #[error("{program}: say with {{inputs}}, as a word of its own, where its files stand")]
    NoInputs {
        /// The first word.
        program: String,
    },
    /// A quote is left open.
    #[error("{line}: a quote is left open")]
    Unquoted {
        /// What was to be split.
        line: String,
    },
    /// The program cannot be started.
    #[error("{program}: cannot be started: {cause}")]
    NotStarted {
        /// The first word.
        program: String,
        /// What the system said.
        cause: String,
    },
}

/// What is judged, and for how long it is waited for.
pub(crate) struct Judging<'a> {
    template: &'a Template,
    follows: bool,
    within: Duration,
    is_given_up: &'a (dyn Fn() -> bool + Sync),
}

/// Why a law is not kept.
#[derive(Debug)]
pub(crate) enum Why {
    Broken(String),
    NotAsked(String),
    NotStarted(String),
}

/// Holds a program to laws. `is_given_up` is asked again and again: when it says so, the
/// waits end, and what is returned is worth nothing.
///
/// # Blocking
///
/// Blocks the caller until every law was tried.
///
/// # Errors
///
/// [`UsageError::NotStarted`] if there is no such program.
///
/// # Panics
///
/// Panics if there is no folder for temporary files.
pub fn judge(
    template: &Template,
    laws: &[&'static Law],
    within: Duration,
    is_given_up: &(dyn Fn() -> bool + Sync),
) -> Result<Judged, UsageError> {
    let mut judging = Judging { template, follows: false, within, is_given_up };
    judging.follows = follows(&judging).map_err(|why| UsageError::NotStarted {
        program: template.words()[0].clone(),
        cause: match why {
            Why::Broken(cause) | Why::NotAsked(cause) | Why::NotStarted(cause) => cause,
        },
    })?;
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(law) = laws.get(at) else { break };
                    let answer = Answer { law: law.name, outcome: try_law(law, &judging) };
                    answers.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(at, _)| *at);
    Ok(Judged {
        command: template.words().to_vec(),
        name: template.name(),
        follows: judging.follows,
        laws: answers.into_iter().map(|(_, answer)| answer).collect(),
    })
}

fn try_law(law: &Law, judging: &Judging<'_>) -> Outcome {
    if law.asked == Asked::Followers && !judging.follows {
        return Outcome::NotAsked { why: "it ends by itself, so it follows no file".to_owned() };
    }
    match (law.function)(judging) {
        Ok(()) => Outcome::Held,
        Err(Why::NotAsked(why)) => Outcome::NotAsked { why },
        Err(Why::Broken(witness) | Why::NotStarted(witness)) => Outcome::Broken { witness },
    }
}

/// Finds out whether a program goes on until it is asked to stop: each time that all is
/// in the output, there is more. Who ends meanwhile does not follow.
fn follows(judging: &Judging<'_>) -> Result<bool, Why> {
    const TIMES: usize = 5;
    let mut scene = Scene::new(judging, 2);
    let run = scene.run()?;
    for _ in 0..TIMES {
        scene.logs.iter_mut().for_each(|log| log.write(1));
        if !run.until_written(scene.bytes()) {
            break;
        }
    }
    Ok(run.program.ended().is_none())
}
