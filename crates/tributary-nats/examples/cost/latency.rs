//! How long a line takes from its write until it is merged.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::server::Server;

const ROUNDS: usize = 3;
const LOGS: usize = 8;
/// How many lines each log gets, and the pause between two.
const LINES: (usize, Duration) = (300, Duration::from_millis(10));

/// Compares the local merge with the way through a stream, while they follow.
pub(crate) fn compare() {
    let names = ["stage 5", "through a stream", "through one that is synced"];
    let mut found: [Vec<f64>; 3] = Default::default();
    for round in 0..ROUNDS {
        for at in 0..names.len() {
            let way = (at + round) % names.len();
            let server = match way {
                2 => Server::start_synced(),
                _ => Some(Server::start()),
            };
            if let Some(server) = server {
                found[way].extend(latencies(way == 0, &server));
            }
        }
    }
    let (lines, pause) = LINES;
    println!("\na line each {pause:?} into each of {LOGS} logs, seen by who reads the merge;");
    println!("{} lines of {ROUNDS} rounds\n", ROUNDS * LOGS * lines);
    println!("{:<30}{:>12}{:>14}{:>12}", "", "half within", "99 of 100", "all");
    for (name, mut found) in names.into_iter().zip(found) {
        if found.is_empty() {
            println!("{name:<30}this server cannot");
            continue;
        }
        found.sort_by(f64::total_cmp);
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| {
            let at = (found.len() as f64 * share) as usize;
            format!("{:.2} ms", 1e3 * found[at.min(found.len() - 1)])
        });
        println!("{name:<30}{half:>12}{most:>14}{all:>12}");
    }
}

/// Writes lines, then waits for all of them; returns how long each took, in seconds.
fn latencies(is_local: bool, server: &Server) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let mut logs: Vec<File> = (0..LOGS)
        .map(|log| {
            let path = folder.path().join(format!("{log}.log"));
            // A first line of each log must arrive before the lines that count are written.
            fs::write(&path, format!("{log} {}\n", LINES.0)).unwrap();
            OpenOptions::new().append(true).open(path).unwrap()
        })
        .collect();
    let mut children = Vec::new();
    if is_local {
        children.push(start("follow-local", folder.path(), server));
    } else {
        children.push(start("follow-ship", folder.path(), server));
        // The shipper makes the stream, and a reader that comes before ends with an error.
        while children.len() == 1 {
            let mut read = start("follow-read", folder.path(), server);
            sleep(Duration::from_millis(300));
            if read.0.try_wait().unwrap().is_none() {
                children.push(read);
            }
        }
    }
    let merged = lines_of(&mut children.last_mut().unwrap().0);
    let next = || {
        let (line, at) = merged.recv_timeout(Duration::from_secs(60)).expect("a line is missing");
        let (log, number) = line.split_once(' ').expect("a line is torn");
        (log.parse::<usize>().unwrap(), number.parse::<usize>().unwrap(), at)
    };
    (0..LOGS).for_each(|_| assert_eq!(next().1, LINES.0));

    let mut written = vec![Vec::new(); LOGS];
    for number in 0..LINES.0 {
        for (log, (file, written)) in logs.iter_mut().zip(&mut written).enumerate() {
            written.push(Instant::now());
            file.write_all(format!("{log} {number}\n").as_bytes()).unwrap();
        }
        sleep(LINES.1);
    }
    let mut expected = [0; LOGS];
    let mut took = Vec::new();
    for _ in 0..LOGS * LINES.0 {
        let (log, number, at) = next();
        assert_eq!(number, expected[log], "a line is missing, or is there twice");
        expected[log] += 1;
        took.push((at - written[log][number]).as_secs_f64());
    }
    took
}

/// A child that is killed when this is dropped.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(way: &str, folder: &Path, server: &Server) -> Following {
    let mut child = Command::new(env::current_exe().unwrap());
    child.arg(way).arg(folder).args([&server.url("LOGS"), "256", "262144"]);
    Following(child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
}

/// Reads the lines that a child tells, with the moment of each.
fn lines_of(child: &mut Child) -> Receiver<(String, Instant)> {
    let told = BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = channel();
    thread::spawn(move || {
        for line in told.lines() {
            // Nobody waits any more once all lines have come.
            if send.send((line.unwrap(), Instant::now())).is_err() {
                break;
            }
        }
    });
    lines
}
