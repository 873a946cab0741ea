//! The file of the metrics: where it may be, and how it is replaced.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Access, access};
use tributary::Shown;

/// How every file of metrics begins.
const BEGINNING: &[u8] = b"# HELP tributary_";

/// Returns why no metrics may be kept at `path`; `None` if they may. `others` are
/// the files of the merge: what each is, in words, and its path.
pub(crate) fn refused<'a>(
    path: &Path,
    others: impl Iterator<Item = (&'a str, &'a Path)>,
) -> Option<String> {
    why_not(path, others).map(|why| format!("{}: {why}", Shown(path)))
}

fn why_not<'a>(
    path: &Path,
    mut others: impl Iterator<Item = (&'a str, &'a Path)>,
) -> Option<String> {
    if let Err(cause) = place(path) {
        let is_missing = cause.kind() == io::ErrorKind::NotFound;
        let advice = if is_missing { "; make its folder first" } else { "" };
        return Some(format!("cannot write metrics: {cause}{advice}"));
    }
    let there = fs::symlink_metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        let why = "a link, a folder, a pipe or a device is not replaced by metrics";
        return Some(format!("{why}; name another file"));
    }
    if let Some((what, _)) = others.find(|(_, other)| is_same(path, other)) {
        return Some(format!("it is also {what}; name another file"));
    }
    let is_taken = there.is_some() && !holds_metrics(path);
    is_taken.then(|| "it holds no metrics; name another file, or remove it".to_owned())
}

/// Returns the name of the metrics as a pattern that excludes them from `--watch`.
/// A byte that may mean something in a pattern becomes `?`, which is any byte.
pub(crate) fn pattern(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_. ".contains(byte);
    name.iter().map(|byte| if plain(byte) { char::from(*byte) } else { '?' }).collect()
}

/// Writes a new file, and renames it to `path`, so that no reader sees half of it.
/// A link at `path` is replaced and not followed.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    // Not `.prom`, so node_exporter does not read it. The umask narrows the mode.
    let mut beside = tempfile::Builder::new();
    let beside = beside.prefix(&prefix).suffix(".new").permissions(Permissions::from_mode(0o644));
    let mut beside = beside.tempfile_in(folder(path))?;
    beside.write_all(text.as_bytes())?;
    beside.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Returns the folder of a file, by device and inode, and the file's name in it.
/// Fails if we may not write to the folder.
fn place(path: &Path) -> io::Result<((u64, u64), &OsStr)> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    // With the `.`, what is no folder and no link to one is an error.
    let folder = folder(path).join(".");
    access(&folder, Access::WRITE_OK | Access::EXEC_OK)?;
    Ok((id(&fs::metadata(folder)?), name))
}

/// Tells whether two paths name the same file, which need not be there yet.
fn is_same(path: &Path, other: &Path) -> bool {
    let there = |path: &Path| fs::metadata(path).ok().map(|it| id(&it));
    there(path).is_some_and(|it| there(other) == Some(it))
        || place(other).is_ok_and(|it| place(path).is_ok_and(|place| place == it))
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Tells whether a file is empty, or begins as one that [`replace`] has written.
fn holds_metrics(path: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut beginning));
    read.is_ok() && (beginning.is_empty() || beginning == BEGINNING)
}
