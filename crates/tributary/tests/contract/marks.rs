//! What is put round each line: prefixes, colours, JSON.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::common::Place;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;
use tributary::{Marks, Options, Plan, Read, Template, TemplateError};

/// Reads files of these names and bytes chunk by chunk: what it holds, how many lines
/// that are, and where it ends.
fn chunks(marks: Marks, files: &[(&[u8], &[u8])]) -> Vec<(Vec<u8>, u64, u64)> {
    let place = Place::new();
    let names = files.iter().map(|(name, _)| place.path(OsStr::from_bytes(name)));
    let logs: Vec<_> = names.collect();
    logs.iter().zip(files).for_each(|(log, (_, bytes))| drop(crate::common::append(log, bytes)));
    let options = Options { marks, ..Options::default() };
    let mut chunks = Vec::new();
    for source in &mut Plan::open(logs, &place.output, options).unwrap().sources {
        while let Read::Lines(lines) = source.read_lines().unwrap() {
            chunks.push((lines.as_bytes().to_vec(), lines.count(), lines.end()));
        }
    }
    chunks
}

fn merged(marks: Marks, files: &[(&[u8], &[u8])]) -> Vec<u8> {
    chunks(marks, files).into_iter().flat_map(|(bytes, ..)| bytes).collect()
}

/// Returns the objects that the lines of one file become.
fn objects(name: &[u8], bytes: &[u8]) -> Vec<Value> {
    let merged = text(Marks::Json, &[(name, bytes)]);
    merged.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(marks: Marks, files: &[(&[u8], &[u8])]) -> String {
    String::from_utf8(merged(marks, files)).unwrap()
}

fn prefix(template: &str) -> Marks {
    Marks::Prefix(template.parse().unwrap())
}

fn colored(template: &str) -> Marks {
    Marks::Prefix(template.parse::<Template>().unwrap().colored(true))
}

/// A time in UTC to the microsecond, `2026-11-22T03:38:44.512409Z`, and not
/// one from before this project.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000000Z" && text > "2026"
}

#[test]
fn each_line_gets_the_name_of_its_source() {
    let files: [(&[u8], &[u8]); 2] = [(b"a.log", b"one\n\ntwo\n"), (b"b.log", b"three")];
    assert_eq!(text(prefix("{name}: "), &files), "a.log: one\na.log: \na.log: two\nb.log: three\n");
}

#[test]
fn the_path_is_the_one_that_was_given() {
    let merged = text(prefix("{path}|"), &[(b"x/../app.log", b"line\n")]);
    assert!(merged.ends_with("/x/../app.log|line\n"), "{merged}");
}

#[test]
fn a_number_counts_the_sources_and_doubled_braces_are_braces() {
    let files: [(&[u8], &[u8]); 3] = [(b"a", b"x\n"), (b"b", b"y\n"), (b"c", b"z\n")];
    assert_eq!(text(prefix("{{{number}}} "), &files), "{1} x\n{2} y\n{3} z\n");
}

#[test]
fn the_time_is_when_it_was_read() {
    let merged = text(prefix("<{time} {local_time} {time}>"), &[(b"a", b"x\n")]);
    let times = merged.strip_prefix('<').unwrap().strip_suffix(">x\n").unwrap();
    let times: Vec<&str> = times.split(' ').collect();
    assert!(is_time(times[0]) && times[0] == times[2], "{merged}");
    assert!(is_same_time(times[1], times[0]), "{merged}");
}

/// A local time with its offset, `2026-11-22T04:38:44.512409+01:00`, of the
/// same moment as one in UTC. Which zone it is, a test of the command asks.
fn is_same_time(local: &str, utc: &str) -> bool {
    let offset = local.get(26..).unwrap_or_default();
    let has_offset = offset.len() == 6 && offset.starts_with(['+', '-']);
    has_offset && local.parse::<Timestamp>().unwrap() == utc.parse().unwrap()
}

#[test]
fn a_text_without_fields_and_an_empty_one_are_templates() {
    assert_eq!(text(prefix("> "), &[(b"a", b"x\ny\n")]), "> x\n> y\n");
    assert_eq!(text(prefix(""), &[(b"a", b"x\ny\n")]), "x\ny\n");
}

#[test]
fn a_path_cannot_break_a_line() {
    let name = b"new\nline\x1b[31m\xff";
    assert_eq!(text(prefix("{name} "), &[(name, b"x\n")]), "new\\nline\\u{1b}[31m\\xff x\n");
}

#[test]
fn a_template_that_cannot_be_meant_says_why() {
    let refused = |text: &str| text.parse::<Template>().unwrap_err();
    assert_eq!(refused("{host}: "), TemplateError::UnknownField("host".into()));
    assert_eq!(refused("{}"), TemplateError::UnknownField(String::new()));
    for lone in ["{name", "name}", "{{{", "a}b}}", "{"] {
        assert_eq!(refused(lone), TemplateError::LoneBrace, "{lone}");
    }
    assert_eq!(refused("{name}\n"), TemplateError::Newline);
    assert_eq!(
        refused("{host}").to_string(),
        "there is no field {host}; there are {name}, {path}, {folder}, {number}, {time} and \
         {local_time}, and {{ is a brace"
    );
}

#[test]
fn a_colour_ends_before_the_line() {
    let merged = text(colored("{number}:"), &[(b"a", b"line\n")]);
    let (code, rest) = merged.strip_prefix("\x1b[").unwrap().split_once('m').unwrap();
    assert!(code.parse::<u8>().is_ok(), "{merged:?}");
    assert_eq!(rest, "1:\x1b[0mline\n");
}

#[test]
fn a_source_keeps_its_colour_and_many_sources_have_many() {
    let place = Place::new();
    let names: Vec<String> = (0..40).map(|n| format!("{n}.log")).collect();
    names.iter().for_each(|name| drop(place.append(name, "x\n")));
    let colours = || {
        let options = Options { marks: colored("{number}"), ..Options::default() };
        let merged = place.run(&names.iter().map(String::as_str).collect::<Vec<_>>(), options);
        merged.lines().map(|line| line.split('m').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut first = colours();
    assert_eq!(first, colours());
    first.sort();
    first.dedup();
    assert!(first.len() > 5, "{} colours for 40 sources", first.len());
}

#[test]
fn json_tells_source_offset_time_and_line() {
    let objects = objects(b"a.log", b"one\ntwo\r\n\nthr\"\\\x07ee");
    let lines: Vec<&str> = objects.iter().map(|object| object["line"].as_str().unwrap()).collect();
    assert_eq!(lines, ["one", "two\r", "", "thr\"\\\x07ee"]);
    let offsets: Vec<u64> =
        objects.iter().map(|object| object["offset"].as_u64().unwrap()).collect();
    // The last newline is ours, so the file does not have it.
    assert_eq!(offsets, [0, 4, 9, 10]);
    for object in &objects {
        assert!(object["source"].as_str().unwrap().ends_with("/a.log"), "{object}");
        let [utc, local] = ["time", "local_time"].map(|key| object[key].as_str().unwrap());
        assert!(is_time(utc) && is_same_time(local, utc), "{object}");
        assert_eq!(object.as_object().unwrap().len(), 5, "{object}");
    }
    let merged = text(Marks::Json, &[(b"a.log", b"one\n")]);
    assert!(merged.starts_with("{\"source\":"), "in the order that is documented: {merged}");
}

#[test]
fn json_keeps_what_is_not_utf8() {
    let objects = objects(b"\xff.log", b"\xfe\nok\n");
    assert_eq!(objects[0]["line_base64"], "/g==");
    assert_eq!(objects[1]["line"], "ok");
    for object in &objects {
        let path = object["source_base64"].as_str().unwrap();
        assert!(BASE64_STANDARD.decode(path).unwrap().ends_with(b"/\xff.log"), "{object}");
        assert_eq!(object.get("source"), None);
        assert_eq!(object.as_object().unwrap().len(), 5, "{object}");
    }
}

#[test]
fn a_line_longer_than_a_chunk_stays_one_line() {
    let line = vec![b'x'; 3_000_000];
    let long = [&line[..], b"\nshort\n"].concat();
    assert_eq!(
        merged(prefix("a: "), &[(b"a", &long)]),
        [b"a: ", &line[..], b"\na: short\n"].concat()
    );
    let objects = objects(b"a", &long);
    assert_eq!(objects[0]["line"].as_str().unwrap().as_bytes(), line);
    assert_eq!(objects[1]["offset"], 3_000_001);
}

#[test]
fn marks_do_not_make_a_chunk_larger_than_a_chunk() {
    // A byte a line: the marks are a hundred times what they mark.
    let chunks = chunks(Marks::Json, &[(b"a", &[b'\n'; 300_000])]);
    let mut lines = 0;
    for (bytes, count, end) in &chunks {
        assert!(bytes.len() < 256 * 1024 + 1024, "{} bytes", bytes.len());
        assert_eq!(bytes.iter().filter(|&&b| b == b'\n').count() as u64, *count);
        lines += count;
        // A line is one byte of the file.
        assert_eq!(*end, lines);
    }
    assert_eq!(lines, 300_000);
    let times = chunks.iter().map(|(bytes, ..)| {
        let first = bytes.split(|&b| b == b'\n').next().unwrap();
        serde_json::from_slice::<Value>(first).unwrap()["time"].clone()
    });
    let mut times: Vec<Value> = times.collect();
    times.dedup();
    // Read in two pieces of 256 KiB: what waited was not read again.
    assert_eq!(times.len(), 2, "{times:?}");
}

#[test]
fn without_marks_lines_are_as_they_were_read() {
    let chunks = chunks(Marks::None, &[(b"a", b"one\ntwo\nthr")]);
    assert_eq!(chunks, [(b"one\ntwo\n".to_vec(), 2, 8), (b"thr\n".to_vec(), 1, 11)]);
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let bytes =
        prop::collection::vec(any::<u8>().prop_filter("no newline", |&b| b != b'\n'), 0..40);
    prop_oneof![
        bytes,
        ".{0,20}"
            .prop_map(String::into_bytes)
            .prop_filter("no newline", |line| { !line.contains(&b'\n') })
    ]
}

proptest! {
    #[test]
    fn json_is_lossless(lines in prop::collection::vec(line(), 0..50), ended: bool) {
        let mut bytes = lines.join(&b'\n');
        if ended && !lines.is_empty() {
            bytes.push(b'\n');
        }
        let objects = objects(b"a", &bytes);
        // NULs behind the last line are reserved space, and no line.
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        let mut again = Vec::new();
        for object in objects {
            prop_assert_eq!(object["offset"].as_u64(), Some(again.len() as u64));
            match object.get("line") {
                Some(line) => again.extend(line.as_str().unwrap().bytes()),
                None => again.extend(BASE64_STANDARD.decode(object["line_base64"].as_str().unwrap()).unwrap()),
            }
            again.push(b'\n');
        }
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        prop_assert_eq!(again, bytes);
    }
}
