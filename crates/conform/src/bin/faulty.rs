//! A merger that is right, but for the one fault that it is told: `faulty FAULT OUTPUT
//! INPUT…`. What `none` and `ends` stand for is no fault: the second does not follow.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGTERM;

struct Merger {
    fault: String,
    output: File,
    /// Lines that are given out later than they are read.
    late: Vec<u8>,
    /// Whether a look has found something.
    has_found: bool,
}

struct Source {
    path: PathBuf,
    /// The files that had this path, each with what follows its last newline.
    files: Vec<(File, Vec<u8>)>,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let fault = words.next().expect("a fault");
    let output = words.next().expect("an output");
    match merge(fault, Path::new(&output), words.map(PathBuf::from).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn merge(fault: String, output: &Path, inputs: Vec<PathBuf>) -> io::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    if fault != "dies" {
        signal_hook::flag::register(SIGTERM, Arc::clone(&stop))?;
    }
    let output = File::create(output)?;
    let mut merger = Merger { fault, output, late: Vec::new(), has_found: false };
    let mut sources = Vec::new();
    for path in inputs {
        match Source::open(&path) {
            Ok(source) => sources.push(source),
            Err(_) if merger.has("skips the unreadable") => {}
            Err(error) => return Err(io::Error::other(format!("{}: {error}", path.display()))),
        }
    }
    if merger.has("few") {
        sources.truncate(32);
    }
    loop {
        let is_last = merger.has("ends") || merger.has("fails") || stop.load(Ordering::Relaxed);
        for source in &mut sources {
            merger.look(source)?;
        }
        let goes_on = merger.has("hangs") || merger.has("never ends") && merger.has_found;
        if is_last && !goes_on {
            break;
        }
        if is_last && merger.has("never ends") {
            // It waits until all is quiet, and looks once more.
            merger.has_found = false;
            thread::sleep(Duration::from_millis(200));
        }
        thread::sleep(Duration::from_millis(1));
    }
    for (_, half) in sources.iter_mut().flat_map(|source| &mut source.files) {
        if !half.is_empty() && !merger.has("no newline") {
            half.push(b'\n');
        }
        merger.write(half)?;
    }
    let late = std::mem::take(&mut merger.late);
    merger.output.write_all(&late)?;
    if merger.has("fails") { Err(io::Error::other("I always fail")) } else { Ok(()) }
}

impl Merger {
    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    /// Gives out what a source has by now, and opens its successor.
    fn look(&mut self, source: &mut Source) -> io::Result<()> {
        for (file, half) in &mut source.files {
            let size = file.metadata()?.len();
            if size < file.stream_position()? && !self.has("not truncated") {
                file.seek(SeekFrom::Start(0))?;
            }
            // A writer that never pauses is followed to where it was.
            let left = size.saturating_sub(file.stream_position()?);
            self.read_lines(&mut file.take(left), half)?;
        }
        let (last, _) = &source.files[source.files.len() - 1];
        let is_another = match fs::metadata(&source.path) {
            Ok(now) => now.ino() != last.metadata()?.ino(),
            Err(_) => false,
        };
        if is_another && !self.has("not rotated") {
            if self.has("leaves the rotated") {
                source.files.clear();
            }
            source.files.push((File::open(&source.path)?, Vec::new()));
        }
        Ok(())
    }

    fn read_lines(&mut self, file: &mut impl Read, half: &mut Vec<u8>) -> io::Result<()> {
        let mut chunk = vec![0; 64 << 10];
        loop {
            let bytes = file.read(&mut chunk)?;
            if bytes == 0 {
                return Ok(());
            }
            self.has_found = true;
            half.extend_from_slice(&chunk[..bytes]);
            let whole = half.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let whole = if self.has("halves") { half.len() } else { whole };
            let lines: Vec<u8> = half.drain(..whole).collect();
            if self.has("cuts") && half.len() > 100_000 {
                half.push(b'\n');
            }
            self.write(&lines)?;
        }
    }

    /// Writes lines, and does here what is wrong with lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let first = lines.iter().position(|&byte| byte == b'\n').map_or(lines.len(), |at| at + 1);
        let (line, others) = lines.split_at(first);
        match &*self.fault {
            "loses" => self.output.write_all(others),
            "doubles" => self.output.write_all(&[line, lines].concat()),
            "reorders" => self.output.write_all(&[others, line].concat()),
            "tears" => self.output.write_all(&[&line[..9], b"\n", &line[9..], others].concat()),
            "adds" => self.output.write_all(&[b"==> a header <==\n", lines].concat()),
            "UTF-8" => self.output.write_all(String::from_utf8_lossy(lines).as_bytes()),
            "late" => {
                self.late.extend_from_slice(lines);
                Ok(())
            }
            "ignores what fails" => {
                let _ = self.output.write_all(lines);
                Ok(())
            }
            "silent" => match self.output.write_all(lines) {
                Err(error) if error.kind() == ErrorKind::StorageFull => std::process::exit(1),
                written => written,
            },
            // A slow reader takes a part of it, and the rest is forgotten.
            "once" => self.output.write(&lines[..lines.len().min(60 << 10)]).map(drop),
            "nothing" => Ok(()),
            _ => self.output.write_all(lines),
        }
    }
}

impl Source {
    fn open(path: &Path) -> io::Result<Source> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from(ErrorKind::IsADirectory));
        }
        Ok(Source { path: path.to_owned(), files: vec![(file, Vec::new())] })
    }
}
