//! For systems without inotify: everything is polled.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::StatFs;

use crate::waking::watches::Watches;

pub(super) type Wd = i32;

#[derive(Debug, Default)]
pub(super) struct Inotify;

impl Inotify {
    pub(super) fn new() -> io::Result<Inotify> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn add_file(&self, _: &File) -> io::Result<Wd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn add_folder(&self, _: &Path) -> io::Result<Wd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn remove(&self, _: Wd) {}

    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    pub(super) fn events(&self, _: &mut Watches) {}
}

pub(super) fn limit(cause: &io::Error) -> String {
    cause.to_string()
}

pub(super) fn is_network(_: rustix::io::Result<StatFs>) -> bool {
    false
}
