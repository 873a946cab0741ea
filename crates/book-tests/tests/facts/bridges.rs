//! Where blocking code and async code meet: `block_on`, and what it refuses.

use testkit::panic_of;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{block_in_place, spawn_blocking};

use super::one_thread;

fn workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
}

#[test]
fn block_on_in_async_code_panics_and_says_what_to_do_instead() {
    let said = panic_of(|| one_thread(1).block_on(async { Handle::current().block_on(async {}) }));
    assert!(said.contains("Cannot start a runtime from within a runtime"), "{said}");
    assert!(said.contains("use `.await` on the future instead of blocking on it"), "{said}");
}

#[test]
fn block_on_is_allowed_in_a_blocking_job_and_in_block_in_place() {
    let answers = workers().block_on(async {
        let handle = Handle::current();
        let job = spawn_blocking(move || handle.block_on(async { 1 }));
        let in_place =
            tokio::spawn(async { block_in_place(|| Handle::current().block_on(async { 2 })) });
        let at_the_root = block_in_place(|| Handle::current().block_on(async { 3 }));
        [job.await.unwrap(), in_place.await.unwrap(), at_the_root]
    });
    assert_eq!(answers, [1, 2, 3]);
}

#[test]
fn block_in_place_is_refused_on_a_loop_of_one_thread() {
    let said = panic_of(|| one_thread(1).block_on(async { block_in_place(|| ()) }));
    assert!(said.contains("can call blocking only when running on the multi-threaded"), "{said}");
}

#[test]
fn a_runtime_that_is_dropped_in_async_code_panics() {
    let inner = Builder::new_current_thread().build().unwrap();
    let said = panic_of(|| one_thread(1).block_on(async move { drop(inner) }));
    assert!(said.contains("Cannot drop a runtime in a context where blocking is not"), "{said}");
}
