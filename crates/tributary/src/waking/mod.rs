//! What wakes a source: the kernel's notifications, polls by `stat`, deadlines.
//!
//! The [notifier] is one thread that waits for the kernel and for deadlines. It
//! never touches a path, so nothing can hold it up. Where the kernel cannot
//! tell, the [poller]'s threads ask `stat`. Both ring a
//! [`Bell`](change::Bell), and the source looks. The table of [watches] says who
//! is rung by what; logs and patterns enter it through a [watch].

pub(crate) mod change;
#[cfg_attr(not(target_os = "linux"), path = "inotify_none.rs")]
mod inotify;
#[cfg_attr(not(target_os = "linux"), path = "notifications_none.rs")]
pub(crate) mod notifications;
pub(crate) mod notifier;
mod poller;
pub(crate) mod ready;
mod renames;
#[cfg(test)]
mod tests;
pub(crate) mod watch;
// Where the kernel tells nothing, nobody takes events in.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod watches;

pub(crate) use renames::Departed;
