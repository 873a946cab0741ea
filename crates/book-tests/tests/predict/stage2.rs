//! Mixed, the top-down road.

use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use testkit::within;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tributary::{Options, Plan, Probe, Read, Source, Wake};

use super::scene::{AllLooks, Logs, Seen, begun, nothing};
use crate::run;

#[test]
fn three_callers_of_block_on_run_three_bodies_at_once_and_spawn_runs_one() {
    const CALLERS: usize = 3;
    let (the_loop, bodies) = within(|| {
        run(CALLERS, async {
            // The barrier opens when three bodies are in it at once; if
            // `block_on` took turns, the first would stand there for good.
            let everybody = Arc::new(Barrier::new(CALLERS));
            let block_on = || {
                let (handle, everybody) = (Handle::current(), Arc::clone(&everybody));
                spawn_blocking(move || handle.block_on(async { everybody.wait() }))
            };
            for job in [block_on(), block_on(), block_on()] {
                job.await.expect("the job does not panic");
            }

            let spawn = || {
                let (handle, everybody) = (Handle::current(), Arc::clone(&everybody));
                spawn_blocking(move || {
                    everybody.wait();
                    handle.spawn(async { thread::current().id() })
                })
            };
            let mut bodies = Vec::new();
            for job in [spawn(), spawn(), spawn()] {
                let body = job.await.expect("the job does not panic");
                bodies.push(body.await.expect("nor does the body"));
            }
            (thread::current().id(), bodies)
        })
    });
    assert_eq!(bodies, [the_loop; CALLERS], "the loop runs one body after the other");
}

#[test]
fn a_timer_under_handle_block_on_stands_still_while_the_loop_does() {
    let (early, late) = within(|| {
        run(1, async {
            let handle = Handle::current();
            let (say, said) = mpsc::channel();
            let job = spawn_blocking(move || {
                say.send("begun").expect("the loop listens");
                handle.block_on(sleep(Duration::from_millis(1)));
                say.send("the timer has fired").expect("the loop listens");
            });
            assert_eq!(said.recv(), Ok("begun"));
            // The loop blocks here, and it is the loop that drives the timer,
            // for whichever thread: this would wait for ever.
            let early = said.recv_timeout(Duration::from_millis(200));
            job.await.expect("the job does not panic");
            (early, said.recv())
        })
    });
    assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout));
    assert_eq!(late, Ok("the timer has fired"));
}

#[test]
fn abort_reaches_the_job_in_the_queue_and_the_loop_waits_for_the_one_that_has_begun() {
    let (meanwhile, happened) = within(|| {
        let (say, said) = mpsc::channel();
        let (say_job, say_queued, say_call) = (say.clone(), say.clone(), say.clone());
        let (release, held) = mpsc::channel::<()>();
        let main = async move {
            let (begun, has_begun) = oneshot::channel();
            let job = spawn_blocking(move || {
                begun.send(()).expect("main waits for it");
                held.recv().expect("somebody lets it go");
                say_job.send("the job has ended").expect("somebody listens");
            });
            let queued = spawn_blocking(move || say_queued.send("the queued job has run"));
            has_begun.await.expect("the job begins");
            // Nobody wants either of them any more.
            job.abort();
            queued.abort();
            say.send("main has ended").expect("somebody listens");
        };
        let call = thread::spawn(move || {
            run(1, main);
            say_call.send("the call has returned").expect("somebody listens");
        });
        assert_eq!(said.recv(), Ok("main has ended"));
        let meanwhile = said.recv_timeout(Duration::from_millis(200));
        release.send(()).expect("the job waits for it");
        call.join().expect("it does not panic");
        // The loop is gone, and whoever held a sender with it.
        (meanwhile, said.iter().collect::<Vec<_>>())
    });
    assert_eq!(meanwhile, Err(mpsc::RecvTimeoutError::Timeout), "the call waits for the job");
    assert_eq!(happened, ["the job has ended", "the call has returned"]);
}

#[test]
fn a_source_beyond_the_pool_is_not_read_before_the_stop_and_then_to_its_end() {
    let (late, looks, merged) = within(|| {
        let logs = Logs::new();
        let seen = Seen::default();
        let noted = seen.clone();
        let options = Options {
            follow: true,
            wake: Wake::Poll,
            interval: Duration::from_millis(1),
            probe: Some(Probe::new(move |moment, path| {
                noted.note(moment, path);
                Ok(())
            })),
            ..Options::default()
        };
        let sources = [logs.log("first", 3), logs.log("beyond", 3)];
        let plan = Plan::open(sources, logs.path("merged"), options);
        let Plan { sources, output, stop, interval, .. } = plan.expect("the plan is in order");
        let output = Arc::new(Mutex::new(output));
        let late = run(1, async {
            let tail = |mut source: Source| {
                let output = Arc::clone(&output);
                spawn_blocking(move || {
                    loop {
                        match source.read_lines().expect("a log can be read") {
                            Read::Lines(lines) => {
                                let mut output = output.lock().expect("nobody panics in here");
                                output.append(&lines).expect("the output can be written");
                            }
                            Read::NoNewData => {
                                source.changed().wait_timeout(interval);
                            }
                            Read::Closed => return,
                        }
                    }
                })
            };
            let tails: Vec<_> = sources.into_iter().map(tail).collect();
            let followed = |looks: &AllLooks| nothing(looks, "first") >= 50;
            let looks = seen.until("the first source is followed", followed);
            stop.request();
            for tail in tails {
                tail.await.expect("a tail does not panic");
            }
            begun(&looks, "beyond")
        });
        let written = output.lock().expect("nobody panics in here").finish();
        (late, seen.until("all is over", |_| true), written.expect("it is in order").lines)
    });
    assert_eq!(late, 0, "it stands in the queue, and nobody says so");
    assert!(begun(&looks, "beyond") > 0, "the stop has ended the other, and it began");
    assert_eq!(merged, 6, "both to their ends");
}
