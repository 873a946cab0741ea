//! What the command does otherwise on a terminal.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use testkit::{Folder, Running, make_fifo, open_fifo, until};

use crate::process::tributary;

/// Opens a terminal; returns its controller, which no child inherits, and its name.
pub(crate) fn open_terminal() -> (OwnedFd, CString) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let controller = openpt(flags).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    (controller, name)
}

/// A terminal that keeps what is written to it.
struct Terminal {
    side: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn new() -> Terminal {
        Terminal::of(100)
    }

    /// A terminal of so many columns.
    fn of(columns: u16) -> Terminal {
        let (controller, name) = open_terminal();
        let side = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&side, size).unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&shown);
        thread::spawn(move || {
            let mut controller = File::from(controller);
            let mut bytes = [0; 4096];
            // An error is the end: all have closed the other side.
            while let Ok(read @ 1..) = controller.read(&mut bytes) {
                keeps.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Terminal { side, shown }
    }

    fn stdio(&self) -> Stdio {
        self.side.try_clone().unwrap().into()
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Returns the rows of the bar that were drawn, one after the other.
    fn rows(&self) -> Vec<String> {
        let shown = self.shown();
        let rows = shown.split(['\r', '\n']).map(|row| row.trim_start_matches("\x1b[2K"));
        // The last row may not be drawn to its end.
        let mut rows: Vec<_> = rows.filter(|row| row.contains("merged")).collect();
        if !shown.ends_with("\x1b[2K") {
            rows.pop();
        }
        rows.into_iter().map(str::to_owned).collect()
    }
}

#[test]
fn prefixes_are_coloured_on_a_terminal() {
    let folder = Folder::of([("a.log", "one\n")]);
    let args = ["a.log", "--prefix", "name"];
    let terminal = Terminal::new();
    let merge = Running::start(&folder, tributary(&folder, &args).stdout(terminal.stdio()));
    merge.end().with(0);
    until("it is coloured", || terminal.shown().ends_with("ma.log: \x1b[0mone\r\n"));

    let terminal = Terminal::new();
    let mut plain = tributary(&folder, &args);
    Running::start(&folder, plain.env("NO_COLOR", "1").stdout(terminal.stdio())).end().with(0);
    until("it is plain", || terminal.shown() == "a.log: one\r\n");

    // The lines do not go to the terminal.
    let terminal = Terminal::new();
    let mut elsewhere = tributary(&folder, &[&args[..], &["-o", "out"]].concat());
    Running::start(&folder, elsewhere.stdout(terminal.stdio())).end().with(0);
    assert_eq!(folder.read("out"), "a.log: one\n");
}

#[test]
fn many_lines_go_to_a_terminal() {
    let folder = Folder::of([("a.log", &"a line of the log\n".repeat(20_000))]);
    let terminal = Terminal::new();
    let mut command = tributary(&folder, &["a.log"]);
    let merge = Running::start(&folder, command.stdout(terminal.stdio()));
    merge.end().with(0);
    until("all are shown", || terminal.shown().lines().count() == 20_000);
}

/// A line of a large backlog, of forty bytes.
const BACKLOG: &str = "a line of the log, and quite a long one\n";

/// Starts a merge of a large backlog into a FIFO, with stderr on a terminal. It
/// stands still until the FIFO is read.
fn large(folder: &Folder, terminal: &Terminal, args: &[&str]) -> (Running, File) {
    folder.append("a.log", &BACKLOG.repeat(1_000_000));
    let reader = open_fifo(&folder.path("fifo"));
    let mut command = tributary(folder, &[args, &["a.log", "-o", "fifo"]].concat());
    (Running::start_before(terminal.stdio(), &mut command), reader)
}

/// Reads from a row how many MiB are merged, and how many are to go.
fn mebibytes(row: &str) -> (f64, f64) {
    let number = |text: &str| -> f64 {
        let words: Vec<_> = text.split_whitespace().collect();
        let [.., number, unit] = words[..] else { panic!("a number and its unit: {text}") };
        let power = ["MiB", "KiB", "B"].iter().position(|it| *it == unit);
        number.parse::<f64>().unwrap() / 1024f64.powi(power.unwrap() as i32)
    };
    let (merged, rest) = row.split_once(" merged").unwrap();
    let lag = rest.split("lag ").nth(1).unwrap().split(',').next().unwrap();
    (number(merged), number(lag))
}

#[test]
fn a_large_backlog_shows_its_progress_in_numbers_that_belong_together() {
    let folder = Folder::new();
    let terminal = Terminal::new();
    let (merge, mut reader) = large(&folder, &terminal, &[]);
    until("the bar is shown", || terminal.shown().contains("/s, lag 3"));
    let mut merged = vec![0; 20_000_000];
    reader.read_exact(&mut merged).unwrap();
    until("the bar has moved on", || {
        terminal.rows().last().is_some_and(|row| mebibytes(row).0 >= 19.0)
    });
    reader.read_to_end(&mut merged).unwrap();
    merge.end().with(0);
    assert_eq!(merged.len(), 40_000_000);
    // The bar is gone: the last that is written clears its line.
    until("the bar is cleared", || terminal.shown().ends_with("\x1b[2K"));
    let rows = terminal.rows();
    for row in &rows {
        let (merged, lag) = mebibytes(row);
        // Each of the two numbers is rounded, and a chunk of 256 KiB that is read in this
        // moment may be in neither.
        let missing = 40e6 / 1024.0 / 1024.0 - merged - lag;
        assert!((-0.011..0.261).contains(&missing), "{row} of {rows:#?}");
    }
}

#[test]
fn on_a_narrow_terminal_the_bar_takes_one_row() {
    for columns in [40, 50, 59, 60] {
        let folder = Folder::new();
        let terminal = Terminal::of(columns);
        let (merge, mut reader) = large(&folder, &terminal, &[]);
        until("the bar is shown", || terminal.shown().contains("lag 3"));
        let mut merged = Vec::new();
        reader.read_to_end(&mut merged).unwrap();
        merge.end().with(0);
        let rows = terminal.rows();
        for row in &rows {
            assert!(row.chars().count() <= columns.into(), "{columns}: {rows:#?}");
        }
        // For a second row, the cursor would have to go up.
        assert!(!terminal.shown().contains("\x1b[1A"), "{columns}: {:?}", terminal.shown());
    }
}

#[test]
fn the_bar_goes_when_a_merge_that_follows_has_caught_up() {
    let folder = Folder::new();
    let terminal = Terminal::new();
    let (merge, mut reader) = large(&folder, &terminal, &["-F"]);
    let mut merged = vec![0; 40_000_000];
    for _ in 0..2 {
        let before = terminal.shown().len();
        until("the bar is shown", || terminal.shown()[before..].contains("lag 3"));
        reader.read_exact(&mut merged).unwrap();
        until("the bar is cleared", || terminal.shown().ends_with("\x1b[2K"));
        // The bar comes again with the next large backlog.
        folder.append("a.log", &BACKLOG.repeat(1_000_000));
    }
    merge.signal(Signal::TERM);
    reader.read_to_end(&mut merged).unwrap();
    merge.end().with(0);
}

#[test]
fn a_warning_stands_above_the_bar() {
    let folder = Folder::new();
    let terminal = Terminal::new();
    let (merge, mut reader) = large(&folder, &terminal, &["-F", "-v"]);
    until("the bar is shown", || terminal.shown().contains("lag 3"));
    merge.signal(Signal::TERM);
    until("it is said", || terminal.shown().contains("a second signal ends at once\r\n"));
    let mut merged = Vec::new();
    reader.read_to_end(&mut merged).unwrap();
    merge.end().with(0);
}

#[test]
fn where_there_is_no_terminal_there_is_no_bar() {
    let folder = Folder::of([("a.log", &BACKLOG.repeat(1_000_000))]);
    make_fifo(&folder.path("fifo"));
    let merge = Running::start(&folder, &mut tributary(&folder, &["a.log", "-o", "fifo"]));
    let mut merged = Vec::new();
    File::open(folder.path("fifo")).unwrap().read_to_end(&mut merged).unwrap();
    assert_eq!(merge.end().with(0).stderr, "");
}
