//! A disk that fills half-way: a small tmpfs in a mount namespace of its own,
//! made larger for the second run.

use std::fs;
use std::path::Path;

use stages::STAGES;
use system_tests::{line, lost, program};

/// More than the small disk holds.
const LINES: u64 = 20_000;

/// Merges onto a disk of 128 KiB, then with room for everything. Returns what
/// the two runs said, and leaves both outputs in `folder`.
fn merge_twice(folder: &Path, stage: usize, checkpoint: &str) -> String {
    let outside = fs::read_link("/proc/self/ns/mnt").unwrap();
    // Mounted only if the namespace is another one.
    let script = format!(
        "test \"$(readlink /proc/self/ns/mnt)\" != '{}' || exit 99
         cd \"$1\" && mkdir disk && mount -t tmpfs -o size=128k tmpfs disk || exit 98
         \"$0\" {stage} disk/merged {checkpoint} app.log; echo \"exit $?\" >&2
         cp disk/merged first
         mount -o remount,size=64m disk || exit 97
         \"$0\" {stage} disk/merged {checkpoint} app.log; echo \"exit $?\" >&2
         cp disk/merged second",
        outside.display()
    );
    let mut command = program("unshare", "util-linux");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]).arg(script);
    let ended = command.arg(env!("CARGO_BIN_EXE_merge")).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{}: {said}", ended.status);
    said
}

#[test]
fn a_disk_that_fills_tears_no_line_and_the_next_run_goes_on() {
    for stage in 1..=STAGES.len() {
        let folder = tempfile::tempdir().unwrap();
        let log: String = (1..=LINES).map(line).collect();
        fs::write(folder.path().join("app.log"), &log).unwrap();
        let said = merge_twice(folder.path(), stage, "checkpoint");
        let told: Vec<_> = said.lines().collect();
        let full = "error: disk/merged: cannot write the output: No space left on device";
        assert!(told[0].starts_with(full), "stage {stage}: {said}");
        assert_eq!(told[1..], ["exit 3", "exit 0"], "stage {stage}: {said}");

        let first = fs::read_to_string(folder.path().join("first")).unwrap();
        assert!(log.starts_with(&first) && first.len() < log.len(), "stage {stage}");
        assert!(first.is_empty() || first.ends_with('\n'), "stage {stage}: a line is torn");
        let second = fs::read(folder.path().join("second")).unwrap();
        assert_eq!(lost(&second, LINES), [], "stage {stage}");
        assert_eq!(second, log.as_bytes(), "stage {stage}");
    }
}

#[test]
fn without_a_checkpoint_the_next_run_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let log: String = (1..=LINES).map(line).collect();
    fs::write(folder.path().join("app.log"), &log).unwrap();
    merge_twice(folder.path(), 5, "-");
    let first = fs::read_to_string(folder.path().join("first")).unwrap();
    assert!(log.starts_with(&first) && (first.is_empty() || first.ends_with('\n')));
    assert_eq!(fs::read(folder.path().join("second")).unwrap(), log.as_bytes());
}

#[test]
fn metrics_on_a_full_disk_are_told_once_and_hold_up_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let outside = fs::read_link("/proc/self/ns/mnt").unwrap();
    let script = format!(
        "test \"$(readlink /proc/self/ns/mnt)\" != '{}' || exit 99
         cd \"$1\" && mkdir disk && mount -t tmpfs -o size=128k tmpfs disk || exit 98
         until_so() {{ until \"$@\"; do kill -USR1 $merge; sleep 0.01; done; }}
         echo one > app.log
         \"$0\" -v -F app.log -o merged --metrics disk/t.prom 2> said & merge=$!
         until [ -e disk/t.prom ]; do sleep 0.01; done
         head -c 1m /dev/zero > disk/filled 2> /dev/null
         until_so grep -q 'cannot write metrics: No space left on device' said
         for line in two three four; do
             echo $line >> app.log
             until_so grep -q $line merged
         done
         cp disk/t.prom full
         rm disk/filled
         until_so grep -q 'metrics are written again' said
         kill $merge; wait $merge; echo \"exit $?\" >> said
         cp disk/t.prom last",
        outside.display()
    );
    let mut command = program("timeout", "coreutils");
    command.args(["60", "unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]).arg(script);
    let tried = command.arg(env!("CARGO_BIN_EXE_tributary")).arg(folder.path()).status().unwrap();
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let said = read("said");
    assert!(tried.success(), "{tried}: {said}");
    assert_eq!(said.matches("cannot write metrics").count(), 1, "{said}");
    assert!(said.ends_with("exit 0\n"), "{said}");
    assert_eq!(read("merged"), "one\ntwo\nthree\nfour\n");
    // The old file stays whole, until there is a new one.
    let end = "tributary_lines_total{merge=\"t\"} 4\n";
    assert!(read("full").starts_with("# HELP") && !read("full").contains(end));
    assert!(read("last").contains(end), "{}", read("last"));
}
