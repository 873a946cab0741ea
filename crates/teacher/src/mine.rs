//! The crate in which a learner takes a step: its files, and the question of the last
//! check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{self, PathBuf};

use anyhow::{Context, bail};
use exercises::{EXERCISES, Exercise};
use runner::workspace;
use stages::Stage;
use toml::{Table, Value};
use tributary::Shown;

use crate::args::{End, limits};
use crate::said::{WIDTH, wrapped};

/// The program of the crate, which `check-mine` starts, up to the argument of `Mine`.
const MAIN: &str =
    "//! Tries what `cargo compare check-mine` asks for. What you write is in `lib.rs`.

fn main() -> std::process::ExitCode {
    exercises::main(exercises::Mine::";
/// The test file, as every stage and every version of the service has it, up to the
/// suite.
const SUITE: &str = "//! Your step, held to the laws of all others: `cargo test` in this folder.

";
/// The files of the crate that another crate may have, too.
const FILES: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "src/lib.rs",
    "src/main.rs",
    "tests/conformance.rs",
];
/// The file that remembers what the last check helped with, and how often in a row.
const ASKED: &str = ".asked";

/// An exercise in its folder.
#[derive(Debug)]
pub(crate) struct YourTurn {
    pub(crate) exercise: &'static Exercise,
    pub(crate) folder: PathBuf,
}

impl YourTurn {
    /// Makes the crate. Fails if the learner has written in it, unless `force` says to
    /// replace that.
    pub(crate) fn begin(
        exercise: &'static Exercise,
        folder: PathBuf,
        force: bool,
    ) -> anyhow::Result<YourTurn> {
        let mine = YourTurn { exercise, folder };
        if !force {
            mine.replaces_nothing()?;
        }
        let lock = workspace().join("Cargo.lock");
        let lock = fs::read_to_string(&lock)
            .with_context(|| format!("{}: cannot read this file", Shown(&lock)))?;
        let (entry, suite) = match End::of(&exercise.to) {
            End::Stage(_) => ("Merge(your_turn::merge)", "conformance::suite!(your_turn::merge)"),
            End::Service(_) => {
                ("Serve(your_turn::serve)", "service_laws::suite!(your_turn::serve)")
            }
        };
        for (name, text) in [
            ("Cargo.toml", &*mine.manifest()?),
            // The same versions as in the workspace, built in its target folder, so
            // that cargo builds little.
            ("Cargo.lock", &lock),
            (".cargo/config.toml", &config()),
            ("src/lib.rs", &template(exercise)),
            ("src/main.rs", &format!("{MAIN}{entry})\n}}\n")),
            ("tests/conformance.rs", &format!("{SUITE}{suite};\n")),
            (ASKED, ""),
        ] {
            mine.write(name, text)?;
        }
        Ok(mine)
    }

    /// Fails if the learner has written in the folder, or if it has files of a crate that
    /// is no exercise.
    fn replaces_nothing(&self) -> anyhow::Result<()> {
        let is_there = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
        let others = FILES.map(|name| self.folder.join(name)).into_iter().find(is_there);
        if let (Some(path), Err(_)) = (others, YourTurn::open(self.folder.clone())) {
            bail!(
                "{}: this is no file of an exercise, choose another folder with --folder or \
                 replace it with --force",
                Shown(&path)
            );
        }
        // Also a text that cannot be read is somebody's.
        let is_mine = |text: Vec<u8>| EXERCISES.iter().all(|it| template(it).as_bytes() != &*text);
        let is_written = match fs::read(self.file()) {
            Err(cause) => cause.kind() != ErrorKind::NotFound,
            Ok(text) => is_mine(text),
        };
        if is_written {
            bail!("{}: you have written here, replace it with --force", Shown(&self.file()));
        }
        Ok(())
    }

    /// Opens the crate of an exercise that was begun.
    pub(crate) fn open(folder: PathBuf) -> anyhow::Result<YourTurn> {
        let path = folder.join("Cargo.toml");
        let manifest = fs::read_to_string(&path).with_context(|| {
            format!("{}: no exercise was begun, begin one with `your-turn N`", Shown(&folder))
        })?;
        let manifest: Option<Table> = manifest.parse().ok();
        let said = manifest.as_ref().and_then(|manifest| {
            manifest.get("package")?.get("metadata")?.get("your-turn")?.as_table()
        });
        let end = |key| said.and_then(|said| said.get(key)?.as_str());
        let exercise = end("to").and_then(|to| Exercise::to(to, Some(end("from")?)));
        let exercise = exercise.with_context(|| {
            format!("{}: it does not say which step it is, begin with `your-turn N`", Shown(&path))
        })?;
        Ok(YourTurn { exercise, folder })
    }

    /// Returns the path of the file in which the learner writes.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("src/lib.rs")
    }

    /// Reads the file in which the learner writes.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let path = self.file();
        fs::read_to_string(&path)
            .with_context(|| format!("{}: cannot read this file", Shown(&path)))
    }

    /// Notes what this check helps with, and returns how often in a row it was the
    /// same.
    pub(crate) fn asked(&self, of: &str) -> anyhow::Result<u32> {
        let before = fs::read_to_string(self.folder.join(ASKED)).unwrap_or_default();
        let before = before.split_once(' ').filter(|(before, _)| *before == of);
        let times = before.and_then(|(_, times)| times.parse::<u32>().ok()).unwrap_or(0) + 1;
        self.write(ASKED, &format!("{of} {times}"))?;
        Ok(times)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        let write = || {
            fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
            fs::write(&path, text)
        };
        write().with_context(|| format!("{}: cannot write this file", Shown(&path)))
    }

    /// Returns the manifest, made from those of the stages and of the workspace.
    fn manifest(&self) -> anyhow::Result<String> {
        let root = read_manifest("Cargo.toml")?;
        let all = &root["workspace"];
        let of_service = read_manifest("crates/service/Cargo.toml")?;
        let dependencies = dependencies(&all["dependencies"], &of_service["dependencies"]);
        let tables = Table::from_iter([
            ("dependencies".to_owned(), dependencies.into()),
            // With the same profiles, cargo takes what the workspace has built.
            ("profile".to_owned(), root["profile"].clone()),
        ]);
        let limits = limits(self.exercise).into_iter();
        let limits: Vec<_> = limits
            .map(|limit| format!("{} = {}\n", limit.law, Value::from(limit.reason)))
            .collect();
        // Cargo tells two exercises in two folders apart by their versions alone. With
        // the same version, it would take the build of one for the other. So the path is
        // the absolute one: two people may both have typed `mine`.
        let mut folder = DefaultHasher::new();
        path::absolute(&self.folder)?.hash(&mut folder);
        let Exercise { from, to, .. } = self.exercise;
        let (folder, edition) = (folder.finish(), &all["package"]["edition"]);
        let word = End::of(to).word();
        let (limits, tables) = (limits.concat(), toml::to_string(&tables)?);
        Ok(format!(
            r#"# Made by `cargo compare your-turn {word}`. A workspace of its own, so that a step which
# fails or does not compile fails nothing else.
[workspace]

[package]
name = "your-turn"
version = "0.1.0+{folder:x}"
edition = {edition}
publish = false

[package.metadata.your-turn]
from = "{from}"
to = "{to}"

# What the stage that is to be written breaks by design.
[package.metadata.tributary.limits]
{limits}
[lints.rust]
unsafe_code = "forbid"

{tables}"#
        ))
    }
}

/// Returns cargo's configuration in the folder: the target folder of the workspace, and
/// the alias `compare`.
fn config() -> String {
    let of = |path| workspace().join(path).display().to_string();
    // A string, as in the workspace: cargo would join two lists.
    let compare =
        format!("run --release --manifest-path {} --package compare --", of("Cargo.toml"));
    let (target, compare) = (Value::from(of("target")), Value::from(compare));
    format!("[build]\ntarget-dir = {target}\n\n[alias]\ncompare = {compare}\n")
}

/// Reads a manifest of the workspace.
fn read_manifest(path: &str) -> anyhow::Result<Table> {
    let path = workspace().join(path);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{}: cannot read this file", Shown(&path)))?;
    text.parse().with_context(|| format!("{}: no manifest", Shown(&path)))
}

/// Returns the dependencies of all taught stages and of the service, so that all
/// exercises are built with the same, and of what tries them. Each is as the workspace
/// says.
fn dependencies(all: &Value, of_service: &Value) -> Table {
    let features = |dependency: &Value| -> Vec<String> {
        let named = dependency.get("features").and_then(Value::as_array);
        named.into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    let of_service = of_service.as_table().into_iter().flatten();
    let of_service = of_service.map(|(name, it)| (name.clone(), features(it)));
    let needed = stages::taught().flat_map(Stage::dependencies).chain(of_service);
    let besides = ["conformance", "exercises", "service", "service-laws"];
    let besides = besides.map(|name| (name.to_owned(), Vec::new()));
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, more) in needed.chain(besides) {
        features.entry(name).or_default().extend(more);
    }
    let dependencies = features.into_iter().map(|(name, features)| {
        let mut dependency = match &all[&*name] {
            Value::Table(said) => said.clone(),
            version => Table::from_iter([("version".to_owned(), version.clone())]),
        };
        if let Some(Value::String(path)) = dependency.get_mut("path") {
            *path = workspace().join(&*path).display().to_string();
        }
        dependency.insert("features".to_owned(), Vec::from_iter(features).into());
        (name, Value::Table(dependency))
    });
    dependencies.collect()
}

/// Returns the file that an exercise begins with: that of the stage or version before,
/// with comments that say what to write.
pub(crate) fn template(exercise: &Exercise) -> String {
    let mut text = String::new();
    let of = [&*exercise.about, "", &after(exercise)].join("\n");
    for line in of.lines() {
        text += format!("//! {line}").trim_end();
        text.push('\n');
    }
    text.push('\n');
    let mut number = 0;
    for line in steps::code(&steps::without_new(&End::of(&exercise.from).source())) {
        for todo in exercise.todos.iter().filter(|todo| todo.above == line.text) {
            number += 1;
            let indent = line.text.len() - line.text.trim_start().len();
            let said = format!("TODO {number}. {}", todo.say);
            let paragraphs = said.split("\n\n").map(|said| wrapped(said, WIDTH - 3 - indent));
            for said in paragraphs.collect::<Vec<_>>().join(&String::new()) {
                text += format!("{:indent$}// {said}", "").trim_end();
                text.push('\n');
            }
            // A blank line ends this comment: the next line may be one, too.
            text.push('\n');
        }
        text += &line.text;
        text.push('\n');
    }
    text
}

fn after(exercise: &Exercise) -> String {
    format!(
        "`cargo compare check-mine` says how far you are, and more if it is asked again; with\n\
         `--watch`, whenever you save. `cargo compare solution {}` shows\n\
         how {} does it.",
        End::of(&exercise.to).word(),
        End::of(&exercise.to).name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_of_the_same_name_are_two_crates_and_one_is_one_however_it_is_typed() {
        let exercise = &EXERCISES[0];
        let manifest =
            |folder: &str| YourTurn { exercise, folder: folder.into() }.manifest().unwrap();
        let here = path::absolute("mine").unwrap();
        assert_eq!(manifest("mine"), manifest(here.to_str().unwrap()));
        assert_ne!(manifest("mine"), manifest("/elsewhere/mine"));
    }

    #[test]
    fn an_exercise_begins_with_the_code_of_the_stage_before_and_all_that_is_to_be_written() {
        let code = |text: &str| -> Vec<String> {
            let is_code = |line: &String| !line.is_empty() && !line.trim().starts_with("//");
            steps::code(text).into_iter().map(|line| line.text).filter(is_code).collect()
        };
        for exercise in EXERCISES.iter() {
            let (text, from) = (template(exercise), &exercise.from);
            let source = End::of(from).source();
            assert_eq!(code(&text), code(&steps::without_new(&source)), "{from}");
            let todos = text.lines().filter(|line| line.trim().starts_with("// TODO "));
            assert_eq!(todos.count(), exercise.todos.len(), "from {from}:\n{text}");
            let width = text.lines().map(|line| line.chars().count()).max();
            assert!(width <= Some(100), "{width:?}");
        }
    }
}
