//! The merged file.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tracing::{info, warn, warn_span};

use crate::following::files::Files;
use crate::keeping::checkpoint::{self, Checkpoint};
use crate::keeping::output_file::{Named, OutputFile};
use crate::keeping::saver::Saver;
use crate::lines::Origin;
use crate::progress::{Counters, Tally};
use crate::{Batch, Durability, Error, Lines, Shown, Stop, Written};

/// Where the merged lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A file, or a pipe that has a name.
    Path(PathBuf),
    /// The standard output of this process.
    Stdout,
    /// A stream on another machine, by its name. The merge sends the lines there, and
    /// the output notes which have arrived ([`Output::arrived`]). The part before the
    /// last slash is the address, which may change between two runs.
    Stream(String),
}

impl<P: AsRef<Path>> From<P> for Target {
    fn from(path: P) -> Target {
        Target::Path(path.as_ref().to_owned())
    }
}

/// How often the output asks where its name leads.
const SELDOM: Duration = Duration::from_secs(1);

/// A request to open the output by its name once more, as log daemons do after
/// a rotation; clones share it.
///
/// Take it from the plan ([`Plan::reopen`](crate::Plan::reopen)) before the
/// plan is given away. The next append writes to the file that has the name
/// then, which is made if there is none. Without a request this is noticed
/// within a second.
#[derive(Debug, Clone, Default)]
pub struct Reopen(Arc<AtomicBool>);

impl Reopen {
    /// Has the next append, or the finish, open the output by its name.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

/// The merged file: chunks of whole lines go in, one after the other.
///
/// [`append`](Output::append) takes `&mut self`, so that sharing an output
/// between threads or tasks needs a guard. That guard is what the stages are
/// about, and without it they do not compile.
///
/// An output that fails, or that is dropped before it was finished, requests
/// the stop of its merge.
#[derive(Debug)]
pub struct Output {
    to: OutputFile,
    /// What each log has in here.
    tally: Arc<Tally>,
    /// The same for each log whose lines come from a stream.
    from: HashMap<Arc<Path>, Arc<Counters>>,
    durability: Durability,
    checkpoint: Option<Arc<Checkpoint>>,
    files: Arc<Files>,
    reopen: Reopen,
    /// When the output last asked where its name leads.
    asked: Instant,
    /// Whether a warning was given that the name cannot be opened.
    told: bool,
    opened: Instant,
    stop: Stop,
    /// The error of the first append that failed. It may have cut a line, so no later
    /// append is written.
    failed: Option<(io::ErrorKind, Option<i32>)>,
    /// Whether the output is to be emptied before the first byte of a stream.
    anew: bool,
    finished: bool,
}

impl Output {
    /// Makes the output of a file that was opened and checked.
    pub(crate) fn new(
        to: OutputFile,
        opened: Instant,
        durability: Durability,
        files: &Arc<Files>,
        tally: Arc<Tally>,
        stop: &Stop,
    ) -> Output {
        Output {
            to,
            tally,
            from: HashMap::new(),
            durability,
            checkpoint: None,
            files: Arc::clone(files),
            reopen: Reopen::default(),
            asked: opened,
            told: false,
            opened,
            stop: stop.clone(),
            failed: None,
            anew: false,
            finished: false,
        }
    }

    /// Returns a handle that has the output opened by its name anew.
    pub(crate) fn reopen(&self) -> Reopen {
        self.reopen.clone()
    }

    /// Keeps a checkpoint from now on, which a thread of its own saves. With `anew`,
    /// the output is going to be emptied.
    pub(crate) fn keep_checkpoint(&mut self, path: &Path, anew: bool) -> Result<(), Error> {
        let length = if anew { 0 } else { self.to.length.unwrap_or(0) };
        let files = Arc::clone(&self.files);
        let checkpoint = Checkpoint::new(path, &self.to, length, self.durability, files);
        // Before the first byte: a merge that is killed at once knows where
        // it began.
        checkpoint.save()?;
        let checkpoint = Arc::new(checkpoint);
        self.files.saved_by(self.saver(&checkpoint).map_err(Error::Runtime)?);
        self.checkpoint = Some(checkpoint);
        Ok(())
    }

    /// Empties the file, unless it cannot be cut.
    pub(crate) fn empty(&mut self) -> Result<(), Error> {
        self.to.cut(0).map_err(|cause| self.error(cause))
    }

    /// Has the file started anew by [`start_anew`](Output::start_anew).
    pub(crate) fn empty_later(&mut self) {
        self.anew = true;
    }

    /// Starts the file anew, if that was planned: for lines of a stream only once it is
    /// known that there is one. It is called by the first append at the latest. A file that
    /// was renamed since the plan was opened is left as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] with the path of the output.
    pub fn start_anew(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.anew) {
            return Ok(());
        }
        match self.to.named().map_err(|cause| self.fail(cause))? {
            Named::Ours => self.empty(),
            _ => self.reopen_if_lost(true),
        }
    }

    fn saver(&self, checkpoint: &Arc<Checkpoint>) -> io::Result<Saver> {
        // Weak, since the table of files holds the saver, and the checkpoint the table.
        let (checkpoint, stop) = (Arc::downgrade(checkpoint), self.stop.clone());
        Saver::start(checkpoint::EVERY, move || {
            let Some(checkpoint) = checkpoint.upgrade() else { return false };
            let Err(error) = checkpoint.save() else { return true };
            // The error comes out at the end; the stop makes that soon.
            checkpoint.fail(error);
            stop.request();
            false
        })
    }

    /// Returns the path of the output, as it was given.
    pub fn path(&self) -> &Path {
        &self.to.path
    }

    /// Writes all of `lines` behind what is there.
    ///
    /// If the output has lost its name since the last append, by a rotation or
    /// a deletion, the lines go to the file that has the name now.
    ///
    /// # Blocking
    ///
    /// Writes a file: blocks the calling thread for as long as the disk, or
    /// the reader of a pipe, takes. With [`Durability::Fsync`] until it is on
    /// the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] with the path of the output, or [`Error::Checkpoint`]
    /// with that of the checkpoint. The merge has then been asked to stop, and
    /// every later append fails in the same way. A regular file is cut back to
    /// its last whole line.
    pub fn append(&mut self, lines: &Lines) -> Result<(), Error> {
        let source = Shown(lines.path());
        let _span = warn_span!(target: "tributary", "append", %source).entered();
        self.append_all(lines.as_bytes(), lines.origins(), None)
    }

    /// Writes lines of a stream behind what is there: the lines of the message with
    /// this sequence, from the log at `path`.
    ///
    /// A checkpoint then says that the output has the stream up to this message.
    ///
    /// # Blocking
    ///
    /// As [`append`](Output::append).
    ///
    /// # Errors
    ///
    /// As [`append`](Output::append).
    pub fn append_from(&mut self, path: &Path, lines: &[u8], sequence: u64) -> Result<(), Error> {
        let _span = warn_span!(target: "tributary", "append", source = %Shown(path)).entered();
        self.start_anew()?;
        if !self.from.contains_key(path) {
            let path: Arc<Path> = path.into();
            let counters = self.tally.add_foreign(&path);
            self.from.insert(path, counters);
        }
        let origin = Origin::foreign(lines, &self.from[path]);
        self.append_all(lines, &[origin], Some(sequence))
    }

    /// Returns how far the checkpoint knows the stream that the output is, or that its
    /// lines come from: the sequence of the last message, 0 if there was none.
    pub fn sequence(&self) -> u64 {
        self.files.sequence()
    }

    /// Notes when the stream was made, as its server says; false if the checkpoint knows
    /// another time, and so another stream.
    pub fn stream_was_made(&self, at: &str) -> bool {
        self.files.stream_was_made(at)
    }

    /// Returns the full path of the log of some lines, and the last message that this
    /// log had in the stream when its last lines arrived there; 0 if there was none.
    pub fn arrived_of(&self, lines: &Lines) -> (PathBuf, u64) {
        let known = self.files.arrived_of(lines.origin.file);
        known.unwrap_or_else(|| (lines.path().to_owned(), 0))
    }

    /// Notes that lines have arrived in the stream that the output is, the last of them
    /// in the message with this sequence. A checkpoint then says so.
    ///
    /// Call this for the lines of a log in their order, and each time before the next
    /// lines are sent.
    pub fn arrived(&mut self, lines: &Lines, sequence: u64) {
        self.note(lines.origins(), Some(sequence));
    }

    /// Notes that a stream takes no more lines, requests the stop, and returns `cause`
    /// as an [`Error::Write`].
    ///
    /// Every later append, and the finish, fails with the same error.
    pub fn give_up(&mut self, cause: io::Error) -> Error {
        self.fail(cause)
    }

    /// Writes all lines of a batch behind what is there, in one piece.
    ///
    /// As [`append`](Output::append): with a checkpoint, all of them or none are known
    /// to be in the output.
    ///
    /// # Blocking
    ///
    /// As [`append`](Output::append).
    ///
    /// # Errors
    ///
    /// As [`append`](Output::append). A regular file is cut back to where it ended
    /// before the batch.
    pub fn append_batch(&mut self, batch: &Batch) -> Result<(), Error> {
        let Some(first) = batch.origins().first() else { return Ok(()) };
        let source = Shown(first.counters.path());
        let _span = warn_span!(target: "tributary", "append", %source).entered();
        self.append_all(batch.as_bytes(), batch.origins(), None)
    }

    fn append_all(
        &mut self,
        bytes: &[u8],
        origins: &[Origin],
        sequence: Option<u64>,
    ) -> Result<(), Error> {
        if self.to.is_stream {
            self.fail(io::ErrorKind::Unsupported.into());
            let why = "a stream, and this merge writes to files only; choose another stage";
            return Err(Error::BadOutput { path: self.path().to_owned(), why: why.into() });
        }
        if let Some(failed) = self.failed {
            return Err(self.error(again(failed)));
        }
        self.reopen_if_lost(false)?;
        let whole = self.to.length;
        if let Err(cause) = self.append_and_note(bytes, origins, sequence) {
            if let Some(length) = whole {
                // A file on a full disk can still be cut.
                let _ = self.to.cut(length);
            }
            return Err(self.fail(cause));
        }
        Ok(())
    }

    fn append_and_note(
        &mut self,
        bytes: &[u8],
        origins: &[Origin],
        sequence: Option<u64>,
    ) -> io::Result<()> {
        self.to.write(bytes)?;
        if self.durability == Durability::Fsync {
            sync(&self.to.file)?;
        }
        // A checkpoint that is saved in between speaks of the moment before: the
        // next merge cuts these lines off, and merges them again.
        self.note(origins, sequence);
        Ok(())
    }

    fn note(&self, origins: &[Origin], sequence: Option<u64>) {
        self.files.appended(origins, self.to.length.unwrap_or(0), sequence);
        origins.iter().for_each(|origin| origin.counters.written(origin));
    }

    /// Opens the output anew if its name leads to another file. The name is checked on
    /// request, once a second, and with `now`. The lines until then are in the file
    /// before, those from now on in the new one.
    fn reopen_if_lost(&mut self, now: bool) -> Result<(), Error> {
        let asked = self.reopen.take() || now || self.asked.elapsed() >= SELDOM;
        if self.to.length.is_none() || !asked {
            return Ok(());
        }
        self.asked = Instant::now();
        let named = self.to.named().map_err(|cause| self.fail(cause))?;
        if named == Named::Ours {
            return self.go_on_behind();
        }
        let path = Shown(&self.to.path);
        match self.to.reopen(|id, new| self.files.has_use_of(id, new)) {
            Ok(Some(new)) => {
                let goes_on = "the merge goes on in a new file of that name";
                if named == Named::Removed {
                    warn!("{path}: it was removed while the merge wrote to it; {goes_on}");
                } else {
                    info!("{path}: it was renamed; {goes_on}");
                }
                self.write_to(new)
            }
            // It has its name again.
            Ok(None) => Ok(()),
            // What goes to a file without a name is lost.
            Err(cause) if named == Named::Removed => Err(self.fail(cause)),
            Err(cause) => {
                if !std::mem::replace(&mut self.told, true) {
                    warn!("{path}: it was renamed, and a new one cannot be opened ({cause})");
                }
                Ok(())
            }
        }
    }

    /// Goes on behind what is there, if somebody has truncated the file.
    fn go_on_behind(&mut self) -> Result<(), Error> {
        let known = self.to.length;
        if self.to.is_truncated().map_err(|cause| self.fail(cause))? {
            self.to.behind().map_err(|cause| self.fail(cause))?;
        }
        if let (Some(checkpoint), true) = (&self.checkpoint, self.to.length != known) {
            checkpoint.output_is(&self.to);
        }
        Ok(())
    }

    /// Writes to another file from now on.
    fn write_to(&mut self, new: OutputFile) -> Result<(), Error> {
        if self.durability != Durability::None {
            sync(&self.to.file).map_err(|cause| self.fail(cause))?;
        }
        self.to = new;
        self.told = false;
        let Some(checkpoint) = &self.checkpoint else {
            self.files.output(self.to.name(), &self.to.file, 0);
            return Ok(());
        };
        // Saved before the first byte goes to the new file. Until then, the next merge
        // would cut the old file back to the last checkpoint, and merge the lines
        // behind that into the new one. From now on it must not.
        checkpoint.output_is(&self.to);
        let saved = checkpoint.save();
        saved.inspect_err(|_| {
            self.fail(io::ErrorKind::Other.into());
        })
    }

    /// Notes an error after which nothing may be written, and asks for the stop.
    fn fail(&mut self, cause: io::Error) -> Error {
        self.failed = Some((cause.kind(), cause.raw_os_error()));
        self.stop.request();
        self.error(cause)
    }

    /// Ends the output and says what it took in.
    ///
    /// Every byte is then on its way to the disk: handed to the operating
    /// system, and synced if the [`Durability`] asks for it. A checkpoint
    /// speaks of all of it.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread for as long as the syncs take that were asked
    /// for, and the last checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], if an append has failed or the sync does;
    /// [`Error::Checkpoint`], if the last one cannot be written, or an earlier one could
    /// not, which has requested the stop.
    pub fn finish(&mut self) -> Result<Written, Error> {
        let output = Shown(&self.to.path);
        let _span = warn_span!(target: "tributary", "finish", %output).entered();
        self.finished = true;
        let reopened = if self.failed.is_none() { self.reopen_if_lost(true) } else { Ok(()) };
        // Also after a failure: the next run must begin where this one ended.
        let saved = match &self.checkpoint {
            Some(checkpoint) => checkpoint.finish(),
            None => Ok(()),
        };
        reopened?;
        if let Some(failed) = self.failed {
            return Err(self.error(again(failed)));
        }
        if self.durability == Durability::Flush {
            sync(&self.to.file).map_err(|cause| self.error(cause))?;
        }
        saved?;
        let sources = self.tally.reports();
        Ok(Written {
            lines: sources.iter().map(|source| source.lines).sum(),
            bytes: sources.iter().map(|source| source.bytes).sum(),
            sources,
            duration: self.opened.elapsed(),
        })
    }

    fn error(&self, cause: io::Error) -> Error {
        Error::Write { path: self.to.path.to_path_buf(), cause }
    }
}

/// Syncs a file; for a pipe or a device there is nothing to sync.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_data() {
        Err(cause) if Errno::from_io_error(&cause) == Some(Errno::INVAL) => Ok(()),
        synced => synced,
    }
}

/// Says the same error once more: an `io::Error` cannot be cloned.
fn again((kind, code): (io::ErrorKind, Option<i32>)) -> io::Error {
    code.map_or_else(|| kind.into(), io::Error::from_raw_os_error)
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.finished {
            self.stop.request();
        }
    }
}
