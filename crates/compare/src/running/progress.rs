//! The bar on stderr while `compare` works: on a terminal, and nowhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How many runs are done, and which one is on.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Progress {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {elapsed}  {msg}");
        bar.set_style(style.expect("the template is a constant"));
        // Redrawn once a second, so that it costs the runs nothing.
        bar.enable_steady_tick(Duration::from_secs(1));
        Progress(bar)
    }

    /// Says how many runs there will be.
    pub(crate) fn expect(&self, runs: u64) {
        self.0.set_length(runs);
    }

    pub(crate) fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    /// Takes the bar away while something is printed.
    pub(crate) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
