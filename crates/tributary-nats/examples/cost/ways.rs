//! How fast existing logs are merged.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use async_nats::jetstream::{self, stream};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tributary::{Options, Plan, Target};
use tributary_nats::Place;

use crate::logs::{self, LINE};
use crate::server::Server;
use crate::{Spread, processor};

const MIB: usize = 1024 * 1024;
const ROUNDS: usize = 7;
/// How many logs there are, and how many bytes each has.
const LOGS: (usize, usize) = (16, 8 * MIB);

/// What one run of a child took.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    /// Processor time in seconds: the child's, and the server's.
    processor: [f64; 2],
    /// The most memory that the child had, in MiB.
    memory: f64,
}

/// Merges in one way, as a child; prints its seconds, its processor time in seconds, and the
/// most memory that it had, in KiB.
pub(crate) fn child(way: &str, args: &[String]) {
    let [folder, url, on_their_way, bytes] = args else { panic!("this is a child's part") };
    let folder = Path::new(folder);
    let place = || {
        let place: Place = url.parse().unwrap();
        let place = place.with_on_their_way(on_their_way.parse().unwrap());
        place.with_most_bytes(bytes.parse().unwrap())
    };
    let logs: Vec<PathBuf> =
        (0..).map(|log| folder.join(format!("{log}.log"))).take_while(|log| log.exists()).collect();
    let follow = way.starts_with("follow");
    // A checkpoint for each way, as in production; none for the latency.
    let checkpoint = (!follow).then(|| folder.join(format!("{way}.state")));
    let options = Options { checkpoint, follow, ..Options::default() };
    let from = || Options { from: Some(place().to_string()), ..options.clone() };
    let began = Instant::now();
    match way {
        "local" => {
            let plan = Plan::open(logs, folder.join("local"), options).unwrap();
            stage5_fully_async::merge(plan).unwrap();
        }
        "ship" | "follow-ship" => {
            let plan = Plan::open(logs, place().target(), options).unwrap();
            tributary_nats::merge(plan, &place()).unwrap();
        }
        "read" => {
            let plan = Plan::open(Vec::<PathBuf>::new(), folder.join("read"), from()).unwrap();
            tributary_nats::read(plan, &place(), false).unwrap();
        }
        "bare" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(bare(logs, url, bytes.parse().unwrap()));
        }
        "follow-local" => {
            let plan = Plan::open(logs, Target::Stdout, options).unwrap();
            stage5_fully_async::merge(plan).unwrap();
        }
        "follow-read" => {
            let plan = Plan::open(Vec::<PathBuf>::new(), Target::Stdout, from()).unwrap();
            tributary_nats::read(plan, &place(), true).unwrap();
        }
        other => panic!("no way is called {other}"),
    }
    let seconds = began.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak = peak.trim().trim_end_matches(" kB");
    println!("{seconds} {} {peak}", processor(std::process::id()));
}

/// Sends each file in chunks of the same size, one of each on its way, and waits for each
/// acknowledgement. It looks for no line, and promises nothing if it is killed.
async fn bare(logs: Vec<PathBuf>, url: &str, bytes: usize) {
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
                for chunk in log.chunks(bytes) {
                    let sent =
                        context.publish(subject.clone(), chunk.to_vec().into()).await.unwrap();
                    sent.await.unwrap();
                }
            }
        })
        .collect();
    while sending.next().await.is_some() {}
}

/// Has a child merge in one way.
fn run(way: &str, folder: &Path, server: &Server, on_their_way: usize, bytes: usize) -> Run {
    let url = server.url(if way == "bare" { "BARE" } else { "LOGS" });
    let (on_their_way, bytes) = (on_their_way.to_string(), bytes.to_string());
    let mut child = Command::new(env::current_exe().unwrap());
    child.arg(way).arg(folder).args([url, on_their_way, bytes]).stderr(Stdio::inherit());
    let before = server.processor();
    let told = child.output().unwrap();
    assert!(told.status.success(), "{way} failed");
    let told = String::from_utf8(told.stdout).unwrap();
    let told: Vec<f64> = told.split_whitespace().map(|it| it.parse().unwrap()).collect();
    let [seconds, ours, peak] = told[..] else { panic!("{told:?}") };
    let processor = [ours, server.processor() - before];
    Run { seconds, processor, memory: peak / 1024.0 }
}

/// Reads a stream into a file, and looks for each line of each log in it.
fn check_stream(folder: &Path, server: &Server, logs: usize, bytes: usize) {
    for old in ["read", "read.state"] {
        // Not there, if it is the first time.
        let _ = fs::remove_file(folder.join(old));
    }
    run("read", folder, server, 256, 256 * 1024);
    logs::check(&folder.join("read"), logs, bytes);
}

/// Compares the local merge with the ways over the wire.
pub(crate) fn compare() {
    const WAYS: [(&str, &str); 5] = [
        ("local", "stage 5, into a file"),
        ("ship", "into a stream"),
        ("read", "from the stream, into a file"),
        ("bare", "a bare loop, unchecked"),
        ("synced", "into a stream that is synced"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (logs, bytes) = LOGS;
    logs::make(folder.path(), logs, bytes);
    let mut runs: [Vec<Run>; WAYS.len()] = Default::default();
    for round in 0..ROUNDS {
        // New servers for each round: lines that a server holds already would not be sent.
        let (server, synced) = (Server::start(), Server::start_synced());
        // "read" comes right after "ship", whose stream it reads.
        let mut order: Vec<usize> = (0..WAYS.len()).filter(|way| *way != 2).collect();
        order.rotate_left(round % 4);
        order.insert(1 + order.iter().position(|way| *way == 1).unwrap(), 2);
        for way in order {
            for state in ["local", "ship", "read"] {
                // Not there, if it is the first time.
                let _ = fs::remove_file(folder.path().join(format!("{state}.state")));
            }
            let (name, server) = match WAYS[way].0 {
                "synced" => ("ship", synced.as_ref()),
                name => (name, Some(&server)),
            };
            for output in ["local", "read"].iter().filter(|output| **output == name) {
                let _ = fs::remove_file(folder.path().join(output));
            }
            let Some(server) = server else { continue };
            runs[way].push(run(name, folder.path(), server, 256, 256 * 1024));
        }
        for merged in ["local", "read"] {
            logs::check(&folder.path().join(merged), logs, bytes);
        }
        if let Some(synced) = &synced {
            check_stream(folder.path(), synced, logs, bytes);
        }
    }
    let megabytes = (logs * bytes / LINE * LINE) as f64 / 1e6;
    println!("{logs} logs of {} MiB, lines of {LINE} bytes, with checkpoints;", bytes / MIB);
    println!("the middle of {ROUNDS} rounds, and their range where rounds are compared\n");
    let [a, b, c, d] = ["MB a second", "× local", "processor, ours", "the server's"];
    println!("{:<30}{a:>12}{b:>20}{c:>17}{d:>16}", "");
    for ((_, name), figures) in WAYS.iter().zip(&runs) {
        if figures.is_empty() {
            println!("{name:<30}this server cannot");
            continue;
        }
        let seconds = Spread::of(figures.iter().map(|run| run.seconds)).middle;
        let local = figures.iter().zip(&runs[0]).map(|(run, local)| run.seconds / local.seconds);
        let [ours, servers] = [0, 1].map(|whose| {
            let processor = figures.iter().map(|run| run.processor[whose]);
            format!("{:.1} ms/MB", 1e3 * Spread::of(processor).middle / megabytes)
        });
        let (speed, local) = (megabytes / seconds, Spread::of(local).times());
        println!("{name:<30}{speed:>12.0}{local:>20}{ours:>17}{servers:>16}");
    }
    let bare = runs[1].iter().zip(&runs[3]).map(|(ship, bare)| ship.seconds / bare.seconds);
    println!("\ninto a stream, as a multiple of the bare loop: {}", Spread::of(bare).times());
}

/// Compares how many chunks are on their way, and how large they are.
pub(crate) fn sweep() {
    const KIB: usize = 1024;
    const ROUNDS: usize = 5;
    /// How many logs there are, how many chunks on their way, and their size.
    const TRIED: [(usize, usize, usize); 12] = [
        (64, 1, 256 * KIB),
        (64, 4, 256 * KIB),
        (64, 16, 256 * KIB),
        (64, 64, 256 * KIB),
        (64, 64, 64 * KIB),
        (64, 64, 16 * KIB),
        (64, 64, 4 * KIB),
        (1000, 1, 16 * KIB),
        (1000, 16, 16 * KIB),
        (1000, 64, 16 * KIB),
        (1000, 256, 16 * KIB),
        (1000, 1000, 16 * KIB),
    ];
    let folder = tempfile::tempdir().unwrap();
    let folder_of = |logs: usize| folder.path().join(logs.to_string());
    let bytes_of = |logs: usize| 64 * MIB / logs;
    for logs in [64, 1000] {
        fs::create_dir(folder_of(logs)).unwrap();
        logs::make(&folder_of(logs), logs, bytes_of(logs));
    }
    let mut runs: [Vec<Run>; TRIED.len()] = Default::default();
    for round in 0..ROUNDS {
        for at in 0..TRIED.len() {
            let tried = (at + round) % TRIED.len();
            let (logs, on_their_way, most) = TRIED[tried];
            let server = Server::start();
            let folder = folder_of(logs);
            // Not there, if it is the first time.
            let _ = fs::remove_file(folder.join("ship.state"));
            runs[tried].push(run("ship", &folder, &server, on_their_way, most));
            check_stream(&folder, &server, logs, bytes_of(logs));
        }
    }
    println!("\n64 MiB into a stream; the middle of {ROUNDS} rounds\n");
    let [a, b, c, d, e] = ["logs", "chunks at once", "at the most", "MB a second", "memory"];
    println!("{a:>8}{b:>16}{c:>14}{d:>14}{e:>12}");
    for ((logs, on_their_way, most), figures) in TRIED.iter().zip(&runs) {
        let speed = figures.iter().map(|run| 64.0 * MIB as f64 / 1e6 / run.seconds);
        let memory = figures.iter().map(|run| run.memory);
        let [speed, memory] = [Spread::of(speed).middle, Spread::of(memory).middle];
        let most = format!("{} KiB", most / KIB);
        println!("{logs:>8}{on_their_way:>16}{most:>14}{speed:>14.0}{memory:>8.0} MiB");
    }
}
