//! Metrics in a file: what they say, and that nobody sees half of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use rustix::process::Signal;
use testkit::{Folder, Running, make_fifo, until};

use crate::blocked::{Blocked, fill};
use crate::exposition::Exposition;
use crate::process::{follow, run, start};

fn metrics(folder: &Folder) -> Exposition {
    Exposition::read(&folder.read("t.prom"))
}

/// Has the metrics written anew until `is_so` holds; returns them.
#[track_caller]
fn told_until(folder: &Folder, merge: &Running, is_so: impl Fn(&Exposition) -> bool) -> Exposition {
    until("the first metrics are there", || folder.path("t.prom").exists());
    until("the metrics say so", || {
        merge.signal(Signal::USR1);
        is_so(&metrics(folder))
    });
    metrics(folder)
}

#[test]
fn the_metrics_follow_the_merge() {
    let folder = Folder::of([("a.log", "one\ntwo\n"), ("b.log", "much too long\nhalf")]);
    let args = ["a.log", "b.log", "gone.log", "--max-line", "8", "--prefix", "name", "-o", "out"];
    let args = [&args[..], &["--checkpoint", "state", "--metrics", "t.prom"]].concat();
    let merge = follow(&folder, &args);
    // By then, the half line has been read, too.
    let first = told_until(&folder, &merge, |it| {
        let lags = it.sources("tributary_source_lag_bytes");
        it.value("tributary_lines_total") == 3.0 && lags.values().all(|lag| *lag == 0.0)
    });
    assert_eq!(first.merge, "t");
    assert_eq!(first.value("tributary_bytes_total"), 8.0 + 14.0);
    assert_eq!(first.value("tributary_cut_lines_total"), 1.0);
    let of = |name| -> Vec<(&str, f64)> {
        first.sources(&format!("tributary_source_{name}")).into_iter().collect()
    };
    assert_eq!(of("lines_total"), [("a.log", 2.0), ("b.log", 1.0), ("gone.log", 0.0)]);
    assert_eq!(of("bytes_total"), [("a.log", 8.0), ("b.log", 14.0), ("gone.log", 0.0)]);
    assert_eq!(of("cut_lines_total"), [("a.log", 0.0), ("b.log", 1.0), ("gone.log", 0.0)]);
    // Nobody knows the lag of a file that is not there.
    assert_eq!(of("lag_bytes"), [("a.log", 0.0), ("b.log", 0.0)]);
    assert_eq!(of("lag_seconds"), [("a.log", 0.0), ("b.log", 0.0), ("gone.log", 0.0)]);
    assert_eq!(first.value("tributary_files"), 2.0);
    assert!(first.value("tributary_start_time_seconds") > 1.6e9);
    let saved = fs::metadata(folder.path("state")).unwrap().mtime() as f64;
    assert!(first.value("tributary_checkpoint_last_success_timestamp_seconds") <= saved + 1.0);

    folder.append("gone.log", "late\n");
    told_until(&folder, &merge, |it| it.sources("tributary_source_lines_total")["gone.log"] == 1.0);
    merge.terminate().with(0);
    // With the half line, which the stop has ended.
    let last = metrics(&folder);
    assert_eq!(last.value("tributary_lines_total"), 4.0);
    let began = "tributary_start_time_seconds";
    assert_eq!(last.value(began), first.value(began));
}

#[test]
fn a_path_of_any_bytes_is_a_label() {
    let folder = Folder::new();
    let odd = "a \"b\"\\n\nc{source=\"x\"} 1 ü.log";
    let names = [odd.as_bytes(), b"\xff.log", b"\xfe.log"].map(OsStr::from_bytes);
    for name in names {
        fs::write(folder.folder().join(name), "line\n").unwrap();
    }
    let mut args: Vec<OsString> = names.iter().map(OsString::from).collect();
    args.extend(["--metrics", "t.prom", "-o", "out"].map(OsString::from));
    run(&folder, &args).with(0);
    // Two paths that look the same are one series.
    let lines = metrics(&folder);
    let lines = lines.sources("tributary_source_lines_total");
    assert_eq!(lines, BTreeMap::from([(odd, 1.0), ("\u{fffd}.log", 2.0)]));
}

#[test]
fn a_source_that_is_gone_has_no_series_and_its_lines_stay_counted() {
    let folder = Folder::of([("a.log", "one\n"), ("b.log", "two\n")]);
    let args = ["--watch", "*.log", "--quiet-after", "10ms", "--metrics", "t.prom", "-o", "out"];
    let merge = follow(&folder, &args);
    told_until(&folder, &merge, |it| it.value("tributary_lines_total") == 2.0);
    fs::remove_file(folder.path("b.log")).unwrap();
    folder.append("c.log", "three\n");
    let sources = |it: &Exposition| -> Vec<String> {
        it.sources("tributary_source_lag_bytes").keys().map(|&name| name.to_owned()).collect()
    };
    told_until(&folder, &merge, |it| sources(it).contains(&"c.log".to_owned()));
    fs::remove_file(folder.path("c.log")).unwrap();
    let told = told_until(&folder, &merge, |it| {
        let lines = it.sources("tributary_source_lines_total");
        lines.keys().copied().eq(["a.log"])
    });
    assert_eq!(told.value("tributary_lines_total"), 3.0);
    merge.terminate().with(0);
}

#[test]
fn a_reader_never_sees_half_of_the_metrics_and_a_kill_leaves_them_whole() {
    let folder = Folder::new();
    let logs: Vec<String> = (0..300).map(|n| format!("{n}.log")).collect();
    logs.iter().for_each(|log| folder.append(log, "line\n"));
    let args = ["--metrics", "t.prom", "-o", "out"];
    let args: Vec<&str> = logs.iter().map(String::as_str).chain(args).collect();
    let merge = follow(&folder, &args);
    until("the first metrics are there", || folder.path("t.prom").exists());
    let mut seen = BTreeSet::new();
    until("many were seen", || {
        merge.signal(Signal::USR1);
        assert_eq!(metrics(&folder).sources("tributary_source_lag_seconds").len(), 300);
        seen.insert(fs::metadata(folder.path("t.prom")).unwrap().mtime_nsec());
        seen.len() > 50
    });
    // Others may read the file, as the umask allows.
    let mode = fs::metadata(folder.path("t.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o044, 0o044 & !umask(), "{mode:o}");
    merge.signal(Signal::USR1);
    merge.signal(Signal::KILL);
    drop(merge);
    assert_eq!(metrics(&folder).sources("tributary_source_lag_seconds").len(), 300);
    // A file that the kill may have left is not for node_exporter.
    let names = fs::read_dir(folder.folder()).unwrap().map(|it| it.unwrap().file_name());
    let names = names.filter(|name| name.as_bytes().ends_with(b".prom"));
    assert_eq!(names.collect::<Vec<_>>(), ["t.prom"]);
}

/// Returns the umask, as the mode of a new file shows it.
fn umask() -> u32 {
    let folder = Folder::of([("file", "")]);
    0o666 & !fs::metadata(folder.path("file")).unwrap().permissions().mode()
}

#[test]
fn metrics_that_cannot_be_written_are_told_once_and_delay_no_line() {
    let folder = Folder::of([("a.log", "one\n")]);
    fs::create_dir(folder.path("m")).unwrap();
    let merge = follow(&folder, &["a.log", "--metrics", "m/t.prom", "-o", "out", "-v"]);
    until("the first metrics are there", || folder.path("m/t.prom").exists());
    // Again and again, since metrics may be written there meanwhile.
    let metrics = folder.path("m");
    let remove = || until("it goes", || fs::remove_dir_all(&metrics).is_ok() || !metrics.exists());
    remove();
    let failed = "warning: m/t.prom: cannot write metrics: No such file or directory";
    until("it is told", || {
        merge.signal(Signal::USR1);
        merge.said().contains(failed)
    });
    for round in 0..5 {
        let line = format!("{round}\n");
        folder.append("a.log", &line);
        merge.signal(Signal::USR1);
        until("the line is merged", || folder.read("out").ends_with(&line));
    }
    assert_eq!(merge.said().matches(failed).count(), 1, "{}", merge.said());
    fs::create_dir(folder.path("m")).unwrap();
    until("they are written again", || {
        merge.signal(Signal::USR1);
        merge.said().contains("info: m/t.prom: metrics are written again\n")
    });
    Exposition::read(&folder.read("m/t.prom"));
    // Metrics that cannot be written do not change the exit code, either.
    remove();
    let said = merge.terminate().with(0).stderr;
    assert_eq!(said.matches(failed).count(), 2, "{said}");
}

#[test]
fn metrics_take_the_place_of_nothing_else() {
    let folder = Folder::of([("a.log", "one\n"), ("empty.log", ""), ("text", "not mine\n")]);
    fs::create_dir(folder.path("sub")).unwrap();
    fs::hard_link(folder.path("empty.log"), folder.path("hard")).unwrap();
    symlink("text", folder.path("link")).unwrap();
    symlink("nowhere", folder.path("dangling")).unwrap();
    make_fifo(&folder.path("fifo"));
    let own = "name another file";
    let also = |what: &str| format!("it is also {what}; {own}");
    for (path, why) in [
        ("no/t.prom", "No such file or directory (os error 2); make its folder first".to_owned()),
        ("text/t.prom", "Not a directory".to_owned()),
        ("sub", own.to_owned()),
        ("sub/..", "cannot write metrics".to_owned()),
        ("link", own.to_owned()),
        ("dangling", own.to_owned()),
        ("fifo", own.to_owned()),
        ("/dev/null", own.to_owned()),
        ("text", "it holds no metrics; name another file".to_owned()),
        ("a.log", also("a source")),
        ("hard", also("a source")),
        ("sub/../late.log", also("a source")),
        ("./out", also("the output")),
        ("state", also("the checkpoint")),
    ] {
        let args = ["-F", "a.log", "empty.log", "late.log", "-o", "out", "--checkpoint", "state"];
        let args = [&args[..], &["--metrics", path]].concat();
        run(&folder, &args).error(2, &[&format!("{path}: "), &why]);
        assert!(!folder.path("out").exists() && !folder.path("state").exists(), "{path}");
    }
    // Stdout may be a file.
    let merge = start(&folder, &["a.log", "--metrics", "stdout"]);
    merge.end().error(2, &["stdout: ", &also("the output")]);
    assert_eq!(folder.read("text"), "not mine\n");

    // A link that is put there later is replaced, and not followed.
    let merge = follow(&folder, &["a.log", "-o", "out", "--metrics", "t.prom"]);
    until("the first metrics are there", || folder.path("t.prom").exists());
    fs::remove_file(folder.path("t.prom")).unwrap();
    symlink("text", folder.path("t.prom")).unwrap();
    until("they are written again", || {
        merge.signal(Signal::USR1);
        fs::symlink_metadata(folder.path("t.prom")).is_ok_and(|it| it.is_file())
    });
    merge.terminate().with(0);
    assert_eq!(folder.read("text"), "not mine\n");
    metrics(&folder);
}

#[test]
fn no_pattern_takes_the_metrics_for_a_log() {
    let folder = Folder::of([("a.log", "one\n"), (".hidden", "two\n")]);
    let name = "m[1]{2}.prom";
    let patterns = ["--watch", "*.log", "--watch", "*.prom", "--watch", ".*", "--prefix", "name"];
    let args = [&patterns[..], &["--metrics", name, "-o", "out"]].concat();
    let merge = follow(&folder, &args);
    until("it has begun", || folder.read("out").contains("a.log: one\n"));
    until("the first metrics are there", || folder.path(name).exists());
    let before = fs::metadata(folder.path(name)).unwrap().ino();
    for round in 0..20 {
        merge.signal(Signal::USR1);
        let line = format!("{round}\n");
        folder.append("a.log", &line);
        until("the line is merged", || folder.read("out").contains(&line));
    }
    until("the metrics are new", || fs::metadata(folder.path(name)).unwrap().ino() != before);
    merge.terminate().with(0);
    assert!(!folder.read("out").contains("tributary_"), "{}", folder.read("out"));
}

/// Blocks the loop for longer than a stall has to be; returns the last metrics.
fn metrics_of_a_stall(flags: &[&str]) -> Exposition {
    let folder = Folder::new();
    fill(&folder);
    let flags = [flags, &["--metrics", "t.prom", "--stage", "tasks"]].concat();
    let blocked = Blocked::start(&folder, "fifo", &flags);
    let lag = || {
        blocked.merge.signal(Signal::USR1);
        let text = folder.read("t.prom");
        let told = (!text.is_empty()).then(|| Exposition::read(&text));
        told.map_or(0.0, |told| told.sources("tributary_source_lag_seconds")["a.log"])
    };
    // The loop is blocked by now, and the lag shows how long it stays so.
    let begin = lag();
    until("the lag lasts", || lag() > begin + 0.2);
    blocked.read().0.with(0);
    metrics(&folder)
}

#[test]
fn stalls_are_counted_where_a_loop_is_shared() {
    for flags in [&[][..], &["--debug"]] {
        let told = metrics_of_a_stall(flags);
        assert!(told.value("tributary_stalls_total") >= 1.0, "{flags:?}");
        assert!(told.value("tributary_stall_seconds_max") > 0.1, "{flags:?}");
    }
    let folder = Folder::of([("a.log", "one\n")]);
    for stage in ["threads", "bottom-up"] {
        run(&folder, &["a.log", "-o", "out", "--stage", stage, "--metrics", "t.prom"]).with(0);
        assert!(!metrics(&folder).names().contains("tributary_stalls_total"), "{stage}");
    }
}

#[test]
fn the_names_in_the_book_are_those_of_the_metrics() {
    let page = include_str!("../../../../docs/src/metrics.md");
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: BTreeSet<&str> = words.filter(|word| word.starts_with("tributary_")).collect();
    let folder = Folder::of([("a.log", "one\n")]);
    run(&folder, &["a.log", "-o", "out", "--checkpoint", "state", "--metrics", "t.prom"]).with(0);
    assert_eq!(named, metrics(&folder).names());
}
