//! Writes to stdout, with colours only where they are wanted.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// Prints a text. A reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("stdout: cannot write the result"),
    }
}

/// Prints an error, on one line whatever a name in it holds.
pub(crate) fn error(error: &anyhow::Error) {
    use crate::telling::terminal::RED;
    let said = format!("{error:#}").replace('\n', " ");
    // Nobody is left to tell that stderr is gone.
    let _: io::Result<()> = writeln!(anstream::stderr(), "{RED}error:{RED:#} {said}");
}
