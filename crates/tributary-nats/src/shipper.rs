//! The writer's side of a stream: each line arrives once, whatever is killed.
//!
//! Three things see to that:
//!
//! - **The fence.** Each message says which sequence its subject holds last. The server
//!   refuses the message if the subject holds another one (error 10071). So if a message
//!   is sent twice, because its answer was lost, one of the two is refused: also after an
//!   hour, and also if a process that is dead by now has sent the first.
//! - **What is behind the checkpoint.** The checkpoint says in which message the last
//!   lines of a log arrived. A merge that was killed may have sent more. The next merge
//!   asks for those messages, and does not send their lines again ([`Behind`]).
//! - **The id.** The fence alone would do; the id saves a question. A server that compares
//!   ids before fences (2.9 does, 2.15 does not) answers a retry with the sequence of the
//!   first try. An id alone would not do: the server forgets it after two minutes, and
//!   until then it would drop other lines with the same id. So an id belongs to the tries of
//!   one message: other lines at the same place, behind the same fence, have another one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use futures_util::future::try_join_all;
use memchr::memrchr;
use tracing::warn;
use tributary::{Error, Lines, Output, Shown, Stop, Written};

use crate::behind::{Arrived, Behind, Chunk};
use crate::message::{self, Span};
use crate::place::Place;
use crate::server::{Published, Server};

/// How many bytes of a message are left for its headers, besides the path, which is about as
/// long as the subject.
const HEADERS: usize = 1024;
/// How many bytes a subject may have: a server takes no protocol line of more than 4 KiB.
const LONGEST_SUBJECT: usize = 3000;
/// How many messages behind the checkpoint are asked for at once.
const AT_ONCE: usize = 256;
/// So many refusals in a row end the merge: another sender must be at work in the subject.
const REFUSALS: u32 = 100;

/// Sends lines into a stream, and notes which of them have arrived.
pub(crate) struct Shipper {
    server: Server,
    output: RefCell<Output>,
    /// By the number of the source. A subject is taken out while a chunk of it is on its way.
    subjects: RefCell<HashMap<usize, Subject>>,
    /// The number of the source that has last sent into the subject of a path. A file that
    /// comes to fit a pattern after another one of its name has a number of its own.
    numbers: RefCell<HashMap<PathBuf, usize>>,
    /// The first error of the server or the stream: nothing is sent after it.
    failed: RefCell<Option<String>>,
}

/// What is known of the subject of a log.
struct Subject {
    name: String,
    path: PathBuf,
    /// The sequence that the subject holds last: the fence.
    last: u64,
    /// The messages behind the checkpoint that no chunk has met yet.
    behind: Behind,
    /// Whether the warning about another sender was given.
    shared: bool,
}

impl Shipper {
    /// Connects to the server, and makes the stream if there is none.
    pub(crate) async fn connect(
        mut output: Output,
        place: Place,
        stop: Stop,
    ) -> Result<Shipper, Error> {
        let connected = connect(&place, &stop, &output).await;
        let server = connected.map_err(|why| output.give_up(io::Error::other(why)))?;
        let output = RefCell::new(output);
        let (subjects, numbers) = (RefCell::default(), RefCell::default());
        Ok(Shipper { server, output, subjects, numbers, failed: RefCell::default() })
    }

    /// Returns how many chunks may be on their way at once.
    pub(crate) fn on_their_way(&self) -> usize {
        self.server.place.on_their_way
    }

    /// Sends lines; returns once the server has acknowledged them. The caller sends the chunks
    /// of one log one after the other.
    pub(crate) async fn send(&self, lines: &Lines) -> Result<(), Error> {
        let number = lines.source();
        let known = self.subjects.borrow_mut().remove(&number);
        let sent = async {
            let mut subject = match known {
                Some(subject) => subject,
                None => self.subject(lines).await?,
            };
            let sent = self.send_all(&mut subject, lines).await;
            self.subjects.borrow_mut().insert(number, subject);
            sent
        };
        match sent.await {
            Ok(sequence) => {
                self.output.borrow_mut().arrived(lines, sequence);
                Ok(())
            }
            Err(Failed::Lines(why)) => {
                Err(Error::BadOutput { path: self.server.place.path(), why })
            }
            Err(Failed::Server(why)) => {
                // Every source tells the first reason.
                let why = self.failed.borrow_mut().get_or_insert(why).clone();
                Err(self.output.borrow_mut().give_up(io::Error::other(why)))
            }
        }
    }

    /// Ends the output; the last checkpoint has all that has arrived.
    pub(crate) fn finish(&self) -> Result<Written, Error> {
        // This blocks the loop, which has nothing else left to do.
        self.output.borrow_mut().finish()
    }

    /// Asks what the subject of a log holds.
    async fn subject(&self, lines: &Lines) -> Result<Subject, Failed> {
        self.has_not_failed()?;
        let (path, known) = self.output.borrow().arrived_of(lines);
        // The lines of the source before have arrived, and are not asked for: the new ones may
        // be the same, at the same place of a file with the same inode.
        if let Some(before) = self.numbers.borrow_mut().insert(path.clone(), lines.source())
            && let Some(subject) = self.subjects.borrow_mut().remove(&before)
        {
            return Ok(subject);
        }
        let name = message::subject(&self.server.place.host_name, &path);
        if name.len() > LONGEST_SUBJECT {
            let why = format!("{}: this path is too long for a subject", Shown(&path));
            return Err(Failed::Lines(why));
        }
        if !message::takes(self.server.subjects(), &name) {
            let why = format!(
                "its subjects ({}) do not take {name}; add {}",
                self.server.subjects().join(", "),
                message::SUBJECTS
            );
            return Err(Failed::Server(why));
        }
        let mut subject = Subject { name, path, last: 0, behind: Behind::default(), shared: false };
        self.catch_up(&mut subject, known).await?;
        Ok(subject)
    }

    /// Asks what a subject holds behind the sequence `known`; returns how many messages.
    async fn catch_up(&self, subject: &mut Subject, known: u64) -> Result<usize, Failed> {
        let Subject { name, last, behind, .. } = subject;
        let end = self.server.last_of(name).await?;
        *last = end.as_ref().map_or(0, |message| message.sequence);
        if known >= *last {
            return Ok(0);
        }
        let messages = self.server.headers_of(name, known + 1, *last).await?;
        let taken = messages.len();
        for (sequence, span) in messages {
            // A message without our headers says nothing of a file.
            if let Some(span) = span {
                behind.push(sequence, span);
            }
        }
        Ok(taken)
    }

    /// Returns the lines of a message that is behind the checkpoint. If they are not in
    /// `fetched` yet, asks for them and, at the same time, for those of the next messages that
    /// this chunk reaches.
    async fn lines_of(
        &self,
        subject: &Subject,
        message: Arrived,
        chunk: Span,
        fetched: &mut HashMap<u64, Bytes>,
    ) -> Result<Bytes, Failed> {
        if !fetched.contains_key(&message.sequence) {
            let wanted = subject.behind.from(message, chunk.end).take(AT_ONCE);
            let wanted = wanted.map(async |sequence| {
                let found = self.server.message(sequence).await?;
                // A deleted message has no lines.
                Ok::<_, String>((sequence, found.map(|it| it.payload).unwrap_or_default()))
            });
            *fetched = try_join_all(wanted).await?.into_iter().collect();
        }
        Ok(fetched[&message.sequence].clone())
    }

    /// Sends the lines that have not arrived yet; returns the sequence behind which the stream
    /// may have the lines that follow.
    async fn send_all(&self, subject: &mut Subject, lines: &Lines) -> Result<u64, Failed> {
        let (_, inode) = lines.device_and_inode();
        let span = Span { inode, begin: lines.begin(), end: lines.end() };
        let mut rest = Chunk { lines: lines.as_bytes(), span };
        let (mut sequence, mut refusals) = (subject.last, 0);
        let mut fetched = HashMap::new();
        while !rest.lines.is_empty() {
            self.has_not_failed()?;
            if let Some(message) = subject.behind.find(rest) {
                let payload = self.lines_of(subject, message, rest.span, &mut fetched).await?;
                if let Some(met) = subject.behind.meet(rest, message, &payload) {
                    (rest, sequence) = met;
                }
                continue;
            }
            let (first, left) = self.cut(subject, rest)?;
            match self.publish(subject, first).await? {
                Published::As(number) if number > subject.last => {
                    (subject.last, sequence) = (number, number);
                    (rest, refusals) = (left, 0);
                }
                // The sequence of an older message, which has our id: ours was dropped.
                Published::As(_) | Published::Fenced => {
                    refusals += 1;
                    self.refused(subject, refusals).await?;
                }
            }
        }
        Ok(sequence)
    }

    /// Fails once the server or the stream has, since nothing is asked or sent after that.
    fn has_not_failed(&self) -> Result<(), Failed> {
        self.failed.borrow().clone().map_or(Ok(()), |why| Err(Failed::Server(why)))
    }

    /// Asks what has come into a subject instead of our message. Fails at the last of
    /// [`REFUSALS`].
    async fn refused(&self, subject: &mut Subject, refusals: u32) -> Result<(), Failed> {
        let known = subject.last;
        let taken = self.catch_up(subject, known).await?;
        let path = Shown(&subject.path);
        if taken > 0 && refusals > 1 && !std::mem::replace(&mut subject.shared, true) {
            warn!(
                "{path}: another merge sends into its subject, {}; give each machine a host name \
                 of its own",
                subject.name
            );
        }
        if refusals < REFUSALS {
            return Ok(());
        }
        Err(Failed::Server(format!("{}: {refusals} messages in a row were refused", subject.name)))
    }

    /// Cuts off as many whole lines as a message takes.
    fn cut<'a>(
        &self,
        subject: &Subject,
        chunk: Chunk<'a>,
    ) -> Result<(Chunk<'a>, Chunk<'a>), Failed> {
        let (most, bound) = self.server.most_bytes();
        let most = most.saturating_sub(HEADERS + subject.name.len());
        let most = most.min(self.server.place.most_bytes);
        if chunk.lines.len() <= most {
            return Ok(chunk.split_at(chunk.lines.len()));
        }
        match memrchr(b'\n', &chunk.lines[..most]) {
            Some(newline) => Ok(chunk.split_at(newline + 1)),
            None => Err(Failed::Lines(format!(
                "{}: the line at byte {} is longer than a message may be, {most} bytes; cut such \
                 lines with --max-line, or raise {bound}",
                Shown(&subject.path),
                chunk.span.begin
            ))),
        }
    }

    async fn publish(&self, subject: &Subject, chunk: Chunk<'_>) -> Result<Published, Failed> {
        let Subject { name, path, last, .. } = subject;
        let id = self.server.new_id();
        let headers = message::headers(path, chunk.span);
        let payload = Bytes::copy_from_slice(chunk.lines);
        let message = || {
            PublishMessage::build()
                .headers(headers.clone())
                .payload(payload.clone())
                .message_id(&id)
                .expected_stream(&self.server.place.stream)
                .expected_last_subject_sequence(*last)
        };
        Ok(self.server.publish(name, message).await?)
    }
}

/// Connects, and checks that the stream is the one that the checkpoint knows.
async fn connect(place: &Place, stop: &Stop, output: &Output) -> Result<Server, String> {
    let server = Server::connect(place, stop, true).await?;
    let holds = server.holds().await?;
    let known = output.sequence();
    if !output.stream_was_made(&holds.made) || holds.last < known {
        return Err(format!(
            "the checkpoint knows messages up to {known} of a stream of this name that is gone, \
             and this one was made at {}; remove the checkpoint, and every line is sent again",
            holds.made
        ));
    }
    Ok(server)
}

/// Why lines could not be sent.
enum Failed {
    /// The lines are at fault: those of other sources may still be sent.
    Lines(String),
    /// The server or the stream is at fault: nothing more is sent.
    Server(String),
}

impl From<String> for Failed {
    fn from(why: String) -> Failed {
        Failed::Server(why)
    }
}
