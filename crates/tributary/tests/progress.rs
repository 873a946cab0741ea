//! How far a merge has come, asked while it runs.

mod common;

use std::path::Path;

use common::{Place, append};
use tributary::{Marks, Options, Read, SourceProgress};

#[test]
fn progress_tells_what_was_handed_out_and_what_is_left() {
    let place = Place::new();
    let (one, other) = (place.path("one"), place.path("other"));
    append(&one, "a\nbb\nhal");
    let options = Options { marks: Marks::Json, ..place.options.clone() };
    let mut plan = place.merge(&["one", "other"], options);
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
    place.rename("other", "other.1");
    assert!(matches!(plan.sources[0].read_lines().unwrap(), Read::Lines(_)));
    place.rename("one", "one.1");
    append(&one, "new\n");
    assert_eq!(progress.sources(), [state(&one, 3, 10, Some(4)), state(&other, 0, 0, None)]);
    assert!(matches!(plan.sources[0].read_lines().unwrap(), Read::Lines(_)));
    assert_eq!(progress.sources()[0], state(&one, 4, 14, Some(0)));
}
