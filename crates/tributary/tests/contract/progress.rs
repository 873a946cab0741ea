//! How far a merge has come, asked while it runs.

use std::fs;
use std::time::{Duration, Instant};

use crate::common::{Place, append};
use testkit::BOUND;
use tributary::{Marks, Options, Read};

#[test]
fn progress_tells_what_is_in_the_output_and_what_is_left() {
    let place = Place::new();
    let (one, other) = (place.path("one"), place.path("other"));
    append(&one, "a\nbb\nhal");
    let options = Options { marks: Marks::Json, ..place.options.clone() };
    let mut plan = place.merge(&["one", "other"], options);
    let progress = plan.progress();
    let state = || -> Vec<_> {
        let sources = progress.sources().into_iter();
        let sources = sources.inspect(|it| assert!(!it.gone && it.cut == 0, "{it:?}"));
        sources.map(|it| (it.path, it.lines, it.bytes, it.lag)).collect()
    };
    assert_eq!(state(), [(one.clone(), 0, 0, Some(8)), (other.clone(), 0, 0, None)]);

    let Ok(Read::Lines(lines)) = plan.sources[0].read_lines() else { panic!("there are lines") };
    // What is handed out is not merged before it is in the output. A half line
    // has been read, and its rest may come.
    assert_eq!(state()[0], (one.clone(), 0, 0, Some(5)));
    plan.output.append(&lines).unwrap();
    assert_eq!(state()[0], (one.clone(), 2, 5, Some(0)));
    assert_eq!(progress.files(), 1);

    append(&one, "f\n");
    append(&other, "ccc\n");
    assert_eq!(state(), [(one.clone(), 2, 5, Some(2)), (other.clone(), 0, 0, Some(4))]);

    // A file that was rotated in has not been read.
    place.rename("other", "other.1");
    assert!(plan.look_once());
    place.rename("one", "one.1");
    append(&one, "new\n");
    assert_eq!(state(), [(one.clone(), 3, 10, Some(4)), (other.clone(), 0, 0, None)]);
    assert!(plan.look_once());
    assert_eq!(state()[0], (one.clone(), 4, 14, Some(0)));
    // The old file and the new one.
    assert_eq!(progress.files(), 2);
}

#[test]
fn what_a_log_gave_that_is_gone_is_counted_once_with_its_pattern() {
    let place = Place::new();
    let options = Options { quiet: Duration::ZERO, ..place.pattern("*.a") };
    let pattern = options.patterns[0].clone();
    let mut plan = place.merge(&[], options);
    let progress = plan.progress();
    let begin = Instant::now();
    for round in 1..=2 {
        append(place.path("log.a"), "one\n");
        while !plan.look_once() {
            assert!(begin.elapsed() < BOUND, "the file never joins");
        }
        fs::remove_file(place.path("log.a")).unwrap();
        // At every moment each line is counted once.
        let gone = loop {
            let sources = progress.sources();
            assert!(begin.elapsed() < BOUND, "it is never gone: {sources:?}");
            assert_eq!(sources.iter().map(|it| it.lines).sum::<u64>(), round, "{sources:?}");
            if let [gone] = &sources[..]
                && gone.gone
            {
                break gone.clone();
            }
            assert!(!plan.look_once());
        };
        assert_eq!((gone.path, gone.bytes, gone.lag), (pattern.clone().into(), 4 * round, None));
    }
}
