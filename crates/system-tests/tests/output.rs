//! The merged file, rotated by the real `logrotate` while it is written: over
//! all files every line stands once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use stages::STAGES;
use system_tests::{Daemon, Logrotate, Reopen, lost, program};
use testkit::{Folder, Running, until};

const ROTATIONS: usize = 10;

/// Lines between two rotations: a tenth of a second.
const BETWEEN: u64 = 2_000;

/// Starts a merge in `folder`, and writes down which process it is.
fn start(folder: &Folder, stage: usize) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.args(["-F", "app.log", "-o", "merged.log", "--checkpoint", "state", "--stage"]);
    command.arg(stage.to_string()).current_dir(folder.folder()).stdin(Stdio::null());
    let merge = Running::start(folder, &mut command);
    fs::write(folder.path("pid"), merge.child.id().to_string()).unwrap();
    merge
}

/// Reads all merged files, the oldest first, and unpacks what is packed.
fn all(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for number in (1..=ROTATIONS).rev() {
        let plain = folder.join(format!("merged.log.{number}"));
        if plain.exists() {
            all.extend(fs::read(plain).unwrap());
        } else {
            let mut unpack = program("gzip", "gzip");
            let packed = folder.join(format!("merged.log.{number}.gz"));
            let unpacked = unpack.arg("--decompress").arg("--stdout").arg(&packed).output();
            let unpacked = unpacked.unwrap();
            assert!(unpacked.status.success(), "{}", packed.display());
            all.extend(unpacked.stdout);
        }
    }
    all.extend(fs::read(folder.join("merged.log")).unwrap());
    all
}

/// Rotates the output of a merge under load; with `kills`, the merge is killed
/// before each second rotation, and started again after it.
fn rotated(stage: usize, directives: &str, kills: bool) {
    let folder = Folder::new();
    let [log, output, pid] = ["app.log", "merged.log", "pid"].map(|name| folder.path(name));
    let hup = format!("postrotate\n kill -HUP $(cat {}) || true\nendscript", pid.display());
    let logrotate = Logrotate::new(&output, &format!("nocreate\n{directives}\n{hup}"));
    let daemon = Daemon::start(&log, Reopen::After(Duration::ZERO));
    let mut merge = start(&folder, stage);
    for rotation in 0..ROTATIONS {
        daemon.wait(BETWEEN);
        until("the output has lines", || {
            fs::metadata(&output).is_ok_and(|output| output.len() > 0)
        });
        let killed = kills && rotation % 2 == 1;
        if killed {
            merge.child.kill().unwrap();
            merge.child.wait().unwrap();
        }
        logrotate.force();
        if killed {
            merge = start(&folder, stage);
        }
    }
    daemon.wait(BETWEEN);
    let last = daemon.end();
    merge.terminate().with(0);
    assert_eq!(lost(&all(folder.folder()), last), [], "stage {stage}: of {last} lines");
    let files = fs::read_dir(folder.folder()).unwrap().flatten();
    let names: Vec<PathBuf> = files.map(|file| file.file_name().into()).collect();
    let of_output = |name: &&PathBuf| name.to_string_lossy().starts_with("merged.log");
    assert_eq!(names.iter().filter(of_output).count(), ROTATIONS + 1, "{names:?}");
}

#[test]
fn an_output_that_is_rotated_with_sighup_has_every_line_once_in_every_stage() {
    for stage in 1..=STAGES.len() {
        rotated(stage, "", false);
    }
}

#[test]
fn an_output_may_be_packed_after_its_next_rotation() {
    rotated(STAGES.len(), "compress\ndelaycompress", false);
}

#[test]
fn an_output_that_is_rotated_between_kills_has_every_line_once() {
    rotated(STAGES.len(), "", true);
}
