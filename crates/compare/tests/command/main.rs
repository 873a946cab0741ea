//! The command as a person types it: results, errors, exit codes.

mod common;
mod conform;
mod places;
mod signals;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use stages::STAGES;

use common::{
    assert_refused, compare, compare_after, json, list, printed, run, run_in, shown,
    some_instances, two_logs,
};

#[test]
fn every_stage_gets_a_right_row_on_every_workload() {
    let _instances = some_instances();
    let folder = tempfile::tempdir().unwrap();
    let sizes = ["--sources=3", "--bytes=20000", "--duration=0.1", "--runs=2"];
    let wanted = ["--workload=all", "--json=result"];
    let said = printed(run_in(&folder, &[&wanted[..], &sizes].concat()), 0);
    assert!(!said.contains('\u{1b}'), "colours on a pipe: {said:?}");
    let is_sentence =
        |line: &str| ["warning", "seen", "page"].iter().any(|it| line.starts_with(it));
    let fits = |line: &str| is_sentence(line) || line.chars().count() <= 100;
    assert!(said.lines().all(fits), "{said}");

    let result = json(&folder.path().join("result"));
    assert_eq!(result["interrupted"], false);
    for part in ["lanes", "growth", "verdicts"] {
        assert!(list(&result[part]).is_empty(), "a workload alone was asked for");
    }
    let [backlog, live, slow, many, idle] = &list(&result["workloads"]) else { panic!("{result}") };
    // `cat` runs on the backlog alone.
    for (workload, others) in [(backlog, 1), (live, 0), (slow, 0), (many, 0), (idle, 0)] {
        assert_eq!(list(&workload["rows"]).len(), STAGES.len() + others, "{workload}");
        for row in list(&workload["rows"]) {
            assert!(row.get("wrong").is_none(), "{row}");
            let has_memory = row["peak_memory_bytes"].as_u64() > Some(0);
            assert!(has_memory || row["stage"] == "cat" || cfg!(not(target_os = "linux")), "{row}");
        }
    }
    for row in list(&backlog["rows"]) {
        assert_eq!(list(&row["time_seconds"]["runs"]).len(), 2, "{row}");
    }
    // 3 files of 100 lines a second, for a tenth of a second.
    assert!(list(&live["rows"]).iter().all(|row| row["lines"] == 30), "{live}");
    let [_, threads, _, bottom_up, ..] = list(&backlog["rows"]) else { panic!("{backlog}") };
    for stage in [threads, bottom_up] {
        assert!(stage["longest_stall_seconds"].is_null(), "it has no loop: {stage}");
    }
    if cfg!(target_os = "linux") {
        for row in list(&idle["rows"]) {
            assert!(row["rest_wakeups_per_second"].is_number(), "{row}");
            assert!(row["rest_cpu_seconds_per_second"].is_number(), "{row}");
        }
        // Three reading threads, one of which may end before another begins, and the
        // thread that starts them.
        let most = threads["peak_threads"].as_u64();
        assert!(most >= Some(2) && most <= Some(4), "{threads}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_stdout_that_is_full_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = compare().args(["diff", "1"]).stdout(full).output().unwrap();
    assert_refused(&output, "stdout", "No space left on device");
}

/// The tests of `teacher` hold what a learner is told.
#[test]
fn a_step_of_the_learner_ends_with_the_exit_codes_of_its_help() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("begun");
    let ended = |typed: &[&str], code| {
        // Uses what the tests have built.
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut command = compare();
        command.args(typed).args(["--folder", shown(&folder)]).env("CARGO_TARGET_DIR", built);
        printed(command.output().unwrap(), code)
    };
    ended(&["your-turn", "2", "--force"], 0);
    fs::write(folder.join("src/lib.rs"), "half a line").unwrap();
    assert!(ended(&["check-mine"], 1).contains("It does not compile"));
    assert!(ended(&["solution", "2"], 0).starts_with("yours → stage2-mixed"));
    ended(&["your-turn", "3"], 2);
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
        printed(run(typed), 2);
    }
    assert_refused(&run(&["--"]), "no file follows `--`", "name at least one or leave `--` out");
    printed(run(&["--help"]), 0);
}

#[test]
fn the_diff_of_each_stage_shows_its_predecessors() {
    for stage in STAGES {
        let (name, follows) = (stage.name, stage.said().follows);
        let mut heads: Vec<_> = follows.iter().map(|from| format!("{from} → {name}")).collect();
        if heads.is_empty() {
            heads.push(format!("{name} has no predecessor"));
        }
        let said = printed(run(&["diff", name]), 0);
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
    // No file may grow beyond one or two megabytes. That is enough for the page, but
    // neither `cat` nor a stage can finish.
    let mut command = compare_after("ulimit -f 2048");
    let output = command.args(["--stages=1,5", "--json"]).args([&result, &source]).output();
    let said = printed(output.unwrap(), 1);
    assert!(said.contains("stage5-fully-async  wrong: "), "{said}");
    assert!(said.contains("wrong: stage1-threads on files"), "{said}");
    for row in list(&json(&result)["workloads"][0]["rows"]) {
        assert!(row["wrong"].is_string() && row.get("time_seconds").is_none(), "{row}");
    }
}

#[test]
fn a_whole_run_has_lanes_growth_and_laws_and_names_its_page() {
    let _instances = some_instances();
    let folder = tempfile::tempdir().unwrap();
    let [result, page, trace, figures, keep] =
        ["result.json", "page.html", "trace", "fig", "keep"].map(|name| folder.path().join(name));
    let sizes = ["--quick", "--stages=1,4", "--sources=3", "--bytes=20000", "--duration=0.2"];
    let places = ["--json", shown(&result), "--html", shown(&page), "--trace", shown(&trace)];
    let folders = ["--figures", shown(&figures), "--keep", shown(&keep)];
    let typed = [&sizes[..], &places, &folders].concat();
    let said = printed(run(&typed), 0);
    let mut kept: Vec<_> =
        fs::read_dir(&keep).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["backlog", "growth", "lanes", "live", "slow-output"]);
    assert_eq!(said.lines().last(), Some(&*format!("page: {}", page.display())), "{said}");
    assert!(fs::read_to_string(&page).unwrap().contains("stage4-tasks"));

    let result = json(&result);
    assert_eq!(result["command"], format!("cargo compare {}", typed.join(" ")));
    assert_eq!((&result["schema"], &result["interrupted"]), (&1.into(), &false.into()));
    let of = |part: &str| list(&result[part]).to_vec();
    let names = |part: &str| of(part).iter().map(|it| it["stage"].clone()).collect::<Vec<_>>();
    assert_eq!(names("lanes"), ["stage1-threads", "stage4-tasks"]);
    assert_eq!(names("verdicts"), ["stage1-threads", "stage4-tasks"]);
    let growth: Vec<_> = of("growth").iter().map(|it| it["sources"].clone()).collect();
    assert_eq!(growth, [8, 64, 8, 64]);
    if cfg!(target_os = "linux") {
        // Stage 1 has a thread for each source until the end; stage 4 has as many for
        // 64 sources as for eight.
        let threads: Vec<_> = of("growth").iter().map(|it| it["threads"].as_u64()).collect();
        assert_eq!(threads[1], threads[0].map(|few| few + 56), "{threads:?}");
        assert!(threads[0] >= Some(8) && threads[3] < Some(10), "{threads:?}");
    }

    // The pictures show who waits, and whose loop stands still. The test takes the
    // operations, since a stall is seen only if the watch gets a core. The reader
    // pauses for 150 ms.
    let long = |segment: &&Value| {
        segment["end"].as_f64().unwrap() - segment["begin"].as_f64().unwrap() > 0.05
    };
    let is = |kind: &'static str| move |segment: &&Value| segment["kind"] == kind;
    let [threads, tasks] = &list(&result["lanes"]) else { panic!("two stages") };
    let segments = list(&threads["lanes"]).iter().flat_map(|lane| list(&lane["segments"]));
    let waits = segments.filter(is("wait_for_lock")).filter(long).count();
    assert!(waits > 1, "all the others wait for the lock: {threads}");
    let the_loop = list(&tasks["lanes"]).iter().find(|lane| lane["role"] == "loop");
    let segments = list(&the_loop.expect("stage 4 has one")["segments"]);
    assert!(segments.iter().filter(is("write")).any(|it| long(&it)), "it writes: {segments:?}");

    let [threads, tasks] = &list(&result["verdicts"]) else { panic!("two stages") };
    assert!(list(&threads["laws"]).iter().all(|law| law["outcome"] == "held"), "{threads}");
    let broken = list(&tasks["laws"]).iter().filter(|law| law["outcome"] == "broken_as_declared");
    assert_eq!(broken.count(), 1, "{tasks}");
    let limit = "limit: stage4-tasks breaks an_idle_source_is_looked_at_while_the_output_blocks: ";
    assert!(said.contains(&format!("{limit}append runs on the loop")), "{said}");
    for stage in ["stage1-threads", "stage4-tasks"] {
        let trace = json(&trace.join(format!("{stage}.json")));
        assert!(!list(&trace["traceEvents"]).is_empty());
        let figure = fs::read_to_string(figures.join(format!("lanes-{stage}.md"))).unwrap();
        assert!(figure.contains(&format!("src=\"fig/lanes-{stage}.svg\"")), "{figure}");
        let picture = fs::read_to_string(figures.join(format!("lanes-{stage}.svg"))).unwrap();
        assert!(picture.starts_with("<svg "), "{picture:.60}");
    }
    let tables = fs::read_to_string(figures.join("tables.txt")).unwrap();
    for name in ["head", "backlog", "live", "slow-output", "growth"] {
        let (_, rest) = tables.split_once(&format!("// ANCHOR: {name}\n")).unwrap();
        let (table, _) = rest.split_once(&format!("// ANCHOR_END: {name}\n")).unwrap();
        assert!(table.lines().count() > 1 && !table.contains('\u{1b}'), "{table}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn tail_runs_beside_the_stages_and_may_tear_lines() {
    let _instances = some_instances();
    let folder = tempfile::tempdir().unwrap();
    let run = |sizes: &[&str]| {
        let wanted = ["--against=cat,tail", "--stages=5", "--json=result", "--force"];
        let said = printed(run_in(&folder, &[&wanted[..], sizes].concat()), 0);
        let result = json(&folder.path().join("result"));
        let [table] = list(&result["workloads"]) else { panic!("{result}") };
        let [tail, stage] = list(&table["rows"]) else { panic!("{table}") };
        assert_eq!(stage["stage"], "stage5-fully-async");
        assert!(stage.get("wrong").is_none(), "{stage}");
        (said, tail.clone(), stage.clone())
    };
    let (said, tail, _) = run(&["--workload=live", "--sources=20", "--duration=1"]);
    let not_run = "live: cat was not run, since it ends at the end of each file";
    assert!(said.contains(not_run), "{said}");
    assert!(said.contains("On live, the output of tail was wrong ("), "{said}");
    assert!(tail["wrong"].as_str().unwrap().contains(" torn"), "{tail}");
    // Even a line of one write may be read in halves, where it crosses a page. With one
    // file, no other line comes between.
    let (_, tail, stage) = run(&["--workload=slow-output", "--sources=1", "--duration=0.5"]);
    assert_eq!(tail["lines"], stage["lines"], "{tail}");
    assert_eq!(tail["peak_threads"], 1, "{tail}");
}

#[test]
fn cat_is_checked_when_it_is_asked_for() {
    let folder = two_logs();
    let wanted = ["--against=cat,tail", "--stages=1", "--runs=1", "--json=result"];
    let said = printed(run_in(&folder, &[&wanted[..], &["a.log", "b.log"]].concat()), 0);
    assert!(said.contains("files: tail was not run, since it follows files"), "{said}");
    let rows = json(&folder.path().join("result"))["workloads"][0]["rows"].clone();
    // The last line of a.log has no newline, so `cat` glues the next one to it.
    assert!(rows[0]["wrong"].as_str().unwrap().contains("glued"), "{rows}");
    assert_eq!(rows[1]["ratio_to_cat"], Value::Null, "{rows}");
}

#[test]
fn a_program_that_is_missing_or_none_is_named() {
    let folder = two_logs();
    let with_path = |typed: &[&str]| {
        let mut command = compare();
        command.args(typed).current_dir(&folder).env("PATH", folder.path()).output().unwrap()
    };
    assert_refused(&with_path(&["--against=tail"]), "tail", "no such program on the PATH");
    let cat = folder.path().join("cat");
    fs::write(&cat, "\u{7f}ELF, and nothing that could be run").unwrap();
    fs::set_permissions(&cat, fs::Permissions::from_mode(0o755)).unwrap();
    let advice = "cannot start cat, check what the PATH has by this name: ";
    assert_refused(&with_path(&["a.log"]), advice, "");
}

#[test]
fn a_law_is_tried_in_a_process_that_was_made_for_it() {
    let tried = |stage: &str, law: &str| -> Value {
        let mut command = compare();
        command.args(["law", stage, law, "--within=20"]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        // The child ends when its stdin is closed.
        let stdin = child.stdin.take();
        let said = printed(child.wait_with_output().unwrap(), 0);
        drop(stdin);
        serde_json::from_str(&said).unwrap()
    };
    // This law needs a process of its own, and has it.
    let alone = "two_thousand_sources_and_a_blocked_output_stay_under_96_mib";
    assert_eq!(tried("5", alone), Value::Null);
    let said = tried("4", "an_idle_source_is_looked_at_while_the_output_blocks");
    assert!(said.as_str().unwrap().contains("was not looked at"), "{said}");
}
