//! What becomes of a log while it is read: renamed, truncated, deleted,
//! replaced. Each test looks by hand, so each race has one outcome.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tributary::{Error, Listener, Moment, Options, Plan, Probe, Read, Wake};

/// A merge that is driven by hand.
struct Merge {
    plan: Plan,
    output: PathBuf,
}

impl Merge {
    fn new(sources: &[&Path], options: Options) -> Merge {
        let output = sources[0].parent().unwrap().join("the-output");
        let options = Options { follow: true, ..options };
        Merge { plan: Plan::open(sources, &output, options).unwrap(), output }
    }

    /// Looks at every source until there is nothing new, or the end.
    fn look(&mut self) -> String {
        for source in &mut self.plan.sources {
            while let Read::Lines(lines) = source.read_lines().unwrap() {
                self.plan.output.append(&lines).unwrap();
            }
        }
        self.merged()
    }

    fn merged(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap()).into_owned()
    }

    fn stop(&mut self) -> String {
        self.plan.stop.request();
        self.look()
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    (folder, log)
}

fn append(path: impl AsRef<Path>, text: &str) -> File {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn polled() -> Options {
    Options { wake: Wake::Poll, ..Options::default() }
}

/// Lets a file go as soon as it has lost its name and is read to its end.
fn impatient() -> Options {
    Options { quiet: Duration::ZERO, ..polled() }
}

#[test]
fn a_half_line_is_kept_until_its_newline_comes() {
    let (_folder, log) = folder();
    append(&log, "one\ntw");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "one\n");
    append(&log, "");
    assert_eq!(merge.look(), "one\n");
    append(&log, "o\n");
    assert_eq!(merge.look(), "one\ntwo\n");
}

#[test]
fn bytes_are_bytes_and_blank_lines_are_lines() {
    let (_folder, log) = folder();
    let bytes = b"\n\r\n\0\n\xff\xfe\n\n";
    fs::write(&log, bytes).unwrap();
    let mut merge = Merge::new(&[&log], polled());
    merge.look();
    assert_eq!(fs::read(&merge.output).unwrap(), bytes);
    merge.stop();
    assert_eq!(merge.plan.output.finish().unwrap().lines, 5);
}

#[test]
fn durations_that_mean_never_are_durations() {
    for wake in [Wake::Notify, Wake::Poll] {
        let (folder, log) = folder();
        append(&log, "old\n");
        let patterns = vec![folder.path().join("*.log").to_str().unwrap().into()];
        let never = Options { interval: Duration::MAX, quiet: Duration::MAX, ..polled() };
        let mut merge = Merge::new(&[&log], Options { wake, patterns, ..never });
        assert_eq!(merge.look(), "old\n");
        fs::rename(&log, folder.path().join("app.log.1")).unwrap();
        append(&log, "new\n");
        assert_eq!(merge.look(), "old\nnew\n", "{wake:?}");
    }
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_its_successor() {
    let (folder, log) = folder();
    let mut writer = append(&log, "old 1\n");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "old 1\n");
    writer.write_all(b"old 2\n").unwrap();
    fs::rename(&log, folder.path().join("app.log.1")).unwrap();
    append(&log, "new 1\n");
    writer.write_all(b"old 3\n").unwrap();
    assert_eq!(merge.look(), "old 1\nold 2\nold 3\nnew 1\n");
    // The writer has not heard of the rotation yet.
    writer.write_all(b"late\n").unwrap();
    append(&log, "new 2\n");
    assert_eq!(merge.look(), "old 1\nold 2\nold 3\nnew 1\nlate\nnew 2\n");
}

#[test]
fn a_half_line_belongs_to_its_file_and_never_to_the_successor() {
    let (folder, log) = folder();
    let mut writer = append(&log, "ha");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "");
    fs::rename(&log, folder.path().join("app.log.1")).unwrap();
    append(&log, "new\n");
    assert_eq!(merge.look(), "new\n");
    writer.write_all(b"lf\n").unwrap();
    assert_eq!(merge.look(), "new\nhalf\n");
}

#[test]
fn a_half_line_gets_its_newline_when_its_file_is_let_go() {
    let (folder, log) = folder();
    append(&log, "half");
    let mut merge = Merge::new(&[&log], impatient());
    assert_eq!(merge.look(), "");
    fs::rename(&log, folder.path().join("app.log.1")).unwrap();
    append(&log, "new\n");
    let merged = merge.look();
    assert!(merged == "half\nnew\n" || merged == "new\nhalf\n", "{merged:?}");
}

#[test]
fn files_that_came_and_went_between_two_looks_are_found() {
    let (folder, log) = folder();
    let rotate = |count: usize| {
        for number in (0..count).rev() {
            let from = if number == 0 {
                log.clone()
            } else {
                folder.path().join(format!("app.log.{number}"))
            };
            if from.exists() {
                fs::rename(from, folder.path().join(format!("app.log.{}", number + 1))).unwrap();
            }
        }
    };
    append(&log, "1\n");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "1\n");
    for line in ["2\n", "3\n", "4\n"] {
        rotate(5);
        append(&log, line);
    }
    assert_eq!(merge.look(), "1\n2\n3\n4\n");
}

#[test]
fn a_copy_and_a_packed_copy_are_not_taken_for_a_rotated_file() {
    let (folder, log) = folder();
    // What was there before the merge began is none of its business.
    let yesterday = append(folder.path().join("app.log.1"), "yesterday\n");
    // The clock of a file system ticks; "before" begins with the next tick.
    let born = |file: &File| file.metadata().unwrap().created().unwrap();
    while born(&append(&log, "")) == born(&yesterday) {
        fs::remove_file(&log).unwrap();
    }
    append(&log, "1\n");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "1\n");
    fs::rename(folder.path().join("app.log.1"), folder.path().join("app.log.2")).unwrap();
    append(folder.path().join("app.log.2.gz"), "packed\n");
    append(folder.path().join("apple.log"), "another program\n");
    fs::rename(&log, folder.path().join("app.log.1")).unwrap();
    append(&log, "2\n");
    assert_eq!(merge.look(), "1\n2\n");
}

#[test]
fn a_truncated_file_is_read_from_its_start() {
    let (_folder, log) = folder();
    append(&log, "one\ntwo\nhal");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "one\ntwo\n");
    File::create(&log).unwrap();
    // The half line has ended with the truncation, and stands alone.
    assert_eq!(merge.look(), "one\ntwo\nhal\n");
    append(&log, "three\n");
    assert_eq!(merge.look(), "one\ntwo\nhal\nthree\n");
    // Shorter than before, but not empty.
    fs::write(&log, "4\n").unwrap();
    assert_eq!(merge.look(), "one\ntwo\nhal\nthree\n4\n");
}

#[test]
fn a_file_rewritten_as_long_or_longer_is_read_from_its_start() {
    let (_folder, log) = folder();
    fs::write(&log, "aaaa\n").unwrap();
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "aaaa\n");
    fs::write(&log, "bbbb\ncccc\n").unwrap();
    assert_eq!(merge.look(), "aaaa\nbbbb\ncccc\n");
    fs::write(&log, "dddd\neeee\n").unwrap();
    assert_eq!(merge.look(), "aaaa\nbbbb\ncccc\ndddd\neeee\n");
}

#[test]
fn a_file_that_is_not_there_is_waited_for() {
    let (_folder, log) = folder();
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "");
    append(&log, "here\n");
    assert_eq!(merge.look(), "here\n");
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_its_name_waited_for() {
    for options in [polled(), impatient()] {
        let (_folder, log) = folder();
        let mut writer = append(&log, "1\n");
        let mut merge = Merge::new(&[&log], options);
        assert_eq!(merge.look(), "1\n");
        writer.write_all(b"2\n").unwrap();
        fs::remove_file(&log).unwrap();
        assert_eq!(merge.look(), "1\n2\n");
        append(&log, "3\n");
        assert_eq!(merge.look(), "1\n2\n3\n");
    }
    its_inode_may_come_back();
}

/// What Linux calls the file system that gives inodes again at once.
const EXT4: rustix::fs::FsWord = 0xef53;

/// Deletes a file and makes another one of its name, until that has the inode
/// of the first; with the merge in between, or not until afterwards.
fn its_inode_may_come_back() {
    for looks_in_between in [true, false] {
        let came_back = (0..100).any(|_| {
            let (_folder, log) = folder();
            let inode = append(&log, "old 1\n").metadata().unwrap().ino();
            let mut merge = Merge::new(&[&log], impatient());
            assert_eq!(merge.look(), "old 1\n");
            fs::remove_file(&log).unwrap();
            if looks_in_between {
                // The file is let go here, and its inode is free.
                assert_eq!(merge.look(), "old 1\n");
            }
            // Longer than where we stood in the old one.
            let new = append(&log, "new 1\nnew 2\n").metadata().unwrap().ino();
            assert_eq!(merge.look(), "old 1\nnew 1\nnew 2\n");
            new == inode
        });
        if !looks_in_between {
            assert!(!came_back, "we still had the deleted file open");
        } else if rustix::fs::statfs(std::env::temp_dir()).unwrap().f_type == EXT4 {
            // Not so on a tmpfs, which counts its inodes up for ever.
            assert!(came_back, "ext4 takes the inode that has become free last");
        }
    }
}

#[test]
fn a_deleted_file_is_let_go_when_it_is_quiet() {
    let (_folder, log) = folder();
    append(&log, "1\n");
    let mut merge = Merge::new(&[&log], impatient());
    merge.look();
    let held = || {
        let fds = fs::read_dir("/proc/self/fd").unwrap().flatten();
        fds.filter_map(|fd| fs::read_link(fd.path()).ok())
            .filter(|to| to.to_string_lossy().starts_with(&*log.to_string_lossy()))
            .count()
    };
    assert_eq!(held(), 1);
    fs::remove_file(&log).unwrap();
    merge.look();
    assert_eq!(held(), 0, "a deleted file is still open, and fills the disk");
}

#[test]
fn a_link_may_lead_elsewhere_from_one_moment_to_the_next() {
    let (folder, log) = folder();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    append(&one, "1\n");
    append(&two, "2\n");
    symlink(&one, &log).unwrap();
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&log).unwrap();
    symlink(&two, &log).unwrap();
    append(&one, "1 late\n");
    assert_eq!(merge.look(), "1\n1 late\n2\n");
}

#[test]
fn a_folder_may_be_replaced() {
    let (folder, _) = folder();
    let (logs, old) = (folder.path().join("logs"), folder.path().join("old"));
    fs::create_dir(&logs).unwrap();
    let log = logs.join("app.log");
    append(&log, "1\n");
    let output = folder.path().join("merged");
    let options = Options { follow: true, ..polled() };
    let plan = Plan::open([&log], &output, options).unwrap();
    let mut merge = Merge { plan, output };
    assert_eq!(merge.look(), "1\n");
    fs::rename(&logs, &old).unwrap();
    assert_eq!(merge.look(), "1\n");
    fs::create_dir(&logs).unwrap();
    append(old.join("app.log"), "2\n");
    append(&log, "3\n");
    assert_eq!(merge.look(), "1\n2\n3\n");
}

#[test]
fn what_is_no_file_is_refused_and_hangs_nothing() {
    let (_folder, log) = folder();
    append(&log, "1\n");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    assert_eq!(merge.look(), "1\n");
    fs::remove_dir(&log).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &log, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&log).unwrap();
    symlink("/dev/null", &log).unwrap();
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&log).unwrap();
    append(&log, "2\n");
    assert_eq!(merge.look(), "1\n2\n");
}

#[test]
fn the_output_is_not_read_when_a_rotation_makes_it_a_source() {
    let (_folder, log) = folder();
    append(&log, "1\n");
    let mut merge = Merge::new(&[&log], polled());
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&log).unwrap();
    fs::hard_link(&merge.output, &log).unwrap();
    assert_eq!(merge.look(), "1\n");
    assert_eq!(merge.look(), "1\n");
}

#[test]
fn a_log_and_its_rotated_name_may_both_be_sources() {
    for options in [polled(), impatient()] {
        let (folder, log) = folder();
        let rotated = folder.path().join("app.log.1");
        append(&rotated, "0\n");
        append(&log, "1\n");
        let mut merge = Merge::new(&[&log, &rotated], options);
        assert_eq!(merge.look(), "1\n0\n");
        fs::rename(&log, &rotated).unwrap();
        append(&log, "2\n");
        append(&rotated, "1 late\n");
        assert_eq!(merge.look(), "1\n0\n1 late\n2\n");
        // Let go by the first source or not, its file is read by one of them.
        append(&rotated, "1 very late\n");
        assert_eq!(merge.look(), "1\n0\n1 late\n2\n1 very late\n");
        assert_eq!(merge.stop(), "1\n0\n1 late\n2\n1 very late\n");
    }
}

/// A probe whose first looks fail with this error.
fn failing(times: usize, code: i32) -> Options {
    let looks = AtomicUsize::new(0);
    let probe = Probe::new(move |moment, _| {
        if moment == Moment::BeforeLook && looks.fetch_add(1, Ordering::SeqCst) < times {
            return Err(io::Error::from_raw_os_error(code));
        }
        Ok(())
    });
    Options { probe: Some(probe), ..polled() }
}

#[test]
fn an_error_that_may_pass_opens_the_file_again() {
    let (_folder, log) = folder();
    append(&log, "1\n");
    for code in [rustix::io::Errno::STALE, rustix::io::Errno::MFILE] {
        let mut merge = Merge::new(&[&log], failing(3, code.raw_os_error()));
        assert_eq!(merge.look(), "1\n");
        assert!(!merge.plan.stop.requested());
    }
}

#[test]
fn an_error_that_does_not_pass_names_the_file_and_ends_the_run() {
    let (_folder, log) = folder();
    append(&log, "1\n");
    for (times, code) in [(4, rustix::io::Errno::STALE), (1, rustix::io::Errno::IO)] {
        let mut merge = Merge::new(&[&log], failing(times, code.raw_os_error()));
        let error = merge.plan.sources[0].read_lines().unwrap_err();
        assert_eq!(error.path(), Some(&*log));
        assert!(matches!(error, Error::Read { .. }), "{error}");
        assert!(merge.plan.stop.requested());
    }
}

#[test]
fn a_path_is_bytes() {
    let (folder, _) = folder();
    for name in [&b"-n"[..], b"a b", b"new\nline", b"\xff\xfe"] {
        let log = folder.path().join(OsStr::from_bytes(name));
        append(&log, "1\n");
        let mut merge = Merge::new(&[&log], polled());
        assert_eq!(merge.look(), "1\n");
        fs::rename(&log, folder.path().join("gone")).unwrap();
        append(&log, "2\n");
        assert_eq!(merge.look(), "1\n2\n");
        assert_eq!(merge.plan.sources[0].path(), log);
    }
}

#[test]
fn the_drain_ends_at_the_size_of_the_stop() {
    let (_folder, log) = folder();
    append(&log, "1\n2");
    let mut merge = Merge::new(&[&log], polled());
    merge.plan.stop.request();
    let Read::Lines(lines) = merge.plan.sources[0].read_lines().unwrap() else { panic!() };
    assert_eq!(lines.as_bytes(), b"1\n");
    // Too late for this run, but for the end of the line that the stop has cut.
    append(&log, "nd\n3\n4\n");
    let Read::Lines(lines) = merge.plan.sources[0].read_lines().unwrap() else { panic!() };
    assert_eq!(lines.as_bytes(), b"2nd\n");
    assert!(matches!(merge.plan.sources[0].read_lines().unwrap(), Read::Closed));
}

#[test]
fn an_abandoned_merge_drains_nothing() {
    let (_folder, log) = folder();
    append(&log, "1\n");
    let mut merge = Merge::new(&[&log], polled());
    merge.plan.stop.abandon();
    assert_eq!(merge.look(), "");
}

#[test]
fn a_source_at_rest_is_woken_by_each_kind_of_change() {
    let (folder, log) = folder();
    let mut merge = Merge::new(&[&log], Options { wake: Wake::Notify, ..Options::default() });
    // An hour, so that only a notification ends the wait in time.
    let woken = |merge: &mut Merge, before: &str, what: &str, after: &str| {
        assert_eq!(merge.merged(), before);
        for _ in 0..100 {
            let changed = merge.plan.sources[0].changed();
            assert!(changed.wait_timeout(Duration::from_secs(60)).is_some(), "not woken by {what}");
            if merge.look() == after {
                return;
            }
        }
        panic!("woken by {what}, but: {:?}", merge.merged());
    };
    assert_eq!(merge.look(), "");
    let mut writer = append(&log, "1\n");
    woken(&mut merge, "", "a file that came", "1\n");
    writer.write_all(b"2\n").unwrap();
    woken(&mut merge, "1\n", "a write", "1\n2\n");
    fs::rename(&log, folder.path().join("app.log.1")).unwrap();
    append(&log, "3\n");
    woken(&mut merge, "1\n2\n", "a rotation", "1\n2\n3\n");
    writer.write_all(b"late\n").unwrap();
    woken(&mut merge, "1\n2\n3\n", "a late write", "1\n2\n3\nlate\n");
    fs::write(&log, "4\n").unwrap();
    woken(&mut merge, "1\n2\n3\nlate\n", "a truncation", "1\n2\n3\nlate\n4\n");
    fs::write(folder.path().join("next"), "5\n").unwrap();
    fs::rename(folder.path().join("next"), &log).unwrap();
    woken(&mut merge, "1\n2\n3\nlate\n4\n", "a replacement", "1\n2\n3\nlate\n4\n5\n");
}
