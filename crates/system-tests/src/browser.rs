//! A browser without a window: Chromium, driven over WebDriver.
//!
//! ```no_run
//! use system_tests::Browser;
//!
//! let browser = Browser::start();
//! browser.viewport(390, 844);
//! browser.open("target/book/index.html".as_ref());
//! assert_eq!(browser.run("return document.title"), "Tributary");
//! assert!(browser.console().is_empty());
//! browser.screenshot("target/pictures/narrow.png".as_ref());
//! ```
//!
//! This is for tests: every call blocks, and panics when it fails or gets no answer
//! for a minute. Dropping the browser ends it, its driver and all of their children.

mod driver;
mod extra;

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use driver::Driver;
use extra::Extra;

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    runtime: Runtime,
    /// Taken when the browser is closed.
    client: Option<Client>,
    /// Ends with the browser, and the profile with it.
    _driver: Driver,
}

impl Browser {
    /// Starts a browser, with a profile that nobody has used.
    ///
    /// # Panics
    ///
    /// Panics if Chromium or its driver is not installed, and names the package to
    /// install; or if they do not start.
    pub fn start() -> Browser {
        let driver = Driver::start();
        let runtime =
            Builder::new_current_thread().enable_all().build().expect("a loop can be had");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let wanted = driver.capabilities();
        builder.capabilities(wanted.as_object().expect("an object").clone());
        let address = driver.address();
        let client = runtime.block_on(async {
            let connected = tokio::time::timeout(PATIENCE, builder.connect(&address)).await;
            connected.expect("the browser starts in time").expect("the browser starts")
        });
        let browser = Browser { runtime, client: Some(client), _driver: driver };
        // The page of a new tab asks for a hundred files: what it logs is dropped.
        browser.goto("about:blank");
        browser.console();
        browser.requests();
        browser
    }

    /// Opens a file and waits until it is loaded, with all that it names.
    pub fn open(&self, file: &Path) {
        let file = fs::canonicalize(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        self.goto(url::Url::from_file_path(file).expect("the path is absolute").as_str());
    }

    /// Goes to an address and waits until it is loaded, with all that it names, its
    /// fonts included.
    pub fn goto(&self, address: &str) {
        self.block_on(&format!("{address} loads"), self.client().goto(address));
        self.run("return document.fonts.ready.then(() => true)");
    }

    /// Runs `body` as the body of a function in the page, and returns what it
    /// returns: `browser.run("return document.title")`. A promise is awaited.
    pub fn run(&self, body: &str) -> Value {
        self.block_on(body, self.client().execute(body, Vec::new()))
    }

    /// Waits until `expression` holds in the page.
    ///
    /// # Panics
    ///
    /// Panics after 25 seconds, and names the expression.
    pub fn wait(&self, expression: &str) {
        let body = format!(
            "return new Promise((done, fail) => {{
                 const end = Date.now() + 25000;
                 const look = () => ({expression}) ? done(true)
                     : Date.now() > end ? done(false) : setTimeout(look, 20);
                 look();
             }});"
        );
        assert_eq!(self.run(&body), true, "this never holds: {expression}");
    }

    /// Presses a key and lets it go, where the focus is: a letter, or "Enter".
    pub fn press(&self, key: &str) {
        let (text, code) = if key == "Enter" { ("\r", 13) } else { (key, 0) };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({
                "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code,
            });
            self.command("Input.dispatchKeyEvent", event);
        }
    }

    /// Sets the size of the page in pixels; unlike a window, it may be narrower than
    /// 500.
    pub fn viewport(&self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.command("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets the medium ("screen" or "print") and the features that style sheets see,
    /// such as `("prefers-color-scheme", "dark")`.
    pub fn media(&self, medium: &str, features: &[(&str, &str)]) {
        let features: Vec<_> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.command(
            "Emulation.setEmulatedMedia",
            json!({ "media": medium, "features": features }),
        );
    }

    /// Returns the lines of the console since the last call, as `LEVEL: text`. Errors
    /// that nobody caught and files that were not found are among them.
    pub fn console(&self) -> Vec<String> {
        let entries = self.log("browser");
        let text = |entry: &Value| {
            let field = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", field("level"), field("message"))
        };
        entries.iter().map(text).collect()
    }

    /// Returns the addresses that the page has asked for since the last call; files
    /// are among them.
    pub fn requests(&self) -> Vec<String> {
        let asked = self.log("performance").into_iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            let is_request = event["method"] == "Network.requestWillBeSent";
            let address = event["params"]["request"]["url"].as_str()?;
            is_request.then(|| address.to_owned())
        });
        asked.collect()
    }

    /// Writes a picture of the whole page, also of the part that is out of view, to
    /// `file` as PNG. Makes the folder of `file` if there is none.
    pub fn screenshot(&self, file: &Path) {
        let size = self.command("Page.getLayoutMetrics", json!({}))["cssContentSize"].clone();
        let clip = json!({
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1,
        });
        let how = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.command("Page.captureScreenshot", how);
        let bytes = BASE64_STANDARD
            .decode(picture["data"].as_str().expect("a picture is text"))
            .expect("a picture is base64");
        let written = file.parent().map_or(Ok(()), fs::create_dir_all);
        let written = written.and_then(|()| fs::write(file, bytes));
        written.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }

    /// Issues a command of the DevTools protocol; returns its result.
    pub fn command(&self, name: &'static str, params: Value) -> Value {
        let command = Extra::DevTools(name, params);
        self.block_on(name, self.client().issue_cmd(command))
    }

    fn log(&self, kind: &'static str) -> Vec<Value> {
        let entries = self.block_on(kind, self.client().issue_cmd(Extra::Log(kind)));
        entries.as_array().expect("a log is a list").clone()
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("the browser is open until it is dropped")
    }

    fn block_on<T, E: std::fmt::Debug>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> T {
        let answer = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, call).await });
        let answer = answer.unwrap_or_else(|_| panic!("no answer in a minute: {what}"));
        answer.unwrap_or_else(|e| panic!("{what}: {e:?}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closed in good order, the browser ends its own children. If that fails, the
        // driver ends all the same, so this does not panic.
        if let Some(client) = self.client.take() {
            let close = async { tokio::time::timeout(PATIENCE, client.close()).await };
            let _ = self.runtime.block_on(close);
        }
    }
}
