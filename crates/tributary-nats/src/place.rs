//! Where a stream is, and how to log in and ask its server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tributary::Target;
use url::{Position, Url};

/// The port, if the URL names none.
const PORT: u16 = 4222;

/// A stream of NATS JetStream: `nats://[USER:PASSWORD@]HOST[:PORT]/STREAM`; with `tls://`
/// the connection is never unencrypted. A user without a password is a token.
///
/// `Display` leaves the login out, and writes `nats://` for both schemes.
///
/// ```
/// let place: tributary_nats::Place = "nats://me:secret@logs.example/APP".parse()?;
/// assert_eq!(place.to_string(), "nats://logs.example:4222/APP");
/// assert!("nats://logs.example".parse::<tributary_nats::Place>().is_err());
/// # Ok::<(), tributary_nats::PlaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub(crate) tls: bool,
    pub(crate) login: Login,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) stream: String,
    pub(crate) host_name: String,
    pub(crate) patience: Duration,
    pub(crate) on_their_way: usize,
    pub(crate) most_bytes: usize,
    pub(crate) ca: Option<PathBuf>,
    /// Our own certificate, and its key.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
}

/// How we log in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    Nobody,
    Token(String),
    User(String, String),
    /// With this file: the credentials of a user, or the seed of an NKey.
    File(PathBuf),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Login::Nobody => "Nobody",
            Login::Token(_) => "Token",
            Login::User(..) => "User",
            Login::File(_) => "File",
        })
    }
}

/// Why a text is no [`Place`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The text is no URL, for this reason.
    #[error("write nats://HOST[:PORT]/STREAM ({0})")]
    NoUrl(String),
    /// The URL has this scheme, which is neither `nats` nor `tls`.
    #[error("{0}:// is no scheme of NATS; write nats://HOST/STREAM, or tls:// for TLS alone")]
    Scheme(String),
    /// The URL names no host.
    #[error("it names no host; write nats://HOST[:PORT]/STREAM")]
    NoHost,
    /// The URL names no stream, or this one, which no stream can be called.
    #[error(
        "{0:?} is no name of a stream; write nats://HOST[:PORT]/STREAM, without . * > / or space"
    )]
    Stream(String),
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Place, PlaceError> {
        let url = Url::parse(text).map_err(|why| PlaceError::NoUrl(why.to_string()))?;
        let tls = match url.scheme() {
            "nats" => false,
            "tls" => true,
            other => return Err(PlaceError::Scheme(other.to_owned())),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(PlaceError::NoHost)?;
        // With query and fragment: no name of a stream has a `?` or a `#`, so they are refused.
        let stream = decoded(&url[Position::BeforePath..]);
        let stream = stream.strip_prefix('/').unwrap_or(&stream).to_owned();
        let bad = |c: char| c.is_whitespace() || c.is_control() || ".*>/\\?#".contains(c);
        if stream.is_empty() || stream.contains(bad) {
            return Err(PlaceError::Stream(stream));
        }
        let user = decoded(url.username());
        let login = match url.password() {
            Some(password) => Login::User(user, decoded(password)),
            None if user.is_empty() => Login::Nobody,
            None => Login::Token(user),
        };
        Ok(Place {
            tls,
            login,
            host: host.to_owned(),
            port: url.port().unwrap_or(PORT),
            stream,
            host_name: host_name(),
            patience: Duration::from_secs(60),
            on_their_way: 256,
            most_bytes: usize::MAX,
            ca: None,
            certificate: None,
        })
    }
}

impl Place {
    /// Names this machine: HOST in each subject `log.HOST.PATH`. By default it is the host
    /// name of the system.
    pub fn with_host_name(self, host_name: String) -> Place {
        Place { host_name, ..self }
    }

    /// Bounds how long a question to the server is retried before the merge ends with an
    /// error. The default is a minute.
    pub fn with_patience(self, patience: Duration) -> Place {
        Place { patience, ..self }
    }

    /// Bounds how many chunks may be on their way to the server at once: 256 by default, and
    /// at least one. Of one source there is never more than one.
    pub fn with_on_their_way(self, chunks: usize) -> Place {
        Place { on_their_way: chunks.max(1), ..self }
    }

    /// Bounds how many bytes of lines a message may have. Server and stream bound it as well,
    /// and alone by default. A chunk within the bounds is one message; a line beyond them ends
    /// its source with an error.
    pub fn with_most_bytes(self, bytes: usize) -> Place {
        Place { most_bytes: bytes, ..self }
    }

    /// Trusts the authorities in this PEM file, instead of those of the system; `None` leaves
    /// the system's.
    pub fn with_ca(self, ca: Option<PathBuf>) -> Place {
        Place { ca, ..self }
    }

    /// Shows the server this certificate, and proves it with this key. Both are PEM files.
    pub fn with_certificate(self, certificate: PathBuf, key: PathBuf) -> Place {
        Place { certificate: Some((certificate, key)), ..self }
    }

    /// Logs in with this file, instead of a user and a password: the credentials of a
    /// user (`.creds`), or the seed of an NKey.
    pub fn with_credentials(self, file: PathBuf) -> Place {
        Place { login: Login::File(file), ..self }
    }

    /// Logs in as this user, unless the URL has a login, or a file of credentials is set.
    pub fn with_user(self, user: String, password: String) -> Place {
        match self.login {
            Login::Nobody => Place { login: Login::User(user, password), ..self },
            _ => self,
        }
    }

    /// Returns the output of a plan that merges into this stream.
    pub fn target(&self) -> Target {
        Target::Stream(self.to_string())
    }

    /// Returns the name of the stream as errors show it, in the place of a path.
    pub(crate) fn path(&self) -> PathBuf {
        self.to_string().into()
    }

    /// Returns the URL that the client connects to, without login and stream.
    pub(crate) fn address(&self) -> String {
        let scheme = if self.tls { "tls" } else { "nats" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nats://{}:{}/{}", self.host, self.port, self.stream)
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn host_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_scheme_a_host_and_a_stream() {
        let place: Place = "tls://h:1/S".parse().unwrap();
        assert_eq!((place.tls, place.port, place.address()), (true, 1, "tls://h:1".to_owned()));
        let place: Place = "nats://me:p%40ss@[::1]/S".parse().unwrap();
        assert_eq!(place.login, Login::User("me".into(), "p@ss".into()));
        assert_eq!(place.to_string(), "nats://[::1]:4222/S");
        assert_eq!("nats://t@h/S".parse::<Place>().unwrap().login, Login::Token("t".into()));
        for (text, word) in [
            ("h/S", "nats://HOST"),
            ("http://h/S", "http"),
            ("nats:///S", "host"),
            ("nats://h", "stream"),
            ("nats://h/", "stream"),
            ("nats://h/a.b", "a.b"),
            ("nats://h/a/b", "a/b"),
            ("nats://h/a?b=c#d", "a?b=c#d"),
        ] {
            let told = text.parse::<Place>().unwrap_err().to_string();
            assert!(told.contains(word), "{text}: {told}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let place: Place = "nats://me:secret@h/S".parse().unwrap();
        assert!(!format!("{place} {place:?} {}", place.address()).contains("secret"));
    }
}
