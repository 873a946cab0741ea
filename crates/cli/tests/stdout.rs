//! What the shell has opened is not ours to cut.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;

#[test]
fn what_stands_in_a_redirected_output_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (log, out) = (folder.path().join("a.log"), folder.path().join("out"));
    fs::write(&log, "one\n").unwrap();
    for durability in ["none", "flush", "fsync"] {
        fs::write(&out, "before\n").unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .args(["--durability", durability])
            .arg(&log)
            .stdout(OpenOptions::new().append(true).open(&out).unwrap())
            .status();
        assert!(status.unwrap().success());
        assert_eq!(fs::read_to_string(&out).unwrap(), "before\none\n", "as with >>");

        // As in `(echo head; tributary a.log) > out`: one position for both.
        let mut shared = OpenOptions::new().write(true).truncate(true).open(&out).unwrap();
        shared.write_all(b"head\n").unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .args(["--durability", durability])
            .arg(&log)
            .stdout(shared)
            .status();
        assert!(status.unwrap().success());
        assert_eq!(fs::read_to_string(&out).unwrap(), "head\none\n");
    }
}

#[test]
fn appending_is_for_an_output_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (log, out) = (folder.path().join("a.log"), folder.path().join("out"));
    fs::write(&log, "one\n").unwrap();
    fs::write(&out, "before\n").unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_tributary"))
        .arg("--append")
        .arg(&log)
        .stdout(OpenOptions::new().append(true).open(&out).unwrap())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("--output <OUT>"));
    assert_eq!(fs::read_to_string(&out).unwrap(), "before\n");
}
