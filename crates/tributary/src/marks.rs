//! What is put round each line, to say which source it came from.
//!
//! The source does it, on the reader's time, since all sources wait for the output.

use std::env;
use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::LazyLock;

use anstyle::{AnsiColor, Style};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Buf, BufMut, BytesMut};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use memchr::memchr_iter;
use tracing::warn;

use crate::error::Shown;
use crate::following::file::Piece;
use crate::following::identity::{Before, hash};

/// What is put round each line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Marks {
    /// Nothing: a line is copied as it is.
    #[default]
    None,
    /// A prefix, made from the path of the source.
    Prefix(Template),
    /// An object a line, as JSON:
    /// `{"source":"a.log","offset":0,"time":"2026-11-22T03:38:44.512409Z","local_time":"2026-11-22T04:38:44.512409+01:00","line":"…"}`.
    ///
    /// `source` is the path as it was given, and `offset` is where the line
    /// begins in its file, in bytes. `time` is when the line was read, in UTC,
    /// and `local_time` is the same, as for a [`Template`]. The newline is not
    /// part of `line`, a carriage return is. A line that is not UTF-8 has
    /// `line_base64` instead of `line`, and a path that is not UTF-8
    /// `source_base64` instead of `source`: nothing is lost.
    Json,
}

/// A prefix with fields in it: `{name}: ` puts `app.log: ` before each line of
/// `/var/log/app.log`.
///
/// | field | stands for |
/// |---|---|
/// | `{name}` | the last part of the path |
/// | `{path}` | the path, as it was given |
/// | `{folder}` | the name of the folder in that path, `.` if there is none |
/// | `{number}` | the place of the source among the sources, from 1 |
/// | `{time}` | when the line was read, in UTC: `2026-11-22T03:38:44.512409Z` |
/// | `{local_time}` | the same with its offset: `2026-11-22T04:38:44.512409+01:00` |
///
/// The offset is that of the time zone in `TZ`, or else of the system's, as it
/// was when the process asked first.
///
/// `{{` and `}}` are braces. Control characters in a path are escaped, so that
/// a line stays a line.
///
/// ```
/// let template: tributary::Template = "{number} {name} | ".parse()?;
/// assert!("{host}: ".parse::<tributary::Template>().is_err());
/// # Ok::<(), tributary::TemplateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    colored: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name,
    Path,
    Folder,
    Number,
    Time(Clock),
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Utc,
    Local,
}

/// The zone of local times, asked for once.
static ZONE: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::try_system().unwrap_or_else(|_| {
        // A system without a zone is in UTC, and needs no word.
        if let Some(zone) = env::var_os("TZ") {
            let zone = Shown(Path::new(&zone));
            warn!("TZ={zone}: there is no such time zone here, local times are in UTC");
        }
        TimeZone::UTC
    })
});

impl Clock {
    fn tell(self, time: Timestamp) -> String {
        match self {
            Clock::Utc => format!("{time:.6}"),
            Clock::Local => format!("{:.6}", time.display_with_offset(ZONE.to_offset(time))),
        }
    }
}

impl Template {
    /// Returns the same template with a colour for each source, or without.
    ///
    /// The colour is chosen by the path of the source: it is the same in every
    /// run. With more sources than there are colours, some share one.
    pub fn colored(self, colored: bool) -> Template {
        Template { colored, ..self }
    }
}

/// Why a text is no [`Template`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is no such field.
    #[error(
        "there is no field {{{0}}}; there are {{name}}, {{path}}, {{folder}}, {{number}}, \
         {{time}} and {{local_time}}, and {{{{ is a brace"
    )]
    UnknownField(String),
    /// A brace has no partner.
    #[error("a brace has no partner; write {{{{ or }}}} for a brace")]
    LoneBrace,
    /// A newline would make two lines of one.
    #[error("a prefix has no newline in it")]
    Newline,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Template, TemplateError> {
        if text.contains('\n') {
            return Err(TemplateError::Newline);
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            plain.push_str(&rest[..brace]);
            rest = &rest[brace..];
            if let Some(behind) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                plain.push_str(&rest[..1]);
                rest = behind;
                continue;
            }
            let field = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let (field, behind) = field.ok_or(TemplateError::LoneBrace)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(match field {
                "name" => Part::Name,
                "path" => Part::Path,
                "folder" => Part::Folder,
                "number" => Part::Number,
                "time" => Part::Time(Clock::Utc),
                "local_time" => Part::Time(Clock::Local),
                _ => return Err(TemplateError::UnknownField(field.to_owned())),
            });
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts, colored: false })
    }
}

/// The marks of one source.
#[derive(Debug)]
pub(crate) struct Marker {
    form: Form,
    /// Lines that were read and did not fit into the last chunk with their
    /// marks, and when they were read.
    left: Option<Box<(Piece, Timestamp)>>,
}

/// The [`Marks`] of one source; the parts that are the same in all lines are made once.
#[derive(Debug)]
enum Form {
    Plain,
    /// Texts, each with the time after it, and the last text.
    Prefix(Vec<(String, Clock)>, String),
    /// The object, up to the offset.
    Json(String),
}

impl Marker {
    /// Makes the marks of the source at `path`, the one at place `index`.
    pub(crate) fn new(marks: &Marks, path: &Path, index: usize) -> Marker {
        let form = match marks {
            Marks::None => Form::Plain,
            Marks::Prefix(template) => prefix(template, path, index),
            Marks::Json => Form::Json(json_head(path)),
        };
        // This reads the file of the time zone: there may be no descriptor for it
        // later.
        form.told(Timestamp::now());
        Marker { form, left: None }
    }

    /// Returns the next chunk: the rest of the last piece, or else the answer of
    /// `read`. It has up to `most` bytes, and one line more.
    pub(crate) fn next<E>(
        &mut self,
        most: usize,
        read: impl FnOnce() -> Result<Option<Piece>, E>,
    ) -> Result<Option<Piece>, E> {
        if let Some(left) = self.left.take() {
            let (piece, time) = *left;
            return Ok(Some(self.mark(piece, time, most)));
        }
        let piece = read()?;
        if self.is_plain() {
            return Ok(piece);
        }
        Ok(piece.map(|piece| self.mark(piece, Timestamp::now(), most)))
    }

    /// Tells whether there is nothing to put round a line.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.form, Form::Plain)
    }

    /// Tells whether lines of the last piece are left.
    pub(crate) fn has_left(&self) -> bool {
        self.left.is_some()
    }

    /// Returns the lines of `bytes`, which begin at `start` in their file, with their
    /// marks: up to `most` bytes, and one line more. Returns also how many bytes of
    /// `bytes` they are.
    pub(crate) fn mark_at_once(&self, bytes: &[u8], start: u64, most: usize) -> (BytesMut, usize) {
        self.put(bytes, start, Timestamp::now(), most)
    }

    fn put(&self, bytes: &[u8], start: u64, time: Timestamp, most: usize) -> (BytesMut, usize) {
        let told = self.form.told(time);
        // Marks may make a hundred bytes of one. So the bound of a chunk counts the
        // marks, and the other lines wait.
        let mut marked = BytesMut::with_capacity((2 * bytes.len()).min(most));
        let mut done = 0;
        for newline in memchr_iter(b'\n', bytes) {
            let line = &bytes[done..newline];
            if let Form::Json(head) = &self.form {
                let offset = start + done as u64;
                let object = write!(marked, "{head}{offset},{told}");
                object.expect("memory takes everything");
                json_field(&mut marked, "line", line);
                marked.put_slice(b"}\n");
            } else {
                marked.put_slice(told.as_bytes());
                marked.put_slice(line);
                marked.put_u8(b'\n');
            }
            done = newline + 1;
            if marked.len() >= most {
                break;
            }
        }
        (marked, done)
    }

    fn mark(&mut self, mut piece: Piece, time: Timestamp, most: usize) -> Piece {
        let (marked, done) = self.put(&piece.bytes, piece.start, time, most);
        if done == piece.bytes.len() {
            return Piece { bytes: marked, ..piece };
        }
        let (start, end) = (piece.start, piece.start + done as u64);
        let before = piece.before.as_ref().map(|_| {
            let mut before = Before::default();
            before.push(&piece.bytes[..done]);
            Box::new(before)
        });
        let part = Piece { bytes: marked, file: piece.file, start, end, cut: false, before };
        piece.bytes.advance(done);
        piece.start = end;
        self.left = Some(Box::new((piece, time)));
        part
    }
}

impl Form {
    /// Returns what all lines read at this time share: the prefix, or the times of the
    /// object.
    fn told(&self, time: Timestamp) -> String {
        match self {
            Form::Plain => String::new(),
            Form::Prefix(timed, last) => {
                let timed = timed.iter().map(|(text, clock)| text.clone() + &clock.tell(time));
                timed.collect::<String>() + last
            }
            Form::Json(_) => {
                let [utc, local] = [Clock::Utc, Clock::Local].map(|clock| clock.tell(time));
                format!("\"time\":\"{utc}\",\"local_time\":\"{local}\",")
            }
        }
    }
}

/// Fills in a template, all but the times.
fn prefix(template: &Template, path: &Path, index: usize) -> Form {
    let style = if template.colored { color(path) } else { Style::new() };
    let mut timed = Vec::new();
    let mut text = style.render().to_string();
    for part in &template.parts {
        let filled = match part {
            Part::Text(plain) => write!(text, "{plain}"),
            Part::Name => {
                write!(text, "{}", Shown(Path::new(path.file_name().unwrap_or_default())))
            }
            Part::Path => write!(text, "{}", Shown(path)),
            Part::Folder => {
                let folder = path.parent().and_then(Path::file_name).unwrap_or(OsStr::new("."));
                write!(text, "{}", Shown(Path::new(folder)))
            }
            Part::Number => write!(text, "{}", index + 1),
            Part::Time(clock) => {
                timed.push((std::mem::take(&mut text), *clock));
                Ok(())
            }
        };
        filled.expect("a string takes everything");
    }
    text.push_str(&style.render_reset().to_string());
    Form::Prefix(timed, text)
}

/// Chooses the colour of a source. Black and white are left out, and so is red,
/// which reads as an error.
fn color(path: &Path) -> Style {
    const COLORS: [AnsiColor; 10] = [
        AnsiColor::Green,
        AnsiColor::Yellow,
        AnsiColor::Blue,
        AnsiColor::Magenta,
        AnsiColor::Cyan,
        AnsiColor::BrightGreen,
        AnsiColor::BrightYellow,
        AnsiColor::BrightBlue,
        AnsiColor::BrightMagenta,
        AnsiColor::BrightCyan,
    ];
    let hash = hash(path.as_os_str().as_encoded_bytes());
    COLORS[(hash % COLORS.len() as u64) as usize].on_default()
}

/// Returns the object of a line of `path`, up to the offset.
fn json_head(path: &Path) -> String {
    let mut head = BytesMut::from("{");
    json_field(&mut head, "source", path.as_os_str().as_encoded_bytes());
    head.put_slice(b",\"offset\":");
    String::from_utf8(head.into()).expect("JSON is UTF-8")
}

/// Writes `"name":"text"`, or, if the bytes are not UTF-8,
/// `"name_base64":"…"`.
fn json_field(object: &mut BytesMut, name: &str, bytes: &[u8]) {
    let written = match std::str::from_utf8(bytes) {
        Ok(text) => {
            object.put_slice(format!("\"{name}\":").as_bytes());
            serde_json::to_writer(object.writer(), text).map_err(|_| fmt::Error)
        }
        Err(_) => write!(object, "\"{name}_base64\":\"{}\"", BASE64_STANDARD.encode(bytes)),
    };
    written.expect("memory takes everything");
}
