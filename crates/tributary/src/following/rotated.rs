//! What rotated logs are called.
//!
//! Names are only guessed at where nobody has seen the rotation, so the guess
//! is strict: `app-error.log` is another log of the program of `app.log`, and
//! `app.log.bak` is a copy.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Endings of copies of a log: packed, or saved by hand or by an editor.
const COPIES: [&str; 10] = ["gz", "bz2", "xz", "zst", "lz4", "zip", "Z", "bak", "save", "orig"];

/// How many digits a date has at least: `261122`.
const DATE: usize = 6;

/// What a rotated log has in its name, beside the name of the log.
///
/// Of two, the older is the less; they cannot be compared if they are of
/// different kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rotated {
    /// `app.log.1`, `app.1.log`: counted up with each rotation.
    Number(u64),
    /// `app.log-20261122`, `app-2026-11-22.log`: the digits of the date.
    Date(Vec<u8>),
    /// `app.log.old`: there is one of them only.
    Old,
    /// `@400000006566…`: the time in the files of multilog, s6-log and svlogd.
    Tai64(Vec<u8>),
}

impl PartialOrd for Rotated {
    fn partial_cmp(&self, other: &Rotated) -> Option<Ordering> {
        match (self, other) {
            (Rotated::Number(one), Rotated::Number(other)) => Some(other.cmp(one)),
            (Rotated::Date(one), Rotated::Date(other))
            | (Rotated::Tai64(one), Rotated::Tai64(other)) => Some(one.cmp(other)),
            (Rotated::Old, Rotated::Old) => Some(Ordering::Equal),
            _ => None,
        }
    }
}

/// Tells whether a name says that the file is a copy, packed or not.
pub(crate) fn is_copy(name: &OsStr) -> bool {
    name.as_bytes().ends_with(b"~")
        || Path::new(name).extension().is_some_and(|end| COPIES.iter().any(|packed| end == *packed))
}

/// Tells whether a component of a pattern asks for copies: `*.gz`, `*.bak`,
/// `app.log*.{xz,zst}`.
pub(crate) fn asks_for_copies(component: &str) -> bool {
    component.ends_with('~')
        || component.split(['.', '{', ',', '}']).any(|part| COPIES.contains(&part))
}

/// Returns what a rotation has added to `name` to make `other`, if it has.
pub(crate) fn rotated(name: &OsStr, other: &OsStr) -> Option<Rotated> {
    if is_copy(other) {
        return None;
    }
    if name == "current" && other.as_bytes().starts_with(b"@") {
        return tai64(other.as_bytes());
    }
    if let Some(behind) = other.as_bytes().strip_prefix(name.as_bytes()) {
        return if behind == b".old" { Some(Rotated::Old) } else { count_or_date(behind) };
    }
    let (stem, ending) = (Path::new(name).file_stem()?, Path::new(name).extension()?);
    let between = other.as_bytes().strip_prefix(stem.as_bytes())?;
    count_or_date(between.strip_suffix(ending.as_bytes())?.strip_suffix(b".")?)
}

/// Parses `.1`, `-20261122`, `.2026-11-22`, `_20261122-1530`.
fn count_or_date(text: &[u8]) -> Option<Rotated> {
    let (mark, text) = text.split_first().filter(|(mark, _)| b".-_".contains(mark))?;
    let digits: Vec<u8> = text.iter().copied().filter(u8::is_ascii_digit).collect();
    if *mark == b'.' && digits.len() == text.len() && digits.len() < DATE {
        return str::from_utf8(&digits).ok()?.parse().ok().map(Rotated::Number);
    }
    let of_a_date = |byte: &u8| byte.is_ascii_digit() || b"-_.:TZ".contains(byte);
    let dated = text.first()?.is_ascii_digit() && text.iter().all(of_a_date);
    (dated && digits.len() >= DATE).then_some(Rotated::Date(digits))
}

/// Parses `@`, 24 hexadecimal digits, and the ending of a file that is done.
fn tai64(name: &[u8]) -> Option<Rotated> {
    let (time, done) = name.strip_prefix(b"@")?.split_at_checked(24)?;
    let known = [&b""[..], b".s", b".u"].contains(&done) && time.iter().all(u8::is_ascii_hexdigit);
    known.then(|| Rotated::Tai64(time.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotated(name: &str, other: &str) -> Option<Rotated> {
        super::rotated(name.as_ref(), other.as_ref())
    }

    fn date(digits: &str) -> Option<Rotated> {
        Some(Rotated::Date(digits.into()))
    }

    #[test]
    fn knows_the_names_of_rotated_logs() {
        for (name, other, kind) in [
            ("app.log", "app.log.1", Some(Rotated::Number(1))),
            ("app.log", "app.log.0", Some(Rotated::Number(0))),
            ("app.log", "app.12.log", Some(Rotated::Number(12))),
            ("app.log", "app.log.old", Some(Rotated::Old)),
            ("app.log", "app.log-20261122", date("20261122")),
            ("app.log", "app.log.20261122", date("20261122")),
            ("app.log", "app.log_2026-11-22", date("20261122")),
            ("app.log", "app-20261122.log", date("20261122")),
            ("app.log", "app.2026-11-22T15:30:00.log", date("20261122153000")),
            ("app.log", "app_20261122-1530.log", date("202611221530")),
            ("app.log", "app.log-2026-11-22T15:30:00Z", date("20261122153000")),
            ("app.log", "app.log-1795361400", date("1795361400")),
            ("app.log", "app.log-261122", date("261122")),
            ("syslog", "syslog.1", Some(Rotated::Number(1))),
            ("syslog", "syslog-20261122", date("20261122")),
            ("wtmp.db.log", "wtmp.db.1.log", Some(Rotated::Number(1))),
            ("current", "current.1", Some(Rotated::Number(1))),
            (
                "current",
                "@4000000065663f2c0b1d2a94.s",
                Some(Rotated::Tai64(b"4000000065663f2c0b1d2a94".into())),
            ),
        ] {
            assert_eq!(rotated(name, other), kind, "{other} of {name}");
            assert!(kind.is_some());
        }
    }

    #[test]
    fn takes_no_other_log_and_no_copy_for_a_rotated_one() {
        for (name, others) in [
            (
                "app.log",
                "app.log app2.log apple.log other.log app app-error.log app_access.log \
                 app-2.log app_2.log app.log-2 app.log-12345 app.log.json app.log.bak app.log.save \
                 app.log.orig app.log.old2 app.log.1.bak app.log.1.gz app-20261122.log.zst \
                 app.log.2.Z app-v20261122.log app-20261122-error.log app.log.tmp-20261122 app.log. \
                 app..log app.log- app.log--20261122 \
                 app.log-20261122.Z",
            ),
            ("mysql.log", "mysql-slow.log mysql.slow.log"),
            ("php7.4-fpm.log", "php7.4-fpm-slow.log"),
            ("worker.log", "worker-2.log worker.log-2"),
            ("worker", "worker-2 worker_2 worker2 worker-two"),
            ("syslog", "syslogd syslog.pos syslog syslog.1.lz4"),
            ("current", "@4000 @4000000065663f2c0b1d2a94.x @4000000065663f2c0b1d2axx lock state"),
            ("app.log", "@4000000065663f2c0b1d2a94.s"),
        ] {
            for other in others.split(' ').chain([""]) {
                assert_eq!(rotated(name, other), None, "{other} of {name}");
            }
        }
    }

    #[test]
    fn knows_which_of_two_is_the_older() {
        for (older, younger) in [
            ("app.log.10", "app.log.9"),
            ("app.log-20251231", "app.log-20260101"),
            ("app-2026-11-22.log", "app.log-20261123"),
            ("app.log-20261122", "app.log-20261122-1530"),
        ] {
            let [older, younger] = [older, younger].map(|other| rotated("app.log", other).unwrap());
            assert!(older < younger);
        }
        let tai64 = |time| rotated("current", time).unwrap();
        assert!(tai64("@4000000065663F2C0b1d2a94.s") < tai64("@4000000065663f2d00000000.u"));
        let [number, date] = ["app.log.1", "app.log.20261122"].map(|it| rotated("app.log", it));
        assert_eq!(number.unwrap().partial_cmp(&date.unwrap()), None);
    }

    #[test]
    fn knows_copies_and_who_asks_for_them() {
        for packed in ["a.gz", "a.log.1.bz2", "a.Z", "a.log.bak", "a.log.save", "a.log~"] {
            assert!(is_copy(packed.as_ref()), "{packed}");
        }
        for plain in ["a.log", "gz", ".gz", "a.gz.log", "a.z"] {
            assert!(!is_copy(plain.as_ref()), "{plain}");
        }
        for asking in ["*.gz", "app.log*.{log,gz}", "*{.xz,.zst}", "a.zip"] {
            assert!(asks_for_copies(asking), "{asking}");
        }
        for silent in ["*", "*.log*", "app.{log,txt}"] {
            assert!(!asks_for_copies(silent), "{silent}");
        }
    }
}
