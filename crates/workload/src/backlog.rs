use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fastrand::Rng;

use crate::{name_path, source_path};
use checker::tag::{self, TAG_BYTES};

/// Files that are complete before the merge begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// How many files.
    pub files: usize,
    /// How many bytes each of them has.
    pub bytes: u64,
}

/// The shortest line and the longest, newline included.
const SHORTEST: u64 = 20;
const LONGEST: u64 = 400;

impl Backlog {
    /// Makes the files in `folder` and returns their paths, in order.
    ///
    /// The folder is made if it is missing, and files of the same names are replaced.
    /// The same seed gives the same bytes. Lines have 20 to 400 bytes, about 120 on
    /// average, and more are short than long. Every file has the asked size to the
    /// byte, except that one of 1 to 19 bytes becomes a line of 20.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread until everything is written.
    ///
    /// # Errors
    ///
    /// The folder cannot be made or a file not written; the path is named.
    pub fn make(&self, folder: &Path, seed: u64) -> io::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).map_err(name_path("cannot make the folder", folder))?;
        let paths: Vec<_> = (0..self.files).map(|index| source_path(folder, index)).collect();
        let text = Text::new(seed);
        for (index, path) in paths.iter().enumerate() {
            let made = make_file(path, index, self.bytes, seed, &text);
            made.map_err(name_path("cannot write", path))?;
        }
        Ok(paths)
    }
}

fn make_file(path: &Path, index: usize, bytes: u64, seed: u64, text: &Text) -> io::Result<()> {
    // A write for each 256 KiB: one for each line would cost more than all the rest.
    const BUFFER: usize = 256 * 1024;
    let mut rng = Rng::with_seed(seed.wrapping_add(1 + index as u64));
    let mut file = File::create(path)?;
    let mut buffer = Vec::with_capacity(BUFFER + LONGEST as usize);
    let mut left = bytes;
    for number in 1.. {
        if left == 0 {
            break;
        }
        let length = line_length(&mut rng, left);
        let payload = text.pick(&mut rng, (length as usize).saturating_sub(TAG_BYTES + 1));
        tag::write(&mut buffer, index, number, None, payload);
        left = left.saturating_sub(length);
        if buffer.len() >= BUFFER {
            file.write_all(&buffer)?;
            buffer.clear();
        }
    }
    file.write_all(&buffer)
}

/// Draws the length of the next line. What is left of the file after it is nothing, or
/// enough for another line.
fn line_length(rng: &mut Rng, left: u64) -> u64 {
    // The cube of a fraction in 0..1 is 0.25 on average: many short lines and a few
    // long ones, as in a log.
    let fraction = rng.u64(0..1 << 20);
    let cube = (fraction * fraction * fraction) >> 40;
    let length = SHORTEST + ((cube * (LONGEST - SHORTEST + 1)) >> 20);
    if left <= SHORTEST {
        SHORTEST
    } else if left - length.min(left) >= SHORTEST {
        length
    } else if left <= LONGEST {
        left
    } else {
        left - SHORTEST
    }
}

/// Random words, made once. A payload is a piece of them: a copy costs less than to
/// draw each byte.
pub(crate) struct Text(Vec<u8>);

impl Text {
    const BYTES: usize = 64 * 1024;

    pub(crate) fn new(seed: u64) -> Text {
        let mut rng = Rng::with_seed(seed);
        let mut text = Vec::with_capacity(Text::BYTES);
        while text.len() < Text::BYTES {
            for _ in 0..rng.usize(2..10) {
                text.push(rng.u8(b'a'..=b'z'));
            }
            text.push(b' ');
        }
        text.truncate(Text::BYTES);
        Text(text)
    }

    /// Returns `length` bytes from a random place, or all of them if they are fewer.
    pub(crate) fn pick(&self, rng: &mut Rng, length: usize) -> &[u8] {
        let length = length.min(self.0.len());
        let start = rng.usize(0..=self.0.len() - length);
        &self.0[start..start + length]
    }
}
