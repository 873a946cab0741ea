//! The checker of tagged sources is worth what it catches.

use crate::common::{Sources, assert_findings, in_turns, tagged};
use checker::{CheckError, Kind, Place, check_tagged};

const SOURCES: usize = 3;
const LINES: u64 = 10;

/// Where line `number` of `source` stands in a merge by turns, from 0.
fn at(source: usize, number: u64) -> usize {
    (number as usize - 1) * SOURCES + source
}

fn sources() -> Sources {
    let source =
        |source| (1..=LINES).flat_map(|number| tagged(source, number)).collect::<Vec<u8>>();
    Sources::of(&[source(0), source(1), source(2)])
}

fn right() -> Vec<Vec<u8>> {
    in_turns(SOURCES, LINES)
}

/// The line of the merged file, without its newline.
fn without_newline(line: &[u8]) -> Vec<u8> {
    line.strip_suffix(b"\n").unwrap().to_vec()
}

#[test]
fn a_right_merge_is_right() {
    let verdict = sources().check_tagged(&right().concat());
    assert!(verdict.is_right(), "{verdict}");
    assert_eq!(verdict.to_string(), "30 lines of 3 sources, each once and in order");
    assert_eq!(verdict.bytes(), right().concat().len() as u64);
    assert_eq!((verdict.lines(), verdict.sources(), verdict.shared()), (30, 3, 0));
}

#[test]
fn a_dropped_line_is_lost() {
    let mut merged = right();
    merged.remove(at(1, 4));
    let sources = sources();
    let verdict = sources.check_tagged(&merged.concat());
    assert_findings(&verdict, &[(Kind::Lost, Some(1), Some(4))]);
    let finding = &verdict.findings()[0];
    assert_eq!(finding.expected, Some(without_newline(&tagged(1, 4))));
    assert_eq!(finding.found, None);
    // Line 5 of the source stands where line 4 should have come before it.
    let missed = at(1, 5) - 1;
    let offset = merged[..missed].concat().len() as u64;
    assert_eq!(finding.place, Place { line: missed as u64 + 1, offset });
    assert_eq!(finding.path.as_ref(), Some(&sources.paths[1]));
}

#[test]
fn the_tail_of_a_source_is_lost() {
    let merged: Vec<_> = right().into_iter().filter(|line| *line < tagged(2, 8)).collect();
    let verdict = sources().check_tagged(&merged.concat());
    assert_findings(
        &verdict,
        &[
            (Kind::Lost, Some(2), Some(8)),
            (Kind::Lost, Some(2), Some(9)),
            (Kind::Lost, Some(2), Some(10)),
        ],
    );
    let end = Place { line: 28, offset: merged.concat().len() as u64 };
    assert!(verdict.findings().iter().all(|finding| finding.place == end), "{verdict}");
}

#[test]
fn a_whole_source_is_lost() {
    let merged: Vec<_> = right().into_iter().filter(|line| line[4] != b'0').collect();
    let verdict = sources().check_tagged(&merged.concat());
    assert_eq!((verdict.wrong(), verdict.count(Kind::Lost)), (10, 10), "{verdict}");
    assert!(verdict.findings().iter().all(|finding| finding.source == Some(0)));
}

#[test]
fn a_line_that_comes_twice_is_doubled() {
    let mut merged = right();
    merged.push(tagged(0, 3));
    let verdict = sources().check_tagged(&merged.concat());
    assert_findings(&verdict, &[(Kind::Doubled, Some(0), Some(3))]);
    let finding = &verdict.findings()[0];
    assert_eq!(finding.found, Some(without_newline(&tagged(0, 3))));
    assert_eq!(finding.place, Place { line: 31, offset: right().concat().len() as u64 });
}

#[test]
fn a_doubled_chunk_is_a_finding_a_line() {
    let mut merged = right();
    merged.splice(at(0, 6)..at(0, 6), (3..=5).map(|number| tagged(0, number)));
    let verdict = sources().check_tagged(&merged.concat());
    assert_findings(&verdict, &[3, 4, 5].map(|number| (Kind::Doubled, Some(0), Some(number))));
}

#[test]
fn of_two_swapped_neighbours_the_late_one_is_out_of_order() {
    let mut merged = right();
    merged.swap(at(2, 5), at(2, 6));
    let verdict = sources().check_tagged(&merged.concat());
    assert_findings(&verdict, &[(Kind::OutOfOrder, Some(2), Some(5))]);
    let finding = &verdict.findings()[0];
    assert_eq!(finding.found, Some(without_newline(&tagged(2, 5))));
    assert_eq!(finding.expected, Some(without_newline(&tagged(2, 7))));
    assert_eq!(finding.place.line, at(2, 6) as u64 + 1);
}

#[test]
fn of_two_swapped_chunks_every_late_line_is_out_of_order() {
    let sources =
        Sources::of(&[(1..=10).flat_map(|number| tagged(0, number)).collect::<Vec<u8>>()]);
    let order = [1, 2, 6, 7, 8, 3, 4, 5, 9, 10];
    let merged: Vec<u8> = order.into_iter().flat_map(|number| tagged(0, number)).collect();
    let verdict = sources.check_tagged(&merged);
    assert_findings(&verdict, &[3, 4, 5].map(|number| (Kind::OutOfOrder, Some(0), Some(number))));
}

#[test]
fn a_line_in_two_pieces_is_torn_wherever_the_cut_is() {
    let whole = without_newline(&tagged(1, 4));
    for cut in 1..whole.len() {
        // The pieces next to each other, and with a line of another source
        // between them.
        for between in [0, 1] {
            let mut merged = right();
            merged[at(1, 4)] = [&whole[..cut], b"\n"].concat();
            merged.insert(at(1, 4) + 1 + between, [&whole[cut..], b"\n"].concat());
            let verdict = sources().check_tagged(&merged.concat());
            assert_findings(&verdict, &[(Kind::Torn, Some(1), Some(4))]);
            let finding = &verdict.findings()[0];
            assert_eq!(finding.expected.as_ref(), Some(&whole));
            assert_eq!(finding.found, Some(whole[..cut].to_vec()));
            assert_eq!(finding.place.line, at(1, 4) as u64 + 1);
        }
    }
}

#[test]
fn half_a_line_is_torn() {
    let whole = without_newline(&tagged(1, 4));
    for piece in [&whole[..20], &whole[20..]] {
        let mut merged = right();
        merged[at(1, 4)] = [piece, b"\n"].concat();
        let verdict = sources().check_tagged(&merged.concat());
        assert_findings(&verdict, &[(Kind::Torn, Some(1), Some(4))]);
        assert_eq!(verdict.findings()[0].found, Some(piece.to_vec()));
    }
}

#[test]
fn a_line_with_another_in_its_middle_is_torn_and_the_other_glued() {
    // What `tail -f a b` makes of a line that is written in two parts.
    let mut merged = right();
    let torn = tagged(0, 4);
    merged[at(0, 4)] = [&torn[..22], &tagged(1, 4), &torn[22..]].concat();
    merged.remove(at(1, 4));
    let verdict = sources().check_tagged(&merged.concat());
    assert_findings(&verdict, &[(Kind::Glued, Some(1), Some(4)), (Kind::Torn, Some(0), Some(4))]);
}

#[test]
fn two_lines_in_one_are_glued() {
    let mut merged = right();
    merged[at(0, 4)] = without_newline(&merged[at(0, 4)]);
    let verdict = sources().check_tagged(&merged.concat());
    assert_findings(&verdict, &[(Kind::Glued, Some(0), Some(4)), (Kind::Glued, Some(1), Some(4))]);
    let both = [without_newline(&tagged(0, 4)), without_newline(&tagged(1, 4))].concat();
    assert_eq!(verdict.findings()[0].found, Some(both));
}

#[test]
fn a_line_of_nobody_is_foreign() {
    let unknown_source = tagged(SOURCES, 1);
    let unknown_number = tagged(0, LINES + 1);
    let no_number = tagged(0, 0);
    for (foreign, source, number) in [
        (&b"who is this\n"[..], None, None),
        (b"\n", None, None),
        (&unknown_source, None, None),
        (&unknown_number, Some(0), Some(LINES + 1)),
        (&no_number, Some(0), Some(0)),
    ] {
        let mut merged = right();
        merged.insert(at(0, 4), foreign.to_vec());
        let verdict = sources().check_tagged(&merged.concat());
        assert_findings(&verdict, &[(Kind::Foreign, source, number)]);
        assert_eq!(verdict.findings()[0].found, Some(without_newline(foreign)));
        assert_eq!(verdict.findings()[0].place.line, at(0, 4) as u64 + 1);
    }
}

#[test]
fn a_line_with_other_bytes_is_changed_wherever_the_byte_is() {
    let whole = tagged(1, 4);
    for byte in checker::tag::TAG_BYTES..whole.len() - 1 {
        let mut merged = right();
        merged[at(1, 4)][byte] ^= 1;
        let verdict = sources().check_tagged(&merged.concat());
        assert_findings(&verdict, &[(Kind::Changed, Some(1), Some(4))]);
    }
    // A carriage return more is another line, too.
    let mut merged = right();
    merged[at(1, 4)].insert(whole.len() - 1, b'\r');
    assert!(!sources().check_tagged(&merged.concat()).is_right());
}

#[test]
fn a_changed_tag_is_found_and_confuses_nothing_after_it() {
    for byte in 0..checker::tag::TAG_BYTES {
        let mut merged = right();
        merged[at(1, 4)][byte] ^= 1;
        let verdict = sources().check_tagged(&merged.concat());
        assert_eq!(verdict.count(Kind::Lost), 1, "{verdict}");
        assert_eq!(verdict.count(Kind::Foreign), 1, "{verdict}");
        assert_eq!(verdict.wrong(), 2, "{verdict}");
    }
}

#[test]
fn a_merged_file_without_its_last_newline_is_unfinished() {
    let mut merged = right().concat();
    merged.pop();
    let verdict = sources().check_tagged(&merged);
    assert_findings(&verdict, &[(Kind::Unfinished, Some(2), Some(10))]);
}

#[test]
fn a_partial_line_at_the_end_is_torn_and_unfinished() {
    let mut merged = right().concat();
    merged.truncate(merged.len() - 4);
    let verdict = sources().check_tagged(&merged);
    let torn = (Kind::Torn, Some(2), Some(10));
    assert_findings(&verdict, &[torn, (Kind::Unfinished, Some(2), Some(10))]);
}

#[test]
fn a_last_line_without_newline_gets_one() {
    let mut contents = [tagged(0, 1), tagged(1, 1)];
    contents[0].pop();
    contents[1].pop();
    let sources = Sources::of(&contents);
    let verdict = sources.check_tagged(&[tagged(1, 1), tagged(0, 1)].concat());
    assert!(verdict.is_right(), "{verdict}");

    let verdict = sources.check_tagged(&[tagged(1, 1), contents[0].clone()].concat());
    assert_findings(&verdict, &[(Kind::Unfinished, Some(0), Some(1))]);
    let verdict = sources.check_tagged(&tagged(1, 1));
    assert_findings(&verdict, &[(Kind::Lost, Some(0), Some(1))]);
}

#[test]
fn nothing_at_all_is_right_where_nothing_was() {
    let verdict = Sources::of(&[b"", b""]).check_tagged(b"");
    assert_eq!(verdict.to_string(), "0 lines of 2 sources, each once and in order");
    let none: [&[u8]; 0] = [];
    assert!(Sources::of(&none).check_tagged(b"").is_right());
    assert_findings(&Sources::of(&none).check_tagged(b"x\n"), &[(Kind::Foreign, None, None)]);
    assert_findings(
        &Sources::of(&[tagged(0, 1)]).check_tagged(b""),
        &[(Kind::Lost, Some(0), Some(1))],
    );
}

#[test]
fn bytes_are_bytes() {
    let mut source = Vec::new();
    let payloads = [&b"\0\0"[..], b"\r", b"\xff\xfe\x80", b"", b"\x1b[31m"];
    for (number, payload) in (1..).zip(payloads) {
        checker::tag::write(&mut source, 0, number, None, payload);
    }
    let sources = Sources::of(&[&source]);
    assert!(sources.check_tagged(&source).is_right());
    for (byte, number) in [(b'\0', 1), (b'\r', 2), (b'\x80', 3)] {
        let mut merged = source.clone();
        let at = merged.iter().position(|&b| b == byte).unwrap();
        merged[at] = b'?';
        assert_findings(&sources.check_tagged(&merged), &[(Kind::Changed, Some(0), Some(number))]);
    }
}

#[test]
fn lines_larger_than_every_buffer_are_compared_to_the_last_byte() {
    let mut source = Vec::new();
    for number in 1..=3 {
        checker::tag::write(&mut source, 0, number, None, &vec![b'x'; 700_000]);
    }
    let sources = Sources::of(&[&source]);
    assert!(sources.check_tagged(&source).is_right());
    let mut merged = source.clone();
    let last = merged.len() - 2;
    merged[last] = b'y';
    assert_findings(&sources.check_tagged(&merged), &[(Kind::Changed, Some(0), Some(3))]);
}

#[test]
fn all_findings_are_counted_and_the_first_of_each_kind_kept() {
    let reversed: Vec<u8> = (1..=1_000).rev().flat_map(|number| tagged(0, number)).collect();
    let source: Vec<u8> = (1..=1_000).flat_map(|number| tagged(0, number)).collect();
    let foreign = b"foreign\n".repeat(500);
    let verdict = Sources::of(&[source]).check_tagged(&[reversed, foreign].concat());
    assert_eq!(verdict.count(Kind::OutOfOrder), 999);
    assert_eq!(verdict.count(Kind::Foreign), 500);
    assert_eq!(verdict.wrong(), 1_499);
    let kept = |kind| verdict.findings().iter().filter(|finding| finding.kind == kind).count();
    assert_eq!((kept(Kind::OutOfOrder), kept(Kind::Foreign)), (20, 20));
    let shown = verdict.to_string();
    assert!(shown.starts_with(
        "1,500 lines of 1 source, and not as they should be: 500 foreign, 999 out of order\n  \
         out of order: line 999 of source 0 ("
    ));
    assert!(shown.ends_with("\n  and 1,479 more"), "{shown}");
}

#[test]
fn a_finding_is_printed_with_all_that_is_known() {
    let sources = sources();
    let mut merged = right();
    merged[at(1, 2)] = b"s0001 000000002 \0\n".to_vec();
    let shown = sources.check_tagged(&merged.concat()).to_string();
    let expected = format!(
        "30 lines of 3 sources, and not as they should be: 1 changed\n  \
         changed: line 2 of source 1 ({}), at line 5 (byte 132) of the merged file\n      \
         expected \"s0001 000000002 payload 838 of 1\"\n      \
         found    \"s0001 000000002 \\x00\"",
        sources.paths[1].display()
    );
    assert_eq!(shown, expected);
}

#[test]
fn files_that_cannot_be_checked_are_errors_that_name_them() {
    let sources = Sources::of(&[tagged(0, 1), tagged(1, 1)]);
    let merged = sources.merged(&[tagged(0, 1), tagged(1, 1)].concat());
    let missing = sources.folder.path().join("missing.log");
    for error in [
        check_tagged(&sources.paths, &missing).unwrap_err(),
        check_tagged(&[&sources.paths[0], &missing], &merged).unwrap_err(),
    ] {
        assert!(matches!(&error, CheckError::Read { path, .. } if *path == missing), "{error}");
        assert_eq!(error.to_string(), format!("cannot read {}", missing.display()));
    }
    // The sources in another order than the one of their tags.
    let swapped = [&sources.paths[1], &sources.paths[0]];
    let error = check_tagged(&swapped, &merged).unwrap_err();
    assert!(
        matches!(&error, CheckError::NotTagged { path, source_index: 0 } if path == swapped[0]),
        "{error}"
    );
}
