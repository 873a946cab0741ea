//! A disk that fills half-way: a small tmpfs in a mount namespace of its own,
//! made larger for the second run.

use stages::STAGES;
use system_tests::{line, program};
use testkit::Folder;

use crate::unshare;

/// More than the small disk holds.
const LINES: u64 = 20_000;

/// Makes a disk of 128 KiB.
const DISK: &str = "mkdir disk && mount -t tmpfs -o size=128k tmpfs disk || exit 98";

/// Merges onto a disk of 128 KiB, then with room for everything. The first output has
/// some of the log's lines, whole, and the second has all. Returns what the two runs
/// said.
fn merged_twice(flags: &str) -> String {
    let log: String = (1..=LINES).map(line).collect();
    let folder = Folder::of([("app.log", &log)]);
    let script = format!(
        "{DISK}
         \"$0\" -o disk/merged {flags} app.log; echo \"exit $?\" >&2
         cp disk/merged first
         mount -o remount,size=64m disk || exit 97
         \"$0\" -o disk/merged {flags} app.log; echo \"exit $?\" >&2
         cp disk/merged second"
    );
    let ended = unshare(true, &script, folder.folder()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{flags}: {}: {said}", ended.status);
    let first = folder.read("first");
    assert!(log.starts_with(&first) && first.len() < log.len(), "{flags}");
    assert!(first.is_empty() || first.ends_with('\n'), "{flags}: a line is torn");
    assert!(folder.read("second") == log, "{flags}");
    said
}

#[test]
fn a_disk_that_fills_tears_no_line_and_the_next_run_goes_on() {
    for stage in STAGES {
        let said = merged_twice(&format!("--checkpoint checkpoint --stage {}", stage.name));
        let told: Vec<_> = said.lines().collect();
        let full = "error: disk/merged: cannot write the output: No space left on device";
        assert!(told[0].starts_with(full), "{}: {said}", stage.name);
        assert_eq!(told[1..], ["exit 3", "exit 0"], "{}: {said}", stage.name);
    }
}

#[test]
fn without_a_checkpoint_the_next_run_begins_anew() {
    merged_twice("");
}

#[test]
fn metrics_on_a_full_disk_are_told_once_and_hold_up_no_line() {
    let folder = Folder::new();
    let script = format!(
        "{DISK}
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
         cp disk/t.prom last"
    );
    // `timeout` ends all processes, also if one hangs.
    let mut command = program("timeout", "coreutils");
    let unshare = unshare(true, &script, folder.folder());
    command.arg("60").arg(unshare.get_program()).args(unshare.get_args());
    let tried = command.current_dir(folder.folder()).status().unwrap();
    let said = folder.read("said");
    assert!(tried.success(), "{tried}: {said}");
    assert_eq!(said.matches("cannot write metrics").count(), 1, "{said}");
    assert!(said.ends_with("exit 0\n"), "{said}");
    assert_eq!(folder.read("merged"), "one\ntwo\nthree\nfour\n");
    // The old file stayed whole until there was a new one.
    let end = "tributary_lines_total{merge=\"t\"} 4\n";
    let [full, last] = ["full", "last"].map(|name| folder.read(name));
    assert!(full.starts_with("# HELP") && !full.contains(end), "{full}");
    assert!(last.contains(end), "{last}");
}
