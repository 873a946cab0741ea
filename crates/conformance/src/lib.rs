//! The laws that every merge keeps, and one macro that holds a merger to them.
//!
//! A law is a function with the name of the rule. It takes a merger (a [`MergeFn`]) and
//! says whether the merger keeps the law. [`suite!`] turns all of them into tests, so
//! that the whole of a stage's test file is one line:
//!
//! ```text
//! conformance::suite!(stage1_threads::merge);
//! ```
//!
//! A merger that breaks a law by design declares it in its manifest, with the
//! reason. The suite then *requires* that the law breaks: a claim that has
//! stopped being true fails the build.
//!
//! ```toml
//! [package.metadata.tributary.limits]
//! an_idle_source_is_looked_at_while_the_output_blocks = "append runs on the loop"
//! ```
//!
//! # How a law is tested
//!
//! - Races are made, not hoped for: the probe of the plan ([`tributary::Probe`])
//!   lets a law act *between* two steps of a source.
//! - A merger is judged by its output and its report. A look that found nothing says
//!   something about its source only: the lines of the looks before may not be written
//!   by then.
//! - A law runs on a thread of its own, and all its waits have one bound. A merger that
//!   hangs does not hang the tests: the failure names the law, and what it waited for.
//! - A law that is broken is told from an accident: a merge that fails or
//!   panics where no law expects it, or a folder that could not be made.
//!   Neither keeps a law, but only the first confirms a declared limit.
//! - A figure of a whole process (its peak memory) is measured in a process that does
//!   nothing else: the test executable, started once more, or a process that was made
//!   for this law ([`Case::alone`]).
//!
//! Reading order: [`mod@laws`], a file a theme; [`LAWS`], the list of them; [`Case`],
//! which tries one; [`Limit`], a law that a merger breaks by design; [`Hints`], how to
//! keep a law. Inside, the laws are written with `scene`, and `pen` changes a log
//! meanwhile.

#![warn(missing_docs)]

mod alone;
mod bound;
mod broken;
mod fifo;
mod hints;
mod law;
pub mod laws;
mod limit;
mod notifications;
mod pen;
mod run;
mod scene;
mod try_law;

pub use broken::{Broken, Verdict};
pub use hints::Hints;
pub use law::{LAWS, Law, LawFn};
pub use limit::Limit;
pub use tributary::MergeFn;
pub use try_law::{BOUND, Case, Outcome};
