//! The program between a test and the browser.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;
use crate::programs::{find, program};

/// A driver on a port of its own, and the folder of its browser.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    port: u16,
    profile: TempDir,
    /// Kept open: otherwise the driver would fail when it next writes.
    said: Option<BufReader<ChildStdout>>,
}

impl Driver {
    /// Starts the driver, and waits until it listens.
    pub(super) fn start() -> Driver {
        let mut driver = program("chromedriver", "chromium-driver");
        driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = driver.spawn().expect("the driver can be started");
        let profile = tempfile::tempdir().expect("a folder");
        // From here on, a panic ends the driver.
        let mut driver = Driver { child, port: 0, profile, said: None };
        let (send, heard) = mpsc::channel();
        let mut said = BufReader::new(driver.child.stdout.take().expect("its output is a pipe"));
        thread::spawn(move || {
            let port = port(&mut said);
            // Fails if the port comes late, and nobody waits for it any more.
            let _ = send.send((port, said));
        });
        let (port, said) = heard.recv_timeout(PATIENCE).expect("the driver says its port");
        (driver.port, driver.said) = (port, Some(said));
        driver
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Describes the browser: without a window, with a new profile, and with a log of
    /// its console and its requests.
    pub(super) fn capabilities(&self) -> Value {
        let chromium = find("chromium", "chromium");
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let args = [
            "--headless=new",
            // The tests may run as root, for whom Chromium has no sandbox.
            "--no-sandbox",
            "--disable-gpu",
            // /dev/shm is 64 MiB in many containers, which is too little.
            "--disable-dev-shm-usage",
            // The browser itself asks for nothing over the network.
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            "--window-size=1280,900",
            &profile,
        ];
        json!({
            "goog:chromeOptions": { "binary": chromium, "args": args },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        })
    }

    /// Lists the processes that use the profile: the browser and its children.
    fn browsers(&self) -> Vec<PathBuf> {
        let profile = self.profile.path().to_string_lossy().into_owned();
        let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
        let uses = |process: &PathBuf| {
            fs::read_to_string(process.join("cmdline")).is_ok_and(|it| it.contains(&profile))
        };
        processes.map(|process| process.path()).filter(uses).collect()
    }
}

impl Drop for Driver {
    /// Ends the driver, and with it the browser, before the profile is removed: a
    /// folder that is still written to cannot be.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.said = None;
        let begin = Instant::now();
        while !self.browsers().is_empty() && begin.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Reads what the driver writes, up to the line that names its port.
fn port(said: &mut impl BufRead) -> u16 {
    let mut heard = String::new();
    while said.read_line(&mut heard).expect("the driver can be heard") > 0 {
        let last = heard.lines().last().unwrap_or_default();
        if let Some((_, port)) = last.split_once("successfully on port ") {
            return port.trim_end_matches('.').parse().expect("a port is a number");
        }
    }
    panic!("the driver does not listen: {heard}");
}
