//! A lane for each thread: what it did, and what it or its tasks waited for.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Name, Operation, Recording, Stall, Thread};

/// What one thread did, from the beginning of the recording to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The name of the thread.
    pub thread: String,
    /// The role of the thread.
    pub role: Role,
    /// What the thread did, in order. Each segment begins where the one before ended;
    /// the first begins at 0, and the last ends with the recording.
    pub segments: Vec<Segment>,
    /// The waits of tasks, in the order of their beginnings; they overlap where several
    /// tasks wait at once. They are on the lane of the loop or, without a loop, on that
    /// of the thread that read.
    pub waiting: Vec<Segment>,
    /// The stalls, on the lane of the loop.
    pub stalls: Vec<Stall>,
}

/// The role of a thread, as its operations tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It drives an event loop, whatever else it does.
    Loop,
    /// It reads and appends.
    Tail,
    /// It reads and never appends.
    Reader,
    /// It appends and never reads.
    Writer,
    /// It is a client of the service.
    Client,
    /// It neither reads nor appends: it may finish the output.
    Other,
}

/// A piece of time of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// What the time went into.
    pub kind: Kind,
    /// The source that was read or written, if there is one.
    pub source: Option<String>,
    /// When the piece began, in seconds.
    pub begin: f64,
    /// When the piece ended, in seconds.
    pub end: f64,
}

/// What a piece of time went into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A look at a source.
    Read,
    /// An append, the finish of the output, or a note of the service.
    Write,
    /// A thread has lines and waits for the lock of the output.
    WaitForLock,
    /// A task has lines, and waits until the loop writes them.
    WaitForLoop,
    /// A task has handed over its lines and waits for the writer's answer.
    WaitForAnswer,
    /// A client of the service has sent a line and waits for its answer.
    WaitForService,
    /// Nothing that is recorded.
    Idle,
}

impl Recording {
    /// Returns a lane for each thread, in the order of [`Recording::threads`].
    ///
    /// A wait is the time from the end of a read that gave lines to the beginning of
    /// the append of the same source. A read that found nothing has no append, so each
    /// append goes with the last read of its source before it.
    ///
    /// - The same thread reads and appends: it waited for the lock. The wait is a segment of
    ///   its lane.
    /// - The loop appends: a task waited for its turn on the loop. The wait is in
    ///   [`Lane::waiting`] of the loop.
    /// - Another thread appends: a task waited for the writer's answer. The wait includes
    ///   the append, and is in [`Lane::waiting`] of the loop; without a loop, of the thread
    ///   that read.
    ///
    /// A pattern is read under its own name and appended under those of its files, so
    /// its waits are not found. Neither is a wait that the recording does not see end.
    ///
    /// Operations of a thread that overlap, as those of a merge never do, are cut where
    /// the earlier one ends.
    pub fn lanes(&self) -> Vec<Lane> {
        let operations = self.in_order();
        let reads = reads_of(&operations);
        let the_loop = self.threads.iter().position(|thread| thread.is_loop);
        let mut lanes: Vec<Lane> = (0..self.threads.len())
            .map(|thread| {
                let own = operations.iter().zip(&reads).filter(|(it, _)| it.thread == thread);
                self.lane(thread, own.map(|(operation, read)| (*operation, *read)))
            })
            .collect();

        for (append, read) in operations.iter().zip(&reads) {
            let Some(read) = read.filter(|read| read.thread != append.thread) else { continue };
            let by_loop = self.threads.get(append.thread).is_some_and(|thread| thread.is_loop);
            let (kind, end) = match by_loop {
                true => (Kind::WaitForLoop, append.begin),
                false => (Kind::WaitForAnswer, append.end),
            };
            let wait = self.segment(kind, append.source, read.end, end.min(self.seconds));
            let lane = lanes.get_mut(the_loop.unwrap_or(read.thread));
            if let Some(lane) = lane.filter(|_| wait.begin < wait.end) {
                lane.waiting.push(wait);
            }
        }
        for lane in &mut lanes {
            lane.waiting.sort_by(|a, b| a.begin.total_cmp(&b.begin));
        }
        if let Some(index) = the_loop {
            lanes[index].stalls = self.stalls.clone();
        }
        lanes
    }

    /// Returns the operations in the order of their beginnings: a recording from
    /// elsewhere may have another.
    fn in_order(&self) -> Vec<&Operation> {
        let mut operations: Vec<_> = self.operations.iter().collect();
        operations.sort_by(|a, b| a.begin.total_cmp(&b.begin));
        operations
    }

    /// Makes the lane of one thread, from its operations and, with an append, the read
    /// that gave its lines.
    fn lane<'a>(
        &self,
        thread: usize,
        operations: impl Iterator<Item = (&'a Operation, Option<&'a Operation>)>,
    ) -> Lane {
        let mut segments = Vec::new();
        let mut now = 0.0;
        let mut go_on = |kind, source, end: f64| {
            if now < end {
                segments.push(self.segment(kind, source, now, end));
                now = end;
            }
        };
        let (mut reads, mut appends, mut asks) = (false, false, false);
        for (operation, read) in operations {
            match read {
                Some(read) if read.thread == thread => {
                    go_on(Kind::WaitForLock, operation.source, operation.begin.min(self.seconds));
                }
                _ => go_on(Kind::Idle, None, operation.begin.min(self.seconds)),
            }
            reads |= operation.name == Name::ReadLines;
            appends |= matches!(operation.name, Name::Append | Name::Note);
            asks |= operation.name == Name::Ask;
            let kind = match operation.name {
                Name::ReadLines => Kind::Read,
                Name::Append | Name::Finish | Name::Note => Kind::Write,
                Name::Ask => Kind::WaitForService,
            };
            go_on(kind, operation.source, operation.end.min(self.seconds));
        }
        go_on(Kind::Idle, None, self.seconds);

        let Thread { name, is_loop } = &self.threads[thread];
        let role = match (is_loop, reads, appends) {
            (true, _, _) => Role::Loop,
            _ if asks => Role::Client,
            (_, true, true) => Role::Tail,
            (_, true, false) => Role::Reader,
            (_, false, true) => Role::Writer,
            (_, false, false) => Role::Other,
        };
        let (waiting, stalls) = (Vec::new(), Vec::new());
        Lane { thread: name.clone(), role, segments, waiting, stalls }
    }

    fn segment(&self, kind: Kind, source: Option<usize>, begin: f64, end: f64) -> Segment {
        let source = source.and_then(|source| self.sources.get(source)).cloned();
        Segment { kind, source, begin, end }
    }
}

/// Returns for each append the read that gave its lines.
fn reads_of<'a>(operations: &[&'a Operation]) -> Vec<Option<&'a Operation>> {
    let mut last: HashMap<usize, &Operation> = HashMap::new();
    let read_of = |operation: &&'a Operation| match (operation.name, operation.source?) {
        (Name::ReadLines, source) => {
            last.insert(source, operation);
            None
        }
        // Removed: the lines of one look are appended once.
        (Name::Append, source) => last.remove(&source),
        (Name::Finish | Name::Note | Name::Ask, _) => None,
    };
    operations.iter().map(read_of).collect()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Read => "read",
            Kind::Write => "write",
            Kind::WaitForLock => "wait for the lock",
            Kind::WaitForLoop => "wait for the loop",
            Kind::WaitForAnswer => "wait for the answer",
            Kind::WaitForService => "wait for the service",
            Kind::Idle => "idle",
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Loop => "loop",
            Role::Tail => "tail",
            Role::Reader => "reader",
            Role::Writer => "writer",
            Role::Client => "client",
            Role::Other => "other",
        })
    }
}
