//! Reading for the checker: a file line by line, and single lines of a source.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::{CheckError, Place};

fn read_error(path: &Path) -> impl FnOnce(io::Error) -> CheckError + '_ {
    move |cause| CheckError::Read { path: path.to_path_buf(), cause }
}

/// One line, without its newline.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) place: Place,
    /// Whether a newline ended it; only the last line of a file can lack one.
    pub(crate) ended: bool,
}

/// Reads a file from its start, line by line.
pub(crate) struct LineReader {
    path: PathBuf,
    reader: BufReader<File>,
    /// The line that was read last, with its newline.
    line: Vec<u8>,
    /// The place of the next line, or of the end.
    pub(crate) place: Place,
}

impl LineReader {
    pub(crate) fn open(path: &Path) -> Result<LineReader, CheckError> {
        let file = File::open(path).map_err(read_error(path))?;
        let reader = BufReader::with_capacity(256 * 1024, file);
        let place = Place { line: 1, offset: 0 };
        Ok(LineReader { path: path.to_path_buf(), reader, line: Vec::new(), place })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, CheckError> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line);
        let length = read.map_err(read_error(&self.path))?;
        if length == 0 {
            return Ok(None);
        }
        let place = self.place;
        self.place = Place { line: place.line + 1, offset: place.offset + length as u64 };
        let whole = self.line.strip_suffix(b"\n");
        let (bytes, ended) = (whole.unwrap_or(&self.line), whole.is_some());
        Ok(Some(Line { bytes, place, ended }))
    }
}

/// A source: the bytes at any place of it, and any line of it by its number.
///
/// It holds no descriptor, so that thousands of sources can be checked under
/// any limit of open files.
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// How much is read at once.
    chunk: usize,
    /// The bytes of the file from `start` on.
    window: Vec<u8>,
    start: u64,
    /// A single line that lies before the window.
    aside: Vec<u8>,
    /// Where every line starts, and where a line after the last would.
    starts: Option<Vec<u64>>,
}

impl SourceFile {
    /// Opens nothing yet. The windows of all `sources` together stay below
    /// 16 MiB, or 8 KiB each where that is more.
    pub(crate) fn new(path: &Path, sources: usize) -> SourceFile {
        let chunk = (16 * 1024 * 1024 / sources.max(1)).clamp(8 * 1024, 256 * 1024);
        let (window, aside) = (Vec::new(), Vec::new());
        SourceFile { path: path.to_path_buf(), chunk, window, start: 0, aside, starts: None }
    }

    pub(crate) fn size(&self) -> Result<u64, CheckError> {
        let metadata = std::fs::metadata(&self.path).map_err(read_error(&self.path))?;
        Ok(metadata.len())
    }

    /// The bytes from `offset` on: at least `length` of them, or fewer and then
    /// all up to the end of the file.
    pub(crate) fn bytes_at(&mut self, offset: u64, length: usize) -> Result<&[u8], CheckError> {
        let inside = offset.checked_sub(self.start).map(|inside| inside as usize);
        if let Some(inside) = inside
            && inside + length <= self.window.len()
        {
            return Ok(&self.window[inside..]);
        }
        read_at(&self.path, offset, length.max(self.chunk), &mut self.window)?;
        self.start = offset;
        Ok(&self.window)
    }

    /// Finds where every line starts, if that is not known yet; afterwards
    /// [`lines`](SourceFile::lines) and [`line`](SourceFile::line) can be asked.
    pub(crate) fn find_lines(&mut self) -> Result<(), CheckError> {
        if self.starts.is_none() {
            let mut starts = vec![0];
            let mut reader = LineReader::open(&self.path)?;
            while let Some(line) = reader.next()? {
                let after = line.place.offset + line.bytes.len() as u64 + 1;
                starts.push(after);
            }
            self.starts = Some(starts);
        }
        Ok(())
    }

    /// How many lines the source has.
    pub(crate) fn lines(&self) -> u64 {
        self.starts.as_ref().map_or(0, |starts| starts.len() as u64 - 1)
    }

    /// Where the line of this number starts.
    pub(crate) fn line_start(&self, number: u64) -> u64 {
        self.starts.as_ref().expect("find_lines came first")[number as usize - 1]
    }

    /// The line of this number, or none behind the last.
    pub(crate) fn line_if_any(&mut self, number: u64) -> Result<Option<Vec<u8>>, CheckError> {
        if number > self.lines() { Ok(None) } else { Ok(Some(self.line(number)?.to_vec())) }
    }

    /// The line of this number, counted from 1, without its newline.
    pub(crate) fn line(&mut self, number: u64) -> Result<&[u8], CheckError> {
        if number > self.lines() {
            return Err(self.is_shorter_now());
        }
        let start = self.line_start(number);
        let length = (self.line_start(number + 1) - start - 1) as usize;
        if start >= self.start {
            if self.bytes_at(start, length)?.len() < length {
                return Err(self.is_shorter_now());
            }
            return Ok(&self.bytes_at(start, length)?[..length]);
        }
        // A line from before the window leaves the window where it is: the
        // lines after it are wanted again.
        read_at(&self.path, start, length, &mut self.aside)?;
        if self.aside.len() < length { Err(self.is_shorter_now()) } else { Ok(&self.aside) }
    }

    /// The error for a source that was truncated while it is checked.
    fn is_shorter_now(&self) -> CheckError {
        read_error(&self.path)(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Fills the buffer with as many bytes from `offset` on, or with those up to the
/// end of the file.
fn read_at(
    path: &Path,
    offset: u64,
    length: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), CheckError> {
    let mut read = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        buffer.clear();
        buffer.reserve_exact(length);
        file.take(length as u64).read_to_end(buffer)
    };
    read().map(drop).map_err(read_error(path))
}
