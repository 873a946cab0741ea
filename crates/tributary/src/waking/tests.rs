//! Tests of what wakes, over real files.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use event_listener::Listener;
use tempfile::TempDir;

use crate::waking::change::{Bell, Change};
use crate::waking::notifier::Notifier;
use crate::waking::poller;
use crate::waking::renames::Departed;
use crate::waking::watch::{FileWatch, FolderWatch, SourceWatch};

/// How long only a bug can make anything take.
const BOUND: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(1);

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let bound = Instant::now() + BOUND;
    while !done() {
        assert!(Instant::now() < bound, "{what}");
        thread::yield_now();
    }
}

/// Waits until something rings that happens from now on.
fn rings(change: &Change, happens: impl FnOnce()) -> bool {
    let seen = change.count();
    happens();
    change.since(seen).wait_timeout(BOUND).is_some()
}

fn write(path: &Path) {
    File::options().create(true).append(true).open(path).unwrap().write_all(b"line\n").unwrap();
}

/// A folder, and a notifier for those who watch it.
struct Folder {
    notifier: Notifier,
    dir: TempDir,
}

impl Folder {
    /// Everything that rings in here was notified: polls come every hour.
    fn notified() -> Folder {
        Folder::with(Notifier::start(HOUR).unwrap())
    }

    fn with(notifier: Notifier) -> Folder {
        Folder { notifier, dir: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn create(&self, name: &str) -> File {
        File::create_new(self.at(name)).unwrap()
    }

    fn create_folder(&self, name: &str) -> PathBuf {
        fs::create_dir(self.at(name)).unwrap();
        self.at(name)
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    fn watch(&self, name: &str) -> (SourceWatch, Arc<Change>) {
        let change = Arc::new(Change::default());
        let bell = Bell::new(Arc::clone(&change));
        (SourceWatch::new(&self.notifier, self.at(name).into(), &bell), change)
    }

    fn watch_folders(&self) -> (FolderWatch, Arc<Bell>) {
        let bell = Bell::new(Arc::default());
        (FolderWatch::new(&self.notifier, &bell), bell)
    }
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
    let folder = Folder::with(Notifier::start_with(None, MOMENT, poller::stat).unwrap());
    let file = folder.create("log");
    let (mut watch, change) = folder.watch("log");
    assert!(!watch.arm_name() && !watch.is_named());
    assert!(!watch.arm_file(&file, &mut None));
    assert_eq!(watch.departed(), Departed::Unknown);
    // The first answer of `stat` is news in any case.
    assert!(rings(&change, || watch.poll(true)));
    assert!(rings(&change, || write(&folder.at("log"))));
}

#[test]
fn polls_a_name_in_a_folder_that_is_not_there() {
    let folder = Folder::with(Notifier::start(MOMENT).unwrap());
    let (mut watch, change) = folder.watch("later/log");
    assert!(!watch.arm_name());
    assert!(rings(&change, || watch.poll(true)));
    folder.create_folder("later");
    assert!(rings(&change, || write(&folder.at("later/log"))));
    assert!(watch.arm_name(), "the folder is there now");
}

#[test]
fn rings_at_a_deadline_and_ends_with_its_last_handle() {
    let folder = Folder::notified();
    let (mut watch, change) = folder.watch("log");
    assert!(rings(&change, || watch.wake_at(Some(Instant::now() + MOMENT))));
    let core = Arc::downgrade(folder.notifier.core());
    drop((watch, folder));
    wait_until("the thread of the notifier goes on", || core.strong_count() == 0);
}

#[test]
fn durations_that_mean_never_never_ring() {
    let folder = Folder::with(Notifier::start(Duration::MAX).unwrap());
    let (mut watch, change) = folder.watch("log");
    watch.poll(true);
    watch.wake_at(Instant::now().checked_add(Duration::MAX));
    let (mut folders, _) = folder.watch_folders();
    folders.retry_at(Instant::now() + Duration::from_secs(u64::MAX / 4));
    // The thread is alive: it still hears the kernel.
    assert!(watch.arm_name());
    assert!(rings(&change, || drop(folder.create("log"))));
}

#[test]
fn two_sources_may_watch_the_same_file() {
    let folder = Folder::notified();
    let file = folder.create("log");
    let (mut one, rung_one) = folder.watch("log");
    let (mut two, rung_two) = folder.watch("log");
    let (mut watch_one, mut watch_two) = (None, None);
    assert!(one.arm_file(&file, &mut watch_one));
    assert!(two.arm_file(&file, &mut watch_two));
    assert!(!two.arm_file(&file, &mut watch_two), "armed already");
    drop(watch_one);
    assert!(rings(&rung_two, || write(&folder.at("log"))));
    assert_eq!(rung_one.count(), 0, "rung for a file that was let go");
    assert!(two.arm_file(&file, &mut watch_two), "one event, one ring");
}

#[test]
fn a_folder_of_a_pattern_is_watched_until_it_goes() {
    let above = Folder::notified();
    let (mut watch, bell) = above.watch_folders();
    assert!(bell.take(), "it was never read");
    assert!(!watch.arm(&above.at("logs")), "it is not there");
    let logs = above.create_folder("logs");
    assert!(watch.arm(&logs) && watch.arm(&logs));

    let due = |what: &str, happens: &mut dyn FnMut()| {
        assert!(rings(bell.change(), happens) && bell.take(), "{what}");
    };
    due("a name came", &mut || write(&above.at("logs/a.log")));
    due("a time came", &mut || watch.retry_at(Instant::now()));
    due("it was moved", &mut || above.rename("logs", "moved"));
    assert!(!watch.arm(&logs), "another folder than this was watched");
    wait_until("a watch is left", || above.notifier.core().lock().folders() == 0);

    // One that the pattern does not lead to any more.
    assert!(watch.arm(&above.at("moved")));
    watch.keep(&[logs].into());
    assert_eq!(above.notifier.core().kernel_watches(), 0);
}

/// Makes more events at once than the kernel keeps, in a folder that is watched.
fn overflow(folder: &Folder) {
    // The notifier's thread reads nothing meanwhile.
    let held = folder.notifier.core().lock();
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    for _ in 0..limit.trim_end().parse::<usize>().unwrap() {
        folder.create("nobody's");
        fs::remove_file(folder.at("nobody's")).unwrap();
    }
    drop(held);
}

#[test]
fn watches_everything_anew_after_the_queue_has_overflowed() {
    let mut log = Log::new();
    let file = log.create("app.log");
    let mut file_watch = None;
    assert!(log.watch.arm_file(&file, &mut file_watch));
    let (mut folders, bell) = log.watch_folders();
    assert!(folders.arm(log.dir.path()) && bell.take());
    log.watch.arm_name();
    log.follow();

    assert!(rings(&log.change, || overflow(&log.folder)));
    assert!(!log.watch.is_named() && bell.take());
    assert_eq!(log.watch.departed(), Departed::Unknown);
    assert!(log.watch.arm_file(&file, &mut file_watch), "still taken for watched");
    assert!(log.watch.arm_name());
    assert!(rings(&log.change, || write(&log.at("app.log"))));
    log.follow();
    log.rotate("app.log.1");
    assert_eq!(log.departed(), ["app.log.1"]);
}

#[test]
fn what_is_dropped_leaves_nothing_behind() {
    let (folder, elsewhere) = (Folder::notified(), tempfile::tempdir().unwrap());
    let file = folder.create("file");
    let make = |number: usize| -> (SourceWatch, Option<FileWatch>) {
        let (name, rotated) = (format!("{number}.log"), number.to_string());
        let (mut watch, _) = folder.watch(&name);
        let mut file_watch = None;
        assert!(watch.arm_name() && watch.arm_file(&file, &mut file_watch));
        watch.poll(true);
        watch.wake_at(Some(Instant::now() + HOUR));
        // One that has lost its name, and one that is on its way.
        for folder_of_rotated in [folder.dir.path(), elsewhere.path()] {
            folder.create(&name);
            fs::rename(folder.at(&name), folder_of_rotated.join(&rotated)).unwrap();
        }
        (watch, file_watch)
    };
    let (mut patterns, _) = folder.watch_folders();
    assert!(patterns.arm(folder.dir.path()));
    let watches: Vec<_> = (0..1000).map(make).collect();
    drop((watches, patterns));
    let core = folder.notifier.core();
    assert!(core.lock().is_empty(), "{:?}", core.lock());
    assert_eq!(core.kernel_watches(), 0);
}

#[test]
fn a_watch_that_ends_before_it_is_entered_is_added_again() {
    let folder = Folder::notified();
    let (watch, change) = folder.watch("log");
    let (other, _) = folder.watch("other");
    assert!(other.arm_name());
    let inotify = folder.notifier.core().inotify.as_ref().unwrap();
    let mut other = Some(other);
    let armed = watch.name.arm(|| {
        let added = watch.add_folders(inotify);
        // The last one that had the folder watched lets it go.
        drop(other.take());
        added
    });
    assert!(armed.unwrap());
    assert!(rings(&change, || drop(folder.create("log"))), "the watch of the folder has ended");
}

/// A log whose name is watched without a gap.
struct Log {
    watch: SourceWatch,
    change: Arc<Change>,
    folder: Folder,
}

impl std::ops::Deref for Log {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}

impl Log {
    fn new() -> Log {
        let folder = Folder::notified();
        let (watch, change) = folder.watch("app.log");
        assert!(watch.arm_name());
        assert_eq!(watch.departed(), Departed::Unknown, "it was just armed");
        watch.forget_departed();
        Log { watch, change, folder }
    }

    /// Renames the log, and makes a new one.
    fn rotate(&self, to: &str) {
        self.rename("app.log", to);
        self.create("app.log");
    }

    /// Returns where the files lie that have lost their name, and how many more
    /// there are.
    fn known(&self) -> (Vec<String>, usize) {
        let Departed::Known { paths, unseen } = self.watch.departed() else {
            panic!("it was watched all the time");
        };
        let below = |path: &PathBuf| path.strip_prefix(self.dir.path()).unwrap().to_owned();
        let names = paths.iter().map(|path| below(path).into_os_string().into_string().unwrap());
        (names.collect(), unseen)
    }

    /// Returns the same where all can be found.
    fn departed(&self) -> Vec<String> {
        let (paths, unseen) = self.known();
        assert_eq!(unseen, 0);
        paths
    }

    /// Asks and forgets, as a follower does that has opened all of them.
    fn follow(&self) {
        self.watch.departed();
        self.watch.forget_departed();
    }
}

#[test]
fn two_rotations_in_a_row_are_known_in_their_order() {
    let log = Log::new();
    log.create("app.log");
    assert_eq!(log.departed(), [""; 0]);
    log.rotate("app.log.1");
    log.rename("app.log.1", "app.log.2");
    log.rotate("app.log.1");
    assert_eq!(log.departed(), ["app.log.2", "app.log.1"]);
    log.watch.forget_departed();
    assert_eq!(log.departed(), [""; 0]);
    // Dated names, and older files that are renamed as well.
    log.rename("app.log.2", "app.log.3");
    log.rotate("app-20261122.log");
    log.rotate("@4000000067e1");
    assert_eq!(log.departed(), ["app-20261122.log", "@4000000067e1"]);
}

#[test]
fn what_departs_after_the_answer_is_not_forgotten_with_it() {
    let log = Log::new();
    log.create("app.log");
    log.rotate("app.log.1");
    assert_eq!(log.departed(), ["app.log.1"]);
    log.rotate("app.log.2");
    log.notifier.core().drained(|_| ());
    log.watch.forget_departed();
    assert_eq!(log.departed(), ["app.log.2"]);
}

#[test]
fn a_file_that_is_moved_out_or_deleted_is_not_to_be_found() {
    let log = Log::new();
    log.create("app.log");
    log.create_folder("elsewhere");
    log.rotate("elsewhere/app.log");
    assert_eq!(log.known(), (Vec::new(), 1));
    log.watch.forget_departed();
    assert_eq!(log.known(), (Vec::new(), 0));

    log.rotate("app.log.1");
    fs::remove_file(log.at("app.log.1")).unwrap();
    log.rotate("app.log.1");
    log.rename("app.log.1", "elsewhere/app.log.1");
    log.rotate("app.log.1");
    // Renamed over.
    log.rotate("app.log.1");
    fs::remove_file(log.at("app.log")).unwrap();
    assert_eq!(log.known(), (vec!["app.log.1".to_owned()], 4));
}

#[test]
fn a_rename_that_is_under_way_is_waited_for() {
    let log = Log::new();
    let done = AtomicBool::new(false);
    log.create("app.log");
    let rotations = 900;
    let mut departed = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..rotations).for_each(|number| log.rotate(&number.to_string()));
            done.store(true, Ordering::SeqCst);
        });
        while departed < rotations {
            let ended = done.load(Ordering::SeqCst);
            departed += log.departed().len();
            log.watch.forget_departed();
            assert!(!ended || departed == rotations, "{departed} are known");
        }
    });
}

#[test]
fn a_file_is_known_in_another_folder_that_is_watched() {
    let log = Log::new();
    let old = log.create_folder("old");
    let (mut folders, _) = log.watch_folders();
    assert!(folders.arm(&old));
    log.create("app.log");
    log.rename("app.log", "old/1");
    log.rename("old/1", "old/2");
    assert_eq!(log.departed(), ["old/2"]);
    drop(folders);
    assert_eq!(log.watch.departed(), Departed::Unknown, "nobody watches it there");
}

#[test]
fn a_file_that_got_its_name_back_has_not_departed() {
    let log = Log::new();
    log.create("app.log");
    log.rename("app.log", "app.log.1");
    log.rename("app.log.1", "app.log");
    assert_eq!(log.departed(), [""; 0]);
}

#[test]
fn renames_are_those_of_the_file_and_not_of_a_link_to_it() {
    let log = Log::new();
    log.create_folder("real");
    log.create("real/1");
    log.create("real/2");
    let another_name = || {
        wait_until("the link is not heard of", || !log.watch.is_named());
        assert!(log.watch.arm_name());
        assert_eq!(log.watch.departed(), Departed::Unknown, "it is another name");
        log.watch.forget_departed();
    };
    symlink("real/1", log.at("app.log")).unwrap();
    another_name();
    log.rename("app.log", "app.link");
    assert_eq!(log.departed(), [""; 0]);
    log.rename("app.link", "app.log");
    log.rename("real/1", "real/3");
    assert_eq!(log.departed(), ["real/3"]);

    symlink("real/2", log.at("new")).unwrap();
    log.rename("new", "app.log");
    another_name();
}

/// Which paths hang, until they do not.
static HUNG: AtomicBool = AtomicBool::new(true);
static HANGS: AtomicUsize = AtomicUsize::new(0);
static LATCH: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());

/// A `stat` of a file system whose server is away.
fn hanging(path: &Path) -> u64 {
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
    let folder = Folder::with(Notifier::start_with(None, MOMENT, hanging).unwrap());
    let (mut away, rung_away) = folder.watch("hung");
    away.poll(true);
    wait_until("it is asked", || HANGS.load(Ordering::SeqCst) == 1);

    let (mut watch, change) = folder.watch("here");
    assert!(rings(&change, || watch.poll(true)), "another path waits for the one that hangs");
    for _ in 0..10 {
        assert!(rings(&change, || write(&folder.at("here"))));
    }
    assert_eq!(HANGS.load(Ordering::SeqCst), 1, "asked again although it hangs");
    assert_eq!(rung_away.count(), 0);

    let answers = || {
        let latch = LATCH.0.lock().unwrap();
        HUNG.store(false, Ordering::SeqCst);
        drop(latch);
        LATCH.1.notify_all();
    };
    assert!(rings(&rung_away, answers), "its `stat` has come back");
    wait_until("it is left out for good", || HANGS.load(Ordering::SeqCst) > 1);
    drop((away, watch));
    wait_until("a thread goes on with nothing to do", || folder.notifier.core().pollers() == 0);
}
