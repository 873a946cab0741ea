//! The lanes of each taught stage are those that its crate doc describes.
//!
//! A stage starts threads of its own. Only a subscriber for the whole process hears
//! them, and a process has one subscriber. So each stage is recorded in a process of
//! its own: this program, started again with `--record STAGE FOLDER`. That is why this
//! file has a `main`.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use recorder::{Kind, Lane, Name, Recorder, Recording, Role};
use stages::find;
use tracing_subscriber::layer::SubscriberExt;
use tributary::{MergeFn, Options, Plan};

#[path = "trace/format.rs"]
mod format;

const SOURCES: usize = 6;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let [_, record, stage, folder] = &arguments[..]
        && record == "--record"
    {
        record_in(Path::new(folder), find(stage).expect("a stage").merge);
        return;
    }

    // Each tail has a thread: it reads, waits for the lock, and writes.
    for (stage, top) in [(1, Role::Other), (2, Role::Loop), (3, Role::Other)] {
        let lanes = lanes_of(stage);
        // A thread of the pool may run a second tail, once its first has ended.
        let least = if stage == 2 { 1 } else { SOURCES };
        assert!((least..=SOURCES).contains(&count(&lanes, Role::Tail)), "{lanes:#?}");
        for tail in lanes.iter().filter(|lane| lane.role == Role::Tail) {
            for kind in [Kind::Read, Kind::WaitForLock, Kind::Write] {
                assert!(has(tail, kind), "no {kind} in {tail:#?}");
            }
        }
        // The thread that called `merge` finishes the output, and no task waits.
        let caller = one(&lanes, top);
        assert!(has(caller, Kind::Write) && !has(caller, Kind::Read), "{caller:#?}");
        assert!(lanes.iter().all(|lane| lane.waiting.is_empty()), "{lanes:#?}");
    }

    // The loop writes, and the tasks wait for it.
    let lanes = lanes_of(4);
    let the_loop = one(&lanes, Role::Loop);
    assert!(has(the_loop, Kind::Write) && !has(the_loop, Kind::Read), "{the_loop:#?}");
    assert!(!has(the_loop, Kind::WaitForLock), "{the_loop:#?}");
    assert_readers_only_read(&lanes);
    assert_tasks_wait(the_loop, Kind::WaitForLoop);

    // The loop neither reads nor writes, and the tasks wait for the answer.
    let lanes = lanes_of(5);
    let the_loop = one(&lanes, Role::Loop);
    assert!(the_loop.segments.iter().all(|it| it.kind == Kind::Idle), "{the_loop:#?}");
    let writer = one(&lanes, Role::Writer);
    assert!(writer.thread == "writer" && has(writer, Kind::Write), "{writer:#?}");
    assert_readers_only_read(&lanes);
    assert_tasks_wait(the_loop, Kind::WaitForAnswer);
}

/// Merges with one stage, and writes the recording to stdout.
fn record_in(folder: &Path, merge: MergeFn) {
    let recorder = Recorder::new(10_000);
    let subscriber = tracing_subscriber::registry().with(recorder.layer());
    tracing::subscriber::set_global_default(subscriber).expect("it is the first");
    let sources = (0..SOURCES).map(|source| folder.join(format!("{source}.log")));
    let plan = Plan::open(sources, folder.join("merged"), Options::default()).expect("they open");
    merge(plan).expect("they are merged");
    serde_json::to_writer(io::stdout(), &recorder.recording()).expect("somebody reads it");
}

/// Records a merge of a stage in a process of its own.
#[track_caller]
fn lanes_of(stage: usize) -> Vec<Lane> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for source in 0..SOURCES {
        fs::write(folder.path().join(format!("{source}.log")), "a line of a log\n".repeat(10_000))
            .expect("a file");
    }
    let this = env::current_exe().expect("it runs");
    let mut child = Command::new(this);
    child.args(["--record", &stage.to_string()]).arg(folder.path());
    let output = child.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let recording: Recording = serde_json::from_slice(&output.stdout).expect("a recording");

    assert_eq!((recording.left_out, recording.sources.len()), (0, SOURCES));
    let of = |name| recording.operations.iter().filter(|it| it.name == name).count();
    assert_eq!((of(Name::Append), of(Name::Finish)), (SOURCES, 1));
    assert_eq!(format::check(&recording.chrome_trace()), Ok(()));
    recording.lanes()
}

fn has(lane: &Lane, kind: Kind) -> bool {
    lane.segments.iter().any(|segment| segment.kind == kind)
}

fn count(lanes: &[Lane], role: Role) -> usize {
    lanes.iter().filter(|lane| lane.role == role).count()
}

#[track_caller]
fn one(lanes: &[Lane], role: Role) -> &Lane {
    assert_eq!(count(lanes, role), 1, "{lanes:#?}");
    lanes.iter().find(|lane| lane.role == role).expect("there is one")
}

#[track_caller]
fn assert_readers_only_read(lanes: &[Lane]) {
    assert!((1..=4).contains(&count(lanes, Role::Reader)), "{lanes:#?}");
    for reader in lanes.iter().filter(|lane| lane.role == Role::Reader) {
        let known = [Kind::Read, Kind::Idle];
        assert!(reader.segments.iter().all(|it| known.contains(&it.kind)), "{reader:#?}");
    }
}

/// Asserts that the lines of each source were waited for once.
#[track_caller]
fn assert_tasks_wait(the_loop: &Lane, kind: Kind) {
    assert_eq!(the_loop.waiting.len(), SOURCES, "{the_loop:#?}");
    assert!(the_loop.waiting.iter().all(|wait| wait.kind == kind), "{the_loop:#?}");
}
