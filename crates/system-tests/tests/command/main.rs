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

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use system_tests::line;
use testkit::Running;

/// The command.
const TRIBUTARY: &str = env!("CARGO_BIN_EXE_tributary");

/// Returns a command that runs a script as root of a user namespace, with our command
/// as `$0`. With `mount`, the script's mounts are its own as well.
fn unshare(mount: bool, script: &str, folder: &Path) -> Command {
    let namespaces = if mount { ["user", "mnt"].as_slice() } else { &["user"] };
    system_tests::unshare(namespaces, script, TRIBUTARY, folder)
}

/// Fails if a merge in a namespace has ended already, and says what may be missing.
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
