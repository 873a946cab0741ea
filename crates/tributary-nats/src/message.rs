//! What a message is: whole lines of one file, and where they stand in it.
//!
//! | part | what it is |
//! |---|---|
//! | subject | `log.HOST.PATH` |
//! | payload | whole lines, the last byte a newline |
//! | `Tributary-Path` | the full path of the log, encoded as in the subject |
//! | `Tributary-Inode` | the inode of the file, which stays with it through a rotation |
//! | `Tributary-Begin` | the offset of the first line in the file, in bytes |
//! | `Tributary-End` | the offset behind the last line |
//!
//! Subject and path are percent-encoded: a dot, a star, a `>`, a space, a `%`, each
//! control character, and each byte that is not ASCII.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use async_nats::HeaderMap;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// The pattern that the subjects of all hosts match.
pub(crate) const SUBJECTS: &str = "log.>";

const PATH: &str = "Tributary-Path";
const INODE: &str = "Tributary-Inode";
const BEGIN: &str = "Tributary-Begin";
const END: &str = "Tributary-End";

/// What has a meaning in a subject, and the `%` of the encoding itself.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'.').add(b'*').add(b'>').add(b'%');

/// Where lines stand in their file; `begin` and `end` are offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) inode: u64,
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

/// Returns the subject of a log.
pub(crate) fn subject(host: &str, path: &Path) -> String {
    format!("log.{}.{}", token(OsStr::new(host)), token(path.as_os_str()))
}

/// Returns the headers of some lines.
pub(crate) fn headers(path: &Path, span: Span) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(PATH, token(path.as_os_str()));
    for (name, number) in [(INODE, span.inode), (BEGIN, span.begin), (END, span.end)] {
        headers.insert(name, number.to_string());
    }
    headers
}

/// Returns where the lines of a message stand; `None` if it lacks one of our headers, since
/// another program has sent it.
pub(crate) fn span(headers: &HeaderMap) -> Option<Span> {
    let number = |name| headers.get(name).and_then(|value| u64::from_str(value.as_str()).ok());
    Some(Span { inode: number(INODE)?, begin: number(BEGIN)?, end: number(END)? })
}

/// Returns the source of a message as a person reads it: `HOST:PATH`, or the whole subject
/// if it is not `log.HOST.PATH`.
pub(crate) fn source(subject: &str) -> PathBuf {
    let parts = subject.strip_prefix("log.").and_then(|rest| rest.split_once('.'));
    let Some((host, path)) = parts else { return subject.into() };
    let mut source = percent_decode_str(host).collect::<Vec<u8>>();
    source.push(b':');
    source.extend(percent_decode_str(path));
    PathBuf::from(std::ffi::OsString::from_vec(source))
}

fn token(text: &OsStr) -> String {
    percent_encode(text.as_bytes(), ENCODED).to_string()
}

/// Tells whether one of the patterns in `subjects` matches `subject`.
pub(crate) fn takes(subjects: &[String], subject: &str) -> bool {
    subjects.iter().any(|pattern| {
        let mut tokens = subject.split('.');
        for wanted in pattern.split('.') {
            match (wanted, tokens.next()) {
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (wanted, Some(token)) if wanted == token => {}
                _ => return false,
            }
        }
        tokens.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_three_tokens_whatever_the_names_are() {
        for (host, path) in [("web.1", "/var/log/app.log"), ("a", "/x y/*>\n.log"), ("ü", "/é%41")]
        {
            let subject = subject(host, Path::new(path));
            assert_eq!(subject.split('.').count(), 3, "{subject}");
            assert!(subject.is_ascii() && !subject.contains([' ', '*', '>', '\n']), "{subject}");
            assert_eq!(source(&subject), PathBuf::from(format!("{host}:{path}")));
        }
        assert_eq!(subject("h", Path::new("/var/log/a.log")), "log.h./var/log/a%2Elog");
    }

    #[test]
    fn headers_say_where_the_lines_stand() {
        let here = Span { inode: 7, begin: 10, end: 20 };
        assert_eq!(span(&headers(Path::new("/a"), here)), Some(here));
        assert_eq!(span(&HeaderMap::new()), None);
    }

    #[test]
    fn subjects_are_matched_token_by_token() {
        let takes = |pattern: &str| takes(&[pattern.to_owned()], "log.h.p");
        assert!(["log.>", ">", "log.*.*", "log.h.p", "*.h.>"].into_iter().all(takes));
        assert!(!["log", "log.*", "log.h.p.>", "log.h.p.q", "l.>", ""].into_iter().any(takes));
    }
}
