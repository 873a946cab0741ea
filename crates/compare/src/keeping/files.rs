//! The JSON and the page of a comparison, on the disk. The JSON is written again after
//! each run, so a kill of this process loses none that had ended.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use report::Comparison;
use tributary::Shown;

use crate::asking::args::Args;
use crate::asking::places::take_file;

/// The paths of the JSON and of the page.
#[derive(Debug)]
pub(crate) struct Files {
    json: PathBuf,
    pub(crate) page: PathBuf,
}

impl Files {
    /// Takes the files that `--json` and `--html` name, or else those beside the build,
    /// which are replaced.
    pub(crate) fn open(args: &Args) -> anyhow::Result<Files> {
        let take = |named: &Option<PathBuf>, option, name| match named {
            Some(path) => take_file(path, option, args.force).map(|()| path.clone()),
            None => {
                let folder = runner::target().join("compare");
                fs::create_dir_all(&folder).with_context(|| cannot_write(&folder.join(name)))?;
                Ok(folder.join(name))
            }
        };
        if args.json.is_some() && args.json == args.html {
            bail!("--json and --html name the same file, name two");
        }
        let json = take(&args.json, "--json", "results.json")?;
        let page = take(&args.html, "--html", "index.html")?;
        // By another path, or by the default one of the other.
        let file = |path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
        if file(&json).is_some_and(|one| file(&page) == Some(one)) {
            bail!("--json and --html name the same file, name two");
        }
        Ok(Files { json, page })
    }

    /// Writes the comparison so far.
    pub(crate) fn write_json(&self, comparison: &Comparison) -> anyhow::Result<()> {
        replace(&self.json, report::json(comparison).as_bytes())
    }

    pub(crate) fn write_page(&self, comparison: &Comparison) -> anyhow::Result<()> {
        replace(&self.page, report::render(comparison).as_bytes())
    }
}

/// Replaces a file at once: whoever opens the path gets all the old bytes or all the
/// new.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let replace = || -> io::Result<()> {
        let mut file = tempfile::Builder::new();
        // The permissions of any new file: what the umask leaves.
        file.prefix(".compare-").permissions(Permissions::from_mode(0o666));
        let mut file = file.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    replace().with_context(|| cannot_write(path))
}

fn cannot_write(path: &Path) -> String {
    format!("{}: cannot write this file, name another with --json or --html", Shown(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let reader = File::open(&path).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        // A reader that had opened the file goes on with the old bytes.
        assert_eq!(io::read_to_string(reader).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left behind");
    }
}
