//! Files whose size tells something else than their lines: of `/proc`, with
//! reserved space at their end, with holes, changed in the middle.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::common::{Merge, Place};
use rustix::fs::{FallocateFlags, fallocate};
use tributary::{Options, Plan};

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
    let place = Place::new();
    for follow in [false, true] {
        let options = Options { follow, ..Options::default() };
        let error = Plan::open(["/proc/version"], &place.output, options).unwrap_err();
        let told = "/proc/version: this is a file that has bytes and tells no size";
        assert!(error.to_string().starts_with(told), "{error}");
        assert!(!place.output.exists());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_is_shorter_than_its_size_has_an_end() {
    let place = Place::new();
    assert_eq!(fs::metadata(PAGE).unwrap().len(), 4096);
    let mut merge = Merge::new(PAGE, &place.output, place.options.clone());
    assert!(merge.added().trim_end().parse::<u64>().is_ok());
    assert_eq!(merge.added(), "");
    merge.stop.request();
    assert_eq!(merge.added(), "");
}

#[test]
fn reserved_space_is_no_line_and_what_is_written_there_is_merged() {
    for reserved in [100, 64 * 1024, 1024 * 1024] {
        let place = Place::new();
        fs::write(&place.log, vec![0; reserved]).unwrap();
        let mut merge = place.open();
        assert_eq!(merge.added(), "");
        write_at(&place.log, "one\nha", 0);
        assert_eq!(merge.added(), "one\n");
        assert_eq!(merge.added(), "");
        write_at(&place.log, "lf\n", 6);
        assert_eq!(merge.added(), "half\n");
        write_at(&place.log, "last", 9);
        merge.stop.request();
        assert_eq!(merge.added(), "last\n");
    }
}

#[test]
fn a_large_hole_is_not_read() {
    let place = Place::new();
    place.append(&place.log, "one\n");
    OpenOptions::new().write(true).open(&place.log).unwrap().set_len(1 << 40).unwrap();
    let mut merge = place.open();
    assert_eq!(merge.added(), "one\n");
    write_at(&place.log, "two\n", 4);
    assert_eq!(merge.added(), "two\n");
    merge.stop.request();
    assert_eq!(merge.added(), "");
}

#[test]
fn nulls_inside_of_a_line_are_bytes() {
    let place = Place::new();
    let inside = format!("a{}b\n", "\0".repeat(1024 * 1024));
    place.append(&place.log, format!("\0\n{inside}half\0"));
    let mut merge = place.open();
    assert_eq!(merge.added(), format!("\0\n{inside}"));
    place.append(&place.log, "\0way\n");
    assert_eq!(merge.added(), "half\0\0way\n");
}

#[test]
fn bytes_that_were_freed_are_no_rewriting() {
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    // All that was read, up to a line before the end, and a part in the middle.
    for (from, behind) in [(0, 0), (0, 10), (40_960, 0)] {
        let place = Place::new();
        place.append(&place.log, "a line\n".repeat(100_000));
        let size = 700_000;
        let mut merge = place.open();
        assert_eq!(merge.added().len(), size);
        let file = OpenOptions::new().write(true).open(&place.log).unwrap();
        // Of the last block, only a part was freed.
        let end = if from == 0 { size as u64 - behind } else { 1 << 20 };
        fallocate(&file, punch, from, end - from).unwrap();
        place.append(&place.log, "new 1\n");
        assert!(merge.added() == "new 1\n", "from {from}, {behind} left");
        place.append(&place.log, "new 2\n");
        assert!(merge.added() == "new 2\n", "from {from}, {behind} left");
    }
}

#[test]
fn a_file_that_is_filled_anew_after_it_was_freed_is_read() {
    let place = Place::new();
    place.append(&place.log, "one\ntwo\n");
    let mut merge = place.open();
    assert_eq!(merge.added(), "one\ntwo\n");
    write_at(&place.log, "\0\0\0\0\0\0\0\0", 0);
    assert_eq!(merge.added(), "");
    write_at(&place.log, "1\n", 0);
    assert_eq!(merge.added(), "1\n");
}

#[test]
fn a_change_before_our_place_hands_out_what_was_changed() {
    let place = Place::new();
    let many = "a line of many\n".repeat(1000);
    let size = many.len() as u64;
    place.append(&place.log, format!("{many}progress: 1 %"));
    let mut merge = place.open();
    assert_eq!(merge.added(), many);
    // The half line was not handed out: nothing is handed out again.
    write_at(&place.log, "progress: 99 %\n", size);
    assert_eq!(merge.added(), "progress: 99 %\n");
    write_at(&place.log, "A LINE OF MANY\n", size - 15);
    assert_eq!(merge.added(), "A LINE OF MANY\nprogress: 99 %\n");
    place.append(&place.log, "new\n");
    assert_eq!(merge.added(), "new\n");
    // What has shrunk, too, is a new log.
    fs::write(&place.log, "a line of many\nno more\n").unwrap();
    assert_eq!(merge.added(), "a line of many\nno more\n");
}

#[test]
fn a_merge_goes_on_where_a_change_was_handed_out() {
    let place = Place::with_checkpoint();
    let many = "a line of many\n".repeat(1000);
    place.append(&place.log, &many);
    let mut merge = place.open();
    assert_eq!(merge.added(), many);
    write_at(&place.log, "A LINE OF MANY\n", many.len() as u64 - 15);
    assert_eq!(merge.added(), "A LINE OF MANY\n");
    merge.end();
    place.append(&place.log, "new\n");
    assert_eq!(place.open().added(), "new\n");
}
