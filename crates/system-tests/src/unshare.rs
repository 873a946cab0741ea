//! Namespaces of a test's own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program;

/// Runs a script in a folder, in new namespaces, which are called as in
/// `/proc/self/ns`. In a new `user` one, the script is root. As `$0` it has the
/// program.
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
        // Nothing is mounted or written if the namespace is not another one.
        guarded += &format!("test \"$(readlink {link})\" != '{}' || exit 99\n", outside.display());
    }
    unshare.args(["sh", "-c", &(guarded + script), path]);
    unshare.current_dir(folder).stdin(Stdio::null());
    unshare
}
