//! Where there are no file notifications that we know, there is nothing to take over.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use crate::waking::notifier::Notifier;

/// What the operating system tells of the sources of a plan: nothing, here.
#[derive(Debug)]
pub struct Notifications(Infallible);

impl Notifications {
    pub(crate) fn of(_: &Arc<Notifier>) -> Option<Notifications> {
        None
    }

    /// Takes in all that has come.
    ///
    /// # Errors
    ///
    /// None.
    pub fn take_in(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

impl AsFd for Notifications {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }
}

impl AsRawFd for Notifications {
    fn as_raw_fd(&self) -> RawFd {
        match self.0 {}
    }
}
