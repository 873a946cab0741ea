//! What the debug mode says of a blocked loop.
//!
//! The sleeps here stand for blocking calls. Where a block is to last until
//! something was said, it waits for that.

mod told;

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, spawn_local, yield_now};
use tracing::{Event, Level, Subscriber, error_span, info_span, warn_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Identity, Layer, SubscriberExt};

use told::{Line, Told, in_debug};

/// The threshold of most tests; every block is longer.
const SLOW: Duration = tokio_loop::SLOW;

/// What a warning adds about a task that tokio's own `spawn_local` has spawned.
const PLACE: &str =
    if cfg!(tokio_unstable) { ", spawned at crates/tokio-loop/tests/debug.rs:N:N" } else { "" };

/// Runs `main`, in which something blocks until one line was said, and returns
/// the two lines about it, which must blame `cause`.
///
/// One of ten runs is enough: a machine that gives the core to somebody else
/// stalls the loop in earnest now and then. What is wrong is so in all ten.
#[track_caller]
fn assert_blames<F: Future<Output = ()>>(cause: &str, main: impl Fn(Told) -> F) -> [Line; 2] {
    let (operation, place) = cause.split_at(cause.find(", in ").unwrap_or(cause.len()));
    let expected = [
        format!("the event loop has not turned for N ms: {operation} blocks it{place}"),
        format!("the event loop turns again after N ms: {operation} blocked it{place}"),
    ];
    let lines = assert_says(&main, |lines| lines.iter().map(Line::blames).eq(expected.clone()));
    let lines: [Line; 2] = lines.try_into().expect("as many as are expected");
    let (so_far, stall) = (lines[0].duration("stuck_us"), lines[1].duration("stall_us"));
    // What each of them waits for. Other systems do not tell.
    if cfg!(target_os = "linux") {
        let does = lines.each_ref().map(|line| &line["call"]);
        assert_eq!(does, ["futex"; 2], "{lines:#?}");
    }
    // Both are cut to whole microseconds.
    assert!(so_far >= SLOW && stall >= so_far, "{so_far:?}, {stall:?}");
    lines
}

/// Runs `main` until what is said is `as_hoped`, at most ten times.
#[track_caller]
fn assert_says<F: Future<Output = ()>>(
    main: impl Fn(Told) -> F,
    as_hoped: impl Fn(&[Line]) -> bool,
) -> Vec<Line> {
    assert_says_in(|told| in_debug(told, SLOW, main(told.clone())), as_hoped)
}

/// The same of any run of a loop.
#[track_caller]
fn assert_says_in(run: impl Fn(&Told), as_hoped: impl Fn(&[Line]) -> bool) -> Vec<Line> {
    let mut said = Vec::new();
    for _ in 0..10 {
        let told = Told::default();
        run(&told);
        said = told.lines();
        if as_hoped(&said) {
            return said;
        }
    }
    panic!("said in the last of ten runs: {said:#?}");
}

#[test]
fn the_operation_and_its_source_are_named_while_it_blocks() {
    for name in ["append", "read_lines"] {
        let cause = format!("`{name}` of a.log, in task N{PLACE}");
        // A watch that has no core for a while asks late, and not ten times.
        let is_told_in_time = (0..10).any(|_| {
            let known = Cell::new(None);
            let lines = assert_blames(&cause, async |told| {
                let task = spawn_local(async move {
                    let begin = Instant::now();
                    let span = match name {
                        "append" => warn_span!(target: "tributary", "append", source = "a.log"),
                        _ => warn_span!(target: "tributary", "read_lines", source = "a.log"),
                    };
                    span.in_scope(|| told.wait_for(1));
                    (tokio::task::id(), begin.elapsed())
                });
                known.set(Some(task.await.unwrap()));
            });
            let (id, block) = known.get().unwrap();
            for line in &lines {
                assert_eq!(line["operation"], name);
                assert_eq!(line["source"], "a.log");
                assert_eq!(line["task"], id.to_string());
            }
            // The block lasts until it was named: half as long again as the
            // threshold, at most, and the stall is nearly all of it.
            block < SLOW + SLOW / 2 && lines[1].duration("stall_us") > block / 2
        });
        assert!(is_told_in_time, "{name}: it was always named late, or its stall was short");
    }
}

#[test]
fn finish_is_about_the_output() {
    assert_blames("`finish` of merged, in main", async |told| {
        let span = warn_span!(target: "tributary", "finish", output = "merged");
        span.in_scope(|| told.wait_for(1));
    });
}

#[test]
fn a_block_without_a_name_is_one_in_main() {
    let lines = assert_blames("an unnamed operation, in main", async |told| told.wait_for(1));
    for line in &lines {
        assert!(!["operation", "source", "task"].iter().any(|field| line.contains_key(field)));
    }
}

#[test]
fn a_block_without_a_name_is_one_in_a_task_with_its_number_and_place() {
    let known = Cell::new(None);
    let cause = "an unnamed operation, in task N, spawned at crates/tokio-loop/tests/debug.rs:N:N";
    let lines = assert_blames(cause, async |told| {
        let line = line!() + 1;
        let task = tokio_loop::spawn_local(async move { told.wait_for(1) });
        known.set(Some((task.id(), line)));
        task.await.unwrap();
    });
    let (id, line) = known.get().unwrap();
    assert_eq!(lines[0]["task"], id.to_string());
    assert!(lines[0]["spawned_at"].contains(&format!("debug.rs:{line}:")), "{lines:#?}");
}

#[cfg(not(tokio_unstable))]
#[test]
fn a_block_without_a_name_in_a_task_of_tokio_s_own_has_no_number() {
    assert_blames("an unnamed operation, in a task", async |told| {
        // The one before it is not taken for the one that blocks.
        tokio_loop::spawn_local(async {}).await.unwrap();
        spawn_local(async move { told.wait_for(1) }).await.unwrap();
    });
}

#[cfg(tokio_unstable)]
#[test]
fn with_tokio_unstable_every_task_has_its_number_and_place() {
    let known = Cell::new(None);
    let cause = "an unnamed operation, in task N, spawned at crates/tokio-loop/tests/debug.rs:N:N";
    let lines = assert_blames(cause, async |told| {
        let line = line!() + 1;
        let task = spawn_local(async move { told.wait_for(1) });
        known.set(Some((task.id(), line)));
        task.await.unwrap();
    });
    let (id, line) = known.get().unwrap();
    assert_eq!(lines[0]["task"], id.to_string());
    assert!(lines[0]["spawned_at"].contains(&format!("debug.rs:{line}:")), "{lines:#?}");
}

#[test]
fn the_innermost_span_gives_the_name() {
    assert_blames("`inner` of inner, in main", async |told| {
        let _outer = info_span!("outer", source = "outer").entered();
        let inner = info_span!("inner", source = "inner").entered();
        told.wait_for(1);
        drop(inner);
    });
}

#[test]
fn a_span_that_has_ended_does_not_give_its_name() {
    assert_blames("an unnamed operation, in main", async |told| {
        info_span!("before").in_scope(|| ());
        told.wait_for(1);
    });
}

#[test]
fn a_span_of_another_thread_does_not_give_its_name() {
    assert_blames("an unnamed operation, in main", async |told| {
        let (begun, has_begun) = oneshot::channel();
        let (end, has_to_end) = std::sync::mpsc::channel::<()>();
        // The pool's threads do not have the subscriber of this one.
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let job = spawn_blocking(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                let span = error_span!("elsewhere");
                assert!(!span.is_disabled());
                span.in_scope(|| {
                    begun.send(()).unwrap();
                    has_to_end.recv().unwrap_err();
                });
            });
        });
        has_begun.await.unwrap();
        told.wait_for(1);
        drop(end);
        job.await.unwrap();
    });
}

#[test]
fn whatever_is_printed_the_names_are_known() {
    let run = |told: &Told| {
        // A layer that prints, and is to print nothing.
        let prints = Identity::new().with_filter(LevelFilter::OFF);
        let subscriber = tracing_subscriber::registry()
            .with(prints)
            .with(told.clone().with_filter(LevelFilter::WARN))
            .with(tokio_loop::names());
        tracing::subscriber::with_default(subscriber, || {
            let main = async { info_span!("mine", source = "x").in_scope(|| told.wait_for(1)) };
            tokio_loop::run(1, Some(SLOW), main).unwrap();
        });
    };
    assert_says_in(run, |lines| lines[0].blames().ends_with("`mine` of x blocks it, in main"));
}

#[test]
fn two_layers_of_names_are_as_good_as_one() {
    let run = |told: &Told| {
        let subscriber = tracing_subscriber::registry()
            .with(told.clone())
            .with(tokio_loop::names())
            .with(tokio_loop::names_at(Level::DEBUG));
        tracing::subscriber::with_default(subscriber, || {
            let main = async { info_span!("mine", source = "x").in_scope(|| told.wait_for(1)) };
            tokio_loop::run(1, Some(SLOW), main).unwrap();
        });
    };
    assert_says_in(run, |lines| lines[0].blames().ends_with("`mine` of x blocks it, in main"));
}

#[test]
fn without_the_layer_there_are_no_names_and_still_two_lines() {
    let run = |told: &Told| {
        let subscriber = tracing_subscriber::registry().with(told.clone());
        tracing::subscriber::with_default(subscriber, || {
            let main = async { warn_span!("append").in_scope(|| told.wait_for(1)) };
            tokio_loop::run(1, Some(SLOW), main).unwrap();
        });
    };
    assert_says_in(run, |lines| {
        let [stuck, over] = lines else { return false };
        stuck.blames().ends_with("an unnamed operation blocks it, in main")
            && over.blames().ends_with("an unnamed operation blocked it, in main")
    });
}

#[test]
fn without_debug_nothing_is_said() {
    let told = Told::default();
    let subscriber = tracing_subscriber::registry().with(told.clone()).with(tokio_loop::names());
    tracing::subscriber::with_default(subscriber, || {
        let main = async || thread::sleep(SLOW * 3);
        // A watch that has no core for a while sees less, and not ten times.
        let is_seen =
            (0..10).any(|_| tokio_loop::run(1, None, main()).unwrap().longest_stall > Some(SLOW));
        assert!(is_seen, "the loop was never blocked");
    });
    assert_eq!(told.lines(), []);
}

#[test]
fn an_idle_loop_has_nothing_said_of_it() {
    let main = async |_| {
        let _span = warn_span!("append", source = "a.log");
        tokio::time::sleep(SLOW * 3).await;
    };
    assert_says(main, <[Line]>::is_empty);
}

#[test]
fn a_block_on_the_pool_has_nothing_said_of_it() {
    let main = async |_| spawn_blocking(|| thread::sleep(SLOW * 3)).await.unwrap();
    assert_says(main, <[Line]>::is_empty);
}

#[test]
fn a_loop_that_hands_out_turns_has_nothing_said_of_it() {
    let main = async |_| {
        let begin = Instant::now();
        while begin.elapsed() < SLOW * 4 {
            yield_now().await;
        }
    };
    assert_says(main, <[Line]>::is_empty);
}

/// Long for a turn; the sentinel waits behind as many as thirty.
const LONG: Duration = Duration::from_millis(8);

#[test]
fn many_short_turns_are_not_blamed_on_the_last() {
    let main = async |_| {
        let tasks = [(); 40].map(|()| {
            spawn_local(async {
                for _ in 0..2 {
                    warn_span!("append", source = "a.log").in_scope(|| thread::sleep(LONG));
                    yield_now().await;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    };
    let busy = format!(
        "the event loop turns again after N ms: not one operation, the loop is busy: \
         N turns of others, the longest `append` of a.log with N ms, in task N{PLACE}"
    );
    let is_busy = |line: &Line| {
        let turns: u64 = line.get("turns").map_or(0, |turns| turns.parse().unwrap());
        line.blames() == busy && !line.contains_key("operation") && (10..=80).contains(&turns)
    };
    assert_says(main, |lines| !lines.is_empty() && lines.iter().all(is_busy));
}

#[test]
fn many_short_turns_without_a_name_are_not_blamed_on_one() {
    let main = async |_| {
        let turn = async || {
            // The loop rests first: that is no part of any turn.
            tokio::time::sleep(SLOW * 2).await;
            thread::sleep(LONG);
        };
        for task in [(); 60].map(|()| spawn_local(turn())) {
            task.await.unwrap();
        }
    };
    let busy = "not one operation, the loop is busy: N turns of others, \
                the longest an unnamed operation with N ms";
    let is_busy = |line: &Line| line.blames().contains(busy);
    assert_says(main, |lines| !lines.is_empty() && lines.iter().all(is_busy));
}

#[test]
fn a_turn_of_many_operations_is_blamed_as_a_whole() {
    let main = async |told: Told| {
        for _ in 0..30 {
            info_span!("step", source = "a.log").in_scope(|| thread::sleep(SLOW / 10));
        }
        told.wait_for(1);
    };
    assert_says(main, |lines| {
        let [stuck, over] = lines else { return false };
        let stuck_begins =
            "the event loop has not turned for N ms: one operation after another keeps it, now ";
        let over_begins = "the event loop turns again after N ms: \
                           one operation after another kept it, the longest ";
        stuck.blames().starts_with(stuck_begins)
            && over.blames().starts_with(over_begins)
            && lines.iter().all(|line| line.blames().ends_with(", in main"))
            && !lines.iter().any(|line| line.contains_key("operation"))
    });
}

#[test]
fn of_several_operations_the_one_that_blocked_longest_is_named_at_the_end() {
    let main = async |_| {
        info_span!("long").in_scope(|| thread::sleep(SLOW * 2));
        info_span!("longest").in_scope(|| thread::sleep(SLOW * 6));
        info_span!("last").in_scope(|| thread::sleep(SLOW * 2));
    };
    let over =
        "the event loop turns again after N ms: `longest` blocked it for N ms of that, in main";
    assert_says(main, |lines| matches!(lines, [_, last] if last.blames() == over));
}

#[test]
fn a_panic_of_main_ends_the_stall_and_it_is_told() {
    let told = Told::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        in_debug(&told, SLOW, async {
            told.wait_for(1);
            panic!("main gave up");
        });
    }));
    assert!(panicked.is_err());
    let lines = told.lines();
    assert!(lines.last().unwrap().contains_key("stall_us"), "{lines:#?}");
}

#[test]
fn a_loop_ends_also_where_its_thread_holds_the_lock_that_a_line_needs() {
    told::assert_ends_without_the_lock(|block| {
        tokio_loop::run(1, Some(SLOW), async { block() }).unwrap();
    });
}

#[test]
fn a_stall_that_goes_on_is_told_again_after_ten_times_the_time() {
    let told = Told::default();
    let threshold = Duration::from_millis(10);
    in_debug(&told, threshold, async { info_span!("mine").in_scope(|| told.wait_for(2)) });
    let lines = told.lines();
    let [first, again, _] = &lines[..] else { panic!("{lines:#?}") };
    assert!(again.duration("stuck_us") >= first.duration("stuck_us") * 10, "{lines:#?}");
    assert!(lines[2].contains_key("stall_us"), "{lines:#?}");
}

/// Takes its time with the first line: until it may go on.
struct Slow {
    entered: Sender<()>,
    may_go_on: Mutex<Receiver<()>>,
    lines: AtomicUsize,
}

impl<S: Subscriber> Layer<S> for Slow {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        if self.lines.fetch_add(1, Ordering::SeqCst) == 0 {
            self.entered.send(()).unwrap();
            self.may_go_on.lock().unwrap().recv().unwrap();
        }
    }
}

#[test]
fn a_stall_that_ends_while_its_line_is_written_is_told_to_be_over() {
    let told = Told::default();
    let (entered, is_entered) = channel();
    let (go_on, may_go_on) = channel();
    let slow = Slow { entered, may_go_on: Mutex::new(may_go_on), lines: AtomicUsize::new(0) };
    let subscriber = tracing_subscriber::registry().with(slow).with(told.clone());
    tracing::subscriber::with_default(subscriber, || {
        let main = async {
            is_entered.recv().unwrap();
            // The stall is over; and the loop parks, so the sentinel has had its turn.
            tokio::time::sleep(Duration::from_millis(5)).await;
            go_on.send(()).unwrap();
            while told.lines().len() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let main = async { tokio::time::timeout(told::HANG, main).await };
        let ran = tokio_loop::run(1, Some(SLOW), main).unwrap();
        assert!(ran.answer.is_ok(), "that the stall is over was never told");
    });
    let lines = told.lines();
    assert!(lines[0].contains_key("stuck_us") && lines[1].contains_key("stall_us"), "{lines:#?}");
}

#[test]
fn of_many_stalls_ten_are_told_and_the_others_counted() {
    const STALLS: u64 = 25;
    let threshold = Duration::from_millis(10);
    // One of ten runs is enough, as above.
    let is_as_hoped = (0..10).any(|_| {
        let told = Told::default();
        let begin = Instant::now();
        in_debug(&told, threshold, async {
            for _ in 0..STALLS {
                thread::sleep(threshold * 2);
                // Long enough for the sentinel to have its turn.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let lines = told.lines();
        let over = lines.iter().filter(|line| line.contains_key("stall_us")).count() as u64;
        let at_most = 11 + begin.elapsed().as_secs();
        assert!(over <= at_most, "{lines:#?}");
        let left_out = lines.iter().filter_map(|line| line.get("left_out"));
        let left_out: u64 = left_out.map(|left_out| left_out.parse::<u64>().unwrap()).sum();
        let last = lines.last().unwrap();
        let says = "the event loop has ended: N stalls were not told, the longest N ms";
        // A machine that is busy adds some.
        over >= 10
            && over + left_out >= STALLS
            && last.blames() == says
            && last.duration("longest_us") > threshold
    });
    assert!(is_as_hoped, "some stalls are neither told nor counted");
}

#[test]
fn main_is_polled_when_it_was_woken_and_not_when_turns_are_counted() {
    // Wakes by a thread, by a timer and by a task all arrive; and the turns of
    // a busy neighbour are no reason for a poll.
    let polls = Cell::new(0);
    in_debug(&Told::default(), SLOW, async {
        let busy = spawn_local(async {
            let begin = Instant::now();
            while begin.elapsed() < SLOW {
                yield_now().await;
            }
        });
        let mut main = pin!(async {
            for _ in 0..100 {
                spawn_blocking(|| ()).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            busy.await.unwrap();
        });
        poll_fn(|context| {
            polls.set(polls.get() + 1);
            main.as_mut().poll(context)
        })
        .await;
    });
    // Once at its start, and once for each thing that it waited for.
    assert!(polls.get() <= 1 + 100 + 1 + 1, "{} polls", polls.get());
}
