//! Draws the terminal that the README of the command shows: `just picture`.
//!
//! What is drawn has been run: two programs follow the same logs while they are
//! written. Each piece is written once the one before it has been shown, so
//! each run gives the same picture.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, RgbColor, Style};
use anstyle_svg::{Palette, Term};
use anyhow::{Context, Result};

/// Where the picture is, beside the README.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/terminal.svg");

/// The sixteen colours of a terminal; all are readable on the
/// first, which is the ground, on a light page and on a dark one.
const COLOURS: [u32; 16] = [
    0x161b22, 0xff7b72, 0x3fb950, 0xd29922, 0x58a6ff, 0xbc8cff, 0x39c5cf, 0xe6edf3, 0x8b949e,
    0xffa198, 0x56d364, 0xe3b341, 0x79c0ff, 0xd2a8ff, 0x56d4dd, 0xffffff,
];

/// A wait that only a hang makes this long.
const BOUND: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let torn = show("tail -qF auth.log proxy.log", |logs, shown| {
        logs.write("auth.log", "08:15:02 sshd: session opened ", shown)?;
        logs.write("proxy.log", "08:15:02 GET /login 200\n", shown)?;
        logs.write("auth.log", "for ada\n", shown)
    })?;
    let whole = show("tributary -F --prefix name auth.log proxy.log mail.log", |logs, shown| {
        shown.wait_for("mail.log: no such file; waiting for it\n")?;
        logs.half("auth.log", "08:15:02 sshd: session opened ")?;
        logs.write("proxy.log", "08:15:02 GET /login 200\n", shown)?;
        logs.write("auth.log", "for ada\n", shown)?;
        logs.write("mail.log", "08:15:03 queued: welcome, ada\n", shown)?;
        // As `logrotate` does it: the old file has a last line.
        logs.rename("proxy.log", "proxy.log.1")?;
        logs.write("proxy.log.1", "08:15:04 POST /orders 201\n", shown)?;
        logs.write("proxy.log", "08:15:05 GET /orders/7 200\n", shown)?;
        logs.write("auth.log", "08:15:06 sshd: 3 failed logins for root\n", shown)
    })?;
    let palette = Palette(COLOURS.map(|colour| {
        let [_, red, green, blue] = colour.to_be_bytes();
        RgbColor(red, green, blue)
    }));
    let terminal = Term::new().palette(palette).min_width_px(0);
    let drawn = terminal.render_svg(format!("{torn}\n{whole}").trim_end());
    if fs::read_to_string(PICTURE).is_ok_and(|known| known == drawn) {
        return Ok(());
    }
    fs::write(PICTURE, drawn).context(PICTURE)?;
    writeln!(io::stdout(), "changed: {PICTURE}")?;
    Ok(())
}

/// Runs a command as if it were typed on a terminal with colours, in a folder
/// with two empty logs; returns what the terminal shows when `story` is told.
fn show(typed: &str, story: impl FnOnce(&Logs<'_>, &mut Shown) -> Result<()>) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let logs = Logs(folder.path());
    logs.half("auth.log", "")?;
    logs.half("proxy.log", "")?;
    let (pipe, terminal) = io::pipe()?;
    let mut words = typed.split(' ');
    let mut child = Command::new(program(words.next().unwrap_or_default())?)
        .args(words)
        .current_dir(&folder)
        .env_remove("NO_COLOR")
        .env("CLICOLOR_FORCE", "1")
        .stdin(Stdio::null())
        .stdout(terminal.try_clone()?)
        .stderr(terminal)
        .spawn()
        .context(typed.to_owned())?;
    let mut shown = Shown::of(pipe);
    let told = story(&logs, &mut shown);
    child.kill()?;
    child.wait()?;
    told.with_context(|| format!("{typed} shows: {}", shown.text))?;
    let prompt = Style::new().fg_color(Some(AnsiColor::BrightBlack.into()));
    Ok(format!("{prompt}${prompt:#} {typed}\n{}", shown.text))
}

/// Finds `tributary` where cargo has put it, beside the examples.
fn program(name: &str) -> Result<PathBuf> {
    if name != "tributary" {
        return Ok(name.into());
    }
    let here = std::env::current_exe()?;
    let folder = here.ancestors().nth(2).context("cargo has a folder for examples")?;
    Ok(folder.join(name))
}

/// The folder with the logs.
struct Logs<'a>(&'a Path);

impl Logs<'_> {
    /// Adds a piece of a line, which need not be shown.
    fn half(&self, log: &str, text: &str) -> Result<()> {
        let file = OpenOptions::new().append(true).create(true).open(self.0.join(log));
        Ok(file?.write_all(text.as_bytes())?)
    }

    /// Adds to a log, and waits until that is shown.
    fn write(&self, log: &str, text: &str, shown: &mut Shown) -> Result<()> {
        self.half(log, text)?;
        shown.wait_for(text)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        Ok(fs::rename(self.0.join(from), self.0.join(to))?)
    }
}

/// What a terminal has shown so far.
struct Shown {
    text: String,
    pieces: Receiver<String>,
}

impl Shown {
    fn of(mut pipe: io::PipeReader) -> Shown {
        let (sender, pieces) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut bytes) {
                // Nobody waits any more once the story is told.
                let _ = sender.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
            }
        });
        Shown { text: String::new(), pieces }
    }

    fn wait_for(&mut self, text: &str) -> Result<()> {
        while !self.text.ends_with(text) {
            let piece = self.pieces.recv_timeout(BOUND);
            self.text += &piece.with_context(|| format!("{text:?} is not shown"))?;
        }
        Ok(())
    }
}
