//! The command as a person types it: results, errors, exit codes.

mod common;
mod places;
mod signals;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;
use stages::STAGES;

use common::{assert_refused, compare, json, run, shown, two_logs};

#[test]
fn every_stage_gets_a_right_row_on_every_workload() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.json");
    let workloads = ["--workload", "all"];
    let sizes = ["--sources=3", "--bytes=20000", "--duration=0.1", "--runs=2", "--json"];
    let output = compare().args(workloads).args(sizes).arg(&result).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains('\u{1b}'), "colours on a pipe: {said:?}");
    assert!(
        said.lines().all(|line| ["warning", "seen", "page"].iter().any(|it| line.starts_with(it))
            || line.chars().count() <= 100),
        "{said}"
    );

    let result = json(&result);
    assert_eq!(result["interrupted"], false);
    let workloads = result["workloads"].as_array().unwrap();
    let rows_of = |workload: &Value| workload["rows"].as_array().unwrap().clone();
    let rows: Vec<_> = workloads.iter().map(|workload| rows_of(workload).len()).collect();
    assert_eq!(rows, [6, 5, 5, 5, 5]);
    for workload in workloads {
        for row in rows_of(workload) {
            assert!(row.get("wrong").is_none(), "{row}");
            if cfg!(target_os = "linux") && row["stage"] != "cat" {
                assert!(row["peak_memory_bytes"].as_u64() > Some(0), "{row}");
            }
        }
    }
    for part in ["lanes", "growth", "verdicts"] {
        assert_eq!(result[part], Value::Array(vec![]), "a workload alone was asked for");
    }
    let idle = rows_of(&workloads[4]);
    for row in idle.iter().filter(|_| cfg!(target_os = "linux")) {
        assert!(row["rest_wakeups_per_second"].is_number(), "{row}");
        assert!(row["rest_cpu_seconds_per_second"].is_number(), "{row}");
    }
    // Three threads that read, of which one may end before another begins, and
    // the one that starts them: counted in runs of milliseconds, too.
    let backlog = rows_of(&workloads[0]);
    if cfg!(target_os = "linux") {
        let threads = backlog[1]["peak_threads"].as_u64();
        assert!(threads >= Some(2) && threads <= Some(4), "{}", backlog[1]);
    }
    let live = rows_of(&workloads[1]);
    // 3 files of 100 lines a second, for a tenth of a second.
    assert!(live.iter().all(|row| row["lines"] == 30), "{live:?}");
    let backlog = rows_of(&workloads[0]);
    assert!(backlog.iter().all(|row| row["time_seconds"]["runs"].as_array().unwrap().len() == 2));
    // Stages 1 and 3 have no loop that a stall could be measured on.
    assert!(
        backlog[1]["longest_stall_seconds"].is_null()
            && backlog[3]["longest_stall_seconds"].is_null()
    );
}

#[test]
fn files_of_ones_own_are_merged_and_kept() {
    let folder = two_logs();
    let keep = folder.path().join("keep");
    let output = compare()
        .current_dir(folder.path())
        .args(["--stages", "1,tasks", "--keep", "keep", "--", "a.log", "b.log"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("files: 2 files of your own, 28 bytes, 3 runs"), "{said}");
    for stage in ["stage1-threads", "stage4-tasks"] {
        let merged = keep.join("files").join(format!("merged-by-{stage}.log"));
        assert_eq!(fs::read(merged).unwrap().len(), 29, "{stage}");
    }
    // The sources are as they were.
    assert_eq!(fs::read(folder.path().join("a.log")).unwrap(), b"one\ntwo\nthree");
}

#[test]
fn a_file_that_is_named_twice_or_through_a_link_is_one_source() {
    let folder = two_logs();
    let (a, linked, hard) = (
        folder.path().join("a.log"),
        folder.path().join("link.log"),
        folder.path().join("hard.log"),
    );
    symlink(&a, &linked).unwrap();
    fs::hard_link(&a, &hard).unwrap();
    let paths = [&a, &a, &linked, &hard].map(|path| shown(path));
    let output = run(&[&["--stages=1", "--runs=1"], &paths[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("1 file of your own, 13 bytes"), "{said}");
}

#[test]
fn what_is_no_readable_log_file_is_refused_by_name() {
    let folder = two_logs();
    let missing = folder.path().join("missing.log");
    assert_refused(&run(&[shown(&missing)]), shown(&missing), "no such file");
    assert_refused(&run(&[shown(folder.path())]), shown(folder.path()), "this is a directory");
    assert_refused(&run(&["/dev/null"]), "/dev/null", "this is a device");
    let fifo = folder.path().join("fifo");
    workload::make_fifo(&fifo).unwrap();
    assert_refused(&run(&[shown(&fifo)]), shown(&fifo), "this is a pipe");
}

#[test]
fn an_unreadable_file_is_refused_by_name() {
    let folder = two_logs();
    let secret = folder.path().join("a.log");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Root may read everything, so for root the command runs as nobody, from a
    // place where nobody may start it. A process of its own copies it there: a
    // descriptor of this one, open for writing, would go along to the children
    // that other tests start, and what somebody writes cannot be started.
    let binary = folder.path().join("compare");
    let mut command = compare();
    if fs::File::open(&secret).is_ok() {
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_compare")).arg(&binary);
        assert!(copy.status().unwrap().success());
        command = Command::new(&binary);
        command.uid(65534).gid(65534);
    }
    let output = command.arg(&secret).current_dir("/").output();
    let output = output.expect("TMPDIR is a place where everybody may start a program");
    assert_refused(&output, shown(&secret), "permission denied");
}

#[test]
fn an_output_that_is_a_source_is_refused_and_the_source_left_alone() {
    let folder = two_logs();
    let source = folder.path().join("a.log");
    let keep = folder.path().join("keep");
    fs::create_dir_all(keep.join("files")).unwrap();
    let merged = keep.join("files/merged-by-stage1-threads.log");
    let keep = ["--keep", shown(&keep)];

    for how in ["soft", "hard", "itself"] {
        let named = match how {
            "soft" => symlink(&source, &merged).map(|()| &source),
            "hard" => fs::hard_link(&source, &merged).map(|()| &source),
            _ => fs::copy(&source, &merged).map(|_| &merged),
        };
        let output = run(&[&keep[..], &[shown(named.unwrap())]].concat());
        assert_refused(&output, shown(&merged), "the output is also a source");
        assert_eq!(fs::read(&merged).unwrap(), b"one\ntwo\nthree", "{how}");
        fs::remove_file(&merged).unwrap();
    }
}

#[test]
fn a_stage_whose_output_is_a_source_says_so() {
    let folder = two_logs();
    let (a, link) = (folder.path().join("a.log"), folder.path().join("link.log"));
    symlink(&a, &link).unwrap();
    for output in [&a, &link] {
        let output_is = ["stage", "1", "--output", shown(output)];
        let output_of = run(&[&output_is[..], &[shown(&a)]].concat());
        assert_refused(&output_of, shown(output), "the output is also a source");
    }
    assert_eq!(fs::read(&a).unwrap(), b"one\ntwo\nthree");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_of_every_stage() {
    let folder = two_logs();
    let source = folder.path().join("a.log");
    for stage in STAGES {
        let output = run(&["stage", stage.name, "--output", "/dev/full", shown(&source)]);
        assert_refused(&output, "/dev/full", "No space left on device");
    }
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = compare().args(["diff", "1"]).stdout(full).output().unwrap();
    assert_refused(&output, "stdout", "No space left on device");
}

#[test]
fn a_missing_folder_is_refused_by_name() {
    let folder = two_logs();
    let source = folder.path().join("a.log");
    let missing = folder.path().join("missing/folder");
    let output = run(&["--keep", shown(&missing), shown(&source)]);
    assert_refused(&output, shown(&missing), "No such file or directory");
    let file = missing.join("result");
    for option in ["--json", "--html"] {
        let output = run(&[option, shown(&file), shown(&source)]);
        assert_refused(&output, shown(&file), "No such file or directory");
    }
    let merged = missing.join("merged.log");
    let output = run(&["stage", "1", "--output", shown(&merged), shown(&source)]);
    assert_refused(&output, shown(&merged), "No such file or directory");
    let output = compare().env("TMPDIR", &missing).arg(&source).output().unwrap();
    assert_refused(&output, shown(&missing), "TMPDIR");
}

#[test]
fn no_file_after_the_dashes_is_a_mistake() {
    let output = run(&["--"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said, "error: no file follows `--`, name at least one or leave `--` out\n");
}

#[test]
fn what_cannot_be_meant_is_a_mistake() {
    for typed in [
        &["--stages", "0"][..],
        &["--workload", "nothing"],
        &["--runs", "0"],
        &["--workload", "live", "a.log"],
        &["diff"],
        &["diff", "0"],
    ] {
        let output = run(typed);
        assert_eq!(output.status.code(), Some(2), "{typed:?}");
    }
    assert_eq!(run(&["--help"]).status.code(), Some(0));
}

#[test]
fn the_diff_of_each_stage_shows_its_predecessors() {
    for stage in STAGES {
        let (name, follows) = (stage.name, stage.said().follows);
        let mut heads: Vec<_> = follows.iter().map(|from| format!("{from} → {name}")).collect();
        if heads.is_empty() {
            heads.push(format!("{name} has no predecessor"));
        }
        let output = run(&["diff", name]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(!said.contains('\u{1b}'), "colours on a pipe: {said:?}");
        for head in heads {
            assert!(said.contains(&head), "{head}: {said}");
        }
        assert!(!said.contains("\n+//!") && !said.contains("ANCHOR"), "{said}");
    }
}

#[test]
fn a_stage_that_fails_has_a_row_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (source, result) = (folder.path().join("a.log"), folder.path().join("result.json"));
    fs::write(&source, "a line\n".repeat(1_000_000)).unwrap();
    // No file may grow beyond a megabyte or two, which is enough for the page,
    // so neither cat nor a stage can end well.
    let limited = "ulimit -f 2048 && exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
        .args(["-c", limited, env!("CARGO_BIN_EXE_compare"), "--stages=1,5", "--json"])
        .args([&result, &source])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stage5-fully-async  wrong: "), "{said}");
    assert!(said.contains("wrong: stage1-threads on files"), "{said}");
    let rows = json(&result)["workloads"][0]["rows"].clone();
    for row in rows.as_array().unwrap() {
        assert!(row["wrong"].is_string() && row.get("time_seconds").is_none(), "{row}");
    }
}

#[test]
fn a_whole_run_has_lanes_growth_and_laws_and_names_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let [result, page, trace, keep] =
        ["result.json", "page.html", "trace", "keep"].map(|name| folder.path().join(name));
    // Of somebody who keeps the merged files beside files of his own.
    let own = ["growth", "lanes/stage1-threads"].map(|name| keep.join(name).join("own.txt"));
    for own in &own {
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        fs::write(own, "").unwrap();
    }
    let sizes = ["--quick", "--stages=1,4", "--sources=3", "--bytes=20000", "--duration=0.2"];
    let output = compare()
        .args(sizes)
        .args(["--json", shown(&result), "--html", shown(&page), "--trace", shown(&trace)])
        .args(["--keep", shown(&keep)])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(own.iter().all(|own| own.exists()), "a file is gone that was there before");
    let mut kept: Vec<_> =
        fs::read_dir(&keep).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["backlog", "growth", "lanes", "live", "slow-output"]);
    assert_eq!(said.lines().last(), Some(&*format!("page: {}", page.display())), "{said}");
    assert!(fs::read_to_string(&page).unwrap().contains("stage4-tasks"));

    let result = json(&result);
    let typed = format!("cargo compare {} --json", sizes.join(" "));
    assert!(result["command"].as_str().unwrap().starts_with(&typed), "{}", result["command"]);
    assert_eq!((&result["schema"], &result["interrupted"]), (&1.into(), &false.into()));
    let of = |part: &str| result[part].as_array().unwrap().clone();
    let names = |part: &str| of(part).iter().map(|it| it["stage"].clone()).collect::<Vec<_>>();
    assert_eq!(names("lanes"), ["stage1-threads", "stage4-tasks"]);
    assert_eq!(names("verdicts"), ["stage1-threads", "stage4-tasks"]);
    let growth: Vec<_> = of("growth").iter().map(|it| it["sources"].clone()).collect();
    assert_eq!(growth, [8, 64, 8, 64]);
    if cfg!(target_os = "linux") {
        // A thread a source, which all live until the end; and stage 4 has as
        // many for 64 sources as for eight.
        let threads: Vec<_> = of("growth").iter().map(|it| it["threads"].as_u64()).collect();
        assert_eq!(threads[1], threads[0].map(|few| few + 56), "{threads:?}");
        assert!(threads[0] >= Some(8) && threads[3] < Some(10), "{threads:?}");
    }

    // What the pictures are there for: who waits, and whose loop stands still.
    let of_lanes = |stage: usize, list: &str| -> Vec<Value> {
        let lanes = of("lanes")[stage]["lanes"].as_array().unwrap().clone();
        lanes.iter().flat_map(|lane| lane[list].as_array().unwrap().clone()).collect()
    };
    // By the operations, which need no watch to have a core: the reader pauses
    // for 150 ms.
    let long = |segment: &&Value| {
        segment["end"].as_f64().unwrap() - segment["begin"].as_f64().unwrap() > 0.05
    };
    let is = |kind: &'static str| move |segment: &&Value| segment["kind"] == kind;
    let segments = of_lanes(0, "segments");
    let waits = segments.iter().filter(is("wait_for_lock")).filter(long).count();
    assert!(waits > 1, "all the others wait for the lock: {segments:?}");
    let lanes = of("lanes")[1]["lanes"].as_array().unwrap().clone();
    let the_loop = lanes.iter().find(|lane| lane["role"] == "loop").expect("stage 4 has one");
    let segments = the_loop["segments"].as_array().unwrap();
    assert!(segments.iter().filter(is("write")).any(|it| long(&it)), "it writes: {segments:?}");

    let tried = |stage: usize| of("verdicts")[stage]["laws"].as_array().unwrap().clone();
    assert!(tried(0).iter().all(|law| law["outcome"] == "held"), "{:?}", tried(0));
    let broken = tried(1).into_iter().filter(|law| law["outcome"] == "broken_as_declared");
    assert_eq!(broken.count(), 1);
    for stage in ["stage1-threads", "stage4-tasks"] {
        let trace = json(&trace.join(format!("{stage}.json")));
        assert!(!trace["traceEvents"].as_array().unwrap().is_empty());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn tail_runs_beside_the_stages_and_may_tear_lines() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.json");
    let output = compare()
        .args(["--workload=live,slow-output", "--against=cat,tail", "--stages=5"])
        .args(["--sources=20", "--duration=0.5", "--json", shown(&result)])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("live: cat was not run, since it ends at the end of each file"),
        "{said}"
    );
    assert!(said.contains("On live, the output of tail was wrong ("), "{said}");
    let rows = json(&result)["workloads"].clone();
    let [tail, stage] = [0, 1].map(|at| rows[0]["rows"][at].clone());
    assert!(tail["wrong"].as_str().unwrap().contains(" torn"), "{tail}");
    assert_eq!(stage["stage"], "stage5-fully-async");
    assert!(stage.get("wrong").is_none(), "{stage}");
    // Its lines are in one piece, and tail writes one after the other.
    let tail = &rows[1]["rows"][0];
    assert_eq!(tail["lines"], rows[1]["rows"][1]["lines"], "{tail}");
    assert_eq!(tail["peak_threads"], 1, "{tail}");
}

#[test]
fn cat_is_checked_when_it_is_asked_for() {
    let folder = two_logs();
    let result = folder.path().join("result.json");
    let files = ["a.log", "b.log"].map(|name| folder.path().join(name));
    let output = compare()
        .args(["--against=cat,tail", "--stages=1", "--runs=1", "--json", shown(&result)])
        .args(&files)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // The last line of a.log has no newline, so cat glues the next one to it.
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("files: tail was not run, since it follows files"), "{said}");
    let rows = json(&result)["workloads"][0]["rows"].clone();
    assert!(rows[0]["wrong"].as_str().unwrap().contains("glued"), "{rows}");
    assert_eq!(rows[1]["ratio_to_cat"], Value::Null, "{rows}");
}

#[test]
fn a_program_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = compare().args(["--against=tail"]).env("PATH", folder.path()).output().unwrap();
    assert_refused(&output, "tail", "no such program on the PATH");
}

#[test]
fn a_program_that_is_none_is_named() {
    let folder = two_logs();
    let cat = folder.path().join("cat");
    fs::write(&cat, "\u{7f}ELF, and nothing that could be run").unwrap();
    fs::set_permissions(&cat, fs::Permissions::from_mode(0o755)).unwrap();
    let output = compare().arg(folder.path().join("a.log")).env("PATH", folder.path()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let advice = "error: cannot start cat, check what the PATH has by this name: ";
    assert!(said.starts_with(advice), "{said}");
}

#[test]
fn a_law_is_tried_in_a_process_that_was_made_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let verdict = folder.path().join("verdict");
    let tried = |stage: &str, law: &str| {
        let output = run(&["law", stage, law, "--within=20", "--verdict", shown(&verdict)]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        json(&verdict)
    };
    // This one needs a process of its own, and has it.
    let alone = "two_thousand_sources_and_a_blocked_output_stay_under_96_mib";
    assert_eq!(tried("5", alone), "Held");
    let said = tried("4", "an_idle_source_is_looked_at_while_the_output_blocks");
    assert!(said["Broken"].as_str().unwrap().contains("was not looked at"), "{said}");
}
