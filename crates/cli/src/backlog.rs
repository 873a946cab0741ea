//! A progress bar over a large backlog, where somebody can see it.

use std::fmt;
use std::io::{IsTerminal, stderr, stdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use indicatif::{BinaryBytes, ProgressDrawTarget, ProgressState, ProgressStyle};
use rustix::termios::tcgetwinsize;
use tributary::Progress;

use crate::voice::Voice;

/// How often the sources are asked.
const TICK: Duration = Duration::from_millis(250);
/// A backlog of fewer bytes shows no bar: it is gone before a bar is read.
const LARGE: u64 = 16 * 1024 * 1024;
/// With fewer bytes to go, the merge has caught up, and the bar goes.
const SMALL: u64 = 1024 * 1024;
/// How long the end of a merge waits at most for its bar to go.
const A_WHILE: Duration = Duration::from_secs(1);
/// With fewer columns, the whole bar would take a second row.
const WIDE: u16 = 60;

/// Shows a bar while the backlog is large, until the returned value is dropped;
/// `None` if stderr is no terminal, or the lines go to one.
pub(crate) fn show(progress: Progress, voice: &Voice, to_stdout: bool) -> Option<Shows> {
    if !stderr().is_terminal() || (to_stdout && stdout().is_terminal()) {
        return None;
    }
    let voice = voice.clone();
    let (ends, end) = channel::<()>();
    let (cleared, clears) = channel::<()>();
    let shown = thread::Builder::new().name("progress".into()).spawn(move || {
        let _cleared = cleared;
        let bar = &voice.bar;
        let mut is_shown = false;
        while end.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let (done, lag) = totals(&progress);
            bar.set_style(style(columns()));
            // Both numbers in one update, also while the bar is hidden: whenever it
            // is drawn, they belong together.
            bar.update(|state| {
                state.set_len(done + lag);
                state.set_pos(done);
            });
            if !is_shown && lag >= LARGE {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.force_draw();
                is_shown = true;
            } else if is_shown && lag < SMALL {
                // Cleared first: a bar that is only hidden stays where it was drawn.
                bar.finish_and_clear();
                bar.set_draw_target(ProgressDrawTarget::hidden());
                bar.reset();
                is_shown = false;
            }
        }
        bar.finish_and_clear();
    });
    // Without a thread to spare there is no bar.
    shown.ok().map(|_| Shows { ends: Some(ends), clears })
}

/// Returns what the bar shows in a row of so many columns.
fn style(columns: u16) -> ProgressStyle {
    let template = if columns < WIDE {
        "{bytes} merged, lag {lag}"
    } else {
        "{wide_bar} {bytes} merged, {binary_bytes_per_sec}, lag {lag}, {eta}"
    };
    let lag = |state: &ProgressState, text: &mut dyn fmt::Write| {
        let lag = state.len().unwrap_or_default().saturating_sub(state.pos());
        write!(text, "{}", BinaryBytes(lag)).expect("a row takes everything");
    };
    ProgressStyle::with_template(template).expect("the template is one").with_key("lag", lag)
}

/// Returns how wide the terminal is now; its user may resize it.
fn columns() -> u16 {
    tcgetwinsize(rustix::stdio::stderr()).map_or(WIDE, |size| size.ws_col)
}

/// Returns the bytes of all sources together: those merged, and those to go.
pub(crate) fn totals(progress: &Progress) -> (u64, u64) {
    let sources = progress.sources();
    let done = sources.iter().map(|source| source.bytes).sum();
    let lag = sources.iter().filter_map(|source| source.lag).sum();
    (done, lag)
}

/// A bar that is shown, or will be.
pub(crate) struct Shows {
    ends: Option<Sender<()>>,
    /// Closed once the bar is gone.
    clears: Receiver<()>,
}

impl Drop for Shows {
    fn drop(&mut self) {
        self.ends = None;
        // Not joined: a `stat` or a terminal that hangs must not hold up the end.
        let _ = self.clears.recv_timeout(A_WHILE);
    }
}
