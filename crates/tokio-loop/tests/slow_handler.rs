//! What the README shows first is what its program says, whatever the time it took.

use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

#[path = "../examples/slow_handler.rs"]
#[expect(dead_code, reason = "its `main` is for `cargo run`")]
mod example;
mod said;
#[expect(dead_code, reason = "the other tests of the watch use it all")]
mod told;

use said::{SAID, Said};

const README: &str = include_str!("../README.md");

/// Returns the messages of the watch in `text`, with an N for each number. Which
/// worker holds the driver is chance, so what is said of that is left out.
fn messages(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.split_once("WARN tokio_loop: worker "));
    let message = |(_, rest): (&str, &str)| {
        let ends = [" stuck_us=", " stall_us=", "; nobody turns timers and sockets"];
        let end = ends.iter().filter_map(|end| rest.find(end)).min();
        told::masked(&rest[..end.unwrap_or(rest.len())])
    };
    lines.map(message).collect()
}

#[test]
fn the_readme_begins_with_what_its_program_says() {
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().without_time().with_writer(|| Said))
        .with(tokio_loop::names());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let expected = messages(README);
    assert_eq!(expected.len(), 2, "{expected:?}");
    let mut said = String::new();
    // A machine that gives the processors to somebody else leaves the watch too late.
    for _ in 0..10 {
        SAID.lock().unwrap().clear();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(tokio_loop::watched(tokio_loop::SLOW, example::serve())).unwrap();
        said = String::from_utf8(SAID.lock().unwrap().clone()).unwrap();
        if messages(&said) == expected {
            return;
        }
    }
    panic!("expected {expected:#?}, said in the last of ten runs: {said}");
}

#[test]
fn the_program_in_the_readme_is_the_example() {
    let example = include_str!("../examples/slow_handler.rs");
    let program = &example[example.find("use std::io;").unwrap()..];
    // For this test alone.
    let program = program.replace("pub(crate) ", "");
    assert!(README.contains(&format!("```rust\n{program}```\n")), "{program}");
}
