//! Where a stream is, and how its server is asked for it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tributary::Target;
use url::{Position, Url};

/// The port of a server that names none.
const PORT: u16 = 4222;

/// A stream of NATS JetStream: `nats://[USER:PASSWORD@]HOST[:PORT]/STREAM`, or with
/// `tls://` where nothing may go unencrypted. A user without a password is a token.
///
/// `Display` leaves the password out.
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

/// How the server knows us.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    Nobody,
    Token(String),
    User(String, String),
    /// By what is in this file.
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
    /// It is no URL.
    #[error("write nats://HOST[:PORT]/STREAM ({0})")]
    NoUrl(String),
    /// It is a URL of something else.
    #[error("{0}:// is no scheme of NATS; write nats://HOST/STREAM, or tls:// for TLS alone")]
    Scheme(String),
    /// There is no host in it.
    #[error("it names no host; write nats://HOST[:PORT]/STREAM")]
    NoHost,
    /// There is no stream in it, or what no stream can be called.
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
        // With what else a URL may have there, and the name of no stream.
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
    /// Takes another name for this machine: the second part of each subject. It is that
    /// of the system, if nobody says otherwise.
    pub fn with_host_name(self, host_name: String) -> Place {
        Place { host_name, ..self }
    }

    /// Bounds how long the server may fail to answer before the merge ends with an
    /// error (a minute, if nobody says otherwise).
    pub fn with_patience(self, patience: Duration) -> Place {
        Place { patience, ..self }
    }

    /// Bounds how many chunks may be on their way to the server at once (256, if nobody
    /// says otherwise). Of one source there is never more than one.
    pub fn with_on_their_way(self, chunks: usize) -> Place {
        Place { on_their_way: chunks.max(1), ..self }
    }

    /// Bounds how many bytes of lines a message may have (those of a chunk, if nobody
    /// says otherwise, and never more than the server takes).
    pub fn with_most_bytes(self, bytes: usize) -> Place {
        Place { most_bytes: bytes, ..self }
    }

    /// Trusts those certificates, too, that this file of PEM has signed.
    pub fn with_ca(self, ca: Option<PathBuf>) -> Place {
        Place { ca, ..self }
    }

    /// Shows the server this certificate, a file of PEM, with the key that is in the
    /// other.
    pub fn with_certificate(self, certificate: PathBuf, key: PathBuf) -> Place {
        Place { certificate: Some((certificate, key)), ..self }
    }

    /// Logs in with this file, instead of a user and a password: the credentials of a
    /// user (`.creds`), or the seed of an NKey.
    pub fn with_credentials(self, file: PathBuf) -> Place {
        Place { login: Login::File(file), ..self }
    }

    /// Logs in as this user, where the text named nobody.
    pub fn with_user(self, user: String, password: String) -> Place {
        match self.login {
            Login::Nobody => Place { login: Login::User(user, password), ..self },
            _ => self,
        }
    }

    /// Returns the output of a plan whose lines are to come here.
    pub fn target(&self) -> Target {
        Target::Stream(self.to_string())
    }

    /// Returns what errors about the stream name.
    pub(crate) fn path(&self) -> PathBuf {
        self.to_string().into()
    }

    /// Returns the address for the client.
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

/// Returns the name of this machine.
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
