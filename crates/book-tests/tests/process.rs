//! A test in a process of its own: the test executable, started once more.
//!
//! Some facts are about a whole process: what it has open, how a signal ends
//! it, what is lost with it.

use std::env;
use std::process::Command;

use testkit::BOUND;

/// Tells the process that it is the child, and what it is to do.
pub(crate) const ROLE: &str = "BOOK_TESTS_ROLE";

/// Returns what this process is to do, if it is a child.
pub(crate) fn role() -> Option<String> {
    env::var(ROLE).ok()
}

/// Runs `test` once more, in a process of its own, as `role`. Returns what it
/// printed and, in a last line, how it ended if it did not end well; it is
/// killed if it hangs.
pub(crate) fn child(test: &str, role: &str) -> String {
    let executable = env::current_exe().expect("a test has an executable");
    child_by(Command::new(executable), test, role)
}

/// The same, by a command that runs this executable with the arguments that
/// are added to it.
pub(crate) fn child_by(mut command: Command, test: &str, role: &str) -> String {
    let arguments = [test, "--exact", "--nocapture", "--test-threads=1"];
    command.args(arguments).env(ROLE, role);
    book_tests::output(command, BOUND).expect("the test can be started once more")
}

/// Runs `test` once more, and requires that it passes.
#[track_caller]
pub(crate) fn passes_alone(test: &str) {
    let said = child(test, "alone");
    assert!(said.contains("1 passed"), "{said}");
}
