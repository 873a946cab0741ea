//! A stream on another machine, as the output or in the place of the sources.

use std::path::Path;
#[cfg(feature = "nats")]
use std::{path::PathBuf, time::Duration};

use tributary::{Error, Plan, Report};

#[cfg(feature = "nats")]
use crate::args::time;
use crate::args::{Args, STREAM};

#[cfg(not(feature = "nats"))]
use absent as tributary_nats;
pub(crate) use tributary_nats::Place;

/// The flags that concern logs as files: a stream that is read has none of it.
const OF_FILES: [&str; 14] = [
    "sources",
    "watch",
    "exclude",
    "files_from",
    "lines",
    "from_end",
    "prefix",
    "json",
    "max_line",
    "interval",
    "wake",
    "latency",
    "quiet_after",
    "debug",
];

/// What can be typed for a stream.
#[derive(Debug, clap::Args)]
pub(crate) struct Wire {
    /// Read this stream instead of files: nats://HOST/STREAM, or tls:// for TLS alone.
    ///
    /// It is read up to what it holds, and with --follow on. The checkpoint says
    /// how far; messages that were lost before they were read are an error.
    #[arg(
        long,
        value_name = "STREAM",
        conflicts_with_all = OF_FILES,
        help_heading = STREAM,
    )]
    pub(crate) from: Option<Place>,

    /// What this machine is called in the stream, instead of its own name.
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "NAME", conflicts_with = "from", value_parser = host_name, help_heading = STREAM)]
    pub(crate) host_name: Option<String>,

    /// How long the server may fail to answer before the merge ends.
    ///
    /// Until then it is asked again, and no line is lost.
    ///
    /// [default: 1m]
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = STREAM)]
    pub(crate) patience: Option<Duration>,

    /// Trust this authority of certificates, a file of PEM, instead of the system's.
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "FILE", help_heading = STREAM)]
    pub(crate) nats_ca: Option<PathBuf>,

    /// Log in with these credentials, or with the seed of an NKey.
    ///
    /// A `.creds` file has the JWT of a user and its seed. Without it, user and password
    /// stand in the URL, as nats://USER:PASSWORD@HOST/STREAM, or, where nobody sees them,
    /// in NATS_USER and NATS_PASSWORD.
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "FILE", help_heading = STREAM)]
    pub(crate) nats_creds: Option<PathBuf>,

    /// Show the server this certificate, a file of PEM.
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "FILE", requires = "nats_key", help_heading = STREAM)]
    pub(crate) nats_cert: Option<PathBuf>,

    /// The key of that certificate, a file of PEM.
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "FILE", requires = "nats_cert", help_heading = STREAM)]
    pub(crate) nats_key: Option<PathBuf>,
}

/// Tells whether an output is a stream: its name begins with a scheme, known or not. A file
/// of such a name is `./http://name`.
pub(crate) fn is_stream(output: &Path) -> bool {
    let scheme = output.to_str().and_then(|text| text.split_once("://"));
    scheme.is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|it| it.is_ascii_alphanumeric())
    })
}

#[cfg(feature = "nats")]
fn host_name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("an empty name: is a variable unset?") } else { Ok(text.to_owned()) }
}

impl Args {
    /// Returns the stream that the lines go to, if they go to one.
    pub(crate) fn stream_that_is_written(&self) -> Option<Place> {
        let place = self.output.to_str().filter(|_| is_stream(&self.output))?;
        // The parser of the arguments has parsed it already.
        place.parse().ok().map(|place| self.wire.asked(place))
    }

    /// Returns the stream that is read, if one is.
    pub(crate) fn stream_that_is_read(&self) -> Option<Place> {
        self.wire.from.clone().map(|place| self.wire.asked(place))
    }

    /// Returns why the flags and the stream do not go together; `None` if they do.
    pub(crate) fn stream_refused(&self) -> Option<&'static str> {
        let to_stream = is_stream(&self.output);
        if !to_stream && self.wire.from.is_none() {
            return self.wire.is_asked_for().then_some(
                "--host-name, --patience, --nats-…: no stream is named; write --output or --from \
                 nats://HOST/STREAM",
            );
        }
        if to_stream && self.wire.from.is_some() {
            return Some("--from: a stream is read into a file or to stdout, not into a stream");
        }
        if self.is_marked() {
            return Some(
                "--prefix, --json: a message of a stream has the path of its log and the offset in \
                 its headers, and the lines as they are",
            );
        }
        if to_stream && self.append {
            return Some("--append: a stream always goes on behind what it has");
        }
        if self.stage.number != stages::STAGES.len() {
            return Some("--stage: a stream has a stage of its own");
        }
        None
    }

    /// Merges as planned: with a stage, into a stream or from one.
    pub(crate) fn merge(&self, plan: Plan) -> Result<Report, Error> {
        match (self.stream_that_is_written(), self.stream_that_is_read()) {
            (Some(place), _) => tributary_nats::merge(plan, &place),
            (None, Some(place)) => tributary_nats::read(plan, &place, self.follow),
            (None, None) => (self.stage.merge)(plan),
        }
    }
}

/// Stands in for `tributary_nats` in a build without streams.
#[cfg(not(feature = "nats"))]
mod absent {
    use super::*;

    /// No value: every text is refused.
    #[derive(Debug, Clone)]
    pub(crate) enum Place {}

    impl std::str::FromStr for Place {
        type Err = &'static str;

        fn from_str(_: &str) -> Result<Place, &'static str> {
            Err("this tributary was built without streams; build it with `--features nats`")
        }
    }

    impl std::fmt::Display for Place {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match *self {}
        }
    }

    pub(crate) fn merge(_: Plan, place: &Place) -> Result<Report, Error> {
        match *place {}
    }

    pub(crate) fn read(_: Plan, place: &Place, _: bool) -> Result<Report, Error> {
        match *place {}
    }
}

impl Wire {
    /// Tells whether a flag was typed that only a stream has.
    #[cfg(feature = "nats")]
    fn is_asked_for(&self) -> bool {
        let files = [&self.nats_ca, &self.nats_creds, &self.nats_cert, &self.nats_key];
        self.host_name.is_some()
            || self.patience.is_some()
            || files.iter().any(|file| file.is_some())
    }

    #[cfg(not(feature = "nats"))]
    fn is_asked_for(&self) -> bool {
        false
    }

    /// Returns the place with what the flags and the environment say of its server.
    #[cfg(feature = "nats")]
    fn asked(&self, place: Place) -> Place {
        let of_environment = |name| std::env::var(name).ok();
        let place = place.with_ca(self.nats_ca.clone());
        let place = match self.patience {
            Some(patience) => place.with_patience(patience),
            None => place,
        };
        let place = match (of_environment("NATS_USER"), of_environment("NATS_PASSWORD")) {
            (Some(user), Some(password)) => place.with_user(user, password),
            _ => place,
        };
        let place = match &self.nats_creds {
            Some(file) => place.with_credentials(file.clone()),
            None => place,
        };
        let place = match (&self.nats_cert, &self.nats_key) {
            (Some(certificate), Some(key)) => {
                place.with_certificate(certificate.clone(), key.clone())
            }
            _ => place,
        };
        match &self.host_name {
            Some(name) => place.with_host_name(name.clone()),
            None => place,
        }
    }

    #[cfg(not(feature = "nats"))]
    fn asked(&self, place: Place) -> Place {
        place
    }
}
