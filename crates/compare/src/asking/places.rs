//! Files and folders that were named for what is made: nothing that was there
//! is replaced, unless that was said with `--force`.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::{Context, bail};
use tributary::Shown;

/// Makes the file, or takes the one that is there if it is empty, or if it may be
/// replaced. A wrong name is known before the work begins: it does not cost a
/// minute.
pub(crate) fn take_file(path: &Path, option: &str, force: bool) -> anyhow::Result<()> {
    let cannot = || format!("{}: cannot make this file, name another with {option}", Shown(path));
    match File::create_new(path) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
        made => return made.map(drop).with_context(cannot),
    }
    let there = fs::symlink_metadata(path).with_context(cannot)?;
    if !there.is_file() {
        // Another file would come in the place of a link, a pipe or a device.
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

/// Makes the folder, or takes the one that is there if it is empty, or if what is
/// in it may be replaced.
pub(crate) fn take_folder(path: &Path, option: &str, force: bool) -> anyhow::Result<()> {
    let is_empty = || -> io::Result<bool> {
        fs::create_dir_all(path)?;
        // Whoever may list it need not be able to write there.
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
