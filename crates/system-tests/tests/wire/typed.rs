//! Flags that make no sense with a stream, and merges that are ended by hand.

use std::thread;

use rustix::process::Signal;
use testkit::until;

use crate::{Scene, is_alive};

/// The exit codes: the flags make no sense; a signal has cut the merge short.
const USAGE: i32 = 2;
const INTERRUPTED: i32 = 130;

#[test]
fn what_a_stream_has_nothing_of_is_refused() {
    let scene = Scene::new();
    scene.folder.append("app.log", "one\n");
    scene.folder.append("merged", "of yesterday\n");
    for flags in [
        "--exclude *.gz",
        "--max-line 10",
        "--interval 1s",
        "--wake poll",
        "--latency 0",
        "--quiet-after 1s",
        "--debug",
        "--host-name web",
        "--stage threads",
        "--json",
        "app.log",
    ] {
        let flags: Vec<_> = flags.split(' ').collect();
        let said = scene.read(&flags).end().with(USAGE).stderr;
        let named = if flags == ["app.log"] { "[IN]" } else { flags[0] };
        assert!(said.lines().next().unwrap().contains(named), "{flags:?}: {said}");
    }
    // Flags of a stream where no stream is named.
    for flags in [["--host-name", "web"], ["--patience", "1s"], ["--nats-creds", "creds"]] {
        let local = [&["app.log", "--output", "merged"], flags.as_slice()].concat();
        let said = scene.run(&local).end().with(USAGE).stderr;
        assert!(said.contains("no stream is named"), "{flags:?}: {said}");
    }
    assert_eq!(scene.folder.read("merged"), "of yesterday\n");
    scene.ship(&["--host-name", "", "app.log"]).end().with(USAGE);
    let elsewhere = scene.run(&["--output", "http://localhost/LOGS", "app.log"]).end();
    assert!(elsewhere.with(USAGE).stderr.contains("http:// is no scheme of NATS"));
    assert_eq!(scene.nats.messages(), 0);
}

#[test]
fn nobody_has_watched_the_loop_of_a_reader() {
    let scene = Scene::new();
    scene.folder.append("app.log", "one\n");
    let said = scene.ship(&["--stats", "app.log"]).end().with(0).stderr;
    assert!(said.contains("longest stall"), "{said}");
    let said = scene.read(&["--stats"]).end().with(0).stderr;
    assert!(said.contains("app.log") && !said.contains("longest stall"), "{said}");
}

#[test]
fn an_interrupt_ends_a_merge_whose_server_is_silent() {
    // All at once, since each trouble is told only after five seconds.
    thread::scope(|scope| {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            scope.spawn(move || interrupted(signal));
        }
    });
}

fn interrupted(signal: Signal) {
    let scene = Scene::new();
    scene.folder.append("app.log", "one\n");
    scene.nats.pause();
    let patience = ["--patience", "30s"];
    let ship = scene.ship(&[&["app.log"], patience.as_slice()].concat());
    let mut merges = [ship, scene.read(&patience)];
    until("it is told", || {
        is_alive(&mut merges);
        merges.iter().all(|merge| merge.said().contains("tried again for 30s"))
    });
    merges.iter().for_each(|merge| merge.signal(signal));
    let [ship, _read] = merges.map(|merge| merge.end().with(INTERRUPTED));
    let said = ship.stderr;
    assert!(said.contains("interrupted before the server had answered"), "{said}");
}

#[test]
fn a_reader_that_is_stopped_says_what_it_waits_for() {
    let scene = Scene::new();
    scene.folder.append("app.log", "one\n");
    scene.ship(&["app.log"]).end().with(0);
    let read = scene.read(&["-F"]);
    scene.until_merged("one\n".len());
    scene.nats.pause();
    read.signal(Signal::TERM);
    let waits = format!("what {} holds is not all in merged yet", scene.nats.url());
    until("it is told", || read.said().contains(&waits));
    scene.nats.go_on();
    read.end().with(0);
}
