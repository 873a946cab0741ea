//! What is printed instead of a merge.

use std::io::{self, ErrorKind, Write};

use clap_complete::Shell;
use clap_mangen::Man;

use crate::exit;
use crate::voice::Voice;

/// What is said to somebody who says nothing.
pub(crate) const USAGE: &str = "\
Usage: tributary [OPTIONS] IN…

For example: tributary -F -o merged.log a.log b.log
For more information, try 'tributary --help'.
";

/// Prints the completions for a shell, and returns the exit code.
pub(crate) fn completions(shell: Shell, voice: &Voice) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "tributary", &mut text);
    print(&text, voice)
}

/// Prints the man page, and returns the exit code.
pub(crate) fn man(voice: &Voice) -> u8 {
    let mut text = Vec::new();
    let page = Man::new(crate::command()).manual("User Commands").source("tributary");
    page.render(&mut text).expect("memory takes everything");
    print(&text, voice)
}

fn print(text: &[u8], voice: &Voice) -> u8 {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            voice.error(&format!("stdout: cannot write: {cause}"));
            exit::OUTPUT
        }
        _ => 0,
    }
}
