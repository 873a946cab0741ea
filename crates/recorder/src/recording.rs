//! A recording, as plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which thread did what when: made by
/// [`Recorder::recording`](crate::Recorder::recording).
///
/// All times are seconds since the recorder was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The threads that made a span, in the order of their first.
    pub threads: Vec<Thread>,
    /// The sources that were read or written, each once. An operation names its source
    /// by the index in here.
    pub sources: Vec<String>,
    /// The operations, in the order of their beginnings.
    pub operations: Vec<Operation>,
    /// The stalls of the event loop, in the order of their beginnings.
    pub stalls: Vec<Stall>,
    /// How long the recording is, in seconds. A full one ends where the first operation
    /// found no place, so what it shows is complete.
    pub seconds: f64,
    /// How many operations and stalls found no place.
    pub left_out: u64,
}

/// One thread of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Its name, or `thread N` for the Nth of the recording if it has none. If several
    /// threads share the name, a number follows.
    pub name: String,
    /// Whether an event loop ran on it.
    pub is_loop: bool,
}

/// One blocking call, from its beginning to its end. A call that outlasts the recording
/// ends with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The thread that made the call: an index into [`Recording::threads`].
    pub thread: usize,
    /// Which call.
    pub name: Name,
    /// The source, if there is one: an index into [`Recording::sources`].
    pub source: Option<usize>,
    /// When it began, in seconds.
    pub begin: f64,
    /// When it ended, in seconds.
    pub end: f64,
}

/// The recorded calls: each has a span of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// `Source::read_lines`, whether or not it found something.
    ReadLines,
    /// `Output::append`.
    Append,
    /// `Output::finish`, which has no source.
    Finish,
    /// `Statistics::note` of the service; the source is the address of a client.
    Note,
    /// A client of the service sends a line and waits for its answer; the source is the
    /// address of the client.
    Ask,
}

/// A time in which the event loop did not turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    /// When it began, in seconds.
    pub begin: f64,
    /// When the loop turned again, in seconds.
    pub end: f64,
    /// What blocked the loop, if that is known.
    pub operation: Option<String>,
    /// The source of that operation, if that is known.
    pub source: Option<String>,
    /// The task that blocked the loop, if that is known.
    pub task: Option<String>,
}

impl Recording {
    /// Returns the path of an operation's source, if it has one.
    pub fn source(&self, operation: &Operation) -> Option<&str> {
        self.sources.get(operation.source?).map(String::as_str)
    }
}

impl Name {
    /// Returns the name of the span.
    pub fn as_str(self) -> &'static str {
        match self {
            Name::ReadLines => "read_lines",
            Name::Append => "append",
            Name::Finish => "finish",
            Name::Note => "note",
            Name::Ask => "ask",
        }
    }

    /// Returns the call of a span's name, if it is a recorded one.
    pub(crate) fn of(span: &str) -> Option<Name> {
        let all = [Name::ReadLines, Name::Append, Name::Finish, Name::Note, Name::Ask];
        all.into_iter().find(|it| it.as_str() == span)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
