//! A test for each flag, named after it: the test sees what the flag changes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use testkit::{Folder, Running, until};

use crate::blocked::{Blocked, fill};
use crate::process::{follow, run, tributary};

/// Returns whether a flag is there only with the feature `nats`. Of the flags of a stream,
/// `--from` is in every build.
pub(crate) fn is_of_feature(flag: &clap::Arg) -> bool {
    flag.get_help_heading() == Some("A stream of NATS") && flag.get_long() != Some("from")
}

/// Compares what the command offers with the tests in this file.
#[test]
fn every_flag_has_a_test() {
    let mut command = tributary_cli::command();
    command.build();
    // The system tests have those of the feature.
    let flags = command.get_arguments().filter(|flag| !is_of_feature(flag));
    let flags = flags.filter_map(|arg| arg.get_long());
    let flags: BTreeSet<String> = flags.map(|flag| flag.replace('-', "_")).collect();
    let mut tests = BTreeSet::new();
    let mut lines = include_str!("flags.rs").lines();
    while let Some(line) = lines.next() {
        if line == "#[test]"
            && let Some(name) = lines.next().and_then(|line| line.strip_prefix("fn flag_"))
        {
            tests.insert(name.split('(').next().unwrap().to_owned());
        }
    }
    assert_eq!(flags, tests);
}

/// Appends five lines to `log`, one after the other, each once the merge into
/// `seen_in` has the one before. By then, another merge of the log has had time.
#[track_caller]
fn five_rounds(folder: &Folder, log: &str, seen_in: &str, round: usize) {
    for n in 0..5 {
        let line = format!("{round}-{n}\n");
        folder.append(log, &line);
        until("the other merge sees a line", || folder.read(seen_in).contains(&line));
    }
}

#[test]
fn flag_output() {
    let folder =
        Folder::of([("out", "what was there before, and is longer\n"), ("a.log", "one\ntwo")]);
    assert_eq!(run(&folder, &["a.log", "-o", "out"]).out(), "");
    assert_eq!(folder.read("out"), "one\ntwo\n");
    assert_eq!(run(&folder, &["a.log", "--output", "-"]).out(), "one\ntwo\n");
    assert_eq!(run(&folder, &["a.log"]).out(), "one\ntwo\n");
}

#[test]
fn flag_append() {
    let folder = Folder::of([("out", "before\n"), ("a.log", "one\n")]);
    run(&folder, &["a.log", "-o", "out", "--append"]).with(0);
    run(&folder, &["a.log", "-o", "out", "--append"]).with(0);
    assert_eq!(folder.read("out"), "before\none\none\n");
    run(&folder, &["a.log", "--append"]).with(2);
}

#[test]
fn flag_checkpoint() {
    let folder = Folder::of([("a.log", "one\ntwo\n")]);
    let args = ["a.log", "-o", "out", "--checkpoint", "state"];
    run(&folder, &args).with(0);
    // The first lines are now only in the output, which is not begun anew.
    fs::remove_file(folder.path("a.log")).unwrap();
    folder.append("a.log", "three\n");
    folder.append("out", "what a run wrote that was killed before its checkpoint\n");
    run(&folder, &args).with(0);
    assert_eq!(folder.read("out"), "one\ntwo\nthree\n");

    // A run is killed, and the next one goes on.
    let merge = follow(&folder, &args);
    folder.append("a.log", "four\n");
    until("the line is merged", || folder.read("out").ends_with("four\n"));
    merge.signal(Signal::KILL);
    drop(merge);
    folder.append("a.log", "five\n");
    run(&folder, &args).with(0);
    assert_eq!(folder.read("out"), "one\ntwo\nthree\nfour\nfive\n");
}

#[test]
fn flag_restart() {
    let folder = Folder::of([("a.log", "one\n")]);
    let args = ["a.log", "-o", "out", "--checkpoint", "state"];
    run(&folder, &args).with(0);
    fs::write(folder.path("state"), "{\"version\":2}\ndamaged").unwrap();
    run(&folder, &args).with(3);
    run(&folder, &[&args[..], &["--restart"]].concat()).with(0);
    assert_eq!(folder.read("out"), "one\n");
    folder.append("a.log", "two\n");
    run(&folder, &args).with(0);
    assert_eq!(folder.read("out"), "one\ntwo\n");
}

#[test]
fn flag_durability() {
    let folder = Folder::of([("a.log", &"line\n".repeat(1000))]);
    for durability in ["none", "flush", "fsync"] {
        let args = ["a.log", "-o", "out", "--checkpoint", durability, "--durability", durability];
        run(&folder, &args).with(0);
        assert_eq!(folder.read("out"), folder.read("a.log"), "{durability}");
        fs::remove_file(folder.path("out")).unwrap();
    }
    run(&folder, &["a.log", "--durability", "rust"]).with(2);
    // The system tests show by strace what the system is asked for.
}

#[test]
fn flag_max_line() {
    let folder = Folder::of([("a.log", "short\nmuch too long\nshort\nand too long as well\n")]);
    let merge = run(&folder, &["a.log", "--max-line", "8", "--stats"]).with(0);
    assert_eq!(merge.stdout, b"short\nmuch too\nshort\nand too \n");
    assert_eq!(merge.stderr.matches("a.log: the line that ends at byte 20 is too long").count(), 1);
    assert!(merge.stderr.contains("a.log (2 cut)"), "{}", merge.stderr);
    run(&folder, &["a.log", "--max-line", "0"]).with(2);
}

#[test]
fn flag_watch() {
    let folder = Folder::of([("logs/a.log", "one\n"), ("logs/a.txt", "of another kind\n")]);
    let args = ["--prefix", "path", "--watch", "logs/*.log", "--watch", "*.out"];
    assert_eq!(run(&folder, &args[..4]).out(), "logs/a.log: one\n");
    let merge = follow(&folder, &args);
    until("the first line is there", || folder.read("stdout") == "logs/a.log: one\n");
    folder.append("logs/b.log", "two\n");
    until("a new file joins", || folder.read("stdout").ends_with("logs/b.log: two\n"));
    folder.append("c.out", "three\n");
    until("and one of the other pattern", || folder.read("stdout").ends_with("c.out: three\n"));
    merge.terminate().with(0);
    run(&folder, &["--watch", "logs/[a"]).error(2, &["logs/[a", "pattern"]);
}

#[test]
fn flag_lines() {
    let folder = Folder::of([("a.log", "1\n2\n3\n")]);
    for args in [&["a.log", "-n", "2"], &["a.log", "--lines", "2"]] {
        assert_eq!(run(&folder, args).out(), "2\n3\n");
    }
    assert_eq!(run(&folder, &["a.log", "-n0"]).out(), "");
    run(&folder, &["a.log", "-n", "-1"]).with(2);
    // A file that the checkpoint knows goes on there.
    let args = ["a.log", "-n", "1", "-o", "out", "--checkpoint", "state"];
    run(&folder, &args).with(0);
    folder.append("a.log", "4\n5\n");
    run(&folder, &args).with(0);
    assert_eq!(folder.read("out"), "3\n4\n5\n");
}

#[test]
fn flag_exclude() {
    let folder = Folder::new();
    for name in ["x/a.log", "x/b.log", "x/b-debug.log", "y/a.log"] {
        fs::create_dir_all(folder.path(name).parent().unwrap()).unwrap();
        folder.append(name, &format!("{name}\n"));
    }
    let args = ["--watch", "*/*.log", "--exclude", "*-debug.log", "--exclude", "y/*"];
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let wanted = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(lines(&run(&folder, &args).out()), wanted(&["x/a.log", "x/b.log"]));
    // A file that comes later is left out, too.
    let merge = follow(&folder, &args);
    until("it has begun", || folder.read("stdout").lines().count() == 2);
    folder.append("x/c-debug.log", "x/c-debug.log\n");
    folder.append("x/c.log", "x/c.log\n");
    until("a new file joins", || folder.read("stdout").contains("x/c.log\n"));
    merge.terminate().with(0);
    let merged = lines(&folder.read("stdout"));
    assert_eq!(merged, wanted(&["x/a.log", "x/b.log", "x/c.log"]));
    run(&folder, &["--watch", "*/*", "--exclude", "*"]).error(2, &["no file fits this pattern"]);
    run(&folder, &["--watch", "*/*", "--exclude", "[a"]).error(2, &["\"[a\": this pattern cannot"]);
    run(&folder, &["x/a.log", "--exclude", "*"]).with(2);
}

#[test]
fn flag_files_from() {
    let folder = Folder::of([("a.log", "one\n"), ("list", "a.log\n")]);
    assert_eq!(run(&folder, &["--files-from", "list"]).out(), "one\n");
    // The list is read once.
    let merge = follow(&folder, &["--files-from", "list", "-o", "out"]);
    until("it has begun", || folder.read("out") == "one\n");
    folder.append("b.log", "of another file\n");
    folder.append("list", "b.log\n");
    five_rounds(&folder, "a.log", "out", 0);
    merge.terminate().with(0);
    assert!(!folder.read("out").contains("another"));
    // `sources.rs` has more tests of lists.
}

/// The system tests have a server, and see what the flag does.
#[test]
fn flag_from() {
    let folder = Folder::of([("a.log", "one\n")]);
    let built = cfg!(feature = "nats");
    let how = "build it with `--features nats`";
    let told = run(&folder, &["--from", "nats://h/LOGS", "a.log"]).with(2).stderr;
    assert!(told.contains(if built { "cannot be used with" } else { how }), "{told}");
    let told = run(&folder, &["--output", "nats://h", "a.log"]).with(2).stderr;
    assert!(told.contains(if built { "no name of a stream" } else { how }), "{told}");
}

#[test]
fn flag_retry() {
    let folder = Folder::of([("a.log", "one\n")]);
    assert_eq!(run(&folder, &["--retry", "a.log"]).out(), "one\n");
    // `habits.rs` has the flags of `tail`.
}

#[test]
fn flag_quiet() {
    let folder = Folder::of([("a.log", "one\n")]);
    for quiet in ["-q", "--quiet", "--silent"] {
        assert_eq!(run(&folder, &[quiet, "a.log"]).out(), "one\n");
    }
}

#[test]
fn flag_from_end() {
    let folder = Folder::of([("a.log", "old\n"), ("b.log", "")]);
    let merge = follow(&folder, &["a.log", "b.log", "--from-end"]);
    // Where a file ends is decided before the first line is merged.
    until("it has begun", || {
        folder.append("b.log", "b\n");
        folder.read("stdout").contains("b\n")
    });
    folder.append("a.log", "new\n");
    until("the new line is merged", || folder.read("stdout").contains("new\n"));
    merge.terminate().with(0);
    assert!(!folder.read("stdout").contains("old"));
    run(&folder, &["a.log", "--from-end", "-n", "1"]).with(2);
}

#[test]
fn flag_follow() {
    let folder = Folder::of([("a.log", "one\n")]);
    let merge = follow(&folder, &["a.log", "late.log", "-o", "out"]);
    until("the first line is there", || folder.read("out") == "one\n");
    folder.append("late.log", "two\n");
    until("a file that came late is merged", || folder.read("out") == "one\ntwo\n");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "three\n");
    until("the new file is merged", || folder.read("out") == "one\ntwo\nthree\n");
    File::create(folder.path("a.log")).unwrap();
    folder.append("a.log", "4\n");
    until("and, cut short, from its start", || folder.read("out") == "one\ntwo\nthree\n4\n");
    merge.terminate().with(0);
}

#[test]
fn flag_interval() {
    let folder = Folder::of([("a.log", "first\n")]);
    let args = ["--wake", "poll", "a.log"];
    let slow = follow(&folder, &[&args[..], &["--interval", "1h", "-o", "slow"]].concat());
    let quick = follow(&folder, &[&args[..], &["--interval", "10ms", "-o", "quick"]].concat());
    until("both have begun", || {
        folder.read("slow") == "first\n" && folder.read("quick") == "first\n"
    });
    // The slow one may be about to look for the last time before the hour.
    let mut round = 0;
    until("the slow one lags", || {
        round += 1;
        five_rounds(&folder, "a.log", "quick", round);
        !folder.read("slow").contains(&format!("{round}-0\n"))
    });
    quick.terminate().with(0);
    // The stop wakes the slow one, and it drains.
    slow.terminate().with(0);
    assert_eq!(folder.read("slow"), folder.read("a.log"));
}

#[test]
fn flag_latency() {
    let folder = Folder::of([("a.log", "")]);
    let took = |latency, out| {
        let merge = follow(&folder, &["a.log", "--latency", latency, "-o", out]);
        five_rounds(&folder, "a.log", out, 0);
        let begun = Instant::now();
        five_rounds(&folder, "a.log", out, 1);
        merge.terminate().with(0);
        begun.elapsed()
    };
    // Each line comes right after the one before is merged, so it waits for the latency.
    let latency = Duration::from_millis(200);
    assert!(took("200ms", "gathered") >= latency * 3);
    took("0", "at-once");
}

#[test]
fn flag_wake() {
    let folder = Folder::of([("a.log", "one\n")]);
    // With so long an interval, a merge that polls would not see the second line.
    let args = ["a.log", "-o", "out", "--interval", "1h"];
    let merge = follow(&folder, &[&args[..], &["--wake", "notify"]].concat());
    until("the first line is there", || folder.read("out") == "one\n");
    folder.append("a.log", "two\n");
    until("it is notified", || folder.read("out") == "one\ntwo\n");
    merge.terminate().with(0);
    // `flag_interval` shows what a merge that polls does.
}

#[test]
fn flag_quiet_after() {
    let folder = Folder::of([("a.log", "first\nhalf")]);
    let follow = |time, out| follow(&folder, &["a.log", "--quiet-after", time, "-o", out]);
    let (hasty, patient) = (follow("10ms", "hasty"), follow("1h", "patient"));
    until("both have begun", || {
        folder.read("hasty") == "first\n" && folder.read("patient") == "first\n"
    });
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "next\n");
    until("the hasty one gives the old file up", || folder.read("hasty").contains("half\n"));
    five_rounds(&folder, "a.log", "patient", 0);
    assert!(!folder.read("patient").contains("half"));
    // The old file is still read, so the line gets its rest.
    folder.append("a.log.1", " and half\n");
    until("the line is whole", || folder.read("patient").contains("half and half\n"));
    hasty.terminate().with(0);
    patient.terminate().with(0);
}

#[cfg(target_os = "linux")]
#[test]
fn flag_stage() {
    let folder = Folder::new();
    let logs: Vec<String> = (0..20).map(|n| format!("{n}.log")).collect();
    logs.iter().for_each(|log| folder.append(log, "line\n"));
    // Whether there are: a thread for each source, a loop, a thread that writes.
    for (stage, wanted) in [
        ("threads", (true, false, false)),
        ("mixed", (true, true, false)),
        ("bottom-up", (true, false, false)),
        ("tasks", (false, true, false)),
        ("fully-async", (false, true, true)),
        ("tuned", (false, true, true)),
    ] {
        let out = format!("{stage}.out");
        let logs = logs.iter().map(String::as_str);
        let args: Vec<&str> = logs.chain(["-o", &out, "--stage", stage]).collect();
        let merge = follow(&folder, &args);
        until("all files are merged", || folder.read(&out).lines().count() == 20);
        // A thread gets its name a moment after it has begun.
        until(&format!("{stage} has its threads"), || {
            let tasks = fs::read_dir(format!("/proc/{}/task", merge.child.id())).unwrap();
            let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
            let names: Vec<String> = names.flatten().collect();
            let has = |name: &str| names.iter().any(|other| other.trim() == name);
            (names.len() > 20, has("stall-watch"), has("writer")) == wanted
        });
        merge.terminate().with(0);
        assert_eq!(folder.read(&out), "line\n".repeat(20), "{stage}");
    }
}

#[test]
fn flag_prefix() {
    let folder = Folder::of([("a.log", "one\n"), ("sub/b.log", "two\n")]);
    let merged = |prefix: &str| {
        let merged = run(&folder, &["--prefix", prefix, "a.log", "sub/b.log"]).out();
        let mut lines: Vec<String> = merged.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(merged("none"), ["one", "two"]);
    assert_eq!(merged("name"), ["a.log: one", "b.log: two"]);
    assert_eq!(merged("path"), ["a.log: one", "sub/b.log: two"]);
    assert_eq!(merged("{number}) {name}|"), ["1) a.log|one", "2) b.log|two"]);
    assert_eq!(merged("{folder}/{name} "), ["./a.log one", "sub/b.log two"]);
    // `help.rs` has the other words and the times.
    run(&folder, &["--prefix", "{host}", "a.log"]).with(2);
    // A mistyped word is refused, not put before each line.
    for word in ["filename", "Name", "file_2"] {
        let ended = run(&folder, &["--prefix", word, "a.log"]).with(2);
        let told = "a template has a field, such as {name}, or a text with a separator";
        assert!(ended.stderr.contains(told), "{word}: {}", ended.stderr);
    }
    assert_eq!(merged("x: "), ["x: one", "x: two"]);
    assert_eq!(merged(""), ["one", "two"]);
}

#[test]
fn flag_json() {
    let folder = Folder::of([("a.log", "one\ntwo \"2\"\n")]);
    let merged = run(&folder, &["--json", "a.log"]).out();
    let objects = merged.lines().map(|line| serde_json::from_str(line).unwrap());
    let objects: Vec<serde_json::Value> = objects.collect();
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[1]["line"], "two \"2\"");
    assert_eq!(objects[1]["source"], "a.log");
    assert_eq!(objects[1]["offset"], 4);
    let [utc, local] = ["time", "local_time"].map(|key| objects[0][key].as_str().unwrap());
    assert!(utc.ends_with('Z') && local.get(26..).is_some(), "{utc} {local}");
    run(&folder, &["--json", "--prefix", "name", "a.log"]).with(2);
}

#[test]
fn flag_color() {
    let folder = Folder::of([("a.log", "one\n")]);
    let merged = |when| run(&folder, &["--prefix", "name", "--color", when, "a.log"]).out();
    assert_eq!(merged("never"), "a.log: one\n");
    // There is no terminal here; `terminal.rs` has one.
    assert_eq!(merged("auto"), "a.log: one\n");
    let colored = merged("always");
    assert!(
        colored.starts_with("\x1b[") && colored.ends_with("a.log: \x1b[0mone\n"),
        "{colored:?}"
    );
}

#[test]
fn flag_stats() {
    let folder = Folder::of([("a.log", "one\ntwo\n"), ("b.log", "3\n")]);
    let merge = follow(&folder, &["--stats", "a.log", "b.log", "gone.log"]);
    until("all is merged", || folder.read("stdout").lines().count() == 3);
    let waits = merge.said();
    let rows = |said: &str| -> Vec<Vec<String>> {
        said.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let now = [
        vec!["lines", "bytes", "lag", "source"],
        vec!["2", "8", "0", "a.log"],
        vec!["1", "2", "0", "b.log"],
        vec!["0", "0", "-", "gone.log"],
        vec!["3", "10", "0", "(all)"],
    ];
    merge.signal(Signal::USR1);
    until("it tells", || merge.said().contains("(all)\n"));
    assert_eq!(rows(&merge.said()[waits.len()..]), now);
    folder.append("gone.log", "late\n");
    let ended = merge.terminate().with(0);
    let told = rows(&ended.stderr[waits.len()..]).split_off(now.len());
    assert_eq!(told[3], ["1", "5", "0", "gone.log"]);
    assert_eq!(told[4], ["4", "15", "0", "(all)"]);
    assert_eq!(told[5][..2], ["longest", "stall:"]);

    // For a machine, on one line.
    let merge = follow(&folder, &["--stats=json", "a.log", "b.log"]);
    until("all is merged", || folder.read("stdout").lines().count() == 3);
    merge.signal(Signal::USR1);
    until("it tells", || merge.said().ends_with("}\n"));
    folder.append("a.log", "three\n");
    let said = merge.terminate().with(0).stderr;
    let objects = said.lines().map(|line| serde_json::from_str(line).unwrap());
    let objects: Vec<serde_json::Value> = objects.collect();
    let [now, end] = &objects[..] else { panic!("two lines: {said}") };
    assert_eq!((&now["lines"], &end["lines"]), (&3.into(), &4.into()));
    assert_eq!(["bytes", "lag_bytes", "files"].map(|key| &end[key]), [16, 0, 2]);
    let b = &end["sources"][1];
    assert_eq!(b["source"], "b.log");
    assert_eq!(["lines", "lag_bytes"].map(|key| &b[key]), [1, 0]);
    for key in ["time", "cut_lines", "open_fds", "stalls", "stall_seconds_max"] {
        assert!(end.get(key).is_some(), "{key}: {said}");
    }

    // Without the flag nothing is told at the end, but SIGUSR1 is answered.
    assert_eq!(run(&folder, &["a.log"]).with(0).stderr, "");
    let merge = follow(&folder, &["a.log"]);
    until("it has begun", || !folder.read("stdout").is_empty());
    merge.signal(Signal::USR1);
    until("it tells", || merge.said().contains("(all)\n"));
    assert_eq!(merge.terminate().with(0).stderr.matches("(all)").count(), 1);
    // Also after an error, the merge tells how far it came.
    let ended = run(&folder, &["--stats", "a.log", "-o", "/dev/full"]).with(3);
    assert!(ended.stderr.contains("(all)\n"), "{}", ended.stderr);
}

#[test]
fn flag_metrics() {
    let folder = Folder::of([("a.log", "one\ntwo\n")]);
    assert_eq!(run(&folder, &["a.log", "--metrics", "t.prom"]).out(), "one\ntwo\n");
    assert!(
        folder
            .read("t.prom")
            .contains("tributary_source_lines_total{merge=\"t\",source=\"a.log\"} 2\n")
    );
    // `metrics.rs` has more tests of them.
}

#[test]
fn flag_verbose() {
    let folder = Folder::of([("a.log", "one\n")]);
    let said = |args: &[&str], late: &str| {
        let merge = follow(&folder, &[args, &["--watch", "*.log"]].concat());
        until("it has begun", || folder.read("stdout").contains("one\n"));
        folder.append(late, "late\n");
        until("a new file joins", || folder.read("stdout").contains("late\n"));
        merge.terminate().with(0).stderr
    };
    assert_eq!(said(&[], "b.log"), "");
    fs::remove_file(folder.path("b.log")).unwrap();
    let said = said(&["-v"], "c.log");
    assert!(said.starts_with("info: c.log: joins the merge\n"), "{said}");
}

#[test]
fn flag_debug() {
    let folder = Folder::new();
    let lines = fill(&folder);
    let merge = Blocked::start(&folder, "fifo", &["--debug", "--stage", "tasks"]);
    merge.until_said("`append` of a.log blocks it");
    let (ended, merged) = merge.read();
    let said = ended.with(0).stderr;
    assert!(merged == lines);
    // A busy machine may stall the loop once more, before or after.
    let others = |line: &&str| !line.contains("`append` of a.log blocks it");
    let told: Vec<&str> = said.lines().skip_while(others).take(2).collect();
    let told = told.join("\n");
    // Two lines, with the numbers of this run.
    let [task, so_far, stall] = [", in task ", "not turned for ", "turns again after "]
        .map(|before| told.split(before).nth(1).unwrap().split([' ', ':', '\n']).next().unwrap());
    // On Linux, the line also names the call and its file.
    let [now, then] = if cfg!(target_os = "linux") {
        [": it writes to fifo", ": it wrote to fifo"]
    } else {
        [""; 2]
    };
    let expected = format!(
        "warning: the event loop has not turned for {so_far} ms: \
         `append` of a.log blocks it, in task {task}{now}\n\
         warning: the event loop turns again after {stall} ms: \
         `append` of a.log blocked it, in task {task}{then}"
    );
    assert_eq!(told, expected, "{said}");
    run(&folder, &["a.log", "--debug=5"]).with(2);
}

#[test]
fn a_value_of_a_flag_that_is_taken_for_a_source_is_told() {
    let folder = Folder::of([("a.log", "one\n")]);
    let told = "1s: no such file; the time of --debug needs a `=`: --debug=1s";
    run(&folder, &["--debug", "1s", "a.log"]).error(2, &[told]);
    let merge = follow(&folder, &["--debug", "1s", "a.log"]);
    until("the file is merged", || folder.read("stdout") == "one\n");
    assert!(merge.terminate().with(0).stderr.starts_with(&format!("warning: {told}\n")));
    // The file is there; and without --debug, a time is a name.
    folder.append("1s", "two\n");
    assert_eq!(run(&folder, &["--debug", "1s"]).out(), "two\n");
    run(&folder, &["2s"]).error(2, &["2s: cannot open this source"]);
    // The same with a format.
    let told = "json: no such file; the format of --stats needs a `=`: --stats=json";
    run(&folder, &["--stats", "json", "a.log"]).error(2, &[told]);
    run(&folder, &["--stats=xml", "a.log"]).with(2);
}

#[test]
fn flag_help() {
    let folder = Folder::new();
    let long = run(&folder, &["--help"]).out();
    let short = run(&folder, &["-h"]).out();
    assert!(long.len() > short.len(), "{short}");
    for help in [&long, &short] {
        assert!(help.contains("Usage: tributary [OPTIONS] <IN>..."), "{help}");
        assert!(help.contains("130"), "the exit codes are told: {help}");
        // What is typed every day comes before what is seldom needed.
        let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}: {help}"));
        let order = ["-F, --follow", "--prefix", "Output and checkpoint:", "--checkpoint <FILE>"];
        let order = [&order[..], &["Tuning:", "--interval", "Stages and debugging:", "--stage"]];
        assert!(order.concat().is_sorted_by_key(|text| place(text)), "{help}");
    }
    // A brace in a help text may be taken for a placeholder of the help itself.
    for field in ["{name}", "{path}", "{folder}", "{number}", "{time}", "{local_time}"] {
        assert!(long.contains(field), "{long}");
    }
}

#[test]
fn flag_version() {
    let version = run(&Folder::new(), &["--version"]).out();
    assert_eq!(version, format!("tributary {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_terminal_or_a_file_may_be_stdout() {
    let folder = Folder::of([("a.log", "one\n")]);
    let stdout = File::create(folder.path("stdout")).unwrap();
    let merge = Running::start(&folder, tributary(&folder, &["a.log"]).stdout(stdout));
    merge.end().with(0);
    assert_eq!(folder.read("stdout"), "one\n");
    let merge = tributary(&folder, &["a.log"]).stdout(Stdio::null()).status().unwrap();
    assert!(merge.success());
}
