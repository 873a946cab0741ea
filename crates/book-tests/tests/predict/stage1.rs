//! Threads.

use std::thread;

use testkit::panic_of;

use super::scene::{Logs, Run, begun, looks_while_the_output_blocks};

#[test]
fn a_panic_in_one_tail_lets_the_others_finish() {
    let logs = Logs::new();
    let sources = [logs.log("a", 3), logs.log("b", 3), logs.log("c", 3)];
    let run = Run::probed(stage1_threads::merge, &sources, logs.path("merged"), |_, _, name| {
        assert_ne!(name, "b", "the tail of b panics");
    });

    // Nobody asks for the stop: the source that the panic has dropped does.
    let panic = run.end().expect_err("the panic comes out of the merge");
    let said = panic.downcast::<String>().expect("a panic has a message");
    assert!(said.contains("the tail of b panics"), "{said}");
    let all_lines_of_both = [("a".to_owned(), 3), ("c".to_owned(), 3)];
    assert_eq!(logs.merged(), all_lines_of_both.into());
}

#[test]
fn a_lock_whose_holder_panicked_is_poisoned_in_std_and_free_in_parking_lot() {
    let std_lock = std::sync::Mutex::new(());
    let lock = parking_lot::Mutex::new(());
    thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _both = (std_lock.lock(), lock.lock());
            panic!("while it holds both");
        });
        holder.join().expect_err("the holder has panicked");
    });

    let said = panic_of(|| drop(std_lock.lock().unwrap()));
    assert!(said.contains("PoisonError"), "the next thread that unwraps panics, too: {said}");
    assert!(std_lock.is_poisoned(), "and so does each that comes after it");
    assert!(lock.try_lock().is_some(), "parking_lot gives the lock to whoever asks");
}

#[test]
fn while_the_output_blocks_each_thread_with_lines_stands_at_the_lock_with_one_chunk() {
    let looks = looks_while_the_output_blocks(stage1_threads::merge);
    assert_eq!(["busy1", "busy2", "busy3"].map(|name| begun(&looks, name)), [1, 1, 1]);
    assert!(begun(&looks, "idle") >= 50, "a thread that has nothing to write is not held up");
}
