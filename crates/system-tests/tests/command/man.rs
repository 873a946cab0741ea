//! The man page, as `man` has groff set it.

use std::io::Write;
use std::process::{Command, Stdio};

use system_tests::program;

fn said(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_man_page_fits_80_columns_and_no_line_of_its_tables_is_broken() {
    let tributary = || Command::new(crate::TRIBUTARY);
    let page = said(tributary().arg("man"));
    let mut groff = program("groff", "groff-base");
    groff.args(["-man", "-Tutf8", "-P-cbou", "-rLL=80n", "-ww"]);
    let mut set =
        groff.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    set.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let set = set.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(set.stderr).unwrap(), "", "what groff warns of");
    let shown = String::from_utf8(set.stdout).unwrap();
    let wide = shown.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);

    // groff sets its own dashes and quotes.
    let plain = |text: &str| text.replace(['‐', '−'], "-").replace(['‘', '’'], "`");
    let shown = plain(&shown);
    for topic in
        ["prefix", "rotation", "systemd", "exit", "signals", "tail", "completions", "examples"]
    {
        let text = said(tributary().args(["help", topic]));
        let set: String = text.lines().map(|line| format!("       {line}\n")).collect();
        let set = plain(&set).replace("       \n", "\n").replace('\'', "`");
        assert!(shown.replace('\'', "`").contains(&set), "{topic}: {set}\nin:\n{shown}");
    }
    for heading in ["NAME", "SYNOPSIS", "OPTIONS", "ROTATION", "SYSTEMD", "EXIT CODES"] {
        assert!(shown.lines().any(|line| line == heading), "{heading}: {shown}");
    }
}
