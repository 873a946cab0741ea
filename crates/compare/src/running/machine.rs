//! What the figures depend on besides the stages: machine and compiler.

use std::num::NonZero;
use std::process::{Command, Stdio};
use std::thread;

use jiff::Zoned;
use report::Head;

/// Returns the head of the results of this machine.
pub(crate) fn head(seed: u64) -> Head {
    let uname = rustix::system::uname();
    let kernel = format!(
        "{} {} {}",
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
        uname.machine().to_string_lossy()
    );
    Head {
        seed,
        commit: commit(),
        rustc: env!("COMPARE_RUSTC").into(),
        cores: thread::available_parallelism().map_or(1, NonZero::get),
        profile: env!("COMPARE_PROFILE").into(),
        kernel,
        date: Zoned::now().date().to_string(),
    }
}

fn commit() -> Option<String> {
    let said = Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR")])
        .args(["describe", "--always", "--dirty", "--abbrev=9", "--exclude=*"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let name = String::from_utf8(said.stdout).ok()?;
    (said.status.success() && !name.trim().is_empty()).then(|| name.trim().to_owned())
}
