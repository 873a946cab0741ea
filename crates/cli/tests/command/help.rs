//! What the help says is so, and the man page says the same.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use testkit::{Folder, Running};

use crate::process::{run, run_shell, tributary};

/// All topics, as the help lists them.
const TOPICS: [&str; 8] =
    ["prefix", "rotation", "systemd", "exit", "signals", "tail", "completions", "examples"];

fn help(topic: &str) -> String {
    run(&Folder::new(), &["help", topic]).out()
}

#[test]
fn the_help_is_a_command_too_and_has_topics() {
    let folder = Folder::new();
    assert_eq!(run(&folder, &["help"]).out(), run(&folder, &["--help"]).out());
    let refused = run(&folder, &["help", "no-such-topic"]).with(2).stderr;
    for topic in TOPICS {
        assert!(refused.contains(topic), "{refused}");
        let text = help(topic);
        // In a man page it has 73 of 80 columns.
        let wide = text.lines().find(|line| line.chars().count() > 73);
        assert!(text.ends_with('\n') && wide.is_none(), "{topic}: {wide:?}");
    }
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let file = |name: &str| fs::read_to_string(format!("{docs}/{name}")).unwrap();
    assert!(help("rotation").ends_with(&file("tributary.logrotate")));
    assert_eq!(help("systemd"), file("tributary.service"));
}

/// Makes all digits alike: times differ from run to run.
fn without_digits(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_digit(), "0")
}

#[test]
fn each_prefix_of_the_help_is_what_is_put_before_a_line() {
    let folder = Folder::of([("var/log/web/app.log", "line\n")]);
    let merged = |prefix: &str, zone: &str| {
        let args = ["--prefix", prefix, "var/log/web/app.log"];
        let mut command = tributary(&folder, &args);
        // A POSIX zone needs no file; its sign is the other way round.
        command.env("TZ", format!("<zone>{zone}")).stdout(Stdio::piped());
        Running::start(&folder, &mut command).end().out()
    };
    let text = help("prefix");
    let rows = text.lines().filter_map(|row| row.strip_prefix("  ")?.split_once("  "));
    let rows: Vec<(&str, &str)> = rows.map(|(word, told)| (word, told.trim())).collect();
    assert_eq!(rows.iter().filter(|(word, _)| word.starts_with('{')).count(), 6, "{text}");
    let examples = rows.iter().filter(|(_, told)| told.ends_with(": line"));
    assert_eq!(examples.clone().count(), 5, "{text}");
    for (word, shown) in examples {
        let shown = shown.replace("/var/", "var/") + "\n";
        assert_eq!(without_digits(&merged(word, "-1")), without_digits(&shown), "{word}");
    }
    assert_eq!(merged("none", "0"), "line\n");

    for (zone, offset) in [("0", "+00:00"), ("-5:30", "+05:30"), ("3", "-03:00")] {
        let merged = merged("{time} {local_time} ", zone);
        let times: Vec<&str> = merged.split(' ').collect();
        assert!(times[1].ends_with(offset), "{merged}");
        let [utc, local] = [0, 1].map(|at| times[at].parse::<jiff::Timestamp>().unwrap());
        assert_eq!(utc, local, "{merged}");
    }
    // A mistyped name of a zone is told, where the zone matters.
    for (prefix, told) in [("local_time", 1), ("time", 0)] {
        let mut command = tributary(&folder, &["--prefix", prefix, "var/log/web/app.log"]);
        let ended = command.env("TZ", "No/Where").output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(said.matches("warning: TZ=No/Where: there is no such time zone").count(), told);
        assert_eq!(said.lines().count(), told, "{said}");
    }
}

#[test]
fn each_example_can_be_typed() {
    let mut seen = 0;
    for example in help("examples").lines() {
        let folder = Folder::new();
        fs::create_dir_all(folder.path("logs")).unwrap();
        for log in ["a.log", "b.log", "logs/a.log"] {
            folder.append(log, "an error\n");
        }
        // Without -F, the example ends.
        let line = example.replace("-F ", "").replace("/var/log/app", "logs");
        let merged = run_shell(&folder, &line).out();
        let merged = if merged.is_empty() { folder.read("merged.log") } else { merged };
        assert!(merged.ends_with("an error\n"), "{example}: {merged}");
        seen += 1;
    }
    assert!(seen > 2);
}

#[test]
fn there_are_completions_for_each_shell_that_the_help_names() {
    let folder = Folder::new();
    let asked = run(&folder, &["completions"]).with(2);
    assert!(asked.stdout.is_empty());
    assert_eq!(asked.stderr, help("completions"));
    let shells =
        asked.stderr.lines().filter_map(|line| line.split("tributary completions ").nth(1));
    let shells: BTreeSet<&str> = shells.map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(shells.len(), 5, "{shells:?}");
    for shell in shells {
        let script = run(&folder, &["completions", shell]).out();
        assert!(script.contains("quiet-after"), "{shell}: {script}");
    }
    run(&folder, &["completions", "csh"]).with(2);
}

#[test]
fn the_man_page_tells_every_flag_and_cites_pages_that_are_there() {
    let page = run(&Folder::new(), &["man"]).out();
    let title = format!(".TH tributary 1 \"\" \"tributary {}\"", env!("CARGO_PKG_VERSION"));
    assert!(page.contains(&title), "{page}");
    // As roff escapes it.
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('-', "\\-");
    let mut command = tributary_cli::command();
    command.build();
    for flag in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let Some(flag) = flag.get_long() else { continue };
        assert!(page.contains(&escaped(&format!("--{flag}"))), "{flag}: {page}");
    }
    // Pages that exist; no page for a command of ours, since all share this one.
    let words = page.split([' ', '\n', ',']).filter(|word| word.ends_with(')'));
    let cited = words.filter(|word| word.trim_end_matches(')').ends_with(char::is_numeric));
    let known = ["tail(1)", "logrotate(8)", "systemd.service(5)", "systemctl(1)"];
    assert_eq!(cited.collect::<Vec<_>>(), known);
}
