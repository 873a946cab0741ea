//! The checker of tagged sources is worth what it catches. What a line itself
//! tells, the checker of anybody's files finds as well.

use crate::common::{Sources, assert_findings, tagged, told};
use checker::{CheckError, Kind, Verdict, check_tagged, check_untagged};
use insta::assert_snapshot;

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

/// The merge by turns: the first line of each source, then the second of each.
fn right() -> Vec<Vec<u8>> {
    (1..=LINES).flat_map(|number| (0..SOURCES).map(move |source| tagged(source, number))).collect()
}

/// The line, without its newline.
fn without_newline(line: &[u8]) -> Vec<u8> {
    line.strip_suffix(b"\n").unwrap().to_vec()
}

/// What comes of a right merge that was spoiled.
fn spoiled<T>(spoil: impl FnOnce(&mut Vec<Vec<u8>>) -> T) -> Verdict {
    let mut merged = right();
    spoil(&mut merged);
    sources().check_tagged(&merged.concat())
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
fn what_is_wrong_with_a_line_is_told_with_all_that_is_known() {
    let torn = tagged(0, 4);
    let verdicts = [
        // Line 5 of the source stands where line 4 should have come before it.
        spoiled(|merged| merged.remove(at(1, 4))),
        spoiled(|merged| merged.push(tagged(0, 3))),
        // Of two swapped neighbours the late one is out of order.
        spoiled(|merged| merged.swap(at(2, 5), at(2, 6))),
        spoiled(|merged| merged[at(1, 2)] = b"s0001 000000002 \0\n".to_vec()),
        spoiled(|merged| merged[at(0, 4)].pop()),
        // What `tail -f a b` makes of a line that is written in two parts.
        spoiled(|merged| {
            merged[at(0, 4)] = [&torn[..22], &tagged(1, 4), &torn[22..]].concat();
            merged.remove(at(1, 4))
        }),
    ];
    assert_snapshot!(verdicts.each_ref().map(told).join("\n"), @r#"
    29 lines of 3 sources, and not as they should be: 1 lost
      lost: line 4 of source 1 (source-0001.log), at line 13 (byte 396) of the merged file
          expected "s0001 000000004 payload 676 of 1"
    31 lines of 3 sources, and not as they should be: 1 doubled
      doubled: line 3 of source 0 (source-0000.log), at line 31 (byte 990) of the merged file
          found    "s0000 000000003 payload 757 of 0"
    30 lines of 3 sources, and not as they should be: 1 out of order
      out of order: line 5 of source 2 (source-0002.log), at line 18 (byte 561) of the merged file
          expected "s0002 000000007 payload 433 of 2"
          found    "s0002 000000005 payload 595 of 2"
    30 lines of 3 sources, and not as they should be: 1 changed
      changed: line 2 of source 1 (source-0001.log), at line 5 (byte 132) of the merged file
          expected "s0001 000000002 payload 838 of 1"
          found    "s0001 000000002 \x00"
    29 lines of 3 sources, and not as they should be: 2 glued
      glued: line 4 of source 0 (source-0000.log), at line 10 (byte 297) of the merged file
          expected "s0000 000000004 payload 676 of 0"
          found    "s0000 000000004 payload 676 of 0s0001 000000004 payload 676 of 1"
      glued: line 4 of source 1 (source-0001.log), at line 10 (byte 297) of the merged file
          expected "s0001 000000004 payload 676 of 1"
          found    "s0000 000000004 payload 676 of 0s0001 000000004 payload 676 of 1"
    30 lines of 3 sources, and not as they should be: 1 torn, 1 glued
      glued: line 4 of source 1 (source-0001.log), at line 10 (byte 297) of the merged file
          expected "s0001 000000004 payload 676 of 1"
          found    "s0000 000000004 payloas0001 000000004 payload 676 of 1"
      torn: line 4 of source 0 (source-0000.log), at line 11 (byte 352) of the merged file
          expected "s0000 000000004 payload 676 of 0"
          found    "d 676 of 0"
    "#);
}

#[test]
fn the_tail_of_a_source_is_lost_and_so_is_a_whole_source() {
    let verdict = spoiled(|merged| merged.retain(|line| *line < tagged(2, 9)));
    assert_findings(&verdict, &[9, 10].map(|number| (Kind::Lost, Some(2), Some(number))));
    // It is missed at the end.
    assert!(verdict.findings().iter().all(|finding| finding.place.line == 29), "{verdict}");
    let verdict = spoiled(|merged| merged.retain(|line| line[4] != b'0'));
    assert_eq!((verdict.wrong(), verdict.count(Kind::Lost)), (10, 10), "{verdict}");
    assert!(verdict.findings().iter().all(|finding| finding.source == Some(0)));
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
            for verdict in sources().check_both(&merged.concat()) {
                assert_findings(&verdict, &[(Kind::Torn, Some(1), Some(4))]);
                let finding = &verdict.findings()[0];
                assert_eq!(finding.expected.as_ref(), Some(&whole));
                assert_eq!(finding.found, Some(whole[..cut].to_vec()));
                assert_eq!(finding.place.line, at(1, 4) as u64 + 1);
            }
        }
    }
}

#[test]
fn half_a_line_is_torn_and_two_lines_in_one_are_glued() {
    let whole = without_newline(&tagged(1, 4));
    for piece in [&whole[..20], &whole[20..]] {
        let mut merged = right();
        merged[at(1, 4)] = [piece, b"\n"].concat();
        for verdict in sources().check_both(&merged.concat()) {
            assert_findings(&verdict, &[(Kind::Torn, Some(1), Some(4))]);
            assert_eq!(verdict.findings()[0].found, Some(piece.to_vec()));
        }
    }
    let mut merged = right();
    merged[at(0, 4)].pop();
    for verdict in sources().check_both(&merged.concat()) {
        assert_findings(&verdict, &[0, 1].map(|source| (Kind::Glued, Some(source), Some(4))));
    }
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
        let verdict = spoiled(|merged| merged.insert(at(0, 4), foreign.to_vec()));
        assert_findings(&verdict, &[(Kind::Foreign, source, number)]);
        assert_eq!(verdict.findings()[0].found, Some(without_newline(foreign)));
        assert_eq!(verdict.findings()[0].place.line, at(0, 4) as u64 + 1);
    }
}

#[test]
fn a_line_with_other_bytes_is_changed_wherever_the_byte_is() {
    let whole = tagged(1, 4);
    for byte in checker::tag::TAG_BYTES..whole.len() - 1 {
        let verdict = spoiled(|merged| merged[at(1, 4)][byte] ^= 1);
        assert_findings(&verdict, &[(Kind::Changed, Some(1), Some(4))]);
    }
    // A carriage return more is another line, too.
    assert!(!spoiled(|merged| merged[at(1, 4)].insert(whole.len() - 1, b'\r')).is_right());
}

#[test]
fn a_changed_tag_is_found_and_confuses_nothing_after_it() {
    for byte in 0..checker::tag::TAG_BYTES {
        let verdict = spoiled(|merged| merged[at(1, 4)][byte] ^= 1);
        let counts = [Kind::Lost, Kind::Foreign].map(|kind| verdict.count(kind));
        assert_eq!((counts, verdict.wrong()), ([1, 1], 2), "{verdict}");
    }
}

#[test]
fn a_merged_file_that_does_not_end_with_a_newline_is_unfinished() {
    let unfinished = (Kind::Unfinished, Some(2), Some(10));
    let verdict = spoiled(|merged| merged[at(2, 10)].pop());
    assert_findings(&verdict, &[unfinished]);
    let verdict = spoiled(|merged| merged[at(2, 10)].truncate(29));
    assert_findings(&verdict, &[(Kind::Torn, Some(2), Some(10)), unfinished]);
}

#[test]
fn a_last_line_without_newline_gets_one() {
    let mut contents = [tagged(0, 1), tagged(1, 1)];
    contents[0].pop();
    contents[1].pop();
    let sources = Sources::of(&contents);
    for verdict in sources.check_both(&[tagged(1, 1), tagged(0, 1)].concat()) {
        assert!(verdict.is_right(), "{verdict}");
    }
    for verdict in sources.check_both(&[tagged(1, 1), contents[0].clone()].concat()) {
        assert_eq!((verdict.wrong(), verdict.count(Kind::Unfinished)), (1, 1), "{verdict}");
    }
    for verdict in sources.check_both(&tagged(1, 1)) {
        assert_findings(&verdict, &[(Kind::Lost, Some(0), Some(1))]);
    }
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
    assert!(sources.check_both(&source).iter().all(Verdict::is_right));
    for (byte, number) in [(b'\0', 1), (b'\r', 2), (b'\x80', 3)] {
        let mut merged = source.clone();
        let at = merged.iter().position(|&b| b == byte).unwrap();
        merged[at] = b'?';
        let [tagged, untagged] = sources.check_both(&merged);
        assert_findings(&tagged, &[(Kind::Changed, Some(0), Some(number))]);
        assert_eq!(untagged.count(Kind::Lost), 1, "{untagged}");
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
fn files_that_cannot_be_checked_are_errors_that_name_them() {
    let sources = Sources::of(&[tagged(0, 1), tagged(1, 1)]);
    let merged = sources.merged(&[tagged(0, 1), tagged(1, 1)].concat());
    let missing = sources.folder.path().join("missing.log");
    for error in [
        check_tagged(&sources.paths, &missing).unwrap_err(),
        check_tagged(&[&sources.paths[0], &missing], &merged).unwrap_err(),
        check_untagged(&sources.paths, &missing).unwrap_err(),
        check_untagged(&[&sources.paths[0], &missing], &merged).unwrap_err(),
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
