//! The scene of a law: a folder with logs in it, and the path of an output.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use checker::{Kind, check_tagged, tag};
use tempfile::TempDir;

use crate::broken::{Verdict, require};

/// A folder of its own for one law; it goes when the law has ended.
pub(crate) struct Scene {
    folder: TempDir,
    /// The path of the output. Nothing is there yet.
    pub(crate) output: PathBuf,
}

impl Scene {
    pub(crate) fn new() -> Scene {
        Scene::within(&env::temp_dir())
    }

    /// Makes a scene in memory, if possible: for many files in short time.
    pub(crate) fn in_memory() -> Scene {
        let memory = Path::new("/dev/shm");
        if tempfile::tempfile_in(memory).is_ok() { Scene::within(memory) } else { Scene::new() }
    }

    fn within(folder: &Path) -> Scene {
        // The largest laws have two thousand sources, and what a shell allows is
        // often 1,024. If it cannot be raised, a merge says which file was one too many.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let folder = tempfile::Builder::new().prefix("conformance-").tempdir_in(folder);
        let folder = folder.expect("a law needs a folder for its files");
        let output = folder.path().join("merged.log");
        Scene { folder, output }
    }

    /// Returns a path in the folder; nothing is there yet.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Creates as many logs, empty, with the indices 0, 1, and so on.
    pub(crate) fn logs(&self, count: usize) -> Vec<Log> {
        (0..count)
            .map(|index| {
                let path = self.folder.path().join(format!("source-{index:04}.log"));
                fs::write(&path, "").expect("a law needs its logs");
                Log { index, path }
            })
            .collect()
    }

    /// Moves a log into a folder of its own.
    pub(crate) fn in_its_own_folder(&self, log: &Log) -> Log {
        let folder = self.path("logs");
        fs::create_dir(&folder).expect("a law needs a folder");
        let path = folder.join(log.path.file_name().expect("a log has a name"));
        fs::rename(&log.path, &path).expect("the folder is ours");
        Log { path, ..log.clone() }
    }

    /// Requires that the output has every line of these logs, and of no other,
    /// once and in order.
    #[track_caller]
    pub(crate) fn require_right(&self, logs: &[Log]) -> Verdict {
        self.require_none_of(&Kind::ALL, logs)
    }

    /// Requires that the output has no finding of these kinds.
    #[track_caller]
    pub(crate) fn require_none_of(&self, kinds: &[Kind], logs: &[Log]) -> Verdict {
        let verdict = check_tagged(logs, &self.output).expect("the output can be checked");
        let wrong: u64 = kinds.iter().map(|&kind| verdict.count(kind)).sum();
        require(wrong == 0, || verdict.to_string())
    }

    /// Makes a log of the `bytes` that the output should have of this one, whatever
    /// became of its own file.
    pub(crate) fn expected(&self, log: &Log, bytes: &[u8]) -> Log {
        let path = self.path(&format!("expected-{}", log.index));
        fs::write(&path, bytes).expect("the folder can be written");
        Log { index: log.index, path }
    }

    /// Returns the bytes of the output.
    pub(crate) fn merged(&self) -> Vec<u8> {
        fs::read(&self.output).expect("the output can be read")
    }
}

/// A log file, as the program that writes it has it.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// The index that its lines are tagged with.
    pub(crate) index: usize,
    pub(crate) path: PathBuf,
}

impl Log {
    /// Appends bytes, in one write.
    pub(crate) fn append_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(&self.path)?.write_all(bytes)
    }

    /// Appends tagged lines with these numbers, in one write.
    pub(crate) fn append(&self, numbers: RangeInclusive<u64>) -> io::Result<()> {
        self.append_bytes(&self.lines(numbers))
    }

    /// Writes tagged lines of the log, as [`append`](Log::append) appends
    /// them: of 16 to 115 bytes, and no two alike.
    pub(crate) fn lines(&self, numbers: RangeInclusive<u64>) -> Vec<u8> {
        const PAYLOAD: [u8; 100] = [b'.'; 100];
        let mut lines = Vec::new();
        for number in numbers {
            // 37 has no common factor with 100: every length has its turn.
            let length = (number as usize * 37 + self.index) % PAYLOAD.len();
            tag::write(&mut lines, self.index, number, None, &PAYLOAD[..length]);
        }
        lines
    }

    /// Returns one line, without its newline, with a payload of this length.
    pub(crate) fn long_line(&self, number: u64, payload: usize) -> Vec<u8> {
        let mut line = Vec::new();
        tag::write(&mut line, self.index, number, None, &vec![b'#'; payload]);
        line.truncate(line.len() - 1);
        line
    }
}

impl AsRef<Path> for Log {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}
