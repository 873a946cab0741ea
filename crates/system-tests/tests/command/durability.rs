//! What each durability asks of the system, as strace sees it.

use std::fs;

use system_tests::program;

/// Merges a log of some mebibytes; returns how often the system was asked to sync.
fn syncs(durability: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let [log, out, trace] = ["a.log", "out", "trace"].map(|name| folder.path().join(name));
    fs::write(&log, "a line of the log\n".repeat(500_000)).unwrap();
    let mut strace = program("strace", "strace");
    strace.args(["-f", "-e", "trace=fsync,fdatasync", "-o"]).arg(&trace);
    strace.arg(crate::TRIBUTARY).arg(&log).arg("-o").arg(&out);
    let done = strace.args(["--durability", durability]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert_eq!(fs::read(&out).unwrap(), fs::read(&log).unwrap());
    let trace = fs::read_to_string(&trace).unwrap();
    trace.lines().filter(|line| line.contains("sync(")).count()
}

#[test]
fn each_durability_syncs_as_often_as_it_says() {
    let [none, flush, fsync] = ["none", "flush", "fsync"].map(syncs);
    assert_eq!((none, flush), (0, 1));
    // 9 MB are written by the mebibyte, and each write is synced.
    assert!(fsync > 6, "{fsync}");
}
