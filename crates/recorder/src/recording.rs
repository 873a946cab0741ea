//! What was kept, as plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who did what when: made by [`Recorder::recording`](crate::Recorder::recording).
///
/// All times are seconds since the recorder was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The threads that opened a span, in the order of their first one.
    pub threads: Vec<Thread>,
    /// The sources that were read or written, each once; an operation names
    /// its own by the place in here.
    pub sources: Vec<String>,
    /// The operations, in the order of their begins.
    pub operations: Vec<Operation>,
    /// The stalls of the event loop, in the order of their begins.
    pub stalls: Vec<Stall>,
    /// How long the recording is. One that is full ends where the first
    /// operation found no place, so what it shows is complete up to its end.
    pub seconds: f64,
    /// How many operations and stalls found no place.
    pub left_out: u64,
}

/// One thread of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Its name, or `thread N` for the Nth of the recording if it has none. A
    /// name that several threads have is followed by a number.
    pub name: String,
    /// Whether an event loop ran on it.
    pub is_loop: bool,
}

/// One blocking call, from its begin to its end.
///
/// One that had not ended when the recording did, ends with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Whose call it is: a place in [`Recording::threads`].
    pub thread: usize,
    /// Which call it is.
    pub name: Name,
    /// Of which source: a place in [`Recording::sources`].
    pub source: Option<usize>,
    /// When it began, in seconds.
    pub begin: f64,
    /// When it ended, in seconds.
    pub end: f64,
}

/// The calls that are recorded: each has a span of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// `Source::read_lines`, whether it found something or not.
    ReadLines,
    /// `Output::append`.
    Append,
    /// `Output::finish`; it is of no source.
    Finish,
    /// `Statistics::note` of the service: its source is the address of a client.
    Note,
    /// A client of the service sends a line, and waits for its answer.
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
    /// The source that it was about, if that is known.
    pub source: Option<String>,
    /// The task that it was in, if that is known.
    pub task: Option<String>,
}

impl Recording {
    /// Returns the path of the source that an operation is about.
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

    /// Returns the name that a span has, if it is one that is recorded.
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
