//! Draws the terminal that the README of the command shows: `just picture`.
//!
//! What is drawn has been run: two programs follow the same logs while they are
//! written. Each piece is written once the one before it has been shown, so
//! each run gives the same picture.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anstyle::{AnsiColor, RgbColor, Style};
use anstyle_svg::{Palette, Term};
use anyhow::{Context, Result};
use testkit::{Folder, Running, until};

/// Where the picture is, beside the README.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/terminal.svg");

/// The sixteen colours of a terminal; all are readable on the
/// first, which is the ground, on a light page and on a dark one.
const COLOURS: [u32; 16] = [
    0x161b22, 0xff7b72, 0x3fb950, 0xd29922, 0x58a6ff, 0xbc8cff, 0x39c5cf, 0xe6edf3, 0x8b949e,
    0xffa198, 0x56d364, 0xe3b341, 0x79c0ff, 0xd2a8ff, 0x56d4dd, 0xffffff,
];

fn main() -> Result<()> {
    let torn = show("tail -qF auth.log proxy.log", |terminal| {
        terminal.write("auth.log", "08:15:02 sshd: session opened ");
        terminal.write("proxy.log", "08:15:02 GET /login 200\n");
        terminal.write("auth.log", "for ada\n");
    })?;
    let whole = show("tributary -F --prefix name auth.log proxy.log mail.log", |terminal| {
        terminal.wait_for("mail.log: no such file; waiting for it\n");
        // Half a line, which is not shown.
        terminal.0.append("auth.log", "08:15:02 sshd: session opened ");
        terminal.write("proxy.log", "08:15:02 GET /login 200\n");
        terminal.write("auth.log", "for ada\n");
        terminal.write("mail.log", "08:15:03 queued: welcome, ada\n");
        // As `logrotate` does it: the old file has a last line.
        terminal.0.rename("proxy.log", "proxy.log.1");
        terminal.write("proxy.log.1", "08:15:04 POST /orders 201\n");
        terminal.write("proxy.log", "08:15:05 GET /orders/7 200\n");
        terminal.write("auth.log", "08:15:06 sshd: 3 failed logins for root\n");
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
fn show(typed: &str, story: impl FnOnce(&Terminal)) -> Result<String> {
    let folder = Folder::of([("auth.log", ""), ("proxy.log", ""), (TERMINAL, "")]);
    let terminal = OpenOptions::new().append(true).open(folder.path(TERMINAL))?;
    let mut words = typed.split(' ');
    let mut command = Command::new(program(words.next().unwrap_or_default())?);
    command.args(words).current_dir(folder.folder()).env_remove("NO_COLOR");
    command.env("CLICOLOR_FORCE", "1").stdin(Stdio::null()).stdout(terminal.try_clone()?);
    let running = Running::start_before(terminal.into(), &mut command);
    let terminal = Terminal(folder);
    story(&terminal);
    drop(running);
    let prompt = Style::new().fg_color(Some(AnsiColor::BrightBlack.into()));
    Ok(format!("{prompt}${prompt:#} {typed}\n{}", terminal.0.read(TERMINAL)))
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

/// The file that is written to instead of a terminal.
const TERMINAL: &str = "terminal";

/// The folder with the logs and the terminal.
struct Terminal(Folder);

impl Terminal {
    /// Adds to a log, and waits until that is shown.
    fn write(&self, log: &str, text: &str) {
        self.0.append(log, text);
        self.wait_for(text);
    }

    fn wait_for(&self, text: &str) {
        until(&format!("{text:?} is shown"), || self.0.read(TERMINAL).ends_with(text));
    }
}
