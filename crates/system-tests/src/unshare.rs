//! Namespaces that a test has to itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program;

/// Returns a command that runs a shell script in a folder, in new namespaces. These
/// are called as in `/proc/self/ns`: `user`, in which the script is root, `mnt` and
/// `net`. The script has the program at `path` as `$0`; it ends with 99 before it
/// does anything if a namespace is not new.
///
/// # Panics
///
/// Panics if `unshare` is not installed.
pub fn unshare(namespaces: &[&str], script: &str, path: &str, folder: &Path) -> Command {
    let mut unshare = program("unshare", "util-linux");
    let mut guarded = String::new();
    for namespace in namespaces {
        unshare.arg(match *namespace {
            "user" => "-Ur",
            "mnt" => "-m",
            _ => "-n",
        });
        let link = format!("/proc/self/ns/{namespace}");
        let outside = fs::read_link(&link).unwrap();
        // Nothing is mounted or written if the namespace is the one outside.
        guarded += &format!("test \"$(readlink {link})\" != '{}' || exit 99\n", outside.display());
    }
    unshare.args(["sh", "-c", &(guarded + script), path]);
    unshare.current_dir(folder).stdin(Stdio::null());
    unshare
}
