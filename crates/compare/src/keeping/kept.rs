//! What there is of a comparison, on the disk: written anew after each run, so
//! that whatever ends this process loses none.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{self, Path, PathBuf};

use anyhow::{anyhow, bail};
use report::Comparison;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tributary::Shown;

use crate::asking::args::Args;
use crate::asking::own_files::OwnFiles;
use crate::keeping::writable::{cannot_write, folder_of, replace, through_links, try_in};
use crate::telling::json;
use crate::telling::warnings::Warning;

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
    what: What,
    /// A file that was named has to be written; ours may be missed.
    named: bool,
    /// It could not be written once, and is left alone.
    given_up: bool,
    /// A pipe or a device, which is opened once, and written to at the end.
    stream: Option<File>,
}

/// What is kept there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Json,
    Page,
}

impl Kept {
    /// Takes the files that were named, and those beside the build for the
    /// others, once both are known to be neither a source nor somebody else's.
    /// Nothing is written yet. With them comes a warning for a file that nobody
    /// named and that cannot be had.
    pub(crate) fn open(
        args: &Args,
        own: Option<&OwnFiles>,
    ) -> anyhow::Result<(Kept, Vec<Warning>)> {
        let beside = target().join("compare");
        let mut json = Place::new(args.json.as_deref(), &beside.join("results.json"), What::Json);
        let mut page = Place::new(args.html.as_deref(), &beside.join("index.html"), What::Page);
        if is_same(&json.path, &page.path) {
            bail!("{}: --json and --html name the same file, name two", Shown(&page.path));
        }
        let mut warnings = Vec::new();
        for place in [&mut json, &mut page] {
            match place.check(own) {
                Err(error) if place.named => return Err(error),
                Err(error) => {
                    place.given_up = true;
                    warnings.push(Warning::NotKept { why: error.to_string() });
                }
                Ok(()) => {}
            }
        }
        for place in [&mut json, &mut page] {
            place.open_stream()?;
        }
        Ok((Kept { json, page }, warnings))
    }

    /// Writes what there is now. A file that nobody named and that cannot be
    /// written is a warning, once.
    pub(crate) fn write(&mut self, comparison: &Comparison) -> anyhow::Result<Option<Warning>> {
        let json = self.json.write(|| json_of(comparison))?;
        let page = self.page.write(|| report::render(comparison))?;
        Ok(json.or(page))
    }

    /// Writes what there is at the end to what can be written to but once.
    pub(crate) fn end(&mut self, comparison: &Comparison) -> anyhow::Result<()> {
        let json = self.json.end(|| json_of(comparison));
        self.page.end(|| report::render(comparison)).and(json)
    }

    /// Returns where the page is, if it is anywhere.
    pub(crate) fn page(&self) -> Option<&Path> {
        (!self.page.given_up).then_some(&*self.page.path)
    }
}

impl Place {
    fn new(named: Option<&Path>, ours: &Path, what: What) -> Place {
        let path = named.unwrap_or(ours).to_owned();
        Place { path, what, named: named.is_some(), given_up: false, stream: None }
    }

    /// Fails if something would be lost, or if nothing can be written there.
    fn check(&self, own: Option<&OwnFiles>) -> anyhow::Result<()> {
        let (path, what, option) = (&self.path, self.what.noun(), self.what.option());
        let another = format!("name another file with {option}");
        own.map_or(Ok(()), |own| own.refuse_output(path, &another))?;
        let there = match fs::metadata(path) {
            Ok(there) => there,
            // What nobody named is made with its folder.
            Err(_) if !self.named => return Ok(()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return try_in(folder_of(&through_links(path)))
                    .map_err(|cause| cannot_write(path, &cause));
            }
            Err(cause) => return Err(cannot_write(path, &cause)),
        };
        if there.is_dir() {
            bail!("{}: this is a directory, name a file in it", Shown(path));
        }
        if !there.is_file() {
            return Ok(());
        }
        if there.len() > 0 && !self.what.is_in(path).map_err(|cause| cannot_write(path, &cause))? {
            bail!("{}: this is no {what} of compare's, {another}", Shown(path));
        }
        let folder = through_links(path);
        try_in(folder_of(&folder)).map_err(|cause| cannot_write(path, &cause))
    }

    /// Opens what is no regular file, for the end. A pipe that nobody reads would
    /// wait for its reader then, after all the work.
    fn open_stream(&mut self) -> anyhow::Result<()> {
        let path = &self.path;
        let Ok(there) = fs::metadata(path) else { return Ok(()) };
        if self.given_up || there.is_file() {
            return Ok(());
        }
        let flags = OFlags::NONBLOCK.bits() as i32;
        let stream = File::options().write(true).custom_flags(flags).open(path);
        let stream = stream.map_err(|cause| match Errno::from_io_error(&cause) {
            Some(Errno::NXIO) if there.file_type().is_fifo() => {
                anyhow!("{}: nobody reads this pipe, start its reader first", Shown(path))
            }
            _ => cannot_write(path, &cause),
        })?;
        // A write waits for the reader.
        let blocking = fcntl_getfl(&stream)
            .and_then(|flags| fcntl_setfl(&stream, flags.difference(OFlags::NONBLOCK)));
        blocking.map_err(|cause| cannot_write(path, &cause.into()))?;
        self.stream = Some(stream);
        Ok(())
    }

    fn write(&mut self, text: impl FnOnce() -> String) -> anyhow::Result<Option<Warning>> {
        if self.given_up || self.stream.is_some() {
            return Ok(None);
        }
        let Err(cause) = replace(&self.path, self.named, text().as_bytes()) else {
            return Ok(None);
        };
        self.given_up = true;
        let error = cannot_write(&self.path, &cause);
        if self.named { Err(error) } else { Ok(Some(Warning::NotKept { why: error.to_string() })) }
    }

    fn end(&mut self, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let Some(mut stream) = self.stream.take() else { return Ok(()) };
        let written = stream.write_all(text().as_bytes());
        self.given_up = written.is_err();
        written.map_err(|cause| cannot_write(&self.path, &cause))
    }
}

impl What {
    fn noun(self) -> &'static str {
        match self {
            What::Json => "result",
            What::Page => "page",
        }
    }

    fn option(self) -> &'static str {
        match self {
            What::Json => "--json",
            What::Page => "--html",
        }
    }

    /// Says whether a file is one that an earlier run has kept.
    fn is_in(self, path: &Path) -> io::Result<bool> {
        /// So much of a page has its title in it.
        const HEAD: u64 = 1024;
        let file = BufReader::new(File::open(path)?);
        match self {
            What::Json => match serde_json::from_reader::<_, Earlier>(file) {
                Ok(_) => Ok(true),
                Err(cause) if cause.is_io() => Err(cause.into()),
                Err(_) => Ok(false),
            },
            What::Page => {
                let mut head = Vec::new();
                file.take(HEAD).read_to_end(&mut head)?;
                let head = String::from_utf8_lossy(&head);
                Ok(head.starts_with("<!DOCTYPE html><html")
                    && head.contains("<title>Tributary, compared</title>"))
            }
        }
    }
}

/// What every result has, by which it is known to be one.
#[derive(Deserialize)]
struct Earlier {
    #[serde(rename = "schema")]
    _schema: u32,
    #[serde(rename = "workloads")]
    _workloads: Vec<IgnoredAny>,
}

fn json_of(comparison: &Comparison) -> String {
    format!("{:#}\n", json::result(comparison))
}

/// Says whether two paths lead to one file; a device may be written to twice.
fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => {
            !one.file_type().is_char_device()
                && (one.dev(), one.ino()) == (other.dev(), other.ino())
        }
        _ => through_links(one) == through_links(other),
    }
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

    fn place(path: &Path, what: What) -> Place {
        Place::new(Some(path), path, what)
    }

    #[test]
    fn what_is_kept_is_known_again_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let comparison = report::fixed::comparison();
        let texts = [
            json_of(&comparison),
            report::render(&comparison),
            "one\ntwo\n".to_owned(),
            "{\"schema\": \"of mine\"}\n".to_owned(),
            "<!DOCTYPE html><html><title>Mine</title></html>".to_owned(),
        ];
        for (at, text) in texts.iter().enumerate() {
            fs::write(&file, text).unwrap();
            for (ours, what) in [What::Json, What::Page].into_iter().enumerate() {
                assert_eq!(what.is_in(&file).unwrap(), at == ours, "{what:?}: {text:.60}");
                let checked = place(&file, what).check(None);
                assert_eq!(checked.is_ok(), at == ours, "{what:?}: {text:.60}");
            }
        }
        fs::write(&file, "").unwrap();
        place(&file, What::Page).check(None).expect("nothing is lost with an empty file");
    }

    #[test]
    fn a_pipe_is_written_to_once_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        workload::make_fifo(&fifo).unwrap();
        let mut place = place(&fifo, What::Json);
        let said = place.open_stream().unwrap_err().to_string();
        assert!(said.ends_with("nobody reads this pipe, start its reader first"), "{said}");

        // Opened for both, so that it does not wait for who writes.
        let mut reader = File::options().read(true).write(true).open(&fifo).unwrap();
        place.open_stream().unwrap();
        assert_eq!(place.write(|| panic!("not after each run")).unwrap(), None);
        place.end(|| "through".to_owned()).unwrap();
        let mut said = [0; 7];
        reader.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"through");
        place.end(|| panic!("once")).unwrap();
    }

    #[test]
    fn a_file_that_nobody_named_may_be_missed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        // A file is no folder, for root either.
        let path = file.join("index.html");
        let mut ours = Place::new(None, &path, What::Page);
        let Some(Warning::NotKept { why }) = ours.write(String::new).unwrap() else { panic!() };
        assert!(why.starts_with(&path.display().to_string()), "{why}");
        assert_eq!(ours.write(|| panic!("it is not tried again")).unwrap(), None);
        let error = place(&path, What::Page).write(String::new).unwrap_err();
        assert!(error.to_string().contains("cannot write this file"), "{error}");
    }
}
