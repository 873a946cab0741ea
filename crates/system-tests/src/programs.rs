//! Programs that are not ours.

use std::path::PathBuf;
use std::process::Command;

/// Finds a program in `PATH`, or in `/usr/sbin` and `/sbin`, which a user's `PATH` may lack.
///
/// # Panics
///
/// Panics if the program is not installed, and names the package to install.
pub fn program(name: &str, package: &str) -> Command {
    Command::new(find(name, package))
}

/// Finds a program as [`program`] does; returns its path.
///
/// # Panics
///
/// As [`program`].
pub(crate) fn find(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let mut programs = folders.map(|folder: PathBuf| folder.join(name));
    match programs.find(|program| program.is_file()) {
        Some(program) => program,
        None => panic!("`{name}` is missing; install it: apt-get install {package}"),
    }
}
