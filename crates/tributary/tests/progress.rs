//! How far a merge has come, asked while it runs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use tributary::{Marks, Options, Plan, Read, SourceProgress};

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn progress_tells_what_was_handed_out_and_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    append(&one, "a\nbb\nhal");
    let options = Options { follow: true, marks: Marks::Json, ..Options::default() };
    let mut plan = Plan::open([&one, &other], folder.path().join("out"), options).unwrap();
    let progress = plan.progress();
    let state = |path: &Path, lines, bytes, lag| SourceProgress {
        cut: 0,
        path: path.to_owned(),
        lines,
        bytes,
        lag,
    };
    assert_eq!(progress.sources(), [state(&one, 0, 0, Some(8)), state(&other, 0, 0, None)]);

    assert!(matches!(plan.sources[0].read_lines().unwrap(), Read::Lines(_)));
    // A half line has been read, though it was not handed out.
    assert_eq!(progress.sources()[0], state(&one, 2, 5, Some(0)));

    append(&one, "f\n");
    append(&other, "ccc\n");
    assert_eq!(progress.sources(), [state(&one, 2, 5, Some(2)), state(&other, 0, 0, Some(4))]);

    // A file that was rotated in has not been read.
    fs::rename(&other, folder.path().join("other.1")).unwrap();
    assert!(matches!(plan.sources[0].read_lines().unwrap(), Read::Lines(_)));
    fs::rename(&one, folder.path().join("one.1")).unwrap();
    append(&one, "new\n");
    assert_eq!(progress.sources(), [state(&one, 3, 10, Some(4)), state(&other, 0, 0, None)]);
    assert!(matches!(plan.sources[0].read_lines().unwrap(), Read::Lines(_)));
    assert_eq!(progress.sources()[0], state(&one, 4, 14, Some(0)));
}
