//! The programs under `refused/`, which the READMEs of the stages offer for
//! breaking: the compiler refuses each at the line that says so, with the code
//! that it says, and takes its twin.
//!
//! A line that ends in `// refused: CODE` is where the error is. A line
//! `// accepted: …` takes the place of the line above it in the twin. Only the
//! code and the line are held to, not the words: these change with the
//! compiler. An error without a code is named by its first words.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What the compiler said about one program: code or words, and line.
type Errors = Vec<(String, u64)>;

const REFUSED: &str = "// refused: ";
const ACCEPTED: &str = "// accepted: ";

#[test]
fn each_program_is_refused_where_it_says_and_its_twin_is_not() {
    let programs = programs();
    assert!(programs.len() >= 10, "two for each stage, found {}", programs.len());

    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
    let _ = fs::remove_dir_all(package.join("src"));
    fs::create_dir_all(package.join("src/bin")).expect("the package can be made");
    fs::write(package.join("Cargo.toml"), manifest()).expect("the manifest can be written");
    // The same versions as everywhere else, and nothing from the network.
    fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).expect("a lock file is there");
    for (name, program) in &programs {
        let path = |suffix: &str| package.join(format!("src/bin/{name}{suffix}.rs"));
        fs::write(path(""), program).expect("the program can be written");
        fs::write(path("_twin"), twin(program)).expect("the twin can be written");
    }

    let errors = check(&package);

    let mut wrong = Vec::new();
    for (name, program) in &programs {
        let said = errors.get(name).cloned().unwrap_or_default();
        let expected = expected(name, program);
        let as_expected =
            |(what, line): &(String, u64)| what.starts_with(&expected.0) && *line == expected.1;
        if said.is_empty() || !said.iter().all(as_expected) {
            wrong.push(format!("{name}: expected {expected:?}, the compiler said {said:?}"));
        }
        if let Some(said) = errors.get(&format!("{name}_twin")) {
            wrong.push(format!("{name}: the twin should compile, the compiler said {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn programs() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let files = fs::read_dir(folder).expect("the programs can be listed");
    files
        .map(|file| {
            let path = file.expect("the programs can be listed").path();
            let name = path.file_stem().expect("a program has a name").to_string_lossy();
            (name.into_owned(), fs::read_to_string(&path).expect("a program can be read"))
        })
        .collect()
}

/// A package outside of the workspace, since it does not compile.
fn manifest() -> String {
    let tributary = root().join("crates/tributary");
    let tributary = tributary.to_str().expect("the path of this project is UTF-8");
    format!(
        r#"[package]
name = "refused"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
parking_lot = "*"
tokio = {{ version = "*", default-features = false, features = ["rt", "time"] }}
tributary = {{ path = {tributary:?} }}
"#
    )
}

fn twin(program: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in program.lines() {
        match line.trim_start().strip_prefix(ACCEPTED) {
            Some(accepted) => *lines.last_mut().expect("a line to replace") = accepted,
            None => lines.push(line),
        }
    }
    lines.join("\n")
}

fn expected(name: &str, program: &str) -> (String, u64) {
    let mut marks = (1..).zip(program.lines()).filter_map(|(number, line)| {
        line.split_once(REFUSED).map(|(_, what)| (what.trim().to_owned(), number))
    });
    let mark = marks.next().unwrap_or_else(|| panic!("{name} does not say where it is refused"));
    assert!(marks.next().is_none(), "{name} says twice where it is refused");
    assert!(program.contains(ACCEPTED), "{name} has no twin");
    mark
}

/// Has the compiler look at the package; returns the errors of each program.
fn check(package: &Path) -> BTreeMap<String, Errors> {
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--bins", "--keep-going", "--offline", "--message-format=json"])
        .current_dir(package)
        .env("CARGO_TARGET_DIR", package.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo can be run");

    let mut seen = 0;
    let mut errors: BTreeMap<String, Errors> = BTreeMap::new();
    for line in String::from_utf8_lossy(&checked.stdout).lines() {
        let message: Value = serde_json::from_str(line).expect("cargo speaks JSON");
        let reason = message["reason"].as_str();
        seen += usize::from(reason == Some("compiler-artifact"));
        let diagnostic = &message["message"];
        if reason != Some("compiler-message") || diagnostic["level"] != "error" {
            continue;
        }
        let name = message["target"]["name"].as_str().expect("a target has a name");
        let text = diagnostic["message"].as_str().expect("a message has words");
        let spans = diagnostic["spans"].as_array().expect("a message has its places");
        // "aborting due to …" has no place, and is no error of its own.
        let Some(span) = spans.iter().find(|span| span["is_primary"] == true) else { continue };
        let what = diagnostic["code"]["code"].as_str().unwrap_or(text);
        let line = span["line_start"].as_u64().expect("a place has a line");
        errors.entry(name.to_owned()).or_default().push((what.to_owned(), line));
    }
    assert!(seen > 0, "nothing was compiled:\n{}", String::from_utf8_lossy(&checked.stderr));
    errors
}
