//! What Chromium's driver knows beyond the standard.

use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// A command that only Chromium's driver has.
#[derive(Debug)]
pub(super) enum Extra {
    /// A command of the DevTools protocol, and its parameters.
    DevTools(&'static str, Value),
    /// The entries of this log since they were last asked for.
    Log(&'static str),
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.expect("there is a session from the start");
        let path = match self {
            Extra::DevTools(..) => "goog/cdp/execute",
            Extra::Log(_) => "se/log",
        };
        base.join(&format!("session/{session}/{path}"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = match self {
            Extra::DevTools(name, params) => json!({ "cmd": name, "params": params }),
            Extra::Log(kind) => json!({ "type": kind }),
        };
        (Method::POST, Some(body.to_string()))
    }
}
