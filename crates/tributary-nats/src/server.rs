//! The connection to a server, which may go and come back.

use std::cell::Cell;
use std::error::Error as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::client::Client;
use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::{
    ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind, PublishError, PublishErrorKind,
};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, RawMessageError, RawMessageErrorKind, RetentionPolicy, Stream,
};
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectErrorKind, ConnectOptions, Event};
use futures_util::StreamExt;
use nkeys::KeyPair;
use tokio::select;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use tributary::{Shown, Stop};

use crate::message::{SUBJECTS, Span, span};
use crate::place::{Login, Place};

/// How long one question may take before it is asked again.
const ANSWER: Duration = Duration::from_secs(5);
/// The same for a message: longer, since each try may leave a copy in the client.
const ACK: Duration = Duration::from_secs(30);
/// How long a server still has to answer after the merge was abandoned.
const LAST_ANSWER: Duration = Duration::from_secs(1);
/// How long to wait before a question is asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// How many messages and how many bytes a server may send ahead, while the disk is busy. The
/// client asks for more when half of either is left. If a message may be larger than these
/// bytes, it is as many as that.
const AHEAD: (usize, usize) = (1_000, 16 * 1024 * 1024);
/// What a server counts of a message besides lines and headers: two subjects, at most.
const NAMES: usize = 8 * 1024;
/// So many messages of a subject are asked for one by one, before a consumer is made.
const FEW: usize = 8;
/// So many messages are asked for with one consumer: the patience is with each.
const BUNCH: usize = 10_000;
/// After so long without a request, the server forgets a consumer.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// After so long without a word of the server, the client pings it.
const PING: Duration = Duration::from_secs(10);

/// Why a question has no good answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is transient: the question is asked again, until the patience ends.
    Passing(String),
    /// It is permanent: the question is not asked again.
    Lasting(String),
}

use Trouble::{Lasting, Passing};

/// What a stream holds.
#[derive(Debug)]
pub(crate) struct Holds {
    /// When the stream was made, as its server says.
    pub(crate) made: String,
    /// The sequence of the first message; of a stream that was emptied, one behind the last.
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// What has become of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// The message is in the stream, with this sequence.
    As(u64),
    /// The fence has refused the message: the subject holds another one last.
    Fenced,
}

/// A server, and the stream on it.
pub(crate) struct Server {
    pub(crate) place: Place,
    stop: Stop,
    client: Client,
    context: Context,
    stream: Stream,
    /// How often a connection has come or gone.
    connections: watch::Receiver<u64>,
    /// The last error that the server sent outside of any answer.
    refused: Arc<Mutex<Option<String>>>,
    /// How many questions have met trouble, and no answer since.
    troubled: Cell<usize>,
}

impl Server {
    /// Connects, and asks for the stream; with `make`, makes one that is missing.
    pub(crate) async fn connect(place: &Place, stop: &Stop, make: bool) -> Result<Server, String> {
        let (connected, connections) = watch::channel(0);
        let refused = Arc::default();
        let options = options(place, connected, &refused)?;
        let troubled = Cell::new(0);
        // Without `follow`, the plan itself has requested the stop, which then ends no wait.
        let gives_up_at_the_stop = !stop.requested();
        let insist = Insist { place, stop, troubled: &troubled, gives_up_at_the_stop };
        let client = insist.on(async || {
            options.clone().connect(place.address()).await.map_err(|why| of_connect(place, &why))
        });
        let client = client.await?;
        let context = ContextBuilder::new()
            .timeout(ANSWER.min(place.patience))
            .ack_timeout(ACK.min(place.patience))
            .build(client.clone());
        let stream = insist
            .on(async || ask_for_stream(&context, &client, place, make, &refused).await)
            .await?;
        let (place, stop) = (place.clone(), stop.clone());
        Ok(Server { place, stop, client, context, stream, connections, refused, troubled })
    }

    /// Returns the subjects that the stream takes.
    pub(crate) fn subjects(&self) -> &[String] {
        &self.stream.cached_info().config.subjects
    }

    /// Returns how many bytes a message may have, with its headers, and what bounds it.
    pub(crate) fn most_bytes(&self) -> (usize, &'static str) {
        let of_stream = usize::try_from(self.stream.cached_info().config.max_message_size).ok();
        let of_server = self.client.max_payload();
        match of_stream.filter(|it| (1..of_server).contains(it)) {
            Some(of_stream) => (of_stream, "max_msg_size of the stream"),
            None => (of_server, "max_payload of the server"),
        }
    }

    /// Publishes a message, and waits until the server has acknowledged or refused it.
    pub(crate) async fn publish(
        &self,
        subject: &str,
        message: impl Fn() -> PublishMessage,
    ) -> Result<Published, String> {
        self.ask(async |mut connections| {
            let sent = self.context.send_publish(subject.to_owned(), message()).await;
            let answer = sent.map_err(|why| self.of_publish(&why))?.into_future();
            let answer = select! {
                answer = answer => answer,
                // After a reconnect, the client does not send again what was on its way.
                _ = connections.changed() => return Err(lost()),
            };
            match answer {
                Ok(PublishAck { sequence, .. }) => Ok(Published::As(sequence)),
                Err(why) if why.kind() == PublishErrorKind::WrongLastSequence => {
                    Ok(Published::Fenced)
                }
                Err(why) => Err(self.of_publish(&why)),
            }
        })
        .await
    }

    /// Returns an id that no other message has: the name of an inbox, which is unique.
    pub(crate) fn new_id(&self) -> String {
        self.client.new_inbox()
    }

    /// Returns the last message of a subject.
    pub(crate) async fn last_of(&self, subject: &str) -> Result<Option<StreamMessage>, String> {
        self.one(async || self.stream.get_last_raw_message_by_subject(subject).await).await
    }

    /// Returns the first message of a subject from this sequence on.
    pub(crate) async fn first_of(
        &self,
        subject: &str,
        sequence: u64,
    ) -> Result<Option<StreamMessage>, String> {
        self.one(async || self.stream.get_first_raw_message_by_subject(subject, sequence).await)
            .await
    }

    /// Returns the sequence of each message of a subject, and where its lines stand; `None` for
    /// a message without our headers. `from` and `to` are the first and the last sequence; the
    /// message `to` must be there, since it is waited for.
    pub(crate) async fn headers_of(
        &self,
        subject: &str,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, Option<Span>)>, String> {
        let (mut found, mut next) = (Vec::new(), from);
        // Mostly there are few messages, and a consumer costs the server more.
        while found.len() < FEW && next <= to {
            let Some(message) = self.first_of(subject, next).await? else { return Ok(found) };
            found.push((message.sequence, span(&message.headers)));
            next = message.sequence + 1;
        }
        while next <= to {
            let bunch = self.ask(async |connections| {
                let config = pull::Config {
                    filter_subject: subject.to_owned(),
                    headers_only: true,
                    ..pull::Config::default()
                };
                let (messages, consumer) = self.consume(next, config).await?;
                let bunch = self.headers_in(messages, to, connections).await;
                // Also after an error, since a server bounds the number of consumers. One that
                // stays is forgotten after `FORGOTTEN`.
                let _ = self.stream.delete_consumer(&consumer).await;
                bunch
            });
            found.append(&mut bunch.await?);
            next = found.last().map_or(to, |(last, _)| *last) + 1;
        }
        Ok(found)
    }

    /// Takes messages up to the sequence `to`, which must be there, or so many as are a
    /// [`BUNCH`].
    async fn headers_in(
        &self,
        mut messages: pull::Stream,
        to: u64,
        mut connections: watch::Receiver<u64>,
    ) -> Result<Vec<(u64, Option<Span>)>, Trouble> {
        let mut found = Vec::new();
        while found.len() < BUNCH && found.last().is_none_or(|(last, _)| *last < to) {
            let message = select! {
                message = messages.next() => message,
                _ = connections.changed() => None,
            };
            let message = message.ok_or_else(lost)?.map_err(|why| Passing(self.whole(&why)))?;
            let info = message.info().map_err(|why| Passing(why.to_string()))?;
            if info.consumer_sequence != found.len() as u64 + 1 {
                return Err(lost());
            }
            found.push((info.stream_sequence, message.headers.as_ref().and_then(span)));
        }
        Ok(found)
    }

    /// Makes a consumer of the messages from a sequence on; returns these and its name. The
    /// consumer numbers its messages from one, so a gap is a message that was lost on the way.
    /// The server sends as much ahead as [`AHEAD`] says.
    pub(crate) async fn consume(
        &self,
        start_sequence: u64,
        config: pull::Config,
    ) -> Result<(pull::Stream, String), Trouble> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            ..config
        };
        let consumer = self.stream.create_consumer(config).await;
        let consumer = consumer.map_err(|why| Passing(self.whole(&why)))?;
        let (mut messages, bytes) = AHEAD;
        // The server may bound it, and sends nothing to who asks for more.
        if let Ok(most @ 1..) = usize::try_from(consumer.cached_info().config.max_batch) {
            messages = messages.min(most);
        }
        // Nor does it send a message that is larger than what was asked for.
        let bytes = bytes.max(self.client.max_payload() + NAMES);
        let ahead = consumer.stream().max_messages_per_batch(messages).max_bytes_per_batch(bytes);
        let messages = ahead.messages().await.map_err(|why| Passing(self.whole(&why)))?;
        Ok((messages, consumer.cached_info().name.clone()))
    }

    /// Returns the message with this sequence.
    pub(crate) async fn message(&self, sequence: u64) -> Result<Option<StreamMessage>, String> {
        self.one(async || self.stream.get_raw_message(sequence).await).await
    }

    /// Returns a receiver that changes when the connection comes or goes. If there is none,
    /// waits for the next change, and fails: a question that is sent meanwhile would wait in
    /// the client.
    async fn connections(&self) -> Result<watch::Receiver<u64>, Trouble> {
        let mut connections = self.connections.clone();
        connections.borrow_and_update();
        if self.client.connection_state() == State::Connected {
            return Ok(connections);
        }
        let _ = connections.changed().await;
        Err(lost())
    }

    async fn one(
        &self,
        ask: impl AsyncFn() -> Result<StreamMessage, RawMessageError>,
    ) -> Result<Option<StreamMessage>, String> {
        self.ask(async |_| match ask().await {
            Ok(message) => Ok(Some(message)),
            Err(why) if why.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(why) => Err(Passing(self.whole(&why))),
        })
        .await
    }

    /// Returns what the stream holds.
    pub(crate) async fn holds(&self) -> Result<Holds, String> {
        self.ask(async |_| {
            let info = self.stream.get_info().await;
            let info = info.map_err(|why| Passing(self.whole(&why)))?;
            let (first, last) = (info.state.first_sequence, info.state.last_sequence);
            Ok(Holds { made: info.created.to_string(), first, last })
        })
        .await
    }

    /// Asks once there is a connection, and again while the trouble is transient and the
    /// patience lasts. The question gets a receiver that changes when the connection comes or
    /// goes.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFn(watch::Receiver<u64>) -> Result<T, Trouble>,
    ) -> Result<T, String> {
        let Server { place, stop, troubled, .. } = self;
        let insist = Insist { place, stop, troubled, gives_up_at_the_stop: false };
        insist.on(async || question(self.connections().await?).await).await
    }

    fn of_publish(&self, why: &PublishError) -> Trouble {
        let code = why.source().and_then(|it| it.downcast_ref::<jetstream::Error>());
        match (why.kind(), code.map(|it| it.error_code().0)) {
            (PublishErrorKind::StreamNotFound, _) => Passing(format!(
                "no stream takes the message; is {} still there, and JetStream enabled?",
                self.place.stream
            )),
            (_, Some(10077 | 10023)) => {
                Passing(format!("the stream is full: {}; make room", self.whole(why)))
            }
            (_, Some(10060)) => Lasting(format!(
                "another stream of this server takes our subjects, {SUBJECTS}: {}",
                self.whole(why)
            )),
            (_, Some(10054 | 10109)) => Lasting(self.whole(why)),
            (PublishErrorKind::MaxPayloadExceeded, _) => Lasting(self.whole(why)),
            _ => Passing(self.whole(why)),
        }
    }

    /// Returns an error and its causes, with what the server has refused meanwhile.
    fn whole(&self, why: &dyn std::error::Error) -> String {
        whole(why, &self.refused)
    }
}

/// How a question is retried.
struct Insist<'a> {
    place: &'a Place,
    stop: &'a Stop,
    troubled: &'a Cell<usize>,
    /// Whether a stop ends the retries: nothing was read yet that could be lost.
    gives_up_at_the_stop: bool,
}

impl Insist<'_> {
    /// Asks [`with_patience`](Insist::with_patience), and gives up [`LAST_ANSWER`] after the
    /// merge was abandoned.
    async fn on<T>(&self, ask: impl AsyncFn() -> Result<T, Trouble>) -> Result<T, String> {
        let given_up = async {
            self.stop.abandonment().await;
            sleep(LAST_ANSWER).await;
        };
        select! {
            answered = self.with_patience(ask) => answered,
            () = given_up => Err("interrupted before the server had answered".to_owned()),
        }
    }

    /// Asks until there is an answer, the trouble is permanent, or it has lasted longer than
    /// the patience. Of all questions together, the first trouble and the end of the last one
    /// are told.
    async fn with_patience<T>(
        &self,
        ask: impl AsyncFn() -> Result<T, Trouble>,
    ) -> Result<T, String> {
        let patience = self.place.patience;
        let began = Instant::now();
        let mut trouble: Option<String> = None;
        loop {
            let left = patience.saturating_sub(began.elapsed());
            // The client may wait longer for something; we do not.
            let asked = timeout(left.max(PAUSE), ask()).await;
            let why = match asked {
                Ok(Ok(answer)) => {
                    if trouble.is_some() {
                        self.trouble_ends();
                    }
                    return Ok(answer);
                }
                Ok(Err(Lasting(why))) => return Err(why),
                Ok(Err(Passing(why))) => why,
                // What was wrong the last time says more.
                Err(_) => {
                    trouble.clone().unwrap_or_else(|| "the server does not answer".to_owned())
                }
            };
            if began.elapsed() >= patience {
                return Err(format!("{why}; tried for {patience:?}"));
            }
            if self.gives_up_at_the_stop && self.stop.requested() {
                return Err(format!("{why}; stopped before that"));
            }
            if trouble.is_none() {
                self.trouble_begins(&why);
            }
            trouble = Some(why);
            if self.gives_up_at_the_stop {
                select! {
                    () = sleep(PAUSE) => {}
                    () = self.stop.changed() => {}
                }
            } else {
                sleep(PAUSE).await;
            }
        }
    }

    fn trouble_begins(&self, why: &str) {
        let (place, patience) = (self.place, self.place.patience);
        if self.troubled.replace(self.troubled.get() + 1) == 0 {
            warn!("{place}: {why}; tried again for {patience:?}");
        }
    }

    fn trouble_ends(&self) {
        self.troubled.set(self.troubled.get() - 1);
        if self.troubled.get() == 0 {
            warn!("{}: the server answers again", self.place);
        }
    }
}

/// Returns the options of the connection. Fails if a file that they name cannot be read.
fn options(
    place: &Place,
    connected: watch::Sender<u64>,
    refused: &Arc<Mutex<Option<String>>>,
) -> Result<ConnectOptions, String> {
    let refused = Arc::clone(refused);
    let mut options = ConnectOptions::new()
        .name("tributary")
        .ping_interval(PING)
        .request_timeout(Some(ANSWER))
        .connection_timeout(ANSWER.min(place.patience))
        .reconnect_delay_callback(|tries| PAUSE * u32::try_from(tries.clamp(1, 6) - 1).unwrap_or(5))
        .event_callback(move |event| {
            match event {
                Event::Connected | Event::Disconnected => {
                    connected.send_modify(|count| *count += 1);
                }
                Event::ServerError(why) => {
                    *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_string());
                }
                _ => {}
            }
            async {}
        });
    options = match &place.login {
        Login::Nobody => options,
        Login::Token(token) => options.token(token.clone()),
        Login::User(user, password) => options.user_and_password(user.clone(), password.clone()),
        Login::File(file) => with_credentials(options, file)?,
    };
    if place.tls {
        options = options.require_tls(true);
    }
    // Read here as well, for the errors: those of the client do not name the file.
    if let Some(ca) = &place.ca {
        read(ca)?;
        options = options.add_root_certificates(ca.clone());
    }
    if let Some((certificate, key)) = &place.certificate {
        read(certificate)?;
        read(key)?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

/// Adds the login from a file to the options: credentials, or the seed of an NKey.
fn with_credentials(options: ConnectOptions, file: &Path) -> Result<ConnectOptions, String> {
    let text = read(file)?;
    let seed = text.trim();
    if KeyPair::from_seed(seed).is_ok() {
        return Ok(options.nkey(seed.to_owned()));
    }
    options.credentials(&text).map_err(|why| {
        format!("{}: neither credentials nor the seed of an NKey: {why}", Shown(file))
    })
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|why| format!("{}: cannot read it: {why}", Shown(file)))
}

/// Says why there is no connection.
fn of_connect(place: &Place, why: &async_nats::ConnectError) -> Trouble {
    let told = chain(why);
    match why.kind() {
        ConnectErrorKind::Dns => Passing(format!("no address is known for {}: {told}", place.host)),
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            let login = match &place.login {
                Login::Nobody => "it wants a user and a password".to_owned(),
                Login::File(file) => format!("it does not take what is in {}", Shown(file)),
                _ => "it does not take the user, the password or the token".to_owned(),
            };
            Lasting(format!("the server refuses us: {login}"))
        }
        ConnectErrorKind::Tls | ConnectErrorKind::ServerParse => Lasting(told),
        _ if told.contains("fatal alert") => {
            let ours = match &place.certificate {
                Some((file, _)) => format!("it does not take {}", Shown(file)),
                None => "it wants a certificate of ours; name one with --nats-cert".to_owned(),
            };
            Lasting(format!("{told}; {ours}"))
        }
        _ if told.contains("certificate") => {
            let known = match &place.ca {
                Some(ca) => format!("{} has not signed it", Shown(ca)),
                None => "the system knows no authority that has signed it; name the file of yours \
                         with --nats-ca"
                    .to_owned(),
            };
            Lasting(format!("{told}; {known}"))
        }
        _ if told.contains("InvalidContentType") => {
            Lasting("the server does not speak TLS; write nats:// instead of tls://".to_owned())
        }
        _ if told.contains("invalid server operation") => {
            Lasting(format!("this is no NATS server: {told}"))
        }
        _ => Passing(format!("there is no answer: {told}")),
    }
}

/// Asks for the stream; with `make`, makes one that is missing.
async fn ask_for_stream(
    context: &Context,
    client: &Client,
    place: &Place,
    make: bool,
    refused: &Mutex<Option<String>>,
) -> Result<Stream, Trouble> {
    let name = &place.stream;
    if !client.server_info().jetstream {
        return Err(Lasting("JetStream is not enabled on this server".to_owned()));
    }
    let why = match context.get_stream(name).await {
        Ok(stream) => {
            let config = &stream.cached_info().config;
            let bounded = config.max_messages > 0
                || config.max_bytes > 0
                || config.max_messages_per_subject > 0;
            let forgets = bounded && config.discard == DiscardPolicy::Old
                || !config.max_age.is_zero()
                || config.retention == RetentionPolicy::Interest;
            if make && forgets {
                warn!(
                    "{place}: it discards old messages; lines that nobody has read by then are lost"
                );
            }
            return Ok(stream);
        }
        Err(why) => why,
    };
    let code = match why.kind() {
        GetStreamErrorKind::JetStream(error) => Some(error.error_code().0),
        _ => None,
    };
    match code {
        Some(10059) if make => {}
        Some(10059) => return Err(Lasting("there is no such stream on this server".to_owned())),
        Some(10039) => return Err(Lasting(chain(&why))),
        _ => return Err(Passing(whole(&why, refused))),
    }
    let config = Config {
        name: name.clone(),
        subjects: vec![SUBJECTS.to_owned()],
        discard: DiscardPolicy::New,
        ..Config::default()
    };
    match context.create_stream(config).await {
        Ok(stream) => {
            info!("{place}: made, for {SUBJECTS}, in files, without a limit");
            Ok(stream)
        }
        Err(why) => {
            let told = format!("cannot make the stream: {}", whole(&why, refused));
            let lasts = match why.kind() {
                CreateStreamErrorKind::JetStream(error) if error.error_code().0 == 10065 => {
                    return Err(Lasting(format!(
                        "there is no such stream, and it cannot be made: another stream of this \
                         server takes {SUBJECTS}; is that the one that is meant?"
                    )));
                }
                kind => matches!(kind, CreateStreamErrorKind::JetStream(_)),
            };
            Err(if lasts { Lasting(told) } else { Passing(told) })
        }
    }
}

/// Returns an error and its causes, with what the server has refused meanwhile.
fn whole(why: &dyn std::error::Error, refused: &Mutex<Option<String>>) -> String {
    let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
    match refused {
        Some(refused) => format!("{} ({refused})", chain(why)),
        None => chain(why),
    }
}

fn lost() -> Trouble {
    Passing("the connection is lost".to_owned())
}

/// Returns an error and its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        let why_told = why.to_string();
        if !told.contains(&why_told) {
            told.push_str(": ");
            told.push_str(&why_told);
        }
        cause = why.source();
    }
    told
}
