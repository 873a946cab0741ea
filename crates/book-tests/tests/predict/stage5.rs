//! Fully async.

use std::fs;
use std::panic::resume_unwind;
use std::task::{Context, Waker};
use std::thread;

use crossbeam_channel::{Sender, unbounded};
use testkit::within;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tributary::{Error, Lines, Options, Output, Plan, Read, Source, Written};

use super::scene::{Blocked, Logs, begun, looks_while_the_output_blocks};
use crate::run;

// The writer thread of stage 5 by itself: the very lines of the stage.
include!(concat!(env!("OUT_DIR"), "/write_thread.rs"));

fn next(source: &mut Source) -> Lines {
    match source.read_lines() {
        Ok(Read::Lines(lines)) => lines,
        other => panic!("there are more lines: {other:?}"),
    }
}

#[test]
fn a_write_that_is_dropped_half_way_is_written_and_one_that_was_never_polled_is_not() {
    const LINES: usize = 1_000;
    let (written, read) = within(|| {
        let logs = Logs::new();
        let blocked = Blocked::new();
        let sources = [logs.log("polled", LINES), logs.log("never polled", LINES)];
        let plan = Plan::open(&sources, &blocked.output, Options::default());
        let mut plan = plan.expect("the plan is in order");
        let main = async {
            let writer = WriteThread::start(plan.output).expect("a thread can start");
            // What a `select!` does with the branch that has lost.
            let mut half_way = Box::pin(writer.write(next(&mut plan.sources[0])));
            let mut nobody = Context::from_waker(Waker::noop());
            assert!(half_way.as_mut().poll(&mut nobody).is_pending(), "the output blocks");
            drop(half_way);
            drop(writer.write(next(&mut plan.sources[1])));

            let read = blocked.read();
            let written = writer.stop().await.expect("the output can be written");
            (written.lines, read)
        };
        let (written, read) = run(1, main);
        (written, read.join().expect("the reader does not panic"))
    });
    assert_eq!((written, read), (LINES as u64, LINES), "the lines of the one that was polled");
}

#[test]
fn while_the_output_blocks_each_task_has_one_chunk_on_its_way_and_the_loop_turns() {
    let looks = looks_while_the_output_blocks(stage5_fully_async::merge);
    assert_eq!(["busy1", "busy2", "busy3"].map(|name| begun(&looks, name)), [1, 1, 1]);
    assert!(begun(&looks, "idle") >= 50, "a task that has nothing to write is not held up");
}

#[test]
fn after_the_answer_a_source_reads_into_the_same_memory() {
    within(|| {
        // Chunks have at most 256 KiB: there are ten.
        let logs = Logs::new();
        let plan = Plan::open([logs.log("a", 26_000)], logs.path("merged"), Options::default());
        let mut plan = plan.expect("the plan is in order");
        let source = &mut plan.sources[0];
        let main = async {
            let writer = WriteThread::start(plan.output).expect("a thread can start");
            let first = next(source);
            let memory = first.as_bytes().as_ptr();
            writer.write(first).await.expect("the output can be written");
            for _ in 0..3 {
                let lines = next(source);
                assert_eq!(lines.as_bytes().as_ptr(), memory, "the answer came after the drop");
                writer.write(lines).await.expect("the output can be written");
            }
            // Held by anybody, the memory cannot be read into. The source goes
            // on in other memory, and does not come back.
            let held = next(source);
            assert_eq!(held.as_bytes().as_ptr(), memory);
            let lines = next(source);
            let other = lines.as_bytes().as_ptr();
            drop(held);
            writer.write(lines).await.expect("the output can be written");
            assert_eq!(next(source).as_bytes().as_ptr(), other);
            writer.stop().await.expect("the output can be written");
        };
        run(1, main);
        assert!(fs::metadata(logs.path("merged")).expect("there is an output").len() > 0);
    });
}
