//! A test in a process of its own: the test executable, started once more.
//!
//! Some facts are about a whole process: what it has open, how a signal ends
//! it, what is lost with it.

use std::env;
use std::process::{Command, Output, Stdio};

/// Tells the process that it is the child, and what it is to do.
const ROLE: &str = "BOOK_FACTS_ROLE";

/// Returns what this process is to do, if it is a child.
pub(crate) fn role() -> Option<String> {
    env::var(ROLE).ok()
}

/// Runs `test` once more, in a process of its own, as `role`.
pub(crate) fn child(test: &str, role: &str) -> Output {
    let executable = env::current_exe().expect("a test has an executable");
    Command::new(executable)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .stdin(Stdio::null())
        .output()
        .expect("the test can be started once more")
}

/// Runs `test` once more as `role`, and requires that it passes.
#[track_caller]
pub(crate) fn passes_alone(test: &str, role: &str) {
    let ended = child(test, role);
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&ended.stdout), said(&ended.stderr));
    assert!(ended.status.success() && out.contains("1 passed"), "{out}\n{err}");
}
