//! What `ARCHITECTURE.md` says of the form of this project.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use stages::STAGES;

use crate::root;

fn crates() -> PathBuf {
    root().join("crates")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// Lists the files under `folder`, as paths relative to it.
fn files(folder: &Path) -> BTreeSet<String> {
    let files = book_tests::files(folder).expect("a folder can be listed").into_iter();
    let relative = files.map(|path| path.strip_prefix(folder).expect("it is in there").to_owned());
    relative.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// The folders of the stages that are taught.
fn taught() -> impl Iterator<Item = PathBuf> {
    stages::taught().map(|stage| crates().join(stage.name))
}

#[test]
fn every_folder_of_a_stage_is_in_the_list_of_stages() {
    let folders = ours().into_iter().filter(|name| name.starts_with("stage") && name != "stages");
    let listed = STAGES.iter().map(|stage| stage.name.to_owned());
    assert_eq!(folders.collect::<BTreeSet<_>>(), listed.collect());
}

/// A second list would have to be changed for every stage that is added.
#[test]
fn nothing_but_the_list_of_stages_names_them_all() {
    // The tests of each stage by itself, and the figures of a made-up run.
    let other = ["crates/book-tests/Cargo.toml", "crates/report/"];
    let of_folder = |folder: &'static str| {
        files(&root().join(folder)).into_iter().map(move |file| format!("{folder}/{file}"))
    };
    let names_all = |file: &str| {
        let text = read(&root().join(file)).replace('_', "-");
        stages::taught().all(|stage| text.contains(stage.name))
    };
    let mut named: Vec<_> = of_folder("benches").chain(of_folder("crates")).collect();
    named.retain(|file| {
        let is_code = [".rs", "Cargo.toml"].iter().any(|end| file.ends_with(end));
        is_code && !other.iter().any(|it| file.starts_with(it)) && names_all(file)
    });
    assert_eq!(named, ["crates/stages/Cargo.toml", "crates/stages/src/lib.rs"]);
}

#[test]
fn a_stage_is_a_short_file_a_readme_that_ends_in_try_to_break_it_and_one_test_file() {
    for stage in taught() {
        let place = stage.display();
        let expected = ["Cargo.toml", "README.md", "src/lib.rs", "tests/conformance.rs"];
        assert_eq!(files(&stage), expected.map(str::to_owned).into(), "{place}");
        let file = read(&stage.join("src/lib.rs"));
        let lines = file.lines().filter(|line| !line.starts_with("//!")).count();
        assert!(lines <= 160, "{place} has {lines} lines without its crate doc");
        let readme = read(&stage.join("README.md"));
        assert!((10..=60).contains(&readme.lines().count()), "the README of {place}");
        let title = readme.lines().rfind(|line| line.starts_with("## "));
        assert_eq!(title, Some("## Try to break it"), "{place}");
    }
}

/// Names what a manifest depends on, but for its tests.
fn dependencies(manifest: &Path) -> Vec<String> {
    names(manifest, &["dependencies", "build-dependencies"])
}

/// Names what is in these tables of a manifest, for any target.
fn names(manifest: &Path, tables: &[&str]) -> Vec<String> {
    let manifest: toml::Table = read(manifest).parse().expect("a manifest is TOML");
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(toml::Table::values).flat_map(toml::Value::as_table);
    let all = targets
        .chain([&manifest])
        .flat_map(|of_target| tables.iter().filter_map(|name| of_target.get(*name)?.as_table()));
    all.flat_map(toml::Table::keys).cloned().collect()
}

/// Names the crates of this workspace.
fn ours() -> BTreeSet<String> {
    let entries = fs::read_dir(crates()).expect("the crates can be listed");
    let paths = entries.map(|entry| entry.expect("the crates can be listed").path());
    let names = paths.filter(|path| path.is_dir()).map(|path| path.file_name().unwrap().to_owned());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

fn is_stage(name: &str) -> bool {
    STAGES.iter().any(|stage| stage.name == name)
}

/// Names the crates that are no stage.
fn no_stages() -> impl Iterator<Item = String> {
    ours().into_iter().filter(|name| !is_stage(name))
}

#[test]
fn each_crate_uses_only_those_in_the_lines_above_its_own() {
    let architecture = read(&root().join("ARCHITECTURE.md"));
    let section = architecture.split("## The crates").nth(1).expect("a section of the crates");
    let drawn = section.split("```").nth(1).and_then(|it| it.strip_prefix("text\n"));
    let rows: Vec<_> = drawn.expect("the rows").lines().collect();
    let row = |name: &str| rows.iter().position(|row| row.split("  ").any(|it| it == name));
    let stages = row("stage1 … stage6").expect("a row of the stages");
    // A workspace of its own is used by nobody here.
    for name in no_stages().filter(|name| name != "system-tests") {
        let own = row(&name).unwrap_or_else(|| panic!("{name} is in no row"));
        for used in dependencies(&crates().join(&name).join("Cargo.toml")) {
            let used_row = if is_stage(&used) { Some(stages) } else { row(&used) };
            assert!(used_row.is_none_or(|used| used < own), "{name} uses {used}");
        }
    }
}

#[test]
fn each_crate_has_one_line_on_the_page_of_the_crates() {
    let page = read(&crates().join("README.md"));
    for name in no_stages() {
        let links = page.matches(&format!("[`{name}`]({name})")).count();
        assert_eq!(links, 1, "crates/README.md has {links} links to {name}");
    }
}

#[test]
fn the_contract_knows_no_runtime_and_no_other_crate_here() {
    let dependencies = dependencies(&crates().join("tributary/Cargo.toml"));
    assert!(dependencies.contains(&"bytes".to_owned()), "{dependencies:?}");
    for name in dependencies {
        assert!(!ours().contains(&name), "the contract depends on {name}");
        assert!(!name.starts_with("tokio"), "the contract depends on {name}");
    }
}

#[test]
fn a_stage_knows_the_contract_and_the_event_loop_and_nothing_else_here() {
    for stage in STAGES.iter().map(|stage| crates().join(stage.name)) {
        for name in dependencies(&stage.join("Cargo.toml")) {
            let known = name == "tributary" || name == "tokio-loop";
            assert!(known || !ours().contains(&name), "{} depends on {name}", stage.display());
        }
        let for_tests = names(&stage.join("Cargo.toml"), &["dev-dependencies"]);
        assert!(for_tests.contains(&"conformance".to_owned()), "{for_tests:?}");
        let other = for_tests.iter().find(|name| name.starts_with("stage"));
        assert_eq!(other, None, "{} depends on another stage", stage.display());
    }
}

#[test]
fn nothing_in_the_contract_starts_a_thread_but_notifier_poller_and_saver() {
    let folder = crates().join("tributary/src");
    let starts = |file: &String| {
        let text = read(&folder.join(file));
        // Its own tests stand at the end of a file.
        let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        ["thread::spawn", "thread::Builder", "thread::scope"]
            .iter()
            .any(|start| text.contains(start))
    };
    let mut files = files(&folder);
    files.retain(|file| !file.ends_with("tests.rs") && starts(file));
    let found: Vec<_> = files.into_iter().collect();
    assert_eq!(found, ["keeping/saver.rs", "waking/notifier.rs", "waking/poller.rs"]);
}

/// Otherwise both would build what they share, into one folder, and each once more.
#[test]
fn the_system_tests_have_the_versions_of_the_workspace() {
    let [ours, theirs] = ["Cargo.lock", "crates/system-tests/Cargo.lock"].map(locked);
    let others: Vec<_> = ours
        .iter()
        .filter(|(package, version)| theirs.get(*package).is_some_and(|it| it != *version))
        .map(|((name, _), version)| format!("cargo update {name} --precise {version}"))
        .collect();
    assert!(others.is_empty(), "in crates/system-tests: {others:#?}");
}

/// The versions in a lock file, by name and by the part of the version that says what can
/// stand for what.
fn locked(file: &str) -> BTreeMap<(String, String), String> {
    let lock: toml::Table = toml::from_str(&read(&root().join(file))).unwrap();
    let packages = lock["package"].as_array().unwrap().iter().map(|package| {
        let [name, version] = ["name", "version"].map(|key| package[key].as_str().unwrap());
        let (major, rest) = version.split_once('.').unwrap();
        let minor = rest.split('.').next().unwrap().to_owned();
        let compatible = if major == "0" { minor } else { major.to_owned() };
        ((name.to_owned(), compatible), version.to_owned())
    });
    packages.collect()
}
