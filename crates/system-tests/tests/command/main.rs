//! The command among the programs that it lives with, and within the limits
//! that a system sets.

mod durability;
mod full_disk;
mod hung_mount;
mod limits;
mod load;
mod logrotate;
mod man;
mod output;
mod renames;
mod unit;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use system_tests::{line, program};
use testkit::Running;

/// The command.
const TRIBUTARY: &str = env!("CARGO_BIN_EXE_tributary");

/// Runs a script in a user namespace of its own, where it is root: as `$0` it
/// has the command. With `mount`, its mounts are its own as well.
fn unshare(mount: bool, script: &str, folder: &Path) -> Command {
    let (namespace, flags) = if mount { ("mnt", "-Urm") } else { ("user", "-Ur") };
    let namespace = format!("/proc/self/ns/{namespace}");
    let outside = fs::read_link(&namespace).unwrap();
    // Nothing is mounted or written if the namespace is not another one.
    let guarded =
        format!("test \"$(readlink {namespace})\" != '{}' || exit 99\n{script}", outside.display());
    let mut unshare = program("unshare", "util-linux");
    unshare.args([flags, "sh", "-c", &guarded, TRIBUTARY]);
    unshare.current_dir(folder).stdin(Stdio::null());
    unshare
}

/// Says what may be missing if a merge in a namespace has ended already.
#[track_caller]
fn runs(merge: &mut Running) {
    let ended = merge.child.try_wait().unwrap();
    assert!(ended.is_none(), "{ended:?}, {}; can a user make namespaces here?", merge.said());
}

/// Adds the line with this number to a log.
fn append(log: PathBuf, number: u64) {
    let mut file = OpenOptions::new().append(true).create(true).open(log).unwrap();
    file.write_all(line(number).as_bytes()).unwrap();
}
