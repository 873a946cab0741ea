//! Mergers that follow their logs by themselves, and lose sight of them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{Read as _, Seek, SeekFrom, Write};
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tributary::{Error, Plan, Read, Report};

use super::correct::threads;

/// A tail of its own, of the file that it has opened.
struct Tail {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    half: Vec<u8>,
    /// Those before it, of files that had the name.
    before: Vec<Tail>,
}

impl Tail {
    /// Opens what the path names, if anything.
    fn open(path: &Path) -> Tail {
        let (path, file) = (path.to_owned(), File::open(path).ok());
        Tail { path, file, offset: 0, half: Vec::new(), before: Vec::new() }
    }

    /// Goes on with what the path names now, and returns the tail of before.
    fn go_on(&mut self) -> Tail {
        let next = Tail::open(&self.path);
        mem::replace(self, next)
    }

    /// Tells whether the path names another file now, or none.
    fn lost_its_name(&self) -> bool {
        let inode = |file: Metadata| file.ino();
        let named = fs::metadata(&self.path).ok().map(inode);
        named.is_none() || named != self.metadata().map(inode)
    }

    fn is_shorter(&self) -> bool {
        self.metadata().is_some_and(|file| file.len() < self.offset)
    }

    fn metadata(&self) -> Option<Metadata> {
        self.file.as_ref()?.metadata().ok()
    }

    /// Returns the whole lines that have come to the file.
    fn read(&mut self) -> Vec<u8> {
        let Some(file) = &mut self.file else { return Vec::new() };
        let mut lines = mem::take(&mut self.half);
        file.seek(SeekFrom::Start(self.offset)).unwrap();
        self.offset += file.read_to_end(&mut lines).unwrap() as u64;
        let end = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.half = lines.split_off(end);
        lines
    }

    /// Returns the half line, with a newline.
    fn end(&mut self) -> Vec<u8> {
        let mut half = mem::take(&mut self.half);
        if !half.is_empty() {
            half.push(b'\n');
        }
        half
    }
}

/// Follows each source by a tail of its own; the source says when to look.
fn tails(plan: Plan, look: impl Fn(&mut Tail) -> Vec<u8> + Sync) -> Result<Report, Error> {
    let file = Mutex::new(OpenOptions::new().append(true).open(plan.output.path()).unwrap());
    threads(plan, |mut source, interval, _| {
        let mut tail = Tail::open(source.path());
        loop {
            let read = source.read_lines()?;
            let lines = look(&mut tail);
            file.lock().unwrap().write_all(&lines).unwrap();
            match read {
                Read::Lines(_) => {}
                Read::NoNewData => {
                    source.changed().wait_timeout(interval);
                }
                Read::Closed => {
                    file.lock().unwrap().write_all(&tail.end()).unwrap();
                    return Ok(());
                }
            }
        }
    })
}

/// What `tail -F` does: reads the file to its end, then asks for the name.
fn look_as_tail_does(tail: &mut Tail) -> Vec<u8> {
    if tail.is_shorter() {
        let end = tail.end();
        tail.offset = 0;
        return [end, look_as_tail_does(tail)].concat();
    }
    let mut lines = tail.read();
    if tail.lost_its_name() {
        lines.extend(tail.go_on().end());
        lines.extend(tail.read());
    }
    lines
}

/// Asks for the name first, and then reads.
pub(crate) fn lets_a_renamed_file_go_at_once(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| {
        if tail.lost_its_name() {
            tail.go_on();
        }
        tail.read()
    })
}

pub(crate) fn reads_the_successor_first(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| {
        let mut before = Vec::new();
        if tail.lost_its_name() {
            before = tail.go_on().read();
        }
        [tail.read(), before].concat()
    })
}

/// Takes the end of a renamed file for the last that comes to it.
pub(crate) fn lets_a_renamed_file_go_at_its_end(plan: Plan) -> Result<Report, Error> {
    tails(plan, look_as_tail_does)
}

/// Keeps one buffer, whatever file it is filled from.
pub(crate) fn glues_half_a_line_to_the_next_file(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| {
        let mut lines = tail.read();
        if tail.lost_its_name() {
            tail.half = tail.go_on().half;
            lines.extend(tail.read());
        }
        lines
    })
}

/// Keeps every file that it has seen, and has not seen those that had the name
/// for a moment.
pub(crate) fn misses_what_was_renamed_between_two_looks(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| {
        let mut lines: Vec<u8> = tail.before.iter_mut().flat_map(Tail::read).collect();
        lines.extend(tail.read());
        if tail.lost_its_name() {
            let mut last = tail.go_on();
            tail.before = mem::take(&mut last.before);
            tail.before.push(last);
            lines.extend(tail.read());
        }
        lines
    })
}

/// Waits at its place until the file has grown that long again.
pub(crate) fn stays_at_its_place_in_a_truncated_file(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| {
        let mut lines = tail.read();
        if tail.lost_its_name() {
            lines.extend(tail.go_on().end());
            lines.extend(tail.read());
        }
        lines
    })
}

/// Takes what is behind its place for new, whatever is before it.
pub(crate) fn goes_on_in_the_middle_of_a_rewritten_file(plan: Plan) -> Result<Report, Error> {
    tails(plan, look_as_tail_does)
}

/// Never asks for the name again.
pub(crate) fn keeps_to_a_deleted_file(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| {
        if tail.is_shorter() {
            tail.offset = 0;
        }
        tail.read()
    })
}

pub(crate) fn gives_up_on_a_missing_file(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| if tail.file.is_none() { Vec::new() } else { look_as_tail_does(tail) })
}

/// Asks once where a link leads.
pub(crate) fn keeps_to_the_first_target_of_a_link(plan: Plan) -> Result<Report, Error> {
    tails(plan, |tail| {
        tail.path = fs::canonicalize(&tail.path).unwrap_or_else(|_| tail.path.clone());
        look_as_tail_does(tail)
    })
}

/// Each tail knows its own name, and none knows what another has read.
pub(crate) fn reads_a_log_by_both_of_its_names(plan: Plan) -> Result<Report, Error> {
    tails(plan, look_as_tail_does)
}
