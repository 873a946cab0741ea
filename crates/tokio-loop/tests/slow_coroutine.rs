//! What the example says, whatever the time it took.

#[path = "../examples/slow_coroutine.rs"]
#[expect(dead_code, reason = "its `main` is for `cargo run`")]
mod example;
mod said;
#[expect(dead_code, reason = "the other tests of the debug mode use it all")]
mod told;

use said::{SAID, Said};

#[test]
fn the_slow_coroutine_is_named_while_it_blocks_and_timed_when_it_is_over() {
    let place = "crates/tokio-loop/tests/../examples/slow_coroutine.rs:N:N";
    let expected = [
        "the event loop has not turned for N ms: `slow_coroutine` blocks it",
        "the event loop turns again after N ms: `slow_coroutine` blocked it",
        "the event loop has not turned for N ms: an unnamed operation blocks it",
        "the event loop turns again after N ms: an unnamed operation blocked it",
    ];
    let expected = expected.map(|line| {
        // What the thread does is told on Linux.
        let does = match (cfg!(target_os = "linux"), line.contains("blocks it")) {
            (true, true) => ": it sleeps",
            (true, false) => ": it slept",
            (false, _) => "",
        };
        format!(" WARN tokio_loop: {line}, in task N, spawned at {place}{does}")
    });
    // One of ten runs is enough: a machine that gives the cores to somebody else
    // leaves the watch too late, or blocks the loop once more.
    for _ in 0..10 {
        SAID.lock().unwrap().clear();
        example::debugged(|| Said).unwrap();
        let said = String::from_utf8(SAID.lock().unwrap().clone()).unwrap();
        // The fields behind a message are for programs.
        let message = |line: &str| line.split(" stuck_us=").next().map(str::to_owned);
        let messages = told::masked(&said);
        let messages = messages.replace(" stall_us=", " stuck_us=");
        if messages.lines().filter_map(message).eq(expected.clone()) {
            return;
        }
    }
    let said = String::from_utf8(SAID.lock().unwrap().clone()).unwrap();
    panic!("expected {expected:#?}, said in the last of ten runs: {said}");
}
