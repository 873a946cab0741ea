//! What the book shows of a program is all that the program said.

use std::process::Command;
use std::time::{Duration, Instant};

use book_tests::output;

/// More than any of these programs takes, so that only a hang meets it.
const LONG: Duration = Duration::from_secs(60);

fn shell(script: &str, limit: Duration) -> String {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    output(command, limit).expect("a shell can be run")
}

#[test]
fn an_output_is_what_was_said_on_both_streams_and_how_it_ended() {
    assert_eq!(shell("echo one; echo two >&2; echo three", LONG), "one\ntwo\nthree\n");
    assert_eq!(shell("echo no >&2; exit 3", LONG), "no\n(exit code 3)\n");
    assert_eq!(shell("printf half; kill -TERM $$", LONG), "half\n(ended by signal 15)\n");
    assert_eq!(shell("true", LONG), "");
}

#[test]
fn what_hangs_is_ended_with_all_of_its_children() {
    let begin = Instant::now();
    // The child holds the stream open, and would outlive its shell.
    let said = shell("echo waiting; sleep 600 & wait", Duration::from_secs(1));
    assert_eq!(said, "waiting\n(hangs: stopped after 1 s)\n");
    assert!(begin.elapsed() < LONG, "its child was waited for");
}
