//! What wakes a source: the kernel's notifications, polls by `stat`, deadlines.

pub(crate) mod change;
#[cfg_attr(not(target_os = "linux"), path = "inotify_none.rs")]
pub(crate) mod inotify;
pub(crate) mod notify;
