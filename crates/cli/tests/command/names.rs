//! Files of any name.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use testkit::Folder;

use crate::process::run;

#[test]
fn a_file_may_be_called_like_a_command() {
    let folder = Folder::of([("a.log", "a\n")]);
    for name in ["help", "man", "completions"] {
        folder.append(name, "line\n");
        let dotted = format!("./{name}");
        for args in [&["--", name][..], &[&dotted], &["-o", "-", name]] {
            assert_eq!(run(&folder, args).out(), "line\n", "{args:?}");
        }
        // Behind another file it cannot be a command.
        assert_eq!(run(&folder, &["a.log", name]).out().len(), "a\nline\n".len(), "{name}");
        // In front it is taken for the command, and a warning says so. With more
        // arguments than the command takes, nothing is done.
        let ended = run(&folder, &[name, "a.log"]).with(2);
        let told = format!("warning: {name}: taken for the command of that name");
        assert!(ended.stderr.starts_with(&told), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("the file is {dotted}\n")), "{}", ended.stderr);
        assert!(ended.stdout.is_empty());
    }
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
