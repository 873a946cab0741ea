//! File notifications of Linux, reduced to what a source has to know: "look
//! again".
//!
//! A notification is a hint and never the truth. Whatever one says, the source
//! asks `stat` and `read`; whatever is lost, the sweep of the
//! [notifier](crate::waking::notifier) makes up for.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::StatFs;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use crate::waking::renames::Half;
use crate::waking::watches::Watches;

/// How many bytes an event has at most: sixteen, and a name with its NUL.
const MOST: usize = 16 + 256;
/// How many events are read at once, whatever names they have.
const FEW: usize = 60;

/// Names a watch: `add` returns it, and an event carries it.
pub(super) type Wd = i32;

/// The kernel's queue of events; empty for ever where it was refused.
#[derive(Debug, Default)]
pub(super) struct Inotify(Option<OwnedFd>);

impl Inotify {
    pub(super) fn new() -> io::Result<Inotify> {
        Ok(Inotify(Some(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?)))
    }

    /// Watches an open file until it is let go.
    ///
    /// An event a write is cheaper than a one-shot watch, which has to be added before
    /// each wait, with one more look after that.
    pub(super) fn add_file(&self, file: &File) -> io::Result<Wd> {
        let flags = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF;
        // By descriptor: the name may belong to another file by now.
        self.add(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())), flags)
    }

    /// Watches the names in a folder.
    pub(super) fn add_folder(&self, path: &Path) -> io::Result<Wd> {
        let flags = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::ONLYDIR;
        self.add(path, flags)
    }

    fn add(&self, path: &Path, flags: WatchFlags) -> io::Result<Wd> {
        let queue = self.0.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        Ok(inotify::add_watch(queue, path, flags)?)
    }

    pub(super) fn remove(&self, wd: Wd) {
        // Refused if it has ended with its folder: then there is nothing to remove.
        let _ = self.0.as_ref().map(|queue| inotify::remove_watch(queue, wd));
    }

    /// Returns what is readable when an event has come.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }

    /// Takes in every event that has come.
    pub(super) fn events(&self, watches: &mut Watches) {
        let Some(queue) = &self.0 else { return };
        let mut buffer = [MaybeUninit::uninit(); FEW * MOST];
        let mut reader = inotify::Reader::new(queue, &mut buffer);
        let mut read = 0;
        loop {
            // The read left room for one more event, so there was none.
            if read > 0 && read < FEW && reader.is_buffer_empty() {
                return;
            }
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(_) => return,
            };
            read += 1;
            let (flags, folder) = (event.events(), event.wd());
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                watches.lost();
            } else if let Some(name) = event.file_name() {
                let came = flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
                let half = Half { folder, cookie: event.cookie() };
                watches.name_changed(half, OsStr::from_bytes(name.to_bytes()), came);
            } else if !flags.contains(ReadFlags::IGNORED) {
                watches.changed(folder);
            }
            // The end of a watch is ignored: the event that ended it came before.
        }
    }
}

/// Says in one sentence which limit was met, and how to raise it; `None` if it was none.
pub(super) fn limit(cause: &io::Error) -> Option<String> {
    // Two settings bound the same thing; the second one counts in a user
    // namespace. The smaller is the one that was met.
    let names = match Errno::from_io_error(cause) {
        Some(Errno::NOSPC) => ["fs.inotify.max_user_watches", "user.max_inotify_watches"],
        Some(Errno::MFILE) => ["fs.inotify.max_user_instances", "user.max_inotify_instances"],
        _ => return None,
    };
    let limits = names.map(|name| {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let limit = std::fs::read_to_string(path).ok()?.trim_end().parse::<u64>().ok()?;
        Some((limit, name))
    });
    Some(match limits.into_iter().flatten().min() {
        Some((limit, name)) => {
            format!("the limit {name} is {limit}; raise it with `sysctl {name}=NUMBER`")
        }
        None => cause.to_string(),
    })
}

/// Tells whether a file system is one on which other machines write, so that
/// their writes are not notified.
pub(super) fn is_network(fs: rustix::io::Result<StatFs>) -> bool {
    // Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, 9P, AFS, Ceph, Coda,
    // FUSE (sshfs and its like), Lustre, OCFS2, GFS2.
    const NETWORK: [u64; 12] = [
        0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x00c36400, 0x73757245,
        0x65735546, 0x0bd00bd0, 0x7461636f, 0x01161970,
    ];
    // The type of this field differs between machines; 32 bits of it count.
    fs.is_ok_and(|fs| NETWORK.contains(&(fs.f_type as u64 & 0xffff_ffff)))
}
