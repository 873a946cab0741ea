//! The merged file, rotated by the real `logrotate` while it is written: all files
//! together have every line once.

use std::fs;
use std::time::Duration;

use system_tests::{Logrotate, Reopen, lost, program};
use testkit::Folder;

use crate::load::{Load, in_every_stage};
use crate::logrotate::{BETWEEN, ROTATIONS};

/// Reads all merged files, the oldest first, and unpacks those that are packed.
fn all(folder: &Folder) -> Vec<u8> {
    let mut all = Vec::new();
    for number in (1..=ROTATIONS).rev() {
        let plain = folder.path(&format!("merged.log.{number}"));
        if plain.exists() {
            all.extend(fs::read(plain).unwrap());
        } else {
            let mut unpack = program("gzip", "gzip");
            let packed = folder.path(&format!("merged.log.{number}.gz"));
            let unpacked = unpack.arg("--decompress").arg("--stdout").arg(&packed).output();
            let unpacked = unpacked.unwrap();
            assert!(unpacked.status.success(), "{}", packed.display());
            all.extend(unpacked.stdout);
        }
    }
    all.extend(fs::read(folder.path("merged.log")).unwrap());
    all
}

/// Rotates the output of a merge under load. `kill.rs` of the command has the kills
/// meanwhile.
fn rotated(stage: &str, directives: &str) {
    let load = Load::start(stage, &["--checkpoint", "state"], Reopen::After(Duration::ZERO));
    let hup = format!("postrotate\n kill -HUP {} || true\nendscript", load.merge.child.id());
    let output = load.folder.path("merged.log");
    let logrotate = Logrotate::new(&output, &format!("nocreate\n{directives}\n{hup}"));
    for _ in 0..ROTATIONS {
        load.daemon.wait(BETWEEN);
        load.wait_for_output();
        logrotate.force();
    }
    load.daemon.wait(BETWEEN);
    let done = load.end();
    assert_eq!(lost(&all(&done.folder), done.last), [], "{stage}: of {} lines", done.last);
    assert_eq!(done.count("merged.log"), ROTATIONS + 1, "the output and its rotations");
}

#[test]
fn an_output_that_is_rotated_with_sighup_has_every_line_once_in_every_stage() {
    in_every_stage(|stage| rotated(stage, ""));
}

#[test]
fn an_output_may_be_packed_after_its_next_rotation() {
    rotated("fully-async", "compress\ndelaycompress");
}
