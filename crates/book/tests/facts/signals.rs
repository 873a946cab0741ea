//! Ctrl-C: what one call of `tokio::signal::ctrl_c` changes for ever.

use std::os::unix::process::ExitStatusExt;
use std::process::exit;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::process::{child, role};

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

#[test]
fn one_wait_for_ctrl_c_takes_the_signal_from_the_process_for_ever() {
    if let Some(role) = role() {
        interrupt_oneself(&role);
    }
    let test = "signals::one_wait_for_ctrl_c_takes_the_signal_from_the_process_for_ever";
    let never = child(test, "never waited").status;
    assert_eq!(never.signal(), Some(Signal::INT.as_raw()), "{never}");
    let once = child(test, "waited once").status;
    assert_eq!(once.code(), Some(SURVIVED), "{once}");
}
