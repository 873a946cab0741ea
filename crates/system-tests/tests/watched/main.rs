//! `tokio_loop::watched` in programs that nobody wrote for it: axum's example
//! `todos`, and mini-redis. Under load nothing is told, whatever the machine does
//! to them. A call that blocks one of their workers is told, and named; so is the
//! look-up of a name, for which there is a silent name server.
//!
//! Each test loads a program for a few seconds. `just watch-soak` does it for
//! ten minutes each.

mod control;
mod load;
mod names;
mod service;
mod strain;

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use control::Control;
use service::{Service, mini_redis, todos};
use strain::{Quota, neighbours, pauses};
use system_tests::program;
use testkit::until;

/// How many runs there may be, if the machine itself stalls in them.
const RUNS: usize = 20;

/// Lets one test run at a time, since each loads the machine fully.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a program is under load: `SOAK` seconds, or a few.
fn load_time() -> Duration {
    let seconds = std::env::var("SOAK").ok().map(|seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds.unwrap_or(3))
}

/// Loads the service, and fails if something is told of it. A run in which the machine
/// itself stalled does not count, and is repeated.
#[track_caller]
fn under_load_nothing_is_told_of(service: &Service) {
    for _ in 0..RUNS {
        let before = service.told().len();
        service.reader_was_late();
        let control = Control::start();
        let load = service.load();
        // The length of the load: nothing is waited for.
        thread::sleep(load_time());
        let (answers, late) = (load.end(), control.end().max(service.reader_was_late()));
        assert!(answers > 0, "it has answered nothing");
        let told = service.told().split_off(before);
        if told.is_empty() {
            return;
        }
        assert!(
            late > tokio_loop::SLOW / 2,
            "the machine was never more than {late:?} late: {told:#?}"
        );
    }
    panic!("the machine stalled in each of {RUNS} runs");
}

/// Has a call block a worker under load, and waits for the line that tells of it. The
/// call is released once `ask` has seen the line.
#[track_caller]
fn a_call_that_blocks_is_told_of(service: &Service, ask: impl FnOnce(&str)) {
    let before = service.told().len();
    let told = |parts: [&str; 3]| {
        let mut lines = service.told().split_off(before).into_iter();
        lines.find(|line| parts.iter().all(|part| line.contains(part)))
    };
    let until_told = |parts| {
        until("it is told", || told(parts).is_some());
        told(parts).unwrap()
    };
    let [operation, now, then] = service.words();
    let load = service.load();
    let release = service.block();
    ask(&until_told(["has not turned for", operation, now]));
    release();
    until_told(["turns again after", operation, then]);
    load.end();
}

/// Both of the above, while the machine strains the service.
#[track_caller]
fn only_what_blocks_is_told_of(service: &Service) {
    under_load_nothing_is_told_of(service);
    a_call_that_blocks_is_told_of(service, |_| ());
}

#[test]
fn of_axums_todos_under_load_nothing_is_told_but_the_handler_that_blocks() {
    let _alone = alone();
    only_what_blocks_is_told_of(&todos(&[]));
}

#[test]
fn of_mini_redis_under_load_nothing_is_told_but_the_log_that_blocks() {
    let _alone = alone();
    only_what_blocks_is_told_of(&mini_redis());
}

#[test]
fn of_a_service_among_neighbours_that_compute_only_what_blocks_is_told() {
    let _alone = alone();
    let _neighbours = neighbours();
    only_what_blocks_is_told_of(&todos(&[]));
}

#[test]
fn of_a_service_that_is_niced_only_what_blocks_is_told() {
    let _alone = alone();
    let _neighbours = neighbours();
    only_what_blocks_is_told_of(&todos(&["nice", "-n", "10"]));
}

#[test]
fn of_a_service_that_is_stopped_and_continued_only_what_blocks_is_told() {
    let _alone = alone();
    let service = todos(&[]);
    let _pauses = pauses(&service, Duration::from_millis(500), Duration::from_millis(500));
    only_what_blocks_is_told_of(&service);
}

#[test]
fn of_a_service_with_a_quota_only_what_blocks_is_told() {
    let _alone = alone();
    let service = todos(&[]);
    let quota = Quota::of(&service);
    only_what_blocks_is_told_of(&service);
    assert!(quota.was_felt(), "it never met its quota");
}

/// The command of the book, typed as it stands there.
#[test]
fn the_stack_of_the_thread_that_the_line_names_leads_to_the_handler() {
    let _alone = alone();
    let page = include_str!("../../../../docs/src/blocking-handler.md");
    let command = page.lines().find(|line| line.starts_with("gdb -p PID")).unwrap();
    let service = todos(&[]);
    a_call_that_blocks_is_told_of(&service, |line| {
        let (_, thread) = line.split_once(" thread=").unwrap();
        let thread = format!("(LWP {})", thread.split(' ').next().unwrap());
        let command = command.replace("PID", &service.running.child.id().to_string());
        program("gdb", "gdb");
        let done = Command::new("sh").arg("-c").arg(command).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        let stack = said.split("\nThread ").find(|stack| stack.contains(&thread));
        // With Yama, gdb must be root to look at a process that it has not started.
        assert!(stack.is_some_and(|stack| stack.contains("todos_delete")), "{thread} {done:#?}");
    });
}
