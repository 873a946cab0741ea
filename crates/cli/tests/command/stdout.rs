//! What the shell has opened is not ours to cut.

use testkit::Folder;

use crate::process::run_shell;

#[test]
fn what_stands_in_a_redirected_output_is_kept() {
    let folder = Folder::of([("a.log", "one\n")]);
    for durability in ["none", "flush", "fsync"] {
        let merge = format!("tributary --durability {durability} a.log");
        run_shell(&folder, &format!("echo before > out; {merge} >> out")).with(0);
        assert_eq!(folder.read("out"), "before\none\n");
        // Both commands share one offset in the file.
        run_shell(&folder, &format!("(echo head; {merge}) > out")).with(0);
        assert_eq!(folder.read("out"), "head\none\n");
    }
}

#[test]
fn appending_is_for_an_output_of_ours() {
    let folder = Folder::of([("a.log", "one\n"), ("out", "before\n")]);
    let ended = run_shell(&folder, "tributary --append a.log >> out").with(2);
    assert!(ended.stderr.contains("--output <OUT>"), "{}", ended.stderr);
    assert_eq!(folder.read("out"), "before\n");
}
