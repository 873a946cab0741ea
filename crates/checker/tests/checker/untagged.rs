//! The checker of anybody's files: what it says, and what it leaves unsaid.

use crate::common::{Sources, assert_findings};
use checker::{CheckError, Kind, Place, check_untagged};

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

fn check(merged: &[&str]) -> checker::Verdict {
    sources().check_untagged(merged.concat().as_bytes())
}

/// The first (or a later) line of this text in the merge by turns.
fn at(line: &str, which: usize) -> usize {
    let merged = merged_in_turns();
    let mut places = (0..merged.len()).filter(|&at| merged[at].trim_end() == line);
    places.nth(which).unwrap()
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
    let mut merged = merged_in_turns();
    let dropped = at("GET /a", 0);
    merged.remove(dropped);
    let verdict = check(&merged);
    assert_findings(&verdict, &[(Kind::Lost, Some(0), Some(6))]);
    let finding = &verdict.findings()[0];
    assert_eq!(finding.expected.as_deref(), Some(&b"GET /a"[..]));
    assert_eq!(finding.place.line, at("retry", 1) as u64);

    // Of two equal lines the one that is missing is known by what came since.
    let mut merged = merged_in_turns();
    merged.remove(at("retry", 0));
    assert_findings(&check(&merged), &[(Kind::Lost, Some(0), Some(5))]);
    let mut merged = merged_in_turns();
    merged.remove(at("retry", 1));
    assert_findings(&check(&merged), &[(Kind::Lost, Some(0), Some(7))]);
}

#[test]
fn a_lost_blank_or_shared_line_is_found_though_not_whose_it_was() {
    for line in ["", "---", "start"] {
        let mut merged = merged_in_turns();
        merged.remove(at(line, 0));
        let verdict = check(&merged);
        assert_findings(&verdict, &[(Kind::Lost, None, None)]);
        assert_eq!(verdict.findings()[0].expected.as_deref(), Some(line.as_bytes()));
    }
}

#[test]
fn the_tail_of_a_source_is_lost() {
    let merged: Vec<_> =
        merged_in_turns().into_iter().filter(|line| *line != "web ends\n").collect();
    let verdict = check(&merged);
    assert_findings(&verdict, &[(Kind::Lost, Some(0), Some(9))]);
    let end = Place { line: 17, offset: merged.concat().len() as u64 };
    assert_eq!(verdict.findings()[0].place, end);
}

#[test]
fn a_line_that_comes_too_often_is_doubled() {
    for (line, source) in
        [("retry\n", Some(0)), ("select 1\n", Some(1)), ("\n", None), ("---\n", None)]
    {
        let mut merged = merged_in_turns();
        merged.push(line);
        let verdict = check(&merged);
        assert_findings(&verdict, &[(Kind::Doubled, source, None)]);
        let finding = &verdict.findings()[0];
        assert_eq!(finding.place.line, 18);
        assert_eq!(finding.found.as_deref(), line.strip_suffix('\n').map(str::as_bytes));
    }
}

#[test]
fn own_lines_that_are_swapped_are_out_of_order() {
    let mut merged = merged_in_turns();
    merged.swap(at("GET /a", 0), at("retry", 1));
    let verdict = check(&merged);
    assert_findings(&verdict, &[(Kind::OutOfOrder, Some(0), Some(6))]);
    let finding = &verdict.findings()[0];
    assert_eq!(finding.found.as_deref(), Some(&b"GET /a"[..]));
    assert_eq!(finding.place.line, at("retry", 1) as u64 + 1);
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
fn a_line_in_two_pieces_is_torn_wherever_the_cut_is() {
    let whole = "select 2 from a_table";
    let sources = Sources::of(&["x\ny\nz\n", &format!("select 1\n{whole}\nselect 3\n")]);
    for cut in 1..whole.len() {
        let merged = format!("select 1\nx\n{}\ny\n{}\nselect 3\nz\n", &whole[..cut], &whole[cut..]);
        let verdict = sources.check_untagged(merged.as_bytes());
        assert_findings(&verdict, &[(Kind::Torn, Some(1), Some(2))]);
        assert_eq!(verdict.findings()[0].found.as_deref(), Some(&whole.as_bytes()[..cut]));
    }
}

#[test]
fn half_a_line_is_torn_and_two_in_one_are_glued() {
    let mut merged = merged_in_turns();
    merged[at("GET /a", 0)] = "T /a\n";
    assert_findings(&check(&merged), &[(Kind::Torn, Some(0), Some(6))]);

    let sources = Sources::of(&["one\ntwo\n", "three\n"]);
    let verdict = sources.check_untagged(b"onethree\ntwo\n");
    assert_findings(&verdict, &[(Kind::Glued, Some(0), Some(1)), (Kind::Glued, Some(1), Some(1))]);
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
fn a_last_line_without_newline_gets_one() {
    let sources = Sources::of(&["a\nb", "c", ""]);
    assert!(sources.check_untagged(b"a\nc\nb\n").is_right());
    assert_findings(&sources.check_untagged(b"a\nc\nb"), &[(Kind::Unfinished, None, None)]);
    assert_findings(&sources.check_untagged(b"a\nb\n"), &[(Kind::Lost, Some(1), Some(1))]);
}

#[test]
fn bytes_are_bytes() {
    let source = b"nul \0\ncr \r\n\xff\xfe\n\n\r\n";
    let sources = Sources::of(&[source]);
    assert!(sources.check_untagged(source).is_right());
    for at in (0..source.len()).filter(|&at| source[at] != b'\n') {
        let mut merged = source.to_vec();
        merged[at] = b'?';
        assert!(!sources.check_untagged(&merged).is_right(), "byte {at}");
    }
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let sources = sources();
    let missing = sources.folder.path().join("missing.log");
    for error in [
        check_untagged(&sources.paths, &missing).unwrap_err(),
        check_untagged(&[&missing], &sources.paths[0]).unwrap_err(),
    ] {
        assert!(matches!(&error, CheckError::Read { path, .. } if *path == missing), "{error}");
    }
}
