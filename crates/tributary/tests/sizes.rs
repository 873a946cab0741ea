//! Files whose size tells something else than their lines: of `/proc`, with
//! reserved space at their end, with holes, changed in the middle.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use tempfile::TempDir;
use tributary::{Options, Plan, Read, Wake};

/// A merge of one log that is driven by hand.
struct Merge {
    plan: Plan,
    output: PathBuf,
}

impl Merge {
    fn follow(log: &Path, output: &Path) -> Merge {
        let options = Options { follow: true, wake: Wake::Poll, ..Options::default() };
        Merge::new(log, output, options)
    }

    fn new(log: &Path, output: &Path, options: Options) -> Merge {
        Merge { plan: Plan::open([log], output, options).unwrap(), output: output.to_owned() }
    }

    /// Looks until there is nothing new, or the end; returns what that has
    /// added to the output.
    #[track_caller]
    fn look(&mut self) -> String {
        let before = fs::read(&self.output).unwrap().len();
        while let Read::Lines(lines) = self.plan.sources[0].read_lines().unwrap() {
            self.plan.output.append(&lines).unwrap();
        }
        String::from_utf8_lossy(&fs::read(&self.output).unwrap()[before..]).into_owned()
    }

    fn stop(&mut self) -> String {
        self.plan.stop.request();
        self.look()
    }
}

fn folder() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (log, output) = (folder.path().join("app.log"), folder.path().join("merged"));
    (folder, log, output)
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn write_at(path: &Path, text: &str, offset: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(text.as_bytes(), offset).unwrap();
}

/// A file that says that it is larger than it is.
#[cfg(target_os = "linux")]
const PAGE: &str = "/sys/kernel/uevent_seqnum";

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_has_bytes_and_tells_no_size_is_refused_by_name() {
    let (_folder, _, output) = folder();
    for follow in [false, true] {
        let options = Options { follow, ..Options::default() };
        let error = Plan::open(["/proc/version"], &output, options).unwrap_err();
        let told = "/proc/version: this is a file that has bytes and tells no size";
        assert!(error.to_string().starts_with(told), "{error}");
        assert!(!output.exists());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_is_shorter_than_its_size_has_an_end() {
    let (_folder, _, output) = folder();
    assert_eq!(fs::metadata(PAGE).unwrap().len(), 4096);
    let mut merge = Merge::follow(Path::new(PAGE), &output);
    assert!(merge.look().trim_end().parse::<u64>().is_ok());
    assert_eq!(merge.look(), "");
    assert_eq!(merge.stop(), "");
}

#[test]
fn reserved_space_is_no_line_and_what_is_written_there_is_merged() {
    for reserved in [100, 64 * 1024, 1024 * 1024] {
        let (_folder, log, output) = folder();
        fs::write(&log, vec![0; reserved]).unwrap();
        let mut merge = Merge::follow(&log, &output);
        assert_eq!(merge.look(), "");
        write_at(&log, "one\nha", 0);
        assert_eq!(merge.look(), "one\n");
        assert_eq!(merge.look(), "");
        write_at(&log, "lf\n", 6);
        assert_eq!(merge.look(), "half\n");
        write_at(&log, "last", 9);
        assert_eq!(merge.stop(), "last\n");
    }
}

#[test]
fn a_large_hole_is_not_read() {
    let (_folder, log, output) = folder();
    append(&log, "one\n");
    OpenOptions::new().write(true).open(&log).unwrap().set_len(1 << 40).unwrap();
    let mut merge = Merge::follow(&log, &output);
    assert_eq!(merge.look(), "one\n");
    write_at(&log, "two\n", 4);
    assert_eq!(merge.look(), "two\n");
    assert_eq!(merge.stop(), "");
}

#[test]
fn nulls_inside_of_a_line_are_bytes() {
    let (_folder, log, output) = folder();
    let inside = format!("a{}b\n", "\0".repeat(1024 * 1024));
    append(&log, &format!("\0\n{inside}half\0"));
    let mut merge = Merge::follow(&log, &output);
    assert_eq!(merge.look(), format!("\0\n{inside}"));
    append(&log, "\0way\n");
    assert_eq!(merge.look(), "half\0\0way\n");
}

#[test]
fn bytes_that_were_freed_are_no_rewriting() {
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    // All that was read, up to a line before the end, and a part in the middle.
    for (from, behind) in [(0, 0), (0, 10), (40_960, 0)] {
        let (_folder, log, output) = folder();
        append(&log, &"a line\n".repeat(100_000));
        let size = 700_000;
        let mut merge = Merge::follow(&log, &output);
        assert_eq!(merge.look().len(), size);
        let file = OpenOptions::new().write(true).open(&log).unwrap();
        // Of the last block, only a part was freed.
        let end = if from == 0 { size as u64 - behind } else { 1 << 20 };
        fallocate(&file, punch, from, end - from).unwrap();
        append(&log, "new 1\n");
        assert!(merge.look() == "new 1\n", "from {from}, {behind} left");
        append(&log, "new 2\n");
        assert!(merge.look() == "new 2\n", "from {from}, {behind} left");
    }
}

#[test]
fn a_file_that_is_filled_anew_after_it_was_freed_is_read() {
    let (_folder, log, output) = folder();
    append(&log, "one\ntwo\n");
    let mut merge = Merge::follow(&log, &output);
    assert_eq!(merge.look(), "one\ntwo\n");
    write_at(&log, "\0\0\0\0\0\0\0\0", 0);
    assert_eq!(merge.look(), "");
    write_at(&log, "1\n", 0);
    assert_eq!(merge.look(), "1\n");
}

#[test]
fn a_change_before_our_place_hands_out_what_was_changed() {
    let (_folder, log, output) = folder();
    let many = "a line of many\n".repeat(1000);
    let size = many.len() as u64;
    append(&log, &format!("{many}progress: 1 %"));
    let mut merge = Merge::follow(&log, &output);
    assert_eq!(merge.look(), many);
    // The half line was not handed out: nothing is handed out again.
    write_at(&log, "progress: 99 %\n", size);
    assert_eq!(merge.look(), "progress: 99 %\n");
    write_at(&log, "A LINE OF MANY\n", size - 15);
    assert_eq!(merge.look(), "A LINE OF MANY\nprogress: 99 %\n");
    append(&log, "new\n");
    assert_eq!(merge.look(), "new\n");
    // What has shrunk, too, is a new log.
    fs::write(&log, "a line of many\nno more\n").unwrap();
    assert_eq!(merge.look(), "a line of many\nno more\n");
}

#[test]
fn a_merge_goes_on_where_a_change_was_handed_out() {
    let (folder, log, output) = folder();
    let many = "a line of many\n".repeat(1000);
    append(&log, &many);
    let checkpoint = Some(folder.path().join("checkpoint"));
    let options = Options { follow: true, wake: Wake::Poll, checkpoint, ..Options::default() };
    let mut merge = Merge::new(&log, &output, options.clone());
    assert_eq!(merge.look(), many);
    write_at(&log, "A LINE OF MANY\n", many.len() as u64 - 15);
    assert_eq!(merge.look(), "A LINE OF MANY\n");
    merge.plan.output.finish().unwrap();
    drop(merge);
    append(&log, "new\n");
    assert_eq!(Merge::new(&log, &output, options).look(), "new\n");
}
