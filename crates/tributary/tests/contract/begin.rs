//! Where a merge begins: in its sources, and in its output.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::Place;
use tributary::{Error, Options, Plan, Start};

fn merge(log: &Path, output: &Path, options: Options) -> Result<String, Error> {
    tributary::merge(Plan::open([log], output, options)?)?;
    Ok(String::from_utf8_lossy(&fs::read(output).unwrap()).into_owned())
}

#[test]
fn a_source_begins_at_its_last_lines() {
    let place = Place::new();
    let (log, output) = (&place.log, &place.output);
    let last = |lines| {
        let options = Options { start: Start::LastLines(lines), ..Options::default() };
        merge(log, output, options).unwrap()
    };
    fs::write(log, "1\n\n3\nhalf").unwrap();
    // What has begun is merged whole, and is one of the last lines.
    assert_eq!(last(0), "half\n");
    assert_eq!(last(1), "half\n");
    assert_eq!(last(2), "3\nhalf\n");
    assert_eq!(last(3), "\n3\nhalf\n");
    assert_eq!(last(4), "1\n\n3\nhalf\n");
    assert_eq!(last(u64::MAX), "1\n\n3\nhalf\n");
    fs::write(log, "1\n2\n\0\0\0").unwrap();
    assert_eq!(last(1), "2\n", "space that is reserved is no line");
    fs::write(log, "no newline").unwrap();
    assert_eq!(last(0), "no newline\n");
    fs::write(log, "").unwrap();
    assert_eq!(last(1), "");
    // Across the blocks that the search reads.
    let long = format!("{}\n", "x".repeat(100_000));
    fs::write(log, format!("{long}{long}2\n{long}")).unwrap();
    assert_eq!(last(2), format!("2\n{long}"));
    let end = Options { start: Start::End, ..Options::default() };
    assert_eq!(merge(log, output, end).unwrap(), "");
}

#[test]
fn what_the_first_run_has_left_out_is_left_out_by_the_next_one() {
    for start in [Start::End, Start::LastLines(0), Start::FromLine(3)] {
        let place = Place::with_checkpoint();
        place.append(&place.log, "1\n2\nha");
        let options = Options { start, ..place.options.clone() };
        // No line comes in the first run, which says all the same where it began.
        place.run(&["app.log"], Options { follow: false, ..options.clone() });
        assert_eq!(place.merged(), "", "{start:?}");
        place.append(&place.log, "lf\n3\n");
        assert_eq!(place.merge(&["app.log"], options).look(), "half\n3\n", "{start:?}");
    }
}

#[test]
fn an_output_is_started_anew_or_added_to() {
    let place = Place::new();
    let (log, output) = (&place.log, &place.output);
    fs::write(log, "new\n").unwrap();
    fs::write(output, "old and longer than the new one\n").unwrap();
    let append = Options { append: true, ..Options::default() };
    let old = "old and longer than the new one\n";
    assert_eq!(merge(log, output, append.clone()).unwrap(), format!("{old}new\n"));
    assert_eq!(merge(log, output, Options::default()).unwrap(), "new\n");
    // A half line that somebody left there is not completed with ours.
    fs::write(output, "half").unwrap();
    assert_eq!(merge(log, output, append).unwrap(), "half\nnew\n");
}

#[test]
fn errors_name_the_path_and_change_nothing() {
    let place = Place::new();
    let (log, output) = (&place.log, &place.output);
    fs::write(output, "kept\n").unwrap();
    let message = |log: &Path, output: &Path, options: Options| {
        let error = merge(log, output, options).unwrap_err();
        assert!(!error.to_string().contains('\n'), "one line: {error}");
        (error.to_string(), error.path().map(Path::to_owned))
    };
    let missing = place.path("miss\ning");
    let (said, path) = message(&missing, output, Options::default());
    assert!(said.contains("miss\\ning: cannot open this source"), "{said}");
    assert_eq!(path, Some(missing));
    let (said, _) = message(&place.path(""), output, Options::default());
    assert!(said.contains("this is a directory, not a log file"), "{said}");
    fs::write(log, "1\n").unwrap();
    for link in ["soft", "hard"] {
        let link = place.path(link);
        if link.ends_with("soft") {
            symlink(log, &link).unwrap();
        } else {
            fs::hard_link(log, &link).unwrap();
        }
        let (said, _) = message(log, &link, Options::default());
        assert!(said.contains("the output is also a source"), "{said}");
        assert_eq!(place.read(log), "1\n");
    }
    let (said, _) = message(log, &place.path("no/folder"), Options::default());
    assert!(said.contains("no/folder: cannot open the output"), "{said}");
    let (said, _) = message(log, Path::new("/dev/full"), Options::default());
    assert_eq!(said, "/dev/full: cannot write the output");
    assert_eq!(place.read(output), "kept\n");
}

#[test]
fn one_file_with_many_names_is_one_source() {
    let place = Place::new();
    let (log, output) = (&place.log, &place.output);
    fs::write(log, "1\n").unwrap();
    let (soft, hard) = (place.path("soft"), place.path("hard"));
    symlink(log, &soft).unwrap();
    fs::hard_link(log, &hard).unwrap();
    let again = place.path("./app.log");
    let plan = Plan::open([log, &soft, &hard, log, &again], output, Options::default()).unwrap();
    assert_eq!(plan.sources.len(), 1);
    assert_eq!(plan.sources[0].path(), *log);
}
