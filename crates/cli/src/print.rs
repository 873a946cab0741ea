//! What is printed instead of a merge.

use std::io::{ErrorKind, Write};

use clap_complete::Shell;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, stat};
use rustix::stdio::stdout;

use crate::exit;
use crate::help::Topic;
use crate::man;
use crate::voice::Voice;

/// What is said if there is no argument.
pub(crate) const USAGE: &str = "\
Usage: tributary [OPTIONS] IN…

For example: tributary -F -o merged.log a.log b.log
For more information, try 'tributary --help'.
";

/// What is said of a stdout that [`is_closed`].
pub(crate) const CLOSED: &str = "stdout is closed, or is /dev/null for reading and writing: nothing would be kept; if that is \
     meant, write `> /dev/null`";

/// Prints the completions for a shell, and returns the exit code.
pub(crate) fn completions(shell: Option<Shell>, voice: &Voice) -> u8 {
    let Some(shell) = shell else {
        voice.text(Topic::Completions.told().1);
        return exit::USAGE;
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "tributary", &mut text);
    print(&text, voice)
}

/// Prints the man page, and returns the exit code.
pub(crate) fn man(voice: &Voice) -> u8 {
    print(&man::page(), voice)
}

/// Prints the help, or that of a topic, and returns the exit code.
pub(crate) fn help(topic: Option<Topic>, voice: &Voice) -> u8 {
    match topic {
        Some(topic) => print(topic.told().1.as_bytes(), voice),
        None => print(crate::command().render_long_help().ansi().to_string().as_bytes(), voice),
    }
}

/// Prints a text, without its colours if stdout is no terminal, and returns the
/// exit code. A reader that has gone away is no error.
pub(crate) fn print(text: &[u8], voice: &Voice) -> u8 {
    if is_closed() {
        voice.error(CLOSED);
        return exit::OUTPUT;
    }
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            voice.error(&format!("stdout: cannot write: {cause}"));
            exit::OUTPUT
        }
        _ => 0,
    }
}

/// Tells whether stdout was closed when this process began.
///
/// Rust's runtime has then put `/dev/null` in its place, which takes all and
/// keeps nothing. The runtime opens it for reading, too; a shell does not.
pub(crate) fn is_closed() -> bool {
    let (Ok(ours), Ok(null)) = (fstat(stdout()), stat("/dev/null")) else { return false };
    let is_null = FileType::from_raw_mode(ours.st_mode) == FileType::CharacterDevice
        && ours.st_rdev == null.st_rdev;
    is_null && fcntl_getfl(stdout()).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR)
}
