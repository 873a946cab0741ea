//! Tests of what wakes, over real files.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, poll};
use tempfile::TempDir;
use testkit::{BOUND, until};

use crate::waking::change::{Bell, Change};
use crate::waking::inotify::Inotify;
#[cfg(target_os = "linux")]
use crate::waking::notifications::Notifications;
use crate::waking::notifier::Notifier;
use crate::waking::poller;
use crate::waking::renames::Departed;
use crate::waking::watch::{FileWatch, FolderWatch, SourceWatch};

const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(1);

/// Tells whether `happens` rings.
fn rings(change: &Change, happens: impl FnOnce()) -> bool {
    let seen = change.count();
    happens();
    change.since(seen).wait_timeout(BOUND)
}

/// A log that is called `log`, in a folder of its own.
struct Log {
    watch: SourceWatch,
    change: Arc<Change>,
    notifier: Arc<Notifier>,
    folder: TempDir,
}

impl Log {
    fn with(notifier: Arc<Notifier>) -> Log {
        let folder = tempfile::tempdir().unwrap();
        let (watch, change) = watched(&notifier, folder.path().join("log"));
        Log { watch, change, notifier, folder }
    }

    /// Whatever rings was notified: polls come every hour.
    fn notified() -> Log {
        Log::with(Notifier::start(HOUR, MOMENT).unwrap())
    }

    /// The name is watched without a gap.
    fn followed() -> Log {
        let log = Log::notified();
        assert!(log.watch.arm_name());
        assert_eq!(log.watch.departed(), Departed::Unknown, "it was just armed");
        log.watch.forget_departed();
        log
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn create(&self, name: &str) -> File {
        File::create_new(self.at(name)).unwrap()
    }

    fn create_folder(&self, name: &str) -> PathBuf {
        fs::create_dir(self.at(name)).unwrap();
        self.at(name)
    }

    /// Writes to the log, behind a look: before that, a ring would be one too many.
    fn write(&self) {
        self.watch.name.target.bell.take();
        let mut file = File::options().create(true).append(true).open(self.at("log")).unwrap();
        file.write_all(b"line\n").unwrap();
    }

    /// Does what the words say: `+a` makes a file, `a>b` renames it, `-a` deletes
    /// it, and `?` follows: asks what has departed, and forgets it.
    fn play(&self, story: &str) {
        for step in story.split(' ') {
            if let Some((from, to)) = step.split_once('>') {
                fs::rename(self.at(from), self.at(to)).unwrap();
            } else if let Some(name) = step.strip_prefix('+') {
                self.create(name);
            } else if let Some(name) = step.strip_prefix('-') {
                fs::remove_file(self.at(name)).unwrap();
            } else {
                self.watch.departed();
                self.watch.forget_departed();
            }
        }
    }

    /// Returns where the files lie that have lost their name, and how many more
    /// there are.
    fn known(&self) -> (String, usize) {
        let Departed::Known { paths, unseen } = self.watch.departed() else {
            panic!("it was watched all the time");
        };
        let below = |path: &PathBuf| path.strip_prefix(self.folder.path()).unwrap().to_owned();
        let names: Vec<_> = paths.iter().map(|path| below(path).display().to_string()).collect();
        (names.join(" "), unseen)
    }
}

fn watched(notifier: &Arc<Notifier>, path: PathBuf) -> (SourceWatch, Arc<Change>) {
    let change = Arc::new(Change::default());
    (SourceWatch::new(notifier, path.into(), &Bell::new(Arc::clone(&change))), change)
}

fn watched_folders(notifier: &Arc<Notifier>) -> (FolderWatch, Arc<Bell>) {
    let bell = Bell::new(Arc::default());
    (FolderWatch::new(notifier, &bell), bell)
}

/// Returns how many watches the kernel has.
fn kernel_watches(notifier: &Notifier) -> usize {
    let fd = notifier.inotify.fd().unwrap().as_raw_fd();
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
    info.lines().filter(|line| line.starts_with("inotify ")).count()
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
    let refused = Notifier::start_with(Inotify::default(), MOMENT, MOMENT, poller::stat).unwrap();
    let mut log = Log::with(refused);
    let file = log.create("log");
    assert!(!log.watch.arm_name() && !log.watch.is_named());
    assert!(!log.watch.arm_file(&file, &mut None));
    assert_eq!(log.watch.departed(), Departed::Unknown);
    // The first answer of `stat` is news in any case.
    assert!(rings(&log.change, || log.watch.poll(true)));
    assert!(rings(&log.change, || log.write()));
}

#[test]
fn polls_a_name_in_a_folder_that_is_not_there() {
    let mut log = Log::with(Notifier::start(MOMENT, MOMENT).unwrap());
    fs::remove_dir(&log.folder).unwrap();
    assert!(!log.watch.arm_name());
    assert!(rings(&log.change, || log.watch.poll(true)));
    fs::create_dir(&log.folder).unwrap();
    assert!(rings(&log.change, || log.write()));
    assert!(log.watch.arm_name(), "the folder is there now");
}

#[test]
fn rings_at_a_deadline_and_ends_with_its_last_handle() {
    let mut log = Log::notified();
    assert!(rings(&log.change, || log.watch.wake_at(Some(Instant::now() + MOMENT))));
    let inotify = Arc::downgrade(&log.notifier.inotify);
    drop(log);
    until("the thread of the notifier ends", || inotify.strong_count() == 0);
}

#[test]
fn durations_that_mean_never_never_ring() {
    let mut log = Log::with(Notifier::start(Duration::MAX, Duration::ZERO).unwrap());
    log.watch.poll(true);
    log.watch.wake_at(Instant::now().checked_add(Duration::MAX));
    let (mut folders, _) = watched_folders(&log.notifier);
    folders.retry_at(Instant::now() + Duration::from_secs(u64::MAX / 4));
    // The thread is alive: it still hears the kernel.
    assert!(log.watch.arm_name());
    assert!(rings(&log.change, || log.write()));
}

#[test]
fn two_sources_may_watch_the_same_file() {
    let mut log = Log::notified();
    let file = log.create("log");
    let (mut other, rung_other) = watched(&log.notifier, log.at("log"));
    let (mut watch, mut watch_of_other) = (None, None);
    assert!(log.watch.arm_file(&file, &mut watch));
    assert!(other.arm_file(&file, &mut watch_of_other));
    assert!(!log.watch.arm_file(&file, &mut watch), "armed already");
    drop(watch_of_other);
    assert!(rings(&log.change, || log.write()));
    assert_eq!(rung_other.count(), 0, "rung for a file that was let go");
    assert!(rings(&log.change, || log.write()), "it is watched for one event only");
}

#[test]
fn changes_that_follow_one_another_are_rung_for_once_in_a_while() {
    let latency = 20 * MOMENT;
    let mut log = Log::with(Notifier::start(HOUR, latency).unwrap());
    let file = log.create("log");
    let mut watch = None;
    assert!(log.watch.arm_file(&file, &mut watch));
    let (rounds, begun) = (10, Instant::now());
    (0..rounds).for_each(|_| assert!(rings(&log.change, || log.write())));
    // The first one rings at once, and the thread may have begun to wait before it.
    assert!(begun.elapsed() >= latency * (rounds - 2), "{:?}", begun.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn a_merge_may_take_in_once_in_a_while_what_the_kernel_tells() {
    let latency = 20 * MOMENT;
    let mut log = Log::with(Notifier::start(HOUR, latency).unwrap());
    let file = log.create("log");
    let mut watch = None;
    assert!(log.watch.arm_file(&file, &mut watch));
    let mut kernel = Notifications::of(&log.notifier).expect("there are notifications");
    let (rounds, begun) = (10, Instant::now());
    for _ in 0..rounds {
        let seen = log.change.count();
        log.write();
        until("the write is taken in", || {
            // Not for ever: the thread may have taken in what came first.
            let most = MOMENT.try_into().unwrap();
            if poll(&mut [PollFd::new(&kernel, PollFlags::IN)], Some(&most)) != Ok(0) {
                kernel.take_in().unwrap();
            }
            log.change.count() != seen
        });
    }
    assert!(begun.elapsed() >= latency * (rounds - 2), "{:?}", begun.elapsed());
    drop(kernel);
    let seen = log.change.count();
    log.write();
    let before_the_sweep = Duration::from_secs(20);
    assert!(log.change.since(seen).wait_timeout(before_the_sweep), "the thread takes in nothing");
}

#[test]
fn a_folder_of_a_pattern_is_watched_until_it_goes() {
    let above = Log::notified();
    let (mut watch, bell) = watched_folders(&above.notifier);
    assert!(bell.take(), "it was never read");
    assert!(!watch.arm(&above.at("logs")), "it is not there");
    let logs = above.create_folder("logs");
    assert!(watch.arm(&logs) && watch.arm(&logs));

    let due = |what: &str, happens: &mut dyn FnMut()| {
        assert!(rings(bell.change(), happens) && bell.take(), "{what}");
    };
    due("a name came", &mut || drop(above.create("logs/a.log")));
    due("a time came", &mut || watch.retry_at(Instant::now()));
    due("it was moved", &mut || above.play("logs>moved"));
    assert!(!watch.arm(&logs), "another folder than this was watched");
    assert_eq!(kernel_watches(&above.notifier), 0);

    assert!(watch.arm(&above.at("moved")));
    watch.keep(&[logs].into());
    assert_eq!(kernel_watches(&above.notifier), 0, "the pattern does not lead there any more");
}

/// Makes more events at once than the kernel keeps, in a folder that is watched.
fn overflow(log: &Log) {
    // The notifier's thread reads nothing meanwhile.
    let held = log.notifier.lock();
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    for _ in 0..limit.trim_end().parse::<usize>().unwrap() {
        log.create("nobody's");
        fs::remove_file(log.at("nobody's")).unwrap();
    }
    drop(held);
}

#[test]
fn watches_everything_anew_after_the_queue_has_overflowed() {
    let mut log = Log::followed();
    let file = log.create("log");
    let mut file_watch = None;
    assert!(log.watch.arm_file(&file, &mut file_watch));
    let (mut folders, bell) = watched_folders(&log.notifier);
    assert!(folders.arm(log.folder.path()) && bell.take());

    assert!(rings(&log.change, || overflow(&log)));
    assert!(!log.watch.is_named() && bell.take());
    assert_eq!(log.watch.departed(), Departed::Unknown);
    assert!(log.watch.arm_name());
    assert!(rings(&log.change, || log.write()));
    log.watch.forget_departed();
    log.play("log>1 +log");
    assert_eq!(log.known(), ("1".to_owned(), 0));
}

#[test]
fn what_is_dropped_leaves_nothing_behind() {
    let (log, elsewhere) = (Log::notified(), tempfile::tempdir().unwrap());
    let file = log.create("file");
    let make = |number: usize| -> (SourceWatch, Option<FileWatch>) {
        let path = log.at(&format!("{number}.log"));
        let (mut watch, _) = watched(&log.notifier, path.clone());
        let mut file_watch = None;
        assert!(watch.arm_name() && watch.arm_file(&file, &mut file_watch));
        watch.poll(true);
        watch.wake_at(Some(Instant::now() + HOUR));
        // One that has lost its name, and one that is on its way.
        for folder in [&log.folder, &elsewhere] {
            File::create(&path).unwrap();
            fs::rename(&path, folder.path().join(number.to_string())).unwrap();
        }
        (watch, file_watch)
    };
    let (mut folders, _) = watched_folders(&log.notifier);
    assert!(folders.arm(log.folder.path()));
    let watches: Vec<_> = (0..1000).map(make).collect();
    let Log { watch, notifier, .. } = log;
    drop((watches, folders, watch));
    assert!(notifier.lock().is_empty(), "{:?}", notifier.lock());
    assert_eq!(kernel_watches(&notifier), 0);
}

#[test]
fn a_watch_that_ends_before_it_is_entered_is_added_again() {
    let log = Log::notified();
    let (other, _) = watched(&log.notifier, log.at("other"));
    assert!(other.arm_name());
    let mut other = Some(other);
    let armed = log.watch.name.arm(|| {
        let added = log.watch.add_folders();
        // The last one that had the folder watched lets it go.
        drop(other.take());
        added
    });
    assert!(armed.unwrap());
    assert!(rings(&log.change, || log.write()), "the watch of the folder has ended");
}

#[test]
fn the_files_that_have_lost_the_name_are_known_in_their_order() {
    for (story, paths, unseen) in [
        ("+log", "", 0),
        ("+log log>1 +log 1>2 log>1 +log", "2 1", 0),
        // The names may be any, and older files are renamed as well.
        ("+log log>1 +log ? 1>2 log>log-20261122 +log log>@40 +log", "log-20261122 @40", 0),
        ("+log log>1 +log log>2 +log ?", "", 0),
        ("+log log>1 1>log", "", 0),
        // Moved out, at once or later; deleted; renamed over.
        ("+log log>away/1 +log", "", 1),
        ("+log log>1 +log 1>away/1", "", 1),
        ("+log -log", "", 1),
        ("+log log>1 +log -1", "", 1),
        ("+log log>1 +log log>1", "1", 1),
        ("+log log>1 +log log>1 ?", "", 0),
    ] {
        let log = Log::followed();
        log.create_folder("away");
        log.play(story);
        assert_eq!(log.known(), (paths.to_owned(), unseen), "{story}");
    }
}

#[test]
fn what_departs_after_the_answer_is_not_forgotten_with_it() {
    let log = Log::followed();
    log.play("+log log>1 +log");
    assert_eq!(log.known(), ("1".to_owned(), 0));
    log.play("log>2 +log");
    log.notifier.drained(|_| ());
    log.watch.forget_departed();
    assert_eq!(log.known(), ("2".to_owned(), 0));
}

#[test]
fn a_rename_that_is_under_way_is_waited_for() {
    let log = Log::followed();
    let done = AtomicBool::new(false);
    log.create("log");
    let rotations = 900;
    let mut departed = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..rotations).for_each(|number| log.play(&format!("log>{number} +log")));
            done.store(true, Ordering::SeqCst);
        });
        while departed < rotations {
            let ended = done.load(Ordering::SeqCst);
            let (paths, unseen) = log.known();
            assert_eq!(unseen, 0);
            departed += paths.split_whitespace().count();
            log.watch.forget_departed();
            assert!(!ended || departed == rotations, "{departed} are known");
        }
    });
}

#[test]
fn a_file_is_known_in_another_folder_that_is_watched() {
    let log = Log::followed();
    let old = log.create_folder("old");
    let (mut folders, _) = watched_folders(&log.notifier);
    assert!(folders.arm(&old));
    log.play("+log log>old/1 old/1>old/2");
    assert_eq!(log.known(), ("old/2".to_owned(), 0));
    drop(folders);
    assert_eq!(log.watch.departed(), Departed::Unknown, "nobody watches it there");
}

#[test]
fn renames_are_those_of_the_file_and_not_of_a_link_to_it() {
    let log = Log::followed();
    log.create_folder("real");
    log.play("+real/1 +real/2");
    let another_name = || {
        until("the link is heard of", || !log.watch.is_named());
        assert!(log.watch.arm_name());
        assert_eq!(log.watch.departed(), Departed::Unknown, "it is another name");
        log.watch.forget_departed();
    };
    symlink("real/1", log.at("log")).unwrap();
    another_name();
    log.play("log>link");
    assert_eq!(log.known(), (String::new(), 0));
    log.play("link>log real/1>real/3");
    assert_eq!(log.known(), ("real/3".to_owned(), 0));

    symlink("real/2", log.at("new")).unwrap();
    log.play("new>log");
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
    let mut log =
        Log::with(Notifier::start_with(Inotify::default(), MOMENT, MOMENT, hanging).unwrap());
    let (mut away, rung_away) = watched(&log.notifier, log.at("hung"));
    away.poll(true);
    until("it is asked", || HANGS.load(Ordering::SeqCst) == 1);

    assert!(rings(&log.change, || log.watch.poll(true)), "another path waits for it");
    for _ in 0..10 {
        assert!(rings(&log.change, || log.write()));
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
    until("it is asked once more", || HANGS.load(Ordering::SeqCst) > 1);
    away.poll(false);
    log.watch.poll(false);
    until("a thread with nothing to do ends", || log.notifier.pollers() == 0);
}
