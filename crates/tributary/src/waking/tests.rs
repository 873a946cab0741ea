//! Tests of what wakes, over real files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use event_listener::Listener;
use tempfile::TempDir;

use crate::waking::change::{Bell, Change};
use crate::waking::later;
use crate::waking::notifier::Notifier;
use crate::waking::poller::{self, Seen};
use crate::waking::renames::Departed;
use crate::waking::watch::{FileWatch, SourceWatch};

/// How long only a bug can make anything take.
const BOUND: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let bound = Instant::now() + BOUND;
    while !done() {
        assert!(Instant::now() < bound, "{what}");
        thread::yield_now();
    }
}

/// Waits for a change after `seen`.
fn rings(change: &Change, seen: usize) -> bool {
    change.since(seen).wait_timeout(BOUND).is_some()
}

fn watched(notifier: &Notifier, path: &Path) -> (SourceWatch, Arc<Change>) {
    let change = Arc::new(Change::default());
    (notifier.watch(path.into(), Bell::new(Arc::clone(&change))), change)
}

#[test]
fn a_bell_has_rung_at_first_and_is_taken_once() {
    let bell = Bell::new(Arc::default());
    assert!(bell.take());
    assert!(!bell.take());
    bell.ring();
    assert_eq!(bell.change().count(), 1);
    assert!(bell.take());
}

#[test]
fn polls_where_the_system_refuses_to_notify() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut file = File::create(&path).unwrap();
    let notifier = Notifier::start_with(None, Duration::from_millis(1), poller::stat).unwrap();
    let (watch, change) = watched(&notifier, &path);
    assert!(!watch.arm_name());
    assert!(!watch.is_named());
    assert!(!watch.arm_file(&file, &mut None));
    assert_eq!(watch.departed(), Departed::Unknown);
    watch.poll(true);
    // The first answer of `stat` is news in any case.
    assert!(rings(&change, 0));
    let seen = change.count();
    file.write_all(b"line\n").unwrap();
    assert!(rings(&change, seen));
}

#[test]
fn polls_a_name_in_a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later/log");
    let notifier = Notifier::start(Duration::from_millis(1)).unwrap();
    let (watch, change) = watched(&notifier, &path);
    assert!(!watch.arm_name());
    watch.poll(true);
    assert!(rings(&change, 0));
    let seen = change.count();
    fs::create_dir(path.parent().unwrap()).unwrap();
    File::create(&path).unwrap();
    assert!(rings(&change, seen));
    assert!(watch.arm_name(), "the folder is there now");
}

#[test]
fn rings_at_a_deadline_and_ends_with_its_last_handle() {
    let folder = tempfile::tempdir().unwrap();
    let notifier = Notifier::start(HOUR).unwrap();
    let (mut watch, change) = watched(&notifier, folder.path());
    watch.wake_at(later(Instant::now(), Duration::from_millis(1)));
    assert!(rings(&change, 0));
    let core = Arc::downgrade(notifier.core());
    drop((watch, notifier));
    wait_until("the thread of the notifier goes on", || core.strong_count() == 0);
}

#[test]
fn durations_that_mean_never_never_ring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let notifier = Notifier::start(Duration::MAX).unwrap();
    let (mut watch, change) = watched(&notifier, &path);
    watch.poll(true);
    watch.wake_at(later(Instant::now(), Duration::MAX));
    let mut folders = notifier.watch_folders(Bell::new(Arc::default()));
    folders.retry_at(Instant::now() + Duration::from_secs(u64::MAX / 4));
    // The thread is alive: it still hears the kernel.
    assert!(watch.arm_name());
    File::create(&path).unwrap();
    assert!(rings(&change, 0));
}

#[test]
fn two_sources_may_watch_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut file = File::create(&path).unwrap();
    let notifier = Notifier::start(HOUR).unwrap();
    let (one, rung_one) = watched(&notifier, &path);
    let (two, rung_two) = watched(&notifier, &path);
    let (mut watch_one, mut watch_two) = (None, None);
    assert!(one.arm_file(&file, &mut watch_one));
    assert!(two.arm_file(&file, &mut watch_two));
    assert!(!two.arm_file(&file, &mut watch_two), "armed already");
    drop(watch_one);
    file.write_all(b"line\n").unwrap();
    assert!(rings(&rung_two, 0));
    assert_eq!(rung_one.count(), 0, "rung for a file that was let go");
    assert!(two.arm_file(&file, &mut watch_two), "one event, one ring");
}

#[test]
fn a_folder_of_a_pattern_is_watched_until_it_goes() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("logs");
    let change: Arc<Change> = Arc::default();
    let notifier = Notifier::start(HOUR).unwrap();
    let mut watch = notifier.watch_folders(Bell::new(Arc::clone(&change)));
    assert!(watch.take_due(), "it was never read");
    assert!(!watch.arm(&folder), "it is not there");
    fs::create_dir(&folder).unwrap();
    assert!(watch.arm(&folder) && watch.arm(&folder));

    let mut due = |what: &str, happens: &mut dyn FnMut(&mut crate::waking::watch::FolderWatch)| {
        let seen = change.count();
        happens(&mut watch);
        assert!(rings(&change, seen), "{what}");
        wait_until(what, || watch.take_due());
    };
    due("a name came", &mut |_| drop(File::create(folder.join("a.log")).unwrap()));
    due("a time came", &mut |watch| watch.retry_at(Instant::now()));
    let moved = above.path().join("moved");
    due("it was moved", &mut |_| fs::rename(&folder, &moved).unwrap());
    assert!(!watch.arm(&folder), "another folder than this was watched");
    wait_until("a watch is left", || notifier.core().lock().folders() == 0);
}

/// Makes more events at once than the kernel keeps, in a folder that is watched.
fn overflow(notifier: &Notifier, folder: &Path) {
    // The notifier's thread reads nothing meanwhile.
    let held = notifier.core().lock();
    let other = folder.join("nobody's");
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    for _ in 0..limit.trim_end().parse::<usize>().unwrap() {
        File::create(&other).unwrap();
        fs::remove_file(&other).unwrap();
    }
    drop(held);
}

#[test]
fn watches_everything_anew_after_the_queue_has_overflowed() {
    let logs = Logs::new();
    let mut file = logs.create();
    let mut file_watch = None;
    assert!(logs.watch.arm_file(&file, &mut file_watch));
    let folders = logs.notifier.watch_folders(Bell::new(Arc::default()));
    assert!(folders.arm(logs.folder.path()) && folders.take_due());
    logs.watch.arm_name();
    logs.follow();

    let seen = logs.change.count();
    overflow(&logs.notifier, logs.folder.path());
    assert!(rings(&logs.change, seen));
    assert!(!logs.watch.is_named() && folders.take_due());
    assert_eq!(logs.watch.departed(), Departed::Unknown);
    assert!(logs.watch.arm_file(&file, &mut file_watch), "still taken for watched");
    assert!(logs.watch.arm_name());

    let seen = logs.change.count();
    file.write_all(b"line\n").unwrap();
    assert!(rings(&logs.change, seen));
    logs.follow();
    logs.rotate("app.log.1");
    assert_eq!(logs.departed(), ["app.log.1"]);
}

#[test]
fn what_is_dropped_leaves_nothing_behind() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let notifier = Notifier::start(HOUR).unwrap();
    let file = File::create(folder.path().join("file")).unwrap();
    let make = |number: usize| -> (SourceWatch, Option<FileWatch>) {
        let path = folder.path().join(format!("{number}.log"));
        let (mut watch, _) = watched(&notifier, &path);
        let mut file_watch = None;
        assert!(watch.arm_name() && watch.arm_file(&file, &mut file_watch));
        watch.poll(true);
        watch.wake_at(later(Instant::now(), HOUR));
        watch.wake_at(later(Instant::now(), HOUR / 2));
        // One that has lost its name, and one that is on its way.
        for rotated in [&folder, &elsewhere].map(|folder| folder.path().join(number.to_string())) {
            File::create(&path).unwrap();
            fs::rename(&path, rotated).unwrap();
        }
        (watch, file_watch)
    };
    let mut patterns = notifier.watch_folders(Bell::new(Arc::default()));
    assert!(patterns.arm(folder.path()));
    patterns.retry_at(Instant::now() + HOUR);
    let watches: Vec<_> = (0..1000).map(make).collect();
    drop((watches, patterns));
    assert!(notifier.core().lock().is_empty(), "{:?}", notifier.core().lock());
    assert_eq!(notifier.core().kernel_watches(), 0);
}

#[test]
fn a_watch_that_ends_before_it_is_entered_is_added_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("log"), folder.path().join("other"));
    let notifier = Notifier::start(HOUR).unwrap();
    let (watch, change) = watched(&notifier, &path);
    let (other, _) = watched(&notifier, &other);
    assert!(other.arm_name());
    let inotify = notifier.core().inotify.as_ref().unwrap();
    let mut others = vec![other];
    assert!(watch.arm_name_with(inotify, || {
        let found = watch.add_folders(inotify);
        // The last one that had the folder watched lets it go.
        drop(others.pop());
        found
    }));
    File::create(&path).unwrap();
    assert!(rings(&change, 0), "the watch of the folder has ended");
}

/// A log that is followed by its name, as the follower will.
struct Logs {
    path: PathBuf,
    watch: SourceWatch,
    change: Arc<Change>,
    notifier: Notifier,
    folder: TempDir,
}

impl Logs {
    fn new() -> Logs {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let notifier = Notifier::start(HOUR).unwrap();
        let (watch, change) = watched(&notifier, &path);
        assert!(watch.arm_name());
        assert_eq!(watch.departed(), Departed::Unknown, "it was just armed");
        watch.forget_departed();
        Logs { path, watch, change, notifier, folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn create(&self) -> File {
        File::create_new(&self.path).unwrap()
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    /// Renames the log, and makes a new one.
    fn rotate(&self, to: &str) {
        self.rename("app.log", to);
        self.create();
    }

    fn known(&self) -> (Vec<PathBuf>, usize) {
        match self.watch.departed() {
            Departed::Known { paths, unseen } => (paths, unseen),
            Departed::Unknown => panic!("it was watched all the time"),
        }
    }

    /// Returns the names of the files that have lost theirs; all can be found.
    fn departed(&self) -> Vec<String> {
        let (paths, unseen) = self.known();
        assert_eq!(unseen, 0);
        let name = |path: PathBuf| {
            let below = path.strip_prefix(self.folder.path()).unwrap();
            below.to_str().unwrap().to_owned()
        };
        paths.into_iter().map(name).collect()
    }

    /// Asks and forgets, as a follower does that has opened all of them.
    fn follow(&self) {
        self.watch.departed();
        self.watch.forget_departed();
    }
}

#[test]
fn two_rotations_in_a_row_are_known_in_their_order() {
    let logs = Logs::new();
    logs.create();
    assert_eq!(logs.departed(), [""; 0]);
    logs.rotate("app.log.1");
    logs.rename("app.log.1", "app.log.2");
    logs.rotate("app.log.1");
    assert_eq!(logs.departed(), ["app.log.2", "app.log.1"]);
    logs.watch.forget_departed();
    assert_eq!(logs.departed(), [""; 0]);
    // Dated names, and older files that are renamed as well.
    logs.rename("app.log.2", "app.log.3");
    logs.rotate("app-20261122.log");
    logs.rotate("@4000000067e1");
    assert_eq!(logs.departed(), ["app-20261122.log", "@4000000067e1"]);
}

#[test]
fn what_departs_after_the_answer_is_not_forgotten_with_it() {
    let logs = Logs::new();
    logs.create();
    logs.rotate("app.log.1");
    assert_eq!(logs.departed(), ["app.log.1"]);
    logs.rotate("app.log.2");
    logs.notifier.core().drained(|_| ());
    logs.watch.forget_departed();
    assert_eq!(logs.departed(), ["app.log.2"]);
}

#[test]
fn a_file_that_is_moved_out_or_deleted_is_not_to_be_found() {
    let logs = Logs::new();
    logs.create();
    fs::create_dir(logs.at("elsewhere")).unwrap();
    logs.rename("app.log", "elsewhere/app.log");
    logs.create();
    assert_eq!(logs.known(), (Vec::new(), 1));
    logs.watch.forget_departed();
    assert_eq!(logs.known(), (Vec::new(), 0));

    logs.rotate("app.log.1");
    fs::remove_file(logs.at("app.log.1")).unwrap();
    logs.rotate("app.log.1");
    logs.rename("app.log.1", "elsewhere/app.log.1");
    logs.rotate("app.log.1");
    // Renamed over.
    logs.rotate("app.log.1");
    fs::remove_file(&logs.path).unwrap();
    assert_eq!(logs.known(), (vec![logs.at("app.log.1")], 4));
}

#[test]
fn a_rename_that_is_under_way_is_waited_for() {
    let logs = Logs::new();
    let done = AtomicBool::new(false);
    logs.create();
    let rotations = 900;
    let mut departed = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..rotations).for_each(|number| logs.rotate(&number.to_string()));
            done.store(true, Ordering::SeqCst);
        });
        while departed < rotations {
            let ended = done.load(Ordering::SeqCst);
            departed += logs.departed().len();
            logs.watch.forget_departed();
            assert!(!ended || departed == rotations, "{departed} are known");
        }
    });
}

#[test]
fn a_file_is_known_in_another_folder_that_is_watched() {
    let logs = Logs::new();
    fs::create_dir(logs.at("old")).unwrap();
    let folders = logs.notifier.watch_folders(Bell::new(Arc::default()));
    assert!(folders.arm(&logs.at("old")));
    logs.create();
    logs.rename("app.log", "old/1");
    logs.rename("old/1", "old/2");
    assert_eq!(logs.departed(), ["old/2"]);
    drop(folders);
    assert_eq!(logs.watch.departed(), Departed::Unknown, "nobody watches it there");
}

#[test]
fn a_file_that_got_its_name_back_has_not_departed() {
    let logs = Logs::new();
    logs.create();
    logs.rename("app.log", "app.log.1");
    logs.rename("app.log.1", "app.log");
    assert_eq!(logs.departed(), [""; 0]);
}

#[test]
fn renames_are_those_of_the_file_and_not_of_a_link_to_it() {
    let logs = Logs::new();
    fs::create_dir(logs.at("real")).unwrap();
    File::create(logs.at("real/1")).unwrap();
    File::create(logs.at("real/2")).unwrap();
    std::os::unix::fs::symlink("real/1", &logs.path).unwrap();
    wait_until("the link is not heard of", || !logs.watch.is_named());
    assert!(logs.watch.arm_name());
    assert_eq!(logs.watch.departed(), Departed::Unknown, "it is another name");
    logs.watch.forget_departed();
    logs.rename("app.log", "app.link");
    assert_eq!(logs.departed(), [""; 0]);
    logs.rename("app.link", "app.log");
    logs.rename("real/1", "real/3");
    assert_eq!(logs.departed(), ["real/3"]);

    // The link leads elsewhere.
    std::os::unix::fs::symlink("real/2", logs.at("new")).unwrap();
    logs.rename("new", "app.log");
    wait_until("the link is not heard of", || !logs.watch.is_named());
    assert!(logs.watch.arm_name());
    assert_eq!(logs.watch.departed(), Departed::Unknown);
}

/// Which paths hang, until they do not.
static HUNG: AtomicBool = AtomicBool::new(true);
static HANGS: AtomicUsize = AtomicUsize::new(0);
static LATCH: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());

/// A `stat` of a file system whose server is away.
fn hanging(path: &Path) -> Seen {
    if path.ends_with("hung") {
        HANGS.fetch_add(1, Ordering::SeqCst);
        let mut latch = LATCH.0.lock().unwrap();
        while HUNG.load(Ordering::SeqCst) {
            latch = LATCH.1.wait(latch).unwrap();
        }
    }
    poller::stat(path)
}

#[test]
fn a_stat_that_hangs_delays_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (here, hung) = (folder.path().join("here"), folder.path().join("hung"));
    let notifier = Notifier::start_with(None, Duration::from_millis(1), hanging).unwrap();
    let (away, rung_away) = watched(&notifier, &hung);
    away.poll(true);
    wait_until("it is asked", || HANGS.load(Ordering::SeqCst) == 1);

    let (watch, change) = watched(&notifier, &here);
    watch.poll(true);
    assert!(rings(&change, 0), "another path waits for the one that hangs");
    for _ in 0..10 {
        let seen = change.count();
        File::options().create(true).append(true).open(&here).unwrap().write_all(b"a").unwrap();
        assert!(rings(&change, seen));
    }
    assert_eq!(HANGS.load(Ordering::SeqCst), 1, "asked again although it hangs");
    assert_eq!(rung_away.count(), 0);

    let latch = LATCH.0.lock().unwrap();
    HUNG.store(false, Ordering::SeqCst);
    drop(latch);
    LATCH.1.notify_all();
    assert!(rings(&rung_away, 0), "its `stat` has come back");
    wait_until("it is left out for good", || HANGS.load(Ordering::SeqCst) > 1);
    wait_until("a thread too many goes on", || notifier.core().pollers() == 1);
}
