//! A stdout that somebody has made non-blocking: node, ssh and some CI do.

use std::io::{PipeReader, Read, pipe};

use rustix::process::Signal;
use testkit::{Folder, Running, until};

use crate::process::tributary;

/// A merge of `a.log` that has filled its pipe, or has begun to.
fn started(folder: &Folder, args: &[&str]) -> (Running, PipeReader) {
    let lines: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    folder.append("a.log", &lines);
    let (reader, writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let args = [args, &["a.log"]].concat();
    let merge = Running::start(folder, tributary(folder, &args).stdout(writer));
    until("something is in the pipe", || {
        rustix::io::ioctl_fionread(&reader).is_ok_and(|there| there > 0)
    });
    (merge, reader)
}

#[test]
fn a_pipe_that_is_full_is_waited_for() {
    let folder = Folder::new();
    let (merge, mut reader) = started(&folder, &[]);
    let mut merged = String::new();
    reader.read_to_string(&mut merged).unwrap();
    merge.end().with(0);
    assert!(merged == folder.read("a.log"), "{} bytes", merged.len());
}

#[test]
fn the_wait_for_a_full_pipe_can_be_ended() {
    let folder = Folder::new();
    let (merge, _reader) = started(&folder, &["-F", "-v"]);
    merge.signal(Signal::TERM);
    until("the first is taken", || merge.said().contains("a second signal ends at once"));
    merge.signal(Signal::TERM);
    merge.end().with(130);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let (merge, reader) = started(&folder, &[]);
    drop(reader);
    assert_eq!(merge.end().with(0).stderr, "");
}
