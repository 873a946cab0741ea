//! Bottom-up, the other road.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::rc::Rc;
use std::thread;

use testkit::within;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{spawn_blocking, spawn_local, yield_now};
use tributary::{Moment, Options, Plan};

use super::scene::{Logs, Run, nothing};
use crate::process::{passes_alone, role};
use crate::run;

const LOOPS: usize = 20;

#[test]
fn a_loop_with_a_timer_holds_no_descriptor_and_one_with_everything_holds_four() {
    if role().is_none() {
        // Descriptors are counted for a whole process, and other tests run in
        // this one.
        return passes_alone(
            "predict::stage3::a_loop_with_a_timer_holds_no_descriptor_and_one_with_everything_holds_four",
        );
    }

    // How many there are of each kind: what they lead to, without numbers.
    let open = || {
        let mut open = BTreeMap::new();
        for descriptor in fs::read_dir("/proc/self/fd").expect("descriptors can be listed") {
            let target = fs::read_link(descriptor.expect("one of them").path());
            let target = target.expect("it leads somewhere").to_string_lossy().into_owned();
            *open.entry(target.replace(|it: char| it.is_ascii_digit(), "")).or_insert(0) += 1;
        }
        open
    };
    let opened_by = |build: fn() -> io::Result<Runtime>| {
        // The first loop of a process opens what all of them share.
        let _first = build().expect("a loop can start");
        let before = open();
        let loops: Vec<_> = (0..LOOPS).map(|_| build().expect("a loop can start")).collect();
        let mut opened = open();
        drop(loops);
        for (kind, count) in before {
            *opened.get_mut(&kind).expect("nothing is closed") -= count;
        }
        opened.retain(|_, count| *count > 0);
        opened
    };
    assert_eq!(opened_by(|| Builder::new_current_thread().enable_time().build()), [].into());
    // An epoll set, a copy of it to add descriptors by, and an event to wake it
    // with. The fourth comes with tokio's features `signal` and `process`, of
    // which this package has the first: a copy of the pipe that signals come by.
    let three_and_the_pipe =
        [("anon_inode:[eventpoll]", 2), ("anon_inode:[eventfd]", 1), ("socket:[]", 1)];
    let four = three_and_the_pipe.map(|(kind, count)| (kind.to_owned(), count * LOOPS)).into();
    assert_eq!(opened_by(|| Builder::new_current_thread().enable_io().build()), four);
    assert_eq!(opened_by(|| Builder::new_current_thread().enable_all().build()), four);
}

#[test]
fn called_on_a_loop_the_merge_takes_the_turn_of_every_other_task() {
    let (during, after) = within(|| {
        let logs = Logs::new();
        let plan = Plan::open([logs.log("a", 3)], logs.path("merged"), Options::default());
        let plan = plan.expect("the plan is in order");
        let main = async {
            let turns = Rc::new(Cell::new(0));
            let other = Rc::clone(&turns);
            spawn_local(async move { other.set(other.get() + 1) });
            stage3_bottom_up::merge(plan).expect("the merge is in order");
            let during = turns.get();
            yield_now().await;
            (during, turns.get())
        };
        run(1, main)
    });
    assert_eq!((during, after), (0, 1));
}

#[test]
fn a_look_that_blocks_holds_up_no_loop_but_its_own() {
    let logs = Logs::new();
    let sources = [logs.log("slow", 3), logs.log("other", 3)];
    let merge = stage3_bottom_up::merge;
    let run = Run::probed(merge, &sources, logs.path("merged"), |seen, moment, name| {
        if name == "slow" && moment == Moment::BeforeLook {
            // It takes as long as the other source takes to find nothing three
            // times, which it does only if its timer fires in between.
            seen.until("the other source has waited three times", |looks| {
                nothing(looks, "other") >= 3
            });
        }
    });
    run.seen.until("the slow source has been read", |looks| nothing(looks, "slow") > 0);
    run.stop.request();
    run.end().expect("no panic").expect("the merge is in order");
    assert_eq!(logs.merged().values().sum::<usize>(), 6);
}

#[test]
fn each_wrapper_that_needs_a_pool_starts_a_thread_of_its_own_for_it() {
    let wrapper = || {
        let runtime = Builder::new_current_thread().build().expect("a runtime can start");
        // What `tokio::fs` does with each of its operations.
        let job = async { spawn_blocking(|| thread::current().id()).await };
        [thread::current().id(), runtime.block_on(job).expect("the job does not panic")]
    };
    let threads = within(move || {
        let wrappers: Vec<_> = (0..LOOPS).map(|_| thread::spawn(wrapper)).collect();
        let threads = wrappers.into_iter().flat_map(|it| it.join().expect("it does not panic"));
        threads.collect::<HashSet<_>>()
    });
    assert_eq!(threads.len(), 2 * LOOPS);
}
