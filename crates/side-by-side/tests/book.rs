//! The command, run the way mdBook runs it: a book in, a book out.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const ONE: &str =
    "// ANCHOR: merge\nfn merge() {}\n// ANCHOR_END: merge\n// ANCHOR: tail\nfn tail() {}\n";
const TWO: &str =
    "// ANCHOR: merge\nfn merge() {}\n// ANCHOR_END: merge\n// ANCHOR: tail\nasync fn tail() {}\n";

/// A folder of two stages, beside the one where the book would be.
fn stages() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (stage, file) in [("stage1-a", ONE), ("stage2-b", TWO), ("other", "fn other() {}\n")] {
        let src = folder.path().join("crates").join(stage).join("src");
        fs::create_dir_all(&src).unwrap();
        fs::write(src.join("lib.rs"), file).unwrap();
    }
    fs::create_dir(folder.path().join("crates/stage3-c")).unwrap();
    folder
}

/// Makes the book of these pages, each a path and what it holds, as mdBook 0.5
/// hands it over.
fn input(folder: &Path, pages: &[(&str, &str)]) -> String {
    let pages = pages.iter().zip(1..).map(|((path, content), number)| {
        serde_json::json!({ "Chapter": {
            "name": path, "content": content, "number": [number], "sub_items": [],
            "path": path, "source_path": path, "parent_names": [],
        }})
    });
    let items: Vec<_> = pages.collect();
    let config = serde_json::json!({
        "book": { "src": "src" },
        "preprocessor": { "side-by-side": { "crates": "../crates" } },
    });
    let context = serde_json::json!({
        "root": folder.join("docs"), "config": config, "renderer": "html", "mdbook_version": "0.5.4",
    });
    serde_json::json!([context, { "items": items }]).to_string()
}

fn run(pages: &[(&str, &str)]) -> Output {
    run_in(&stages(), pages)
}

fn run_in(folder: &TempDir, pages: &[(&str, &str)]) -> Output {
    fs::create_dir(folder.path().join("docs")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_side-by-side"));
    command.env("RUST_BACKTRACE", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let book = input(folder.path(), pages);
    child.stdin.take().unwrap().write_all(book.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

const FILES: (&str, &str) = ("files.md", "# Files\n\n{{#files}}\n");

#[test]
fn steps_and_files_are_put_into_the_book() {
    let page = "# Two\n\nBefore.\n\n{{#step stage1-a stage2-b}}\n\nAfter `\\{{#step}}`.\n\n\
                {{#step stage1-a stage2-b tail}}\n";
    let pages = [("two.md", page), ("deep/tail.md", "{{#step stage1-a stage2-b tail}}\n")];
    let folder = stages();
    fs::remove_dir(folder.path().join("crates/stage3-c")).unwrap();
    let done = run_in(&folder, &[pages[0], pages[1], FILES]);
    assert!(done.status.success());
    let book: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let content = |at: usize| book["items"][at]["Chapter"]["content"].as_str().unwrap().to_owned();

    let two = content(0);
    let lines: Vec<_> = two.lines().collect();
    assert_eq!(lines.len(), 9, "a step is one line, as its directive was:\n{two}");
    // What the colours mean is said above the first one.
    assert!(lines[4].starts_with("<p class=\"step-legend\">"), "{two}");
    assert!(lines[4].contains("</p><div class=\"step\""), "{two}");
    assert!(lines[8].starts_with("<div class=\"step\""), "{two}");
    assert!(lines[4].contains("href=\"files/stage2-b.html#stage2-b-5\""), "{two}");
    assert_eq!((lines[2], lines[6]), ("Before.", "After `\\{{#step}}`."));

    let tail = content(1);
    assert!(tail.contains("tail()") && !tail.contains("merge()"), "{tail}");
    assert!(tail.contains("href=\"../files/stage1-a.html#stage1-a-5\""), "{tail}");

    assert!(content(2).contains("- [stage1-a/src/lib.rs](files/stage1-a.md)"));
    let below = book["items"][2]["Chapter"]["sub_items"].as_array().unwrap();
    let names: Vec<_> =
        below.iter().map(|page| page["Chapter"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["stage1-a", "stage2-b"]);
    let last = &below[1]["Chapter"];
    assert_eq!(
        (&last["number"], &last["path"]),
        (&serde_json::json!([3, 2]), &"files/stage2-b.md".into())
    );
    assert!(last["content"].as_str().unwrap().contains("id=\"stage2-b-5\""), "{last}");
}

#[test]
fn a_book_without_directives_is_handed_back_as_it_was() {
    let done = run(&[("a.md", "# A\n\ntext\n")]);
    assert!(done.status.success());
    let book: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(book["items"][0]["Chapter"]["content"], "# A\n\ntext\n");
}

#[test]
fn a_mistake_fails_the_build_and_names_page_and_line() {
    for (page, parts) in [
        ("{{#step stage1-a stage9}}", &["`stage9` is no stage", "stage1-a, stage2-b"][..]),
        // A crate that is no stage, and a way out of the folder.
        ("{{#step stage1-a other}}", &["`other` is no stage"]),
        ("{{#step stage1-a ../other}}", &["`../other` is no stage"]),
        ("{{#step stage1-a stage3-c}}", &["stage3-c/src/lib.rs", "No such file"]),
        ("{{#step stage1-a stage2-b head}}", &["`head` is no item", "merge, tail"]),
        ("{{#Step stage1-a stage2-b}}", &["`{{#Step stage1-a stage2-b}}` is neither"]),
        ("{{#step stage1-a}}", &["`{{#step stage1-a}}` is neither"]),
        ("see {{#step stage1-a stage2-b}}", &["alone on its line"]),
    ] {
        let done = run(&[("deep/page.md", &format!("# Page\n\n{page}\n")), FILES]);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success(), "{page} is taken");
        for part in [&["deep/page.md:3"], parts].concat() {
            assert!(said.contains(part), "{part} is not said of {page}: {said}");
        }
        assert!(done.stdout.is_empty(), "half a book is handed back");
        assert_eq!(done.status.code(), Some(1));
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_file_with_nothing_in_it_fails_the_build() {
    let folder = stages();
    let empty = folder.path().join("crates/stage3-c/src");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("lib.rs"), "\n").unwrap();
    let done = run_in(&folder, &[FILES]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(!done.status.success(), "it is taken");
    assert!(said.contains("files.md:3") && said.contains("stage3-c/src/lib.rs"), "{said}");
}

#[test]
fn a_listing_that_shows_a_directive_is_left_as_it_is() {
    let page = "# A\n\n```text\n{{#step stage1-a stage2-b}}\n{{#files}}\n```\n";
    let done = run(&[("a.md", page)]);
    assert!(done.status.success());
    let book: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(book["items"][0]["Chapter"]["content"], page);
}

#[test]
fn line_numbers_need_one_place_to_lead_to() {
    let step = ("a.md", "{{#step stage1-a stage2-b}}\n");
    for (pages, count) in [(vec![step], "0 pages"), (vec![step, FILES, FILES], "2 pages")] {
        let said = String::from_utf8(run(&pages).stderr).unwrap();
        assert!(said.contains("a.md:1") && said.contains(count), "{said}");
    }
}

#[test]
fn it_is_for_html_and_says_how_it_is_run() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_side-by-side")).args(arguments).output().unwrap()
    };
    assert!(run(&["supports", "html"]).status.success());
    assert!(!run(&["supports", "markdown"]).status.success());
    let said = String::from_utf8(run(&["--help"]).stderr).unwrap();
    assert!(said.contains("mdBook runs this"), "{said}");
}
