//! Runs programs as children: measured one at a time, or only tried, several at once.
//! When this process is asked to end, it kills them all.

mod child;
mod interrupt;
mod process;
mod tries;

use std::env;
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

pub use child::{Checked, Ended, Hung, Running, Took, answered, run};
pub use interrupt::{EXIT_CODE, Interrupt, Interrupted};
pub use process::{Activity, Status, threads};
pub use tries::{Tried, side_by_side, try_by};

/// Returns the folder of the workspace that this crate was built in.
///
/// # Panics
///
/// Panics if this crate does not lie two folders below the workspace.
pub fn workspace() -> &'static Path {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).expect("this crate lies in the crates of the workspace")
}

/// Returns cargo's target folder, as an absolute path: `CARGO_TARGET_DIR`, or `target`
/// in the workspace.
pub fn target() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = named.unwrap_or_else(|| workspace().join("target"));
    path::absolute(&target).unwrap_or(target)
}

/// Makes a progress bar on stderr, if that is a terminal: how many runs are done, the
/// time, and a message. Dropping the bar clears it.
pub fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0).with_finish(ProgressFinish::AndClear);
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {elapsed}  {msg}");
    bar.set_style(style.expect("the template is a constant"));
    // Drawn once a second, so that drawing costs the runs nothing.
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

/// Parses a number of seconds, with or without an `s` behind it.
///
/// # Errors
///
/// A sentence, if it is no number from 0.1 to 3600.
pub fn seconds(typed: &str) -> Result<Duration, String> {
    let seconds = typed.strip_suffix('s').unwrap_or(typed).trim().parse::<f64>().ok();
    seconds
        .filter(|seconds| (0.1..=3600.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "a number of seconds from 0.1 to 3600".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("3s"), Ok(Duration::from_secs(3)));
        for typed in ["", "0", "-1", "nan", "1e9", "2m"] {
            assert!(seconds(typed).is_err(), "{typed}");
        }
    }
}
