//! Where a merge begins in its output: the checks before the output is changed, and the
//! change.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, access};
use tracing::{info, warn};

use crate::following::entry::SavedOutput;
use crate::following::identity::FileId;
use crate::following::path::{FullPath, folder, target};
use crate::following::siblings;
use crate::keeping::checkpoint::{self, Saved};
use crate::keeping::output_file::{OutputFile, lock};
use crate::{Error, Options, Shown, Target};

/// An output that is open and was not changed yet.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) to: OutputFile,
    begin: BeginAt,
}

/// Where in the output a merge begins.
#[derive(Debug)]
enum BeginAt {
    /// At its start: what is there is cut off.
    Start,
    /// Behind what is there.
    End,
    /// Where the checkpoint says.
    Offset(u64),
    /// Behind what is there. The output of the checkpoint was renamed: it is cut
    /// back to this length, if it was found.
    NextFile(u64, Option<(PathBuf, File)>),
}

/// Reads the checkpoint, unless there is none or a restart forgets it. Checks that a
/// new one can be written.
pub(crate) fn saved(target: &Target, options: &Options) -> Result<Option<Saved>, Error> {
    let Some(path) = &options.checkpoint else { return Ok(None) };
    let is = |kind: fn(&fs::Metadata) -> bool, path| fs::metadata(path).is_ok_and(|it| kind(&it));
    let output = match target {
        Target::Path(output) if same_name(output, path) => {
            return Err(bad(output, "it is also the checkpoint; name another file".into()));
        }
        // Asked without opening it: a FIFO would wait for its reader.
        Target::Path(output) if is(|it| !it.is_file() && !it.is_dir(), output) => {
            return Err(no_file(output));
        }
        Target::Path(output) => output,
        Target::Stream(name) => Path::new(name),
        Target::Stdout => return Err(no_file(Path::new("standard output"))),
    };
    if is(|it| !it.is_file(), path) {
        return Err(no_checkpoint(path, "no regular file".into()));
    }
    // As a folder, also where it is a link to one.
    let folder = folder(path).join(".");
    if let Err(cause) = access(&folder, Access::WRITE_OK | Access::EXEC_OK) {
        return Err(Error::Checkpoint { path: path.clone(), cause: cause.into() });
    }
    let stream = stream(target, options);
    if !checkpoint::may_replace(path)? {
        return Err(no_checkpoint(path, "a file of another kind".into()));
    }
    if options.restart {
        return match target {
            Target::Stream(_) => Err(bad(
                output,
                "a stream cannot be emptied from here; purge it and remove the checkpoint".into(),
            )),
            _ => Ok(None),
        };
    }
    let saved = Saved::load(path)?;
    if let Some(saved) = &saved {
        let known = saved.output.stream.as_ref().map(|stream| stream.name.as_str());
        let was_stream = known.is_some() && saved.output.path.is_none();
        let is_stream = matches!(target, Target::Stream(_));
        if known.map(last_part) != stream.map(last_part) || was_stream != is_stream {
            let known = match known {
                Some(name) if was_stream => format!("into {name}"),
                Some(name) => format!("from {name}"),
                None => "of files".to_owned(),
            };
            let path = Shown(path);
            let why = format!("the checkpoint {path} is of a merge {known}; name another one");
            return Err(bad(output, why));
        }
    }
    Ok(saved)
}

/// Returns the name of the stream that the output is, or that its lines come from.
pub(crate) fn stream<'a>(target: &'a Target, options: &'a Options) -> Option<&'a str> {
    match target {
        Target::Stream(name) => Some(name),
        _ => options.from.as_deref(),
    }
}

/// Returns the part of a stream's name behind the last slash: the server may get
/// another address. When the stream was made tells whether it is the same.
fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Beginning {
    /// Opens the output, which is made if it is not there, and finds where
    /// to begin. `sources` are refused as an output.
    pub(crate) fn open(
        target: &Target,
        options: &Options,
        saved: Option<&SavedOutput>,
        sources: &HashMap<FileId, Arc<Path>>,
    ) -> Result<Beginning, Error> {
        let has_name = |saved: &SavedOutput, path: &Path| {
            saved.path.as_deref().is_some_and(|known| same_name(known, path))
        };
        if let (Some(checkpoint), Some(saved), Target::Path(path)) =
            (&options.checkpoint, saved, target)
            && !has_name(saved, path)
            && !path.exists()
        {
            return Err(another(path, checkpoint, saved));
        }
        let to = OutputFile::open(target)?;
        if let Some(path) = sources.get(&to.id) {
            let output = to.path.to_path_buf();
            return Err(Error::OutputIsSource { output, path: path.to_path_buf() });
        }
        if let Some(checkpoint) = &options.checkpoint
            && let Some(path) = FileId::at(checkpoint).and_then(|id| sources.get(&id))
        {
            let what = format!("also a source (as {})", Shown(path));
            return Err(no_checkpoint(checkpoint, what));
        }
        to.lock().map_err(|cause| bad(&to.path, cause.to_string()))?;
        let begin = match (&options.checkpoint, saved) {
            (Some(path), _) if FileId::at(path) == Some(to.id) => {
                return Err(bad(&to.path, "it is also the checkpoint; name another file".into()));
            }
            _ if to.is_stream => BeginAt::End,
            (_, Some(saved)) if to.file.metadata().is_ok_and(|it| saved.is(&it)) => {
                BeginAt::Offset(saved.length)
            }
            (_, Some(saved)) if has_name(saved, &to.path) => {
                let renamed = find_renamed(&to.path, saved);
                BeginAt::NextFile(
                    saved.length,
                    renamed.map_err(|cause| bad(&to.path, cause.to_string()))?,
                )
            }
            (Some(path), Some(saved)) => return Err(another(&to.path, path, saved)),
            _ if options.append => BeginAt::End,
            (Some(_), None) if !options.restart && to.length != Some(0) => {
                let bytes = to.length.unwrap_or(0);
                return Err(Error::UnknownLines { path: to.path.to_path_buf(), bytes });
            }
            _ => BeginAt::Start,
        };
        Ok(Beginning { to, begin })
    }

    /// Returns the former and the present output, the present one last: neither is a
    /// source.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &File> {
        let renamed = match &self.begin {
            BeginAt::NextFile(_, Some((_, file))) => Some(file),
            _ => None,
        };
        renamed.into_iter().chain([&*self.to.file])
    }

    /// Brings the output to the length with which the merge begins. Returns true for an
    /// output that the caller has to empty: it is left alone here.
    pub(crate) fn touch(mut self) -> Result<(OutputFile, bool), Error> {
        let touched = match self.begin {
            BeginAt::Start => Ok(()),
            BeginAt::End => self.to.behind(),
            BeginAt::Offset(length) => go_on(&mut self.to, length),
            BeginAt::NextFile(length, ref renamed) => {
                go_on_from(renamed.as_ref(), &self.to.path, length).and_then(|()| self.to.behind())
            }
        };
        let anew = matches!(self.begin, BeginAt::Start);
        match touched {
            Ok(()) => Ok((self.to, anew)),
            Err(cause) => Err(Error::Write { path: self.to.path.to_path_buf(), cause }),
        }
    }
}

/// Goes on in the output of the checkpoint.
fn go_on(to: &mut OutputFile, length: u64) -> io::Result<()> {
    match to.length {
        Some(there) if there < length => {
            warn!(
                "{}: it has {there} bytes, and the checkpoint speaks of {length}; lines are \
                 missing, and the merge goes on behind those that are there",
                Shown(&to.path)
            );
            to.behind()
        }
        _ => to.cut(length),
    }
}

/// Cuts the output that was renamed since the checkpoint back to it: the lines behind
/// it are merged again, into the next file.
fn go_on_from(renamed: Option<&(PathBuf, File)>, path: &Path, length: u64) -> io::Result<()> {
    let Some((old, file)) = renamed else {
        warn!(
            "{}: the output of the checkpoint had this name and is not in the folder any more; \
             its last lines may stand in both",
            Shown(path)
        );
        return Ok(());
    };
    if file.metadata()?.len() > length {
        file.set_len(length)?;
        info!("{}: cut back to the checkpoint; {} goes on from there", Shown(old), Shown(path));
    }
    Ok(())
}

fn no_file(path: &Path) -> Error {
    bad(path, "a pipe or a device cannot be cut back to a checkpoint; name a file".into())
}

fn another(output: &Path, checkpoint: &Path, saved: &SavedOutput) -> Error {
    let known = saved.path.as_deref().map(|path| format!(", {}", Shown(path)));
    let known = known.unwrap_or_default();
    bad(output, format!("the checkpoint {} is of another output{known}", Shown(checkpoint)))
}

fn no_checkpoint(path: &Path, what: String) -> Error {
    Error::NotACheckpoint { path: path.to_owned(), what }
}

fn bad(path: &Path, why: String) -> Error {
    Error::BadOutput { path: path.to_owned(), why }
}

/// Tells whether two paths name the same file, if they name one: however their
/// folder is spelled.
fn same_name(one: &Path, other: &Path) -> bool {
    one == other || FullPath::target(one) == FullPath::target(other)
}

/// Finds the output that had the name `path` and was renamed in its folder,
/// and locks it.
fn find_renamed(path: &Path, saved: &SavedOutput) -> io::Result<Option<(PathBuf, File)>> {
    let (folder, _) = target(path);
    let Some(found) = siblings::find(&folder, saved.id)? else { return Ok(None) };
    let file = OpenOptions::new().append(true).open(&found.path)?;
    if !saved.is(&file.metadata()?) {
        return Ok(None);
    }
    lock(&file)?;
    Ok(Some((found.path, file)))
}
