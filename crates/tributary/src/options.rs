//! How to merge.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Marks, Probe};

/// How to merge; `Options::default()` merges what is there and ends.
///
/// More fields may come: name those that you need, and take the others from
/// `..Options::default()`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Goes on with what is written later, until the stop (default: no).
    pub follow: bool,
    /// Where a source that is there already begins (default: at its start).
    pub start: Start,
    /// Patterns of paths, such as `/var/log/*.log`. Files that fit are merged as well;
    /// with `follow`, also those that appear later (default: none).
    pub patterns: Vec<String>,
    /// Files that `patterns` leave out: patterns of names, or of paths if there is a
    /// slash in them (default: none).
    pub exclude: Vec<String>,
    /// How a source learns that there is something new (default: notified).
    pub wake: Wake,
    /// How often a source is asked for something new, where nothing notifies
    /// (default: 100 ms).
    pub interval: Duration,
    /// How long a change may wait for others, so that all of them wake their sources
    /// together (default: 1 ms). The first one after a pause does not wait.
    pub latency: Duration,
    /// A file that was rotated away or deleted is kept open, and read, until nothing
    /// was written to it for so long (default: 6 s).
    pub quiet: Duration,
    /// How many bytes of a line are merged. The rest of a longer line, up to its
    /// newline, is skipped, so that a line without an end fills no memory (default:
    /// all).
    pub max_line: Option<u64>,
    /// Appends to an output that is there, instead of emptying it (default: no). With a
    /// checkpoint this counts for the first run only.
    pub append: bool,
    /// Forgets the checkpoint and starts the output anew (default: no). Without
    /// this, an output that has lines is never emptied by a merge that keeps a
    /// checkpoint.
    pub restart: bool,
    /// The file that remembers how far a merge has come, so that the next one
    /// goes on there: with it every line is in the output exactly once,
    /// whatever ends the process (default: none).
    pub checkpoint: Option<PathBuf>,
    /// The name of a stream on another machine whose lines are merged instead of those
    /// of sources. The checkpoint then says how far the stream was read (default:
    /// none). See [`Output::append_from`](crate::Output::append_from).
    pub from: Option<String>,
    /// When the output is synced to the disk (default: by the system).
    pub durability: Durability,
    /// What is put round each line (default: nothing).
    pub marks: Marks,
    /// An event loop that stalls for longer than this names the operation that blocks
    /// it (default: none does).
    pub debug: Option<Duration>,
    /// A window for tests (default: none).
    pub probe: Option<Probe>,
}

/// How a source that follows learns that there is something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wake {
    /// The operating system notifies, through one thread for all sources. Where
    /// it cannot (a network file system, a limit that was met), another thread
    /// asks every [`interval`](Options::interval).
    Notify,
    /// Each source looks every [`interval`](Options::interval), as in the book.
    Poll,
}

/// Where a source begins that is there when the merge does.
///
/// A file that appears later, such as the successor of a rotated file, is read from its
/// start. A file in the checkpoint is read on from its offset there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// At its first line.
    Beginning,
    /// Behind its last line, so that only what is written from now on is
    /// merged. A line that has begun and not ended is merged whole.
    End,
    /// So many lines before its end.
    LastLines(u64),
    /// At the line with this number, from 1; behind the last one if there are
    /// fewer.
    FromLine(u64),
}

/// When the output is synced to the disk, for a power loss.
///
/// A process that is killed loses nothing that was handed to the operating
/// system, whatever is chosen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When the system sees fit.
    None,
    /// At the end of the run, and before each checkpoint that speaks of it.
    Flush,
    /// Before each append returns: what was acknowledged is on the disk.
    Fsync,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            follow: false,
            start: Start::Beginning,
            patterns: Vec::new(),
            exclude: Vec::new(),
            wake: Wake::Notify,
            interval: Duration::from_millis(100),
            latency: Duration::from_millis(1),
            quiet: Duration::from_secs(6),
            max_line: None,
            append: false,
            restart: false,
            checkpoint: None,
            from: None,
            durability: Durability::None,
            marks: Marks::None,
            debug: None,
            probe: None,
        }
    }
}
