//! An output that blocks.

use std::fs::File;
use std::path::Path;

use nix::sys::stat::Mode as Rights;
use nix::unistd::mkfifo;
use rustix::fs::{Mode, OFlags, fcntl_setfl, open};

/// Makes a FIFO that its owner may read and write.
#[track_caller]
pub fn make_fifo(path: &Path) {
    mkfifo(path, Rights::S_IRUSR | Rights::S_IWUSR).unwrap();
}

/// Makes a FIFO and opens its reading end without waiting for a writer. From then on an
/// open of the writing end does not wait either; nothing is read yet.
#[track_caller]
pub fn open_fifo(path: &Path) -> File {
    make_fifo(path);
    let reader = open(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap();
    fcntl_setfl(&reader, OFlags::empty()).unwrap();
    reader.into()
}
