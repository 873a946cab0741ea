//! What the texts say that programs do, done.

mod breaks;
mod facts;
mod predict;
mod process;
mod turns;

/// Runs `main` on the loop of the stages, with so many blocking threads.
fn run<T>(threads: usize, main: impl Future<Output = T>) -> T {
    tokio_loop::run(threads, None, main).expect("a loop can start").answer
}
