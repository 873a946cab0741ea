//! How far a merge has come, asked while it runs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tributary::{Marks, Options, Plan, Read, SourceProgress, Wake};

/// A wait that only a hang makes this long.
const BOUND: Duration = Duration::from_secs(60);

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn progress_tells_what_is_in_the_output_and_what_is_left() {
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
        gone: false,
    };
    assert_eq!(progress.sources(), [state(&one, 0, 0, Some(8)), state(&other, 0, 0, None)]);

    let Ok(Read::Lines(lines)) = plan.sources[0].read_lines() else { panic!("there are lines") };
    // What is handed out is not merged before it is in the output. A half line
    // has been read, and its rest may come.
    assert_eq!(progress.sources()[0], state(&one, 0, 0, Some(5)));
    plan.output.append(&lines).unwrap();
    assert_eq!(progress.sources()[0], state(&one, 2, 5, Some(0)));
    assert_eq!(progress.files(), 1);

    let merge_next = |plan: &mut Plan| {
        let found = plan.sources[0].read_lines();
        let Ok(Read::Lines(lines)) = found else { panic!("there are lines, and not {found:?}") };
        plan.output.append(&lines).unwrap();
    };
    append(&one, "f\n");
    append(&other, "ccc\n");
    assert_eq!(progress.sources(), [state(&one, 2, 5, Some(2)), state(&other, 0, 0, Some(4))]);

    // A file that was rotated in has not been read.
    fs::rename(&other, folder.path().join("other.1")).unwrap();
    merge_next(&mut plan);
    fs::rename(&one, folder.path().join("one.1")).unwrap();
    append(&one, "new\n");
    assert_eq!(progress.sources(), [state(&one, 3, 10, Some(4)), state(&other, 0, 0, None)]);
    merge_next(&mut plan);
    assert_eq!(progress.sources()[0], state(&one, 4, 14, Some(0)));
    // The old file and the new one.
    assert_eq!(progress.files(), 2);
}

#[test]
fn what_a_log_gave_that_is_gone_is_counted_once_with_its_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let (one, out) = (folder.path().join("a.log"), folder.path().join("out"));
    let pattern = folder.path().join("*.log").to_str().unwrap().to_owned();
    let options = Options {
        follow: true,
        patterns: vec![pattern.clone()],
        quiet: Duration::ZERO,
        wake: Wake::Poll,
        ..Options::default()
    };
    let mut plan = Plan::open::<&Path>([], out, options).unwrap();
    let progress = plan.progress();
    let begin = Instant::now();
    for round in 1..=2 {
        append(&one, "one\n");
        let mut lines = None;
        while lines.is_none() {
            assert!(begin.elapsed() < BOUND, "the file never joins");
            if let Read::Lines(found) = plan.sources[0].read_lines().unwrap() {
                lines = Some(found);
            }
        }
        plan.output.append(&lines.unwrap()).unwrap();
        fs::remove_file(&one).unwrap();
        // At every moment each line is counted once.
        let gone = loop {
            let sources = progress.sources();
            assert!(begin.elapsed() < BOUND, "it is never gone: {sources:?}");
            assert_eq!(sources.iter().map(|it| it.lines).sum::<u64>(), round, "{sources:?}");
            if let [gone] = &sources[..] {
                if gone.gone {
                    break gone.clone();
                }
            }
            assert!(matches!(plan.sources[0].read_lines(), Ok(Read::NoNewData)));
        };
        assert_eq!((gone.path, gone.bytes, gone.lag), (pattern.clone().into(), 4 * round, None));
    }
}
