//! What there is of a comparison, on the disk: written anew after each run, so
//! that whatever ends this process loses none.

use std::env;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{self, Path, PathBuf};

use anyhow::Context;
use results::Comparison;
use tributary::Shown;

use crate::args::Args;
use crate::json;
use crate::warnings::Warning;

/// The files that keep a comparison.
#[derive(Debug)]
pub(crate) struct Kept {
    json: Place,
    page: Place,
}

/// Where one of them is.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// A file that was named has to be written; ours may be missed.
    named: bool,
    /// It could not be written once, and is left alone.
    given_up: bool,
}

impl Kept {
    /// Takes the files that were named, and those beside the build for the others.
    pub(crate) fn of(args: &Args) -> Kept {
        let beside = target().join("compare");
        let place = |named: &Option<PathBuf>, name: &str| Place {
            path: named.clone().unwrap_or_else(|| beside.join(name)),
            named: named.is_some(),
            given_up: false,
        };
        Kept { json: place(&args.json, "results.json"), page: place(&args.html, "index.html") }
    }

    /// Writes what there is now. A file that nobody named and that cannot be
    /// written is a warning, once.
    pub(crate) fn write(&mut self, comparison: &Comparison) -> anyhow::Result<Option<Warning>> {
        let json = self.json.write(|| format!("{:#}\n", json::result(comparison)))?;
        let page = self.page.write(|| page::render(comparison))?;
        Ok(json.or(page))
    }

    /// Returns where the page is, if it is anywhere.
    pub(crate) fn page(&self) -> Option<&Path> {
        (!self.page.given_up).then_some(&*self.page.path)
    }
}

impl Place {
    fn write(&mut self, text: impl FnOnce() -> String) -> anyhow::Result<Option<Warning>> {
        if self.given_up {
            return Ok(None);
        }
        match replace(&self.path, self.named, text().as_bytes()) {
            Ok(()) => Ok(None),
            Err(error) if self.named => Err(error),
            Err(error) => {
                self.given_up = true;
                Ok(Some(Warning::NotKept { why: format!("{error:#}") }))
            }
        }
    }
}

/// Puts a file with these bytes in the place of another, at once: whoever reads
/// it has the old one or the new one.
fn replace(path: &Path, folder_is_there: bool, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("{}: cannot write this file", Shown(path));
    // A device or a pipe is written to; it is no file to put another in the place of.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return fs::write(path, bytes).with_context(failed);
    }
    // Through a link, the file that it names is replaced, and not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder_is_there {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut file = tempfile::Builder::new()
        .prefix(".compare-")
        // As any file that is made: what the umask leaves.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(plain)
        .with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.persist(&path).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}

/// Takes away what `tempfile` adds: a name that nobody has asked for.
fn plain(cause: std::io::Error) -> std::io::Error {
    cause.raw_os_error().map_or(cause, std::io::Error::from_raw_os_error)
}

/// Returns cargo's target folder: that of the workspace that this was built
/// from, unless the environment names another.
fn target() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let workspace = fs::canonicalize(&workspace).unwrap_or(workspace);
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    path::absolute(&target).unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let reader = fs::File::open(&file).unwrap();
        replace(&link, true, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        // Who has opened it before reads what was there.
        assert_eq!(std::io::read_to_string(reader).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something is left behind");
    }

    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        workload::make_fifo(&fifo).unwrap();
        let reader = std::thread::spawn({
            let fifo = fifo.clone();
            move || fs::read_to_string(fifo).unwrap()
        });
        replace(&fifo, true, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), "through");
        assert!(!fs::metadata(&fifo).unwrap().is_file());
    }

    #[test]
    fn a_file_that_nobody_named_may_be_missed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        // A file is no folder, for root either.
        let path = file.join("index.html");
        let mut place = Place { path: path.clone(), named: false, given_up: false };
        let Some(Warning::NotKept { why }) = place.write(String::new).unwrap() else { panic!() };
        assert!(why.starts_with(&path.display().to_string()), "{why}");
        assert_eq!(place.write(|| panic!("it is not tried again")).unwrap(), None);
        let error = Place { path, named: true, given_up: false }.write(String::new).unwrap_err();
        assert!(error.to_string().contains("cannot write this file"), "{error}");
    }
}
