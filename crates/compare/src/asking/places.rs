//! Files and folders that were named for results: without `--force`, no existing file
//! is replaced.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::{Context, bail};
use tributary::Shown;

/// Makes the file. Takes an existing one if it is empty or, with `force`, a regular
/// file that may be written. This runs before the work: a wrong name costs no minute.
pub(crate) fn take_file(path: &Path, option: &str, force: bool) -> anyhow::Result<()> {
    let cannot = || format!("{}: cannot make this file, name another with {option}", Shown(path));
    match File::create_new(path) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
        made => return made.map(drop).with_context(cannot),
    }
    let there = fs::symlink_metadata(path).with_context(cannot)?;
    if !there.is_file() {
        // The result would replace the link, the pipe or the device itself.
        bail!("{}: this is no regular file, name another with {option}", Shown(path));
    }
    if there.len() > 0 && !force {
        bail!(
            "{}: there is a file by this name, name another with {option} or replace it with \
             --force",
            Shown(path)
        );
    }
    // A file that may not be written is not replaced either.
    File::options().append(true).open(path).map(drop).with_context(cannot)
}

/// Makes the folder. Takes an existing one if it is empty, or with `force`.
pub(crate) fn take_folder(path: &Path, option: &str, force: bool) -> anyhow::Result<()> {
    let is_empty = || -> io::Result<bool> {
        fs::create_dir_all(path)?;
        // A folder that can be listed need not be one to write in.
        tempfile::tempfile_in(path)?;
        Ok(fs::read_dir(path)?.next().is_none())
    };
    let is_empty = is_empty().with_context(|| {
        format!("{}: cannot write into this folder, name another with {option}", Shown(path))
    })?;
    if is_empty || force {
        return Ok(());
    }
    bail!(
        "{}: this folder is not empty, name another with {option} or let files in it be replaced \
         with --force",
        Shown(path)
    )
}

/// Fails if something by this name is there that is no regular file: a file would be
/// made in the place of a link, or where it leads to.
pub(crate) fn take_name(path: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        bail!("{}: this is no regular file, take it away or name another folder", Shown(path));
    }
    Ok(())
}
