//! The programs that the compiler refuses, under `tests/refused`.
//!
//! A line that ends in `// refused: CODE` is where the error is. A line
//! `// accepted: …` takes the place of the line above it in the twin, which
//! compiles: there is one such line. An error without a code is named by its first
//! words.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{files, masked};

const REFUSED: &str = "// refused: ";
const ACCEPTED: &str = "// accepted: ";

/// One thing that the compiler refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its code, or its first words where it has none.
    pub what: String,
    /// The line of the program that it is about, from 1.
    pub line: u64,
    /// What the compiler says of it, for reading: the words change with the
    /// compiler.
    pub text: String,
}

/// Reads the programs of a folder, by name.
///
/// # Blocking
///
/// Reads files.
///
/// # Errors
///
/// Any failure to read, with the path.
pub fn programs(folder: &Path) -> Result<BTreeMap<String, String>> {
    let read = |path: PathBuf| {
        let name = path.file_stem().context("a program has a name")?.to_string_lossy();
        let program = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok((name.into_owned(), program))
    };
    files(folder)?.into_iter().map(read).collect()
}

/// Returns the program that compiles, without marks.
///
/// # Panics
///
/// Panics if the first line of the program is said to take another's place.
pub fn twin(program: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in program.lines() {
        match line.trim_start().strip_prefix(ACCEPTED) {
            Some(accepted) => *lines.last_mut().expect("a line to replace") = accepted,
            None => lines.push(unmarked(line)),
        }
    }
    lines.join("\n")
}

/// Returns the one line that is another in the twin, and that other one.
///
/// # Errors
///
/// The program has no twin, or one that differs in more lines or in none.
pub fn step(program: &str) -> Result<(&str, &str)> {
    let accepted = |line: &str| line.trim_start().starts_with(ACCEPTED);
    ensure!(program.lines().any(accepted), "it has no twin");
    let pairs = program.lines().zip(program.lines().skip(1));
    let steps: Vec<_> = pairs.filter(|(_, next)| accepted(next)).collect();
    let [(refused, next)] = steps[..] else {
        bail!("its twin is {} lines away", steps.len());
    };
    let (refused, accepted) = (unmarked(refused).trim(), &next.trim()[ACCEPTED.len()..]);
    ensure!(refused != accepted, "its twin is the same");
    Ok((refused, accepted))
}

fn unmarked(line: &str) -> &str {
    line.split_once(REFUSED).map_or(line, |(code, _)| code.trim_end())
}

/// Returns what a program says of itself: the code, or the first words, and the
/// line.
///
/// # Errors
///
/// It does not say so exactly once.
pub fn expected(program: &str) -> Result<(String, u64)> {
    let marks: Vec<_> = (1..)
        .zip(program.lines())
        .filter_map(|(number, line)| Some((line.split_once(REFUSED)?.1.trim().to_owned(), number)))
        .collect();
    let [(what, line)] = &marks[..] else {
        bail!("it says {} times where it is refused", marks.len());
    };
    Ok((what.clone(), *line))
}

/// Has the compiler look at programs; returns what it refuses of each. They are
/// put into a package at `package`, outside of the workspace, since they do not
/// compile; its versions are those of the project at `root`, and nothing is
/// fetched.
///
/// # Blocking
///
/// Runs cargo.
///
/// # Errors
///
/// The package cannot be written, or nothing in it could be compiled.
pub fn check(
    root: &Path,
    package: &Path,
    programs: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<Refusal>>> {
    if package.join("src").exists() {
        fs::remove_dir_all(package.join("src"))?;
    }
    fs::create_dir_all(package.join("src/bin"))?;
    fs::write(package.join("Cargo.toml"), manifest(root)?)?;
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock"))?;
    for (name, program) in programs {
        fs::write(package.join(format!("src/bin/{name}.rs")), program)?;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let checked = Command::new(cargo)
        .args(["check", "--bins", "--keep-going", "--offline", "--message-format=json"])
        .current_dir(package)
        .env("CARGO_TARGET_DIR", package.join("target"))
        // Stronger than all other ways to give flags, such as `-D warnings`.
        .env("CARGO_ENCODED_RUSTFLAGS", "")
        .output()
        .context("cargo cannot be run")?;

    let mut compiled = 0;
    let mut refusals: BTreeMap<String, Vec<Refusal>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&checked.stdout).lines() {
        let message: Value = serde_json::from_str(line).context("cargo speaks JSON")?;
        compiled += usize::from(message["reason"] == "compiler-artifact");
        if message["reason"] == "compiler-message"
            && let Some(refusal) = refusal(&message["message"], root)
        {
            let name = message["target"]["name"].as_str().context("a target has a name")?;
            refusals.entry(name.to_owned()).or_default().push(refusal);
        }
    }
    ensure!(compiled > 0, "nothing was compiled:\n{}", String::from_utf8_lossy(&checked.stderr));
    Ok(refusals)
}

/// Reads an error. "aborting due to …" has no place, and is none of its own.
fn refusal(diagnostic: &Value, root: &Path) -> Option<Refusal> {
    let span = diagnostic["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    let what = diagnostic["code"]["code"].as_str().or(diagnostic["message"].as_str())?;
    let text = masked(diagnostic["rendered"].as_str()?, root).replace("src/bin/", "");
    (diagnostic["level"] == "error").then(|| Refusal {
        what: what.to_owned(),
        line: span["line_start"].as_u64().unwrap_or_default(),
        text: text.trim_end().to_owned() + "\n",
    })
}

fn manifest(root: &Path) -> Result<String> {
    let tributary = root.join("crates/tributary");
    let tributary = tributary.to_str().context("the path of this project is not UTF-8")?;
    Ok(format!(
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
    ))
}
