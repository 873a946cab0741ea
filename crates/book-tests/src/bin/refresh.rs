//! Makes the outputs that the book shows: `just refresh`.
//!
//! Every `crates/book-tests/examples/NAME.rs` is run, and gives
//! `docs/src/outputs/NAME.txt`. Every refused program gives
//! `docs/src/outputs/refused/NAME.txt`, with the words of the compiler; these
//! are left as they are while the code of the error and its line are the same,
//! since every compiler says it in other words. Their first line, and the line to
//! its twin, are `NAME.diff`. What nothing makes any more is removed. `docs/src/asked.md` is made from the marks in the other pages.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use book_tests::asked::{marks, page, questions};
use book_tests::refused::{Refusal, check, programs, step};
use book_tests::{masked, output, pages};
use serde_json::Value;

/// How long a program may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let book = pages(&root.join("docs/src"))?;
    let marks = book.iter().map(marks).collect::<Result<Vec<_>>>()?.concat();
    write(&root.join("docs/src/asked.md"), &page(&questions()?, &marks)?)?;

    let folder = root.join("docs/src/outputs");
    refuse(&root, &folder.join("refused"))?;
    // The last: one of them reads the pages, with all that they show.
    run(&root, &folder)
}

/// Has the compiler refuse what it is to refuse.
fn refuse(root: &Path, folder: &Path) -> Result<()> {
    let programs = programs(&root.join("crates/book-tests/tests/refused"))?;
    let files = |name: &String| [format!("{name}.txt"), format!("{name}.diff")];
    keep_only(folder, programs.keys().flat_map(files))?;
    for (name, refusals) in check(root, &package()?, &programs)? {
        let file = folder.join(format!("{name}.txt"));
        let known = fs::read_to_string(&file).unwrap_or_default();
        let is_known = refusals.iter().all(|refusal| is_told(&known, &name, refusal));
        let texts: Vec<_> = refusals.iter().map(|refusal| &*refusal.text).collect();
        let told = if is_known { known } else { texts.join("\n") };
        write(&file, &told)?;
        let first = told.lines().next().context("the compiler has said something")?;
        let (without, with) = step(&programs[&name])?;
        let diff = format!("-{without}\n+{with}\n{first}\n");
        write(&folder.join(format!("{name}.diff")), &diff)?;
    }
    Ok(())
}

/// Runs the examples of this crate.
fn run(root: &Path, folder: &Path) -> Result<()> {
    let examples = examples(root)?;
    keep_only(folder, examples.keys().map(|name| format!("{name}.txt")))?;
    for (name, program) in examples {
        let mut command = Command::new(&program);
        command.current_dir(root).env("RUST_BACKTRACE", "0").env_remove("RUST_LOG");
        let said = output(command, LIMIT).with_context(|| program.display().to_string())?;
        write(&folder.join(format!("{name}.txt")), &masked(&said, root))?;
    }
    Ok(())
}

/// Builds the examples of this crate, and names each with its program. They are
/// built with those of all crates, as the tests have them built already: alone,
/// they would have other features.
fn examples(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--workspace", "--bins", "--tests", "--examples"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    ensure!(built.status.success(), "the examples cannot be built");
    let ours = root.join("crates/book-tests/examples");
    let mut examples = BTreeMap::new();
    for line in String::from_utf8_lossy(&built.stdout).lines() {
        let message: Value = serde_json::from_str(line).context("cargo speaks JSON")?;
        let source = Path::new(message["target"]["src_path"].as_str().unwrap_or_default());
        if let (true, Some(name), Some(program)) = (
            source.starts_with(&ours),
            message["target"]["name"].as_str(),
            message["executable"].as_str(),
        ) {
            examples.insert(name.to_owned(), PathBuf::from(program));
        }
    }
    ensure!(!examples.is_empty(), "there are no examples");
    Ok(examples)
}

/// Returns where the refused programs are checked: where their test does it, so
/// that their libraries are compiled once.
fn package() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("cargo puts programs into target/PROFILE")?;
    Ok(target.join("tmp/refused"))
}

/// Says whether the words that the book has are about this refusal.
fn is_told(known: &str, name: &str, refusal: &Refusal) -> bool {
    known.contains(&refusal.what) && known.contains(&format!("{name}.rs:{}:", refusal.line))
}

/// Removes the outputs in a folder that have none of these names.
fn keep_only(folder: &Path, names: impl Iterator<Item = String>) -> Result<()> {
    let kept: Vec<_> = names.map(|name| folder.join(name)).collect();
    for file in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        if path.is_file() && !kept.contains(&path) {
            fs::remove_file(&path)?;
            writeln!(std::io::stdout(), "removed: {}", path.display())?;
        }
    }
    Ok(())
}

/// Writes a file if it changes, and says so.
fn write(file: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(file).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let named = || file.display().to_string();
    fs::create_dir_all(file.parent().with_context(named)?).with_context(named)?;
    fs::write(file, text).with_context(named)?;
    writeln!(std::io::stdout(), "changed: {}", file.display())?;
    Ok(())
}
