//! What quiet sources cost.

use std::collections::HashMap;
use std::io::Write;
use std::thread;

use stages::STAGES;
use system_tests::program;

const SECONDS: u64 = 3;

struct AtRest {
    bytes_a_source: u64,
    threads: u64,
    /// The share of one processor.
    percent: f64,
    looks: u64,
}

/// Follows `count` empty files in a process of its own, with as many descriptors as
/// that takes.
fn at_rest(stage: usize, count: u64) -> AtRest {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program("prlimit", "util-linux");
    let limit = count + 256;
    child.arg(format!("--nofile={limit}:{limit}")).arg(env!("CARGO_BIN_EXE_at-rest"));
    child.arg(stage.to_string()).arg(folder.path());
    child.arg(count.to_string()).arg(SECONDS.to_string());
    let done = child.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.is_empty(), "{}: {said}", done.status);

    let text = String::from_utf8(done.stdout).unwrap();
    let values: HashMap<_, u64> = text
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect();
    let rest = AtRest {
        bytes_a_source: (values["rest_kib"] - values["before_kib"]) * 1024 / count,
        threads: values["threads"],
        percent: values["ticks"] as f64 / SECONDS as f64,
        looks: values["looks"],
    };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{count} sources at rest, {}: {} bytes a source, {} threads, {:.1}% of a processor, {} looks in {SECONDS} s",
        STAGES[stage - 1].name,
        rest.bytes_a_source,
        rest.threads,
        rest.percent,
        rest.looks,
    )
    .unwrap();
    rest
}

#[test]
fn ten_thousand_sources_at_rest_cost_little() {
    // Both at once: each process measures only itself.
    let both = thread::scope(|scope| {
        let start = |stage| scope.spawn(move || at_rest(stage, 10_000));
        [4, 5].map(start).map(|rest| rest.join().unwrap())
    });
    for rest in both {
        // Three KiB are promised; the rest is room for the machine.
        assert!(rest.bytes_a_source < 3584, "{} bytes a source", rest.bytes_a_source);
        assert!(rest.threads <= 12, "{} threads", rest.threads);
        // Less than one percent is promised; only a bug can take five.
        assert!(rest.percent < 5.0, "{}% of a processor", rest.percent);
        assert_eq!(rest.looks, 0, "looked at without a change");
    }
}

#[test]
fn a_thousand_sources_at_rest_use_no_processor_in_any_stage() {
    thread::scope(|scope| {
        for stage in STAGES {
            scope.spawn(|| {
                let rest = at_rest(stage.number, 1_000);
                assert!(rest.percent < 5.0, "{}% of a processor", rest.percent);
                assert_eq!(rest.looks, 0, "looked at without a change");
            });
        }
    });
}

#[test]
fn too_few_descriptors_are_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program("prlimit", "util-linux");
    child.arg("--nofile=256:256").arg(env!("CARGO_BIN_EXE_at-rest"));
    child.arg("5").arg(folder.path()).args(["1000", "0"]);
    let done = child.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success(), "a thousand files with 256 descriptors");
    // It names the file for which there was no descriptor, the limit, and what to do.
    let begin = format!("Error: {}/2", folder.path().display());
    assert!(said.contains(&begin), "{said}");
    assert!(said.contains("the limit is 256; raise it with `ulimit -n NUMBER`"), "{said}");
    assert!(!folder.path().join("the-output").exists(), "the output was made all the same");
}
