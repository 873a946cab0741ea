//! Runs programs for what they print.

use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// Runs a program; returns all that it printed on both streams, in the order in
/// which it did, and below it how it ended if it did not end well: with an exit
/// code, by a signal, or not at all within `limit`. Then it is killed, with its
/// children.
///
/// # Blocking
///
/// Until the program ends, or for `limit`.
///
/// # Errors
///
/// The program cannot be started, or not be heard.
pub fn output(mut command: Command, limit: Duration) -> io::Result<String> {
    let (pipe, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.process_group(0).spawn()?;
    // It holds the ends that are written to, and the pipe would never end.
    drop(command);

    let (heard, end) = channel();
    let reader = thread::spawn(move || {
        let said = read(pipe);
        // Nobody waits any more if the limit has passed.
        let _ = heard.send(());
        said
    });
    let in_time = end.recv_timeout(limit);
    let status = match in_time {
        Err(RecvTimeoutError::Timeout) => None,
        _ => Some(child.wait()?),
    };
    end_group(&mut child)?;
    let mut said = reader.join().expect("the reader has no reason to panic")?;
    if !said.is_empty() && !said.ends_with('\n') {
        said.push('\n');
    }
    match status {
        None => said += &format!("(hangs: stopped after {} s)\n", limit.as_secs()),
        Some(status) => said += &ended(status),
    }
    Ok(said)
}

fn read(mut pipe: PipeReader) -> io::Result<String> {
    let mut said = Vec::new();
    pipe.read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// Ends what is left of the program's group: itself, or a child of its own.
fn end_group(child: &mut Child) -> io::Result<()> {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It is an error if nobody is left, which is as it should be.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait().map(drop)
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => String::new(),
        (Some(code), _) => format!("(exit code {code})\n"),
        (None, signal) => format!("(ended by signal {})\n", signal.unwrap_or_default()),
    }
}
