//! Where there are no file notifications that we know: everything is polled.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::StatFs;

use crate::waking::watches::Event;

pub(super) type Wd = i32;

/// None of it can be had, so what it would do never happens.
#[derive(Debug)]
pub(super) struct Inotify(Infallible);

impl Inotify {
    pub(super) fn new() -> io::Result<Inotify> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn add_file(&self, _: &File) -> io::Result<Wd> {
        match self.0 {}
    }

    pub(super) fn add_folder(&self, _: &Path) -> io::Result<Wd> {
        match self.0 {}
    }

    pub(super) fn remove(&self, _: Wd) {
        match self.0 {}
    }

    pub(super) fn events(&self, _: impl FnMut(Event<'_>)) {
        match self.0 {}
    }
}

impl AsFd for Inotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }
}

pub(super) fn limit(cause: &io::Error) -> String {
    cause.to_string()
}

pub(super) fn is_network(_: rustix::io::Result<StatFs>) -> bool {
    false
}
