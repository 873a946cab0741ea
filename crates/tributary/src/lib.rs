//! The contract that all stages share: what is read, what is written,
//! and how a merge is told to end.
//!
//! A [`Plan`] opens the sources and the output. Each [`Source`] is one growing log
//! file, or all that fit a pattern; [`Source::read_lines`] answers with a chunk of
//! whole lines ([`Lines`]), with "nothing new" or with "closed". [`Output::append`]
//! writes such a chunk. What lies between the two (who reads, who writes, who waits for
//! whom) is where the stages differ. This crate has only the plainest merge, [`merge`],
//! on one thread, and depends on no runtime and no stage.
//!
//! Without [`Options::follow`] a source closes where its file ends, and a last line
//! without a newline gets one:
//!
//! ```
//! use tributary::{Options, Plan, Read};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let (log, merged) = (folder.path().join("a.log"), folder.path().join("merged"));
//! std::fs::write(&log, "one\ntwo\nthr")?;
//! let mut plan = Plan::open([&log], &merged, Options::default())?;
//! loop {
//!     match plan.sources[0].read_lines()? {
//!         Read::Lines(lines) => plan.output.append(&lines)?,
//!         Read::NoNewData => unreachable!("this plan does not follow"),
//!         Read::Closed => break,
//!     }
//! }
//! assert_eq!(plan.output.finish()?.lines, 3);
//! assert_eq!(std::fs::read(&merged)?, b"one\ntwo\nthr\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With it a source has "nothing new" until its log is written. Then wait on
//! [`Source::changed`], in a thread or in a task, and look again. A wait lasts at most
//! [`Plan::interval`]: that is how often a log is looked at where nothing notifies, and
//! elsewhere a thread of the plan's own, the notifier, wakes the source. Such a merge
//! ends when somebody calls [`Stop::request`] on a clone of [`Plan::stop`]: what was
//! written before is read, and then each source has closed.
//!
//! Each call that may block a thread is inside a `tracing` span: `read_lines` and
//! `append` with the field `source`, `finish` with `output`. Their target is
//! `tributary`. Their level is WARN, like that of the stall warning that takes the name
//! of its operation from them: a filter that shows the warning lets the spans through.
//!
//! Reading order: [`Plan`], [`Source`], [`Lines`], [`Output`], [`Stop`],
//! [`Report`], [`Error`]; then [`Probe`], which is for tests.

#[cfg(not(unix))]
compile_error!("a log is known by its inode, so `tributary` needs a Unix");

mod batch;
mod error;
mod following;
mod keeping;
mod lines;
mod marks;
mod merge;
mod options;
mod plan;
mod probe;
mod progress;
mod report;
mod source;
mod stop;
mod waking;

pub use batch::Batch;
pub use error::{Error, Shown};
pub use keeping::output::{Output, Reopen, Target};
pub use lines::Lines;
pub use marks::{Marks, Template, TemplateError};
pub use merge::merge;
pub use options::{Durability, Options, Start, Wake};
pub use plan::Plan;
pub use probe::{Moment, Probe};
pub use progress::{Progress, SourceProgress};
pub use report::{Report, SourceReport, Written};
pub use source::{Look, Read, Source};
pub use stop::Stop;
pub use waking::change::Changed;
pub use waking::notifications::Notifications;
pub use waking::ready::Ready;

/// The entry point of every stage: `merge`.
///
/// # Blocking
///
/// Blocks the calling thread until every source has closed and every line is
/// on its way to the disk.
pub type MergeFn = fn(Plan) -> Result<Report, Error>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// Every stage moves these to threads or shares them between threads: a field that
// forbids it must fail here, and not in a stage.
const _: () = {
    const fn moves<T: Send>() {}
    const fn is_shared<T: Send + Sync>() {}
    moves::<Plan>();
    moves::<Source>();
    moves::<Output>();
    moves::<Batch>();
    moves::<Ready>();
    moves::<Notifications>();
    is_shared::<Lines>();
    is_shared::<Stop>();
    is_shared::<Progress>();
    is_shared::<Reopen>();
    is_shared::<Changed>();
    is_shared::<Error>();
};
