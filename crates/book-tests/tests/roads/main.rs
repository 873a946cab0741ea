//! The small program of the book's chapter on the two roads, at every step of
//! both: the same answers at each, and the sign that the step is done.

mod down1;
mod down3;
mod down4;
mod server;
mod tasks;
mod threads;
mod up2;
mod up3;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use testkit::within;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;

use server::{Meeting, Nobody, Server};
use threads::Greetings;

/// One version of the program, run with a pool of so many threads.
type AskAll = fn(&[SocketAddr], usize) -> Greetings;

// ANCHOR: on_a_loop
/// Runs the async top on a loop with so many blocking threads.
fn on_a_loop(threads: usize, main: impl Future<Output = Greetings>) -> Greetings {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(threads);
    let runtime = builder.build_local(LocalOptions::default());
    runtime.expect("a loop can start").block_on(main)
}
// ANCHOR_END: on_a_loop

/// The program at every step, in the order of the roads.
const STEPS: [(&str, AskAll); 7] = [
    ("threads", |servers, _| threads::ask_all(servers)),
    ("top-down, step 1", |servers, pool| on_a_loop(pool, down1::ask_all(servers))),
    ("top-down, step 3", |servers, pool| on_a_loop(pool, down3::ask_all(servers))),
    ("top-down, step 4", |servers, pool| on_a_loop(pool, down4::ask_all(servers))),
    ("bottom-up, step 2", |servers, _| up2::ask_all(servers)),
    ("bottom-up, step 3", |servers, _| up3::ask_all(servers)),
    ("tasks", |servers, pool| on_a_loop(pool, tasks::ask_all(servers))),
];

#[test]
fn at_every_step_the_program_gives_the_same_answers() {
    for (step, ask_all) in STEPS {
        let steady = Server::start(|stranger| stranger.say("good day"));
        let moody = Server::start(|stranger| {
            // The first two find the door shut in their faces.
            if stranger.number == 3 {
                stranger.say("come in");
            } else {
                stranger.say_nothing_sensible();
            }
        });
        let nobody = Nobody::new();
        let servers = [steady.address, moody.address, nobody.address];
        let greetings = within(move || ask_all(&servers, 3));
        let said = |server| greetings[&server].as_deref().ok();
        assert_eq!(greetings.len(), 3, "{step}");
        assert_eq!(said(steady.address), Some("good day"), "{step}");
        assert_eq!(said(moody.address), Some("come in"), "{step}");
        assert_eq!(said(nobody.address), None, "{step}");
    }
}

/// Asks a server that speaks once another task has had its turn, or once
/// `patience` has passed; returns what it said.
fn said_beside_another_task(
    patience: Duration,
    ask_all: impl AsyncFnOnce(&[SocketAddr]) -> Greetings + Send + 'static,
) -> String {
    let (turn, had_its_turn) = std::sync::mpsc::channel();
    let server = Server::start(move |stranger| {
        let turned = had_its_turn.recv_timeout(patience).is_ok();
        stranger.say(if turned { "the loop turns" } else { "the loop stands still" });
    });
    let address = server.address;
    let greetings = within(move || {
        on_a_loop(1, async {
            spawn_local(async move { turn.send(()) });
            ask_all(&[address]).await
        })
    });
    greetings[&address].as_deref().expect("the server says something").to_owned()
}

#[test]
fn after_step_1_the_loop_stands_still_and_from_step_2_on_it_turns() {
    let (soon, late) = (Duration::from_millis(100), Duration::from_secs(50));
    let still = said_beside_another_task(soon, async |servers| down1::ask_all(servers).await);
    assert_eq!(still, "the loop stands still");
    let turns = "the loop turns";
    let step3 = said_beside_another_task(late, async |servers| down3::ask_all(servers).await);
    let step4 = said_beside_another_task(late, async |servers| down4::ask_all(servers).await);
    let end = said_beside_another_task(late, async |servers| tasks::ask_all(servers).await);
    assert_eq!((step3.as_str(), step4.as_str(), end.as_str()), (turns, turns, turns));
}

/// Asks three servers that speak once all three have been asked, and returns
/// how many found that they were, while they had patience.
fn asked_at_once(patience: Duration, step: &str, pool: usize) -> usize {
    const SERVERS: usize = 3;
    let (_, ask_all) = STEPS.into_iter().find(|(name, _)| *name == step).expect("a step");
    let meeting = Meeting::new();
    let addresses = [(); SERVERS].map(|()| {
        let meeting = Arc::clone(&meeting);
        let treat = move |stranger: server::Stranger| {
            let all = meeting.join(SERVERS, patience);
            stranger.say(if all { "all of us" } else { "some of us" });
        };
        Server::start(treat).address
    });
    let greetings = within(move || ask_all(&addresses, pool));
    greetings.values().filter(|said| said.as_deref().is_ok_and(|said| said == "all of us")).count()
}

#[test]
fn at_the_end_of_both_roads_the_size_of_the_pool_has_no_say() {
    let (soon, late) = (Duration::from_millis(100), Duration::from_secs(50));
    assert_eq!(asked_at_once(late, "top-down, step 3", 3), 3, "a thread for each");
    assert_eq!(asked_at_once(soon, "top-down, step 3", 1), 1, "one after the other");
    assert_eq!(asked_at_once(soon, "top-down, step 4", 1), 1, "the leaf still needs the pool");
    assert_eq!(asked_at_once(late, "tasks", 1), 3, "no thread at all");
}
