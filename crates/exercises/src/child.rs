//! What the program of the learner does: it tries one law, or one check, and says what
//! came of it.

use std::env;
use std::io::{self, Write};
use std::panic;
use std::process::{self, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use conformance::{Case, Law, Outcome};
use tributary::MergeFn;

use crate::{Check, Mine};

/// Stands before what was seen where the code of the learner has panicked.
pub const PANICKED: &str = "your code has panicked, at ";

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The exit code of one whose asker is gone.
const GONE: i32 = 130;

/// Tries what the arguments name, and answers on stdout as [`try_law`] does, in JSON.
///
/// `your-turn NAME SECONDS`: a law or a check, and how long it may wait. An accident is
/// told on stderr.
pub fn main(mine: Mine) -> ExitCode {
    match answer(mine) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            // Nobody is left to tell that stderr is gone.
            let _ = writeln!(io::stderr(), "error: {what}");
            ExitCode::FAILURE
        }
    }
}

fn answer(mine: Mine) -> Result<(), String> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [name, seconds] = &arguments[..] else {
        return Err("this is for `cargo compare check-mine`, which says what to try".into());
    };
    let within = seconds.parse().map(Duration::from_secs).map_err(|error| error.to_string())?;
    stops_with_stdin().map_err(|error| error.to_string())?;
    note_panics();
    let broken = tried(name, mine, within);
    // What a panic has done is told after the panic.
    let broken = match (PANICS.lock().ok().and_then(|said| said.first().cloned()), broken) {
        (Some(said), Ok(Some(seen)) | Err(seen)) => Some(format!("{PANICKED}{said}\n{seen}")),
        (_, broken) => broken?,
    };
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &broken).map_err(|error| error.to_string())
}

fn tried(name: &str, mine: Mine, within: Duration) -> Result<Option<String>, String> {
    match (Check::named(name), Law::named(name), mine) {
        (Some(check), _, _) => Ok(check.hold(mine, within).err()),
        (None, Some(law), Mine::Merge(merge)) => try_law(law, "your merge", merge, within),
        (None, _, _) => Err(format!("there is no law and no check named {name}")),
    }
}

/// Notes what panics in the file of the learner, or in tokio, which he has called; instead
/// of printing it. What panics where a law has it panic is no mistake.
fn note_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = match panic.location() {
            Some(place) if place.file() == "src/lib.rs" => place.to_string(),
            Some(place) if place.file().contains("/tokio-1.") => "a call of tokio".to_owned(),
            _ => return,
        };
        let payload = panic.payload();
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(|said| &**said));
        let said = format!("{place}: {}", said.unwrap_or("a value that is no text"));
        PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }));
}

/// Tries a law in this process, in which nothing else goes on, and returns how it is
/// broken, if it is.
///
/// # Errors
///
/// What happened instead of a verdict.
pub fn try_law(
    law: &Law,
    of: &str,
    merge: MergeFn,
    within: Duration,
) -> Result<Option<String>, String> {
    match Case::new(law.name, of, merge).alone().within(within).outcome() {
        Outcome::Held => Ok(None),
        Outcome::Broken(how) => Ok(Some(how.to_string())),
        Outcome::Hung => Err(format!("the law hangs beyond its bound of {within:?}")),
        Outcome::Accident(what) => Err(what),
    }
}

/// From now on this process ends when its stdin is closed: whoever has asked is gone.
///
/// # Errors
///
/// The system refuses the thread that waits for it.
pub fn stops_with_stdin() -> io::Result<()> {
    at_the_end_of_stdin(|| process::exit(GONE))
}

/// Does something when stdin is closed, in a thread that ends with the process.
///
/// # Errors
///
/// The system refuses the thread that waits for it.
pub fn at_the_end_of_stdin(act: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let wait = || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        act();
    };
    thread::Builder::new().name("stdin".into()).spawn(wait).map(drop)
}
