//! Records which thread did what when, for a picture of a merge.
//!
//! The blocking operations of a merge are inside `tracing` spans (`read_lines`,
//! `append`, `finish`), and so is an event loop while it runs. A [`Recorder`] is a
//! layer that notes when each thread enters and leaves these spans. Its [`Recording`]
//! is plain data: [`Recording::lanes`] makes a lane of each thread, without gaps and
//! with its waits; [`Recording::chrome_trace`] makes a file that opens in
//! [Perfetto](https://ui.perfetto.dev). No stage has a line for it.
//!
//! ```
//! use recorder::{Kind, Recorder};
//! use tracing_subscriber::layer::SubscriberExt;
//! use tributary::{Options, Plan, Read};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let (log, merged) = (folder.path().join("a.log"), folder.path().join("merged"));
//! std::fs::write(&log, "one\ntwo\n")?;
//! let mut plan = Plan::open([&log], &merged, Options::default())?;
//!
//! let recorder = Recorder::new(1_000);
//! let subscriber = tracing_subscriber::registry().with(recorder.layer());
//! // For this thread; `tracing::subscriber::set_global_default` for all.
//! tracing::subscriber::with_default(subscriber, || {
//!     while let Read::Lines(lines) = plan.sources[0].read_lines()? {
//!         plan.output.append(&lines)?;
//!     }
//!     plan.output.finish()
//! })?;
//!
//! let recording = recorder.recording();
//! // Two looks (the second one says that the source has closed), one append,
//! // and the end.
//! assert_eq!(recording.operations.len(), 4);
//! let lane = &recording.lanes()[0];
//! assert_eq!(lane.segments.iter().filter(|it| it.kind == Kind::Read).count(), 2);
//! std::fs::write(folder.path().join("trace.json"), recording.chrome_trace().to_string())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not in it
//!
//! A thread that opens none of these spans: the watch of an event loop, the notifier, a
//! thread that waits for others. What a thread does between its spans: there it is
//! idle, or waits. A wait is not measured but concluded from the operations round it
//! ([`Recording::lanes`] says how).
//!
//! # What it costs
//!
//! About 0.3 µs a span, against one to two nanoseconds where nobody listens, and no
//! allocation. A thread notes for itself, under a lock that only
//! [`Recorder::recording`] ever takes as well. On your machine:
//!
//! ```sh
//! cargo bench -p benches --bench span
//! ```
//!
//! Reading order: [`Recording`], [`Lane`], [`Recorder`].

pub use lanes::{Kind, Lane, Role, Segment};
pub use recorder::Recorder;
pub use recording::{Name, Operation, Recording, Stall, Thread};

mod lanes;
mod layer;
mod notes;
mod recorder;
mod recording;
mod trace;
