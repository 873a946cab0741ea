//! From a stream back into a file.

use std::io;
use std::panic::resume_unwind;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull;
use futures_util::StreamExt;
use tokio::runtime::{Builder, LocalOptions};
use tokio::select;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::warn;
use tributary::{Error, Output, Plan, Report, Stop};

use crate::message;
use crate::place::Place;
use crate::server::Server;

/// After so long without a message, the reader asks whether the stream is still there.
const QUIET: Duration = Duration::from_secs(10);
/// How many messages one job of the pool appends at the most.
const AT_ONCE: usize = 256;

/// Writes the messages of the stream at `place` to the output of `plan`: each once, in the
/// order of the stream. The plan has no sources, and its
/// [`Options::from`](tributary::Options::from) is the name of the place.
///
/// Reads up to what the stream holds at the beginning. With `follow`, goes on with what comes
/// later; after the stop, reads up to what the stream holds then. A checkpoint says which
/// message is the last in the output, and the next run goes on behind it.
///
/// # Blocking
///
/// Blocks the calling thread until the last of these messages is in the output, the merge is
/// abandoned, or an error ends it.
///
/// # Errors
///
/// [`Error::Read`] with the name of the place: the server does not answer or refuses us, there
/// is no such stream, it is not the one that the checkpoint knows, or it has lost messages
/// that the output does not have. Otherwise [`Error::Runtime`], and those of
/// [`Output::append_from`] and [`Output::finish`]. Once the merge is abandoned, only errors of
/// the output are returned.
///
/// # Panics
///
/// Panics if an append did; and if it is called from async code, as every runtime inside a
/// runtime does.
pub fn read(plan: Plan, place: &Place, follow: bool) -> Result<Report, Error> {
    let Plan { output, stop, .. } = plan;
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(LocalOptions::default());
    let runtime = runtime.map_err(Error::Runtime)?;
    let mut reader = Reader {
        place,
        stop,
        follow,
        output: Some(output),
        read: 0,
        begun: false,
        pending: 0,
        delivered: 0,
    };
    let ended = runtime.block_on(reader.read());
    // Finished in any case: the next run is to begin where this one ended.
    let written = reader.output.take().expect("no append is under way").finish();
    // What an abandoned merge has not read is still on the server.
    if !reader.stop.abandoned() {
        ended?;
    }
    Ok(Report::new(written?, None))
}

struct Reader<'a> {
    place: &'a Place,
    stop: Stop,
    follow: bool,
    /// `None` during an append.
    output: Option<Output>,
    /// The sequence of the last message in the output, or of what was gone when the stream was
    /// first read.
    read: u64,
    /// Whether it is known where in the stream the output has begun.
    begun: bool,
    /// How many messages were behind the last one that was delivered, at that moment.
    pending: u64,
    /// The number that the consumer has given that message.
    delivered: u64,
}

impl Reader<'_> {
    async fn read(&mut self) -> Result<(), Error> {
        self.read = self.output.as_ref().map_or(0, Output::sequence);
        self.begun = self.read > 0;
        let server = Server::connect(self.place, &self.stop, false).await;
        let server = server.map_err(|why| self.error(why))?;
        // The sequence to read up to; none while more is waited for.
        let mut end = None;
        loop {
            // Checked before the first consumer, and again after each that was lost.
            let last = self.check(&server).await?;
            // Only now: a mistyped name, or a server that is away, must empty no file.
            self.output.as_mut().expect("no append is under way").start_anew()?;
            if !self.follow {
                end.get_or_insert(last);
            }
            let (messages, mut connections) =
                self.consumer(&server).await.map_err(|why| self.error(why))?;
            let mut messages = messages.ready_chunks(AT_ONCE);
            loop {
                if self.stop.abandoned() {
                    return Ok(());
                }
                if let Some(end) = end
                    && self.is_at(&server, end).await?
                {
                    return Ok(());
                }
                let arrived = select! {
                    arrived = messages.next() => arrived,
                    // By itself, the consumer would notice a new connection late, and a
                    // stream that was made anew never.
                    _ = connections.changed() => break,
                    () = sleep(QUIET) => {
                        self.check(&server).await?;
                        // What was to come may have been deleted meanwhile.
                        self.pending = 0;
                        continue;
                    }
                    () = self.stop.abandonment() => continue,
                    () = self.stop.changed(), if end.is_none() => {
                        end = Some(self.check(&server).await?);
                        continue;
                    }
                };
                // An error: the consumer is lost, with the connection or by its own end.
                let whole: Option<Result<Vec<_>, _>> = arrived.map(|it| it.into_iter().collect());
                let Some(Ok(arrived)) = whole else { break };
                if !self.take(&server, arrived).await? {
                    break;
                }
            }
        }
    }

    /// Tells whether the output has all that the stream holds up to `end`.
    async fn is_at(&self, server: &Server, end: u64) -> Result<bool, Error> {
        if self.read >= end {
            return Ok(true);
        }
        if self.pending > 0 {
            return Ok(false);
        }
        // The last messages may have been deleted: a wait for them would never end.
        let next = server.first_of(">", self.read + 1).await.map_err(|why| self.error(why))?;
        Ok(next.is_none_or(|next| next.sequence > end))
    }

    /// Checks that the stream is the known one and still has what comes next; returns the
    /// sequence of its last message.
    async fn check(&mut self, server: &Server) -> Result<u64, Error> {
        let holds = server.holds().await.map_err(|why| self.error(why))?;
        let output = self.output.as_ref().expect("no append is under way");
        let read = self.read;
        if !output.stream_was_made(&holds.made) || holds.last < read {
            return Err(self.error(format!(
                "the output has the messages up to {read} of a stream of this name that is gone, \
                 and this one was made at {}; name another output and another checkpoint",
                holds.made
            )));
        }
        if self.begun && holds.first > read + 1 {
            return Err(self.error(format!(
                "messages {} to {} are gone from it, and not in the output; to go on with what is \
                 left, name another output and another checkpoint",
                read + 1,
                holds.first - 1
            )));
        }
        if !self.begun {
            // What was gone by now is not missed. What comes from now on is.
            (self.begun, self.read) = (true, holds.first.saturating_sub(1));
        }
        Ok(holds.last)
    }

    /// Makes a consumer of what comes next; returns its messages, and a receiver that changes
    /// when the connection comes or goes, since the consumer is lost then.
    async fn consumer(
        &mut self,
        server: &Server,
    ) -> Result<(pull::Stream, watch::Receiver<u64>), String> {
        (self.delivered, self.pending) = (0, 0);
        let next = self.read + 1;
        server
            .ask(async |connections| {
                let (messages, _) = server.consume(next, pull::Config::default()).await?;
                Ok((messages, connections))
            })
            .await
    }

    /// Appends messages to the output; false if one was lost on the way, and nothing is
    /// appended then.
    async fn take(&mut self, server: &Server, messages: Vec<Message>) -> Result<bool, Error> {
        let mut numbered = Vec::with_capacity(messages.len());
        let mut read = self.read;
        for message in messages {
            let info = message.info().map_err(|why| self.error(why.to_string()))?;
            if info.consumer_sequence != self.delivered + 1 {
                return Ok(false);
            }
            let sequence = info.stream_sequence;
            (self.delivered, self.pending) = (info.consumer_sequence, info.pending);
            if sequence > read + 1 {
                // Purged, which is an error, or deleted one by one.
                self.check(server).await?;
                warn!("{}: messages {} to {} were deleted", self.place, read + 1, sequence - 1);
            }
            read = sequence;
            numbered.push((sequence, message));
        }
        let output = self.output.take().expect("appends follow one another");
        // Bridge: the disk blocks, so the pool appends and the connection goes on.
        let appended = spawn_blocking(move || append(output, numbered));
        let (output, appended) =
            appended.await.unwrap_or_else(|failed| resume_unwind(failed.into_panic()));
        self.output = Some(output);
        appended?;
        self.read = read;
        Ok(true)
    }

    fn error(&self, why: String) -> Error {
        Error::Read { path: self.place.path(), cause: io::Error::other(why) }
    }
}

/// Appends messages as whole lines: one that another program sent may lack the last newline.
fn append(mut output: Output, messages: Vec<(u64, Message)>) -> (Output, Result<(), Error>) {
    for (sequence, message) in messages {
        let source = message::source(&message.subject);
        let appended = match &*message.payload {
            lines @ ([] | [.., b'\n']) => output.append_from(&source, lines, sequence),
            lines => output.append_from(&source, &[lines, b"\n"].concat(), sequence),
        };
        if appended.is_err() {
            return (output, appended);
        }
    }
    (output, Ok(()))
}
