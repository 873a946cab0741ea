//! Reads at an offset: what stands before it, what is behind it, and where the
//! last lines begin.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::{memchr_iter, memrchr_iter};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::io::ReadWriteFlags;

use crate::following::identity::Before;

/// How many bytes are looked through at once.
const PART: u64 = 64 * 1024;
/// The unit in which a file system frees bytes, in most of them.
const BLOCK: u64 = 4096;

/// Reads once; an interrupted read is repeated.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Reads once the bytes that are in memory; a read that would have to wait is an error.
pub(crate) fn read_at_once(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    loop {
        let mut parts = [io::IoSliceMut::new(buffer)];
        match rustix::io::preadv2(file, &mut parts, offset, ReadWriteFlags::NOWAIT) {
            Err(Errno::INTR) => {}
            read => return Ok(read?),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, buffer, offset);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Reads until the buffer is full or the file has no more.
fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match read_at(file, &mut buffer[read..], offset + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// Returns the `most` bytes that stand before `offset`; fewer if the file has
/// no more.
pub(crate) fn before(file: &File, offset: u64, most: usize) -> io::Result<Before> {
    let mut bytes = [0; Before::MOST];
    let length = offset.min(most as u64);
    let read = read_full(file, &mut bytes[..length as usize], offset - length)?;
    let mut before = Before::default();
    before.push(&bytes[..read]);
    Ok(before)
}

/// Tells whether `now`, the bytes before `offset`, are the `known` ones with their
/// beginning freed.
///
/// Freed bytes (`fallocate -p`, to save disk space) read as NULs. They leave a hole,
/// and NULs that were written do not. A hole is made of whole blocks: in the block
/// behind a hole, or in the first one, freed bytes are NULs without a hole.
pub(crate) fn is_freed(file: &File, offset: u64, known: &Before, now: &Before) -> io::Result<bool> {
    let (old, new) = (known.as_bytes(), now.as_bytes());
    let nulls = leading_nulls(new);
    if nulls == 0 || old.len() != new.len() || old[nulls..] != new[nulls..] {
        return Ok(false);
    }
    let from = offset - new.len() as u64;
    let (block, to) = (from - from % BLOCK, from + nulls as u64);
    let in_hole = |at| next_data(file, at) > at;
    let behind = block == 0 || in_hole(block - 1) || in_hole(block);
    Ok(behind && first_byte(file, block, to)?.is_none())
}

fn leading_nulls(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0).count()
}

/// Returns the offset of the first byte in `from..end` that is no NUL. Holes
/// are stepped over, not read.
pub(crate) fn first_byte(file: &File, mut from: u64, end: u64) -> io::Result<Option<u64>> {
    let mut block = Vec::new();
    loop {
        from = next_data(file, from);
        if from >= end {
            return Ok(None);
        }
        block.resize((end - from).min(PART) as usize, 0);
        let read = read_at(file, &mut block, from)?;
        let nulls = leading_nulls(&block[..read]);
        from += nulls as u64;
        if nulls < read {
            return Ok(Some(from));
        }
        if read == 0 {
            return Ok(None);
        }
    }
}

/// Returns where the data begins behind `from`, or `from` itself, if that is in
/// no hole or the file system knows of none.
fn next_data(file: &File, from: u64) -> u64 {
    // This moves the offset of the descriptor, which nobody uses.
    match seek(file, SeekFrom::Data(from)) {
        Ok(data) => data,
        Err(Errno::NXIO) => u64::MAX,
        Err(_) => from,
    }
}

/// Finds where the last `lines` lines of a file begin. The last one may lack its
/// newline, as for `tail`. For 0 lines, this is the end of the last line that has its
/// newline. NULs at the end are no line.
pub(crate) fn last_lines(file: &File, lines: u64) -> io::Result<u64> {
    let mut bytes = vec![0; PART as usize];
    let mut end = file.metadata()?.len();
    // How many newlines to find: known with the last byte.
    let mut left = None;
    while end > 0 {
        let begin = end.saturating_sub(PART);
        let block = &mut bytes[..(end - begin) as usize];
        let read = read_full(file, block, begin)?;
        let block = &block[..read];
        if left.is_none()
            && let Some(last) = block.iter().rposition(|byte| *byte != 0)
        {
            // One more than lines: the newline of the line before them.
            let ends = block[last] == b'\n' || lines == 0;
            left = Some(if ends { lines.saturating_add(1) } else { lines });
        }
        for newline in memrchr_iter(b'\n', block) {
            left = left.map(|left| left - 1);
            if left == Some(0) {
                return Ok(begin + newline as u64 + 1);
            }
        }
        end = begin;
    }
    Ok(0)
}

/// Finds where the line with this number begins, from 1; where there are fewer
/// lines, that is behind the last newline.
pub(crate) fn line_begins(file: &File, line: u64) -> io::Result<u64> {
    let mut block = vec![0; PART as usize];
    let mut left = line.saturating_sub(1);
    let (mut begin, mut offset) = (0, 0);
    while left > 0 {
        let read = read_at(file, &mut block, offset)?;
        if read == 0 {
            break;
        }
        for newline in memchr_iter(b'\n', &block[..read]) {
            begin = offset + newline as u64 + 1;
            left -= 1;
            if left == 0 {
                break;
            }
        }
        offset += read as u64;
    }
    Ok(begin)
}
