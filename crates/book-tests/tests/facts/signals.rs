//! Ctrl-C: what one call of `tokio::signal::ctrl_c` changes for ever, and what to do
//! about it.

use std::env;
use std::fs;
use std::io;
use std::process::{Command, exit};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use testkit::BOUND;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::stop::Stop;
use crate::process::{child_by, role};

/// What the child ends with if the signal has not ended it.
const SURVIVED: i32 = 42;

/// Interrupts itself, perhaps after it has once waited for an interrupt.
fn interrupt_oneself(role: &str) -> ! {
    if role == "waited once" {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let wait = async { timeout(Duration::ZERO, tokio::signal::ctrl_c()).await };
        runtime.block_on(wait).expect_err("nobody has typed Ctrl-C");
        // The wait is over, and so is the runtime.
    }
    kill_process(getpid(), Signal::INT).unwrap();
    exit(SURVIVED);
}

/// Starts this executable with Ctrl-C as a terminal has it. Who starts programs
/// in the background, as `nohup` and some shells do, has them ignore it, and a
/// child would inherit that.
fn as_from_a_terminal() -> Command {
    let executable = env::current_exe().expect("a test has an executable");
    if !ctrl_c_is_ignored() {
        return Command::new(executable);
    }
    let mut env = Command::new("env");
    env.arg("--default-signal=INT").arg(executable);
    env
}

fn ctrl_c_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.expect("a line for the signals that are ignored").trim();
    let ignored = u64::from_str_radix(ignored, 16).expect("a bit for each");
    ignored >> (Signal::INT.as_raw() - 1) & 1 == 1
}

#[test]
fn one_wait_for_ctrl_c_takes_the_signal_from_the_process_for_ever() {
    if let Some(role) = role() {
        interrupt_oneself(&role);
    }
    let test = "facts::signals::one_wait_for_ctrl_c_takes_the_signal_from_the_process_for_ever";
    let never = child_by(as_from_a_terminal(), test, "never waited");
    assert!(never.ends_with(&format!("(ended by signal {})\n", Signal::INT.as_raw())), "{never}");
    let once = child_by(as_from_a_terminal(), test, "waited once");
    assert!(once.ends_with(&format!("(exit code {SURVIVED})\n")), "{once}");
}

// ANCHOR: listen
/// Has the first Ctrl-C request the stop, and the second one end the process. It
/// listens on a thread of its own: a loop that stands still would hear neither.
fn listen(stop: Stop) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut interrupts = {
        let _entered = runtime.enter();
        // From here on the signal no longer ends the process by itself.
        signal(SignalKind::interrupt())?
    };
    let listens = async move {
        interrupts.recv().await;
        stop.request();
        interrupts.recv().await;
        exit(130);
    };
    thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(listens))?;
    Ok(())
}
// ANCHOR_END: listen

#[test]
fn the_first_ctrl_c_requests_the_stop_and_the_second_ends_a_drain_that_hangs() {
    if role().is_some() {
        let stop = Stop::default();
        listen(stop.clone()).unwrap();
        kill_process(getpid(), Signal::INT).unwrap();
        assert!(stop.requested_within(BOUND), "the first one was not heard");
        kill_process(getpid(), Signal::INT).unwrap();
        // The drain.
        loop {
            thread::park();
        }
    }
    let test =
        "facts::signals::the_first_ctrl_c_requests_the_stop_and_the_second_ends_a_drain_that_hangs";
    let ended = child_by(as_from_a_terminal(), test, "a drain that hangs");
    assert!(ended.ends_with("(exit code 130)\n"), "{ended}");
}
