//! What is left out of an output, because it is another one each time.

use std::borrow::Cow;
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What is another one each time, and what the book shows in its place. Whole
/// seconds stay: they are limits that a program was given, not what it took.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let mask = |pattern, shown| (Regex::new(pattern).expect("a mask is a pattern"), shown);
    vec![
        // Durations, as Rust and as people write them.
        mask(r"\b\d+(?:\.\d+)?( ?)(ns|µs|us|ms)\b", "…${1}${2}"),
        mask(r"\b\d+\.\d+( ?)s\b", "…${1}s"),
        // Threads and processes.
        mask(r"\bworker \d+ (has not turned|turns again)(.*\bin task) \d+", "worker … ${1}${2} …"),
        mask(r"(thread '[^']*') \(\d+\)", "${1}"),
        mask(r"(?m)^\n(thread '[^']*' panicked at)", "${1}"),
        mask(r"ThreadId\(\d+\)", "ThreadId(…)"),
        mask(r"\b(pid|PID|process) \d+\b", "${1} …"),
        mask(r"\b0x[0-9a-fA-F]{5,}\b", "0x…"),
        // Folders of this machine, of this run and of this compiler.
        mask(r"/(?:[\w.-]+/)*\.tmp\w+", "/tmp/…"),
        mask(r"/rustc/[0-9a-f]{40}/", "/rustc/…/"),
        mask(r"/(?:[\w.-]+/)*registry/src/[^/\s]+/", ""),
        // What says only how to be told more.
        mask(r"(?m)^ *(?:= )?note: run with `RUST_BACKTRACE=1`.*\n", ""),
        mask(r"(?m)^ *= note: the full .*name .*has been written to .*\n", ""),
        mask(r"(?m)^ *= note: consider using `--verbose`.*\n", ""),
        mask(r"(?m)[ \t]+$", ""),
    ]
});

/// Leaves out of `output` what is another one each time: durations, thread ids,
/// addresses, temporary folders, and the path of this project at `root`.
pub fn masked(output: &str, root: &Path) -> String {
    let mut text = output.replace(&format!("{}/", root.display()), "");
    for (pattern, shown) in MASKS.iter() {
        let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
            let mut shown_here = String::new();
            found.expand(shown, &mut shown_here);
            shown_here
        });
        if let Cow::Owned(replaced) = replaced {
            text = replaced;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(output: &str) -> String {
        super::masked(output, Path::new("/home/me/tributary"))
    }

    #[test]
    fn what_a_run_took_is_masked_and_its_limits_are_not() {
        for (output, shown) in [
            ("it took 284 ms", "it took … ms"),
            ("it took 1.25s, then 17.3µs", "it took …s, then …µs"),
            ("(hangs: stopped after 5 s)", "(hangs: stopped after 5 s)"),
            ("waited 2s for 3 msgs", "waited 2s for 3 msgs"),
            ("16 MiB, 512 threads", "16 MiB, 512 threads"),
        ] {
            assert_eq!(masked(output), shown);
        }
    }

    #[test]
    fn threads_addresses_and_folders_are_masked() {
        for (output, shown) in [
            (
                "thread 'main' (4711) panicked at crates/a.rs:3:5:",
                "thread 'main' panicked at crates/a.rs:3:5:",
            ),
            ("in ThreadId(7), pid 4711, at 0x7ffd1234", "in ThreadId(…), pid …, at 0x…"),
            (
                "worker 1 turns again: `a` blocked it, in task 6; in task 7",
                "worker … turns again: `a` blocked it, in task 6; in task …",
            ),
            ("0x1F is a small number", "0x1F is a small number"),
            ("/tmp/.tmpAb12Cd/a.log: gone", "/tmp/…/a.log: gone"),
            ("/var/folders/x/.tmpAb12Cd/a.log", "/tmp/…/a.log"),
            ("at /home/me/tributary/crates/a.rs", "at crates/a.rs"),
            ("/root/.cargo/registry/src/index.crates.io-19/tokio-1.5/a.rs", "tokio-1.5/a.rs"),
            (&format!("/rustc/{}/library/a.rs", "5".repeat(40)), "/rustc/…/library/a.rs"),
            ("\nthread 'main' (1) panicked at a.rs:1:1:", "thread 'main' panicked at a.rs:1:1:"),
            ("a\nnote: run with `RUST_BACKTRACE=1` environment\nb  \n", "a\nb\n"),
        ] {
            assert_eq!(masked(output), shown);
        }
    }
}
