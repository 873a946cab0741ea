//! The bar on stderr while `compare` works: on a terminal, and nowhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

/// Shows how many runs are done, and which one is on; dropped, it is taken away.
pub(crate) fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0).with_finish(ProgressFinish::AndClear);
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {elapsed}  {msg}");
    bar.set_style(style.expect("the template is a constant"));
    // Redrawn once a second, so that it costs the runs nothing.
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}
