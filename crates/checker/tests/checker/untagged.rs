//! The checker of anybody's files: what it says, and what it leaves unsaid.

use crate::common::{Sources, assert_findings, told};
use checker::{Kind, Verdict};
use insta::assert_snapshot;

/// Two logs with lines of their own, repeated ones, shared ones, blank ones.
const WEB: &str = "start\nGET /\nGET /\n\nretry\nGET /a\nretry\n---\nweb ends\n";
const DB: &str = "start\nopen\n\nselect 1\nselect 1\n---\n\ndb ends\n";

fn sources() -> Sources {
    Sources::of(&[WEB, DB])
}

fn merged_in_turns() -> Vec<&'static str> {
    let (mut web, mut db) = (WEB.split_inclusive('\n'), DB.split_inclusive('\n'));
    let mut merged = Vec::new();
    loop {
        let before = merged.len();
        merged.extend(web.next());
        merged.extend(db.next());
        if merged.len() == before {
            return merged;
        }
    }
}

fn check(merged: &[&str]) -> Verdict {
    sources().check_untagged(merged.concat().as_bytes())
}

/// The first (or a later) line of this text in the merge by turns.
fn at(line: &str, which: usize) -> usize {
    let merged = merged_in_turns();
    let mut places = (0..merged.len()).filter(|&at| merged[at].trim_end() == line);
    places.nth(which).unwrap()
}

/// What comes of the merge by turns once it was spoiled.
fn spoiled<T>(spoil: impl FnOnce(&mut Vec<&'static str>) -> T) -> Verdict {
    let mut merged = merged_in_turns();
    spoil(&mut merged);
    check(&merged)
}

#[test]
fn right_merges_of_repeated_and_shared_lines_are_right() {
    let verdict = check(&merged_in_turns());
    assert!(verdict.is_right(), "{verdict}");
    assert_eq!((verdict.lines(), verdict.sources(), verdict.shared()), (17, 2, 7));
    assert_eq!(
        verdict.to_string(),
        "17 lines of 2 sources, each once and in order \
         (7 of them in several sources, whose order is not asked)"
    );
    assert!(check(&[WEB, DB]).is_right());
    assert!(check(&[DB, WEB]).is_right());
}

#[test]
fn one_source_is_known_exactly() {
    let source = "a\n\nb\na\n\na\n";
    let sources = Sources::of(&[source]);
    assert_eq!(
        sources.check_untagged(source.as_bytes()).to_string(),
        "6 lines of 1 source, each once and in order"
    );
    for (merged, findings) in [
        ("a\n\na\nb\n\na\n", &[(Kind::OutOfOrder, Some(0), Some(3))][..]),
        ("a\nb\na\n\na\n", &[(Kind::Lost, Some(0), Some(2))]),
        ("a\n\nb\na\n\n", &[(Kind::Lost, Some(0), Some(6))]),
        ("a\n\nb\n\na\n", &[(Kind::Lost, Some(0), Some(4))]),
        ("a\n\nb\na\n\na\n\n", &[(Kind::Doubled, Some(0), None)]),
        ("a\n\nb\na\n\na\nc\n", &[(Kind::Foreign, None, None)]),
    ] {
        assert_findings(&sources.check_untagged(merged.as_bytes()), findings);
    }
    // Which one of several equal lines has moved can be told in several ways.
    let verdict = sources.check_untagged(b"\na\nb\na\n\na\n");
    assert!(!verdict.is_right());
    assert_eq!(verdict.wrong(), verdict.count(Kind::OutOfOrder), "{verdict}");
}

#[test]
fn a_lost_line_is_named_with_its_source_and_number() {
    assert_snapshot!(told(&spoiled(|merged| merged.remove(at("GET /a", 0)))), @r#"
    16 lines of 2 sources, and not as they should be: 1 lost
      lost: line 6 of source 0 (source-0000.log), at line 12 (byte 59) of the merged file
          expected "GET /a"
    "#);
    // At the end of its source, it is missed at the end.
    assert_snapshot!(told(&spoiled(|merged| merged.retain(|it| *it != "web ends\n"))), @r#"
    16 lines of 2 sources, and not as they should be: 1 lost
      lost: line 9 of source 0 (source-0000.log), at line 17 (byte 85) of the merged file
          expected "web ends"
    "#);
    // Of two equal lines the one that is missing is known by what came since.
    for (which, number) in [(0, 5), (1, 7)] {
        let verdict = spoiled(|merged| merged.remove(at("retry", which)));
        assert_findings(&verdict, &[(Kind::Lost, Some(0), Some(number))]);
    }
}

#[test]
fn a_lost_blank_or_shared_line_is_found_though_not_whose_it_was() {
    for line in ["", "---", "start"] {
        let verdict = spoiled(|merged| merged.remove(at(line, 0)));
        assert_findings(&verdict, &[(Kind::Lost, None, None)]);
        assert_eq!(verdict.findings()[0].expected.as_deref(), Some(line.as_bytes()));
    }
}

#[test]
fn a_line_that_comes_too_often_is_doubled() {
    for (line, source) in
        [("retry\n", Some(0)), ("select 1\n", Some(1)), ("\n", None), ("---\n", None)]
    {
        let verdict = spoiled(|merged| merged.push(line));
        assert_findings(&verdict, &[(Kind::Doubled, source, None)]);
        let finding = &verdict.findings()[0];
        assert_eq!(finding.place.line, 18);
        assert_eq!(finding.found.as_deref(), line.strip_suffix('\n').map(str::as_bytes));
    }
}

#[test]
fn own_lines_that_are_swapped_are_out_of_order() {
    let verdict = spoiled(|merged| merged.swap(at("GET /a", 0), at("retry", 1)));
    assert_snapshot!(told(&verdict), @r#"
    17 lines of 2 sources, and not as they should be: 1 out of order
      out of order: line 6 of source 0 (source-0000.log), at line 13 (byte 65) of the merged file
          expected "---"
          found    "GET /a"
    "#);
}

#[test]
fn swapped_chunks_of_a_source_are_out_of_order_and_shared_lines_are_only_counted() {
    let sources = Sources::of(&["1\n2\n\n3\n4\n\n5\n", "x\n\ny\n"]);
    let verdict = sources.check_untagged(b"x\n3\n4\n\n1\n2\n\n5\n\ny\n");
    let [one, two] = [1, 2].map(|number| (Kind::OutOfOrder, Some(0), Some(number)));
    assert_findings(&verdict, &[one, two]);
    assert_eq!(verdict.shared(), 3);
}

#[test]
fn what_only_shared_lines_could_tell_is_not_claimed() {
    // The same file twice under two names: any order could be the right one.
    let verdict = Sources::of(&["a\nb\n", "a\nb\n"]).check_untagged(b"b\na\nb\na\n");
    assert!(verdict.is_right());
    assert_eq!(verdict.shared(), verdict.lines());
}

#[test]
fn a_partial_line_at_the_end_is_torn_and_unfinished() {
    let merged = format!("{WEB}{DB}");
    let verdict = sources().check_untagged(&merged.as_bytes()[..merged.len() - 3]);
    assert_findings(&verdict, &[(Kind::Torn, Some(1), Some(8)), (Kind::Unfinished, None, None)]);
    let verdict = sources().check_untagged(&merged.as_bytes()[..merged.len() - 1]);
    assert_findings(&verdict, &[(Kind::Unfinished, None, None)]);
}

#[test]
fn a_source_that_is_truncated_meanwhile_is_an_error_that_names_it() {
    let sources = sources();
    let fifo = sources.folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success(), "{made}");
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Opened once the checker opens it, too: it has read the sources by then.
            let mut merged = std::fs::File::options().write(true).open(&fifo).unwrap();
            std::fs::write(&sources.paths[1], "start\n").unwrap();
            std::io::Write::write_all(&mut merged, WEB.as_bytes()).unwrap();
        });
        checker::check_untagged(&sources.paths, &fifo)
    });
    let Err(checker::CheckError::Read { path, .. }) = result else { panic!("{result:?}") };
    assert_eq!(path, sources.paths[1]);
}
