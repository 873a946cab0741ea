//! The unit file, checked by systemd itself, and the logrotate snippet beside it, checked
//! by logrotate.

use std::fs;
use std::path::PathBuf;

use system_tests::program;

/// The most that `systemd-analyze security` may say, in tenths: 0 is locked in,
/// 100 is wide open. With systemd 252 it says 0.7.
const EXPOSURE: u32 = 10;

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

#[test]
fn the_unit_is_without_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(docs("tributary.service")).unwrap();
    // With a program that exists: systemd checks that, too.
    let installed = unit.replace("/usr/local/bin/tributary", crate::TRIBUTARY);
    assert_ne!(installed, unit);
    let path = folder.path().join("tributary.service");
    fs::write(&path, installed).unwrap();
    let verified = program("systemd-analyze", "systemd").arg("verify").arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{}: {said}", verified.status);
}

#[test]
fn the_unit_is_exposed_to_little() {
    let mut analyze = program("systemd-analyze", "systemd");
    analyze.args(["security", "--offline=true", &format!("--threshold={EXPOSURE}")]);
    let looked = analyze.arg(docs("tributary.service")).output().unwrap();
    let said = String::from_utf8_lossy(&looked.stdout);
    assert!(looked.status.success() && said.contains("exposure level"), "{said}");
}

#[test]
fn the_snippet_rotates_what_the_unit_writes() {
    let unit = fs::read_to_string(docs("tributary.service")).unwrap();
    assert!(unit.contains("${LOGS_DIRECTORY}/merged.log") && unit.contains("=tributary\n"));
    let folder = tempfile::tempdir().unwrap();
    let mut logrotate = program("logrotate", "logrotate");
    logrotate.arg("--debug").arg("--state").arg(folder.path().join("state"));
    let looked = logrotate.arg(docs("tributary.logrotate")).output().unwrap();
    let said = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success() && !said.contains("error"), "{said}");
    assert!(said.contains("considering log /var/log/tributary/merged.log"), "{said}");
}
