//! The stages among the programs that they live with: the real `logrotate`,
//! the limits that a system sets, and a browser for what is made to be read.
//!
//! Everything here needs a foreign program. A missing one is a failure that
//! names the package, never a test that is skipped. Hence this crate is no
//! member of the workspace:
//!
//! ```text
//! cargo test --manifest-path crates/system-tests/Cargo.toml
//! ```
//!
//! `src/` holds what the tests share: a [`Daemon`] that writes numbered lines,
//! the check of the merged numbers ([`lost`]), and a [`Browser`] for the pages
//! that this project makes.

mod browser;
mod daemon;
mod numbers;
mod programs;
mod rotate;
mod unshare;

pub use browser::Browser;
pub use daemon::{Daemon, Reopen};
pub use numbers::{Lost, line, lost, lost_by_truncation};
pub use programs::program;
pub use rotate::Logrotate;
pub use unshare::unshare;
