//! The file of the metrics: where it may lie, and how it is replaced.

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

/// Returns why no metrics may be kept at a path, if so. `others` are the files
/// of the merge, and what each is.
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

/// Returns a pattern of the name of the metrics, for what no `--watch` finds:
/// `?` is any byte.
pub(crate) fn pattern(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_. ".contains(byte);
    name.iter().map(|byte| if plain(byte) { char::from(*byte) } else { '?' }).collect()
}

/// Puts a new file in the place of what has the name, so that no reader sees
/// half of it. A link of that name is replaced and not followed.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    // Not `.prom`: node_exporter is not to read it. The umask has its say.
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

/// Returns the folder of a file, which may be written to, and its name in there.
fn place(path: &Path) -> io::Result<((u64, u64), &OsStr)> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    // As a folder, also where it is a link to one.
    let folder = folder(path).join(".");
    access(&folder, Access::WRITE_OK | Access::EXEC_OK)?;
    Ok((id(&fs::metadata(folder)?), name))
}

/// Tells whether two paths name one file, be it there or not yet.
fn is_same(path: &Path, other: &Path) -> bool {
    let there = |path: &Path| fs::metadata(path).ok().map(|it| id(&it));
    there(path).is_some_and(|it| there(other) == Some(it))
        || place(other).is_ok_and(|it| place(path).is_ok_and(|place| place == it))
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Tells whether a file is empty, or was written by [`replace`].
fn holds_metrics(path: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut beginning));
    read.is_ok() && (beginning.is_empty() || beginning == BEGINNING)
}
