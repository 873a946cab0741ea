//! Files of any name, and the two commands that files may be called.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::folder::Folder;
use crate::process::run;

#[test]
fn a_file_may_be_called_like_a_command() {
    let folder = Folder::new();
    for name in ["man", "completions"] {
        folder.append(name, "line\n");
        let dotted = format!("./{name}");
        for args in [&["--", name][..], &[&dotted], &["-o", "-", name]] {
            assert_eq!(run(&folder, args).out(), "line\n", "{args:?}");
        }
    }
    // Behind another file it cannot be a command; `help` never is one.
    folder.append("help", "help\n");
    let mut merged: Vec<String> =
        run(&folder, &["help", "man"]).out().lines().map(str::to_owned).collect();
    merged.sort();
    assert_eq!(merged, ["help", "line"]);
}

#[test]
fn the_man_page_tells_every_flag_and_the_exit_codes() {
    let page = run(&Folder::new(), &["man"]).out();
    assert!(page.contains(".TH tributary 1"), "{page}");
    let mut command = tributary_cli::command();
    command.build();
    for flag in command.get_arguments().filter_map(|arg| arg.get_long()) {
        let flag = format!("\\-\\-{}", flag.replace('-', "\\-"));
        assert!(page.contains(&flag), "{flag}: {page}");
    }
    assert!(page.contains("Exit codes") && page.contains("130"), "{page}");
}

#[test]
fn there_are_completions_for_each_shell() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&folder, &["completions", shell]).out();
        assert!(script.contains("quiet-after"), "{shell}: {script}");
    }
    run(&folder, &["completions", "csh"]).with(2);
}

#[test]
fn a_path_may_be_any_bytes_and_is_told_on_one_line() {
    let folder = Folder::new();
    let name = OsStr::from_bytes(b"two\nlines\x1b[31m\xff.log");
    fs::write(folder.folder().join(name), "line\n").unwrap();
    assert_eq!(run(&folder, &[name]).out(), "line\n");
    let marked = run(&folder, &[OsStr::new("--prefix"), OsStr::new("name"), name]).out();
    assert_eq!(marked, "two\\nlines\\u{1b}[31m\\xff.log: line\n");
    let missing = OsStr::from_bytes(b"not\nthere\x1b\xff");
    run(&folder, &[missing]).error(2, &["not\\nthere\\u{1b}\\xff: cannot open"]);
    // An output, too, and one that looks like a flag.
    run(&folder, &[OsStr::new("-o"), missing, name]).with(0);
    assert_eq!(fs::read(folder.folder().join(missing)).unwrap(), b"line\n");
    folder.append("--json", "line\n");
    assert_eq!(run(&folder, &["--", "--json"]).out(), "line\n");
}
