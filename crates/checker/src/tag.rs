//! The form of a line: the one place where it is written and read.
//!
//! ```text
//! s0007 000000123 the quick brown payload
//! s0007 000000123 @0000012345678901234 the quick brown payload
//! ```
//!
//! - `s` and the index of the source, counted from 0, in at least four digits;
//! - the number of the line in its source, counted from 1 as an editor does,
//!   in at least nine digits;
//! - in live workloads `@` and the stamp: the nanoseconds of the
//!   monotonic clock just before the line was written, in nineteen digits;
//! - the payload: any bytes but a newline. Each field ends with one space, so
//!   an empty payload leaves a line that ends with a space.
//!
//! The fields have a fixed width, so that the length of a line does not depend
//! on when it was written.

const SOURCE_DIGITS: usize = 4;
const NUMBER_DIGITS: usize = 9;
const STAMP_DIGITS: usize = 19;

/// How many bytes the source and the number take before the payload (more from source
/// 10,000 or line 1,000,000,000 on).
pub const TAG_BYTES: usize = 1 + SOURCE_DIGITS + 1 + NUMBER_DIGITS + 1;

/// How many bytes a stamp adds to the tag.
pub const STAMP_BYTES: usize = 1 + STAMP_DIGITS + 1;

/// What a line says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tag<'a> {
    /// The index of the source, from 0.
    pub source: usize,
    /// The number of the line in its source, from 1.
    pub number: u64,
    /// When the line was written, in nanoseconds of the monotonic clock, if it says so.
    pub stamp: Option<u64>,
    /// What stands after the tag, without the newline.
    pub payload: &'a [u8],
}

/// Appends one whole line, with its newline, to `lines`.
///
/// The payload must hold no newline. Without a stamp, it must not look like a stamp.
pub fn write(lines: &mut Vec<u8>, source: usize, number: u64, stamp: Option<u64>, payload: &[u8]) {
    debug_assert!(!payload.contains(&b'\n'), "a payload is a part of one line");
    lines.push(b's');
    write_number(lines, source as u64, SOURCE_DIGITS);
    lines.push(b' ');
    write_number(lines, number, NUMBER_DIGITS);
    lines.push(b' ');
    if let Some(stamp) = stamp {
        lines.push(b'@');
        write_number(lines, stamp, STAMP_DIGITS);
        lines.push(b' ');
    }
    lines.extend_from_slice(payload);
    lines.push(b'\n');
}

/// Reads the tag of a line, given without its newline; `None` if it has none.
pub fn parse(line: &[u8]) -> Option<Tag<'_>> {
    let (source, rest) = read_number(line.strip_prefix(b"s")?, SOURCE_DIGITS)?;
    let (number, rest) = read_number(rest, NUMBER_DIGITS)?;
    let stamped = rest.strip_prefix(b"@").and_then(|rest| read_number(rest, STAMP_DIGITS));
    let (stamp, payload) = match stamped {
        Some((stamp, payload)) => (Some(stamp), payload),
        None => (None, rest),
    };
    Some(Tag { source: usize::try_from(source).ok()?, number, stamp, payload })
}

/// `format!("{number:0width$}")` at less cost: `format!` would take half of the time of
/// a line.
fn write_number(lines: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while number > 0 {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    lines.extend_from_slice(&digits[first.min(digits.len() - width)..]);
}

/// Reads the digits before the next space, and returns what follows the space.
fn read_number(bytes: &[u8], least_digits: usize) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                number = number.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
            }
            b' ' if at >= least_digits => return Some((number, &bytes[at + 1..])),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_in_the_form_of_the_page() {
        let mut lines = Vec::new();
        write(&mut lines, 7, 123, None, b"payload");
        write(&mut lines, 7, 124, Some(12_345), b"");
        assert_eq!(lines, b"s0007 000000123 payload\ns0007 000000124 @0000000000000012345 \n");
        assert_eq!(lines.iter().position(|&b| b == b'p'), Some(TAG_BYTES));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (source, number, stamp, payload) in [
            (0, 1, None, &b""[..]),
            (9_999, 999_999_999, Some(0), b"\0\r\xff"),
            (123_456, u64::MAX, Some(i64::MAX as u64), b"@not a stamp"),
            (1, 10_000_000_000, None, b"@12 neither"),
        ] {
            let mut line = Vec::new();
            write(&mut line, source, number, stamp, payload);
            assert_eq!(line.pop(), Some(b'\n'));
            assert_eq!(parse(&line), Some(Tag { source, number, stamp, payload }));
        }
    }

    #[test]
    fn what_is_no_tag_is_not_read() {
        for line in [
            &b""[..],
            b"s",
            b"s0007",
            b"s0007 ",
            b"s0007 000000123",
            b"s007 000000123 short",
            b"s0007 00000123 short",
            b"s0007  00000123 gap",
            b"x0007 000000123 other",
            b"s0007 99999999999999999999999 too large",
        ] {
            assert_eq!(parse(line), None, "{}", line.escape_ascii());
        }
    }
}
