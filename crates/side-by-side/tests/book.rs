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
fn steps_and_files_are_put_into_the_book_and_a_page_without_them_is_as_it_was() {
    let page = "# Two\n\nBefore.\n\n{{#step stage1-a stage2-b}}\n\nAfter `\\{{#step}}`.\n\n\
                {{#step stage1-a stage2-b}}\n";
    let folder = stages();
    fs::remove_dir(folder.path().join("crates/stage3-c")).unwrap();
    let deep = ("deep/two.md", "{{#step stage1-a stage2-b}}\n");
    let done = run_in(&folder, &[("two.md", page), deep, FILES, ("a.md", "# A\n\ntext\n")]);
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
    assert!(content(1).contains("href=\"../files/stage1-a.html#stage1-a-5\""), "{}", content(1));
    assert_eq!(content(3), "# A\n\ntext\n");

    assert!(content(2).contains("- [stage1-a/src/lib.rs](files/stage1-a.md)"));
    let below = book["items"][2]["Chapter"]["sub_items"].as_array().unwrap();
    let page = |at: usize, key: &str| &below[at]["Chapter"][key];
    assert_eq!((page(0, "name"), page(1, "name")), (&"stage1-a".into(), &"stage2-b".into()));
    assert_eq!(page(1, "number"), &serde_json::json!([3, 2]));
    assert_eq!(page(1, "path"), "files/stage2-b.md");
    let last = page(1, "content").as_str().unwrap();
    assert!(last.contains("id=\"stage2-b-5\""), "{last}");
}

#[test]
fn a_module_of_any_crate_has_columns_and_a_page_as_a_stage_has() {
    let folder = stages();
    let src = folder.path().join("crates/other/src");
    fs::write(src.join("a.rs"), "fn a() {}\n").unwrap();
    fs::write(src.join("b.rs"), "async fn a() {}\n").unwrap();
    let step = ("deep/two.md", "{{#step other/a other/b}}\n");
    let files = ("files.md", "{{#files other/a other/b}}\n");
    let done = run_in(&folder, &[step, files]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let book: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let chapter = |at: usize| &book["items"][at]["Chapter"];
    let step = chapter(0)["content"].as_str().unwrap();
    assert!(step.contains("href=\"../files/other-b.html#other-b-1\""), "{step}");
    let list = chapter(1)["content"].as_str().unwrap();
    assert_eq!(
        list,
        "- [other/src/a.rs](files/other-a.md)\n- [other/src/b.rs](files/other-b.md)\n"
    );
    let page = &chapter(1)["sub_items"][1]["Chapter"];
    assert_eq!(page["path"], "files/other-b.md");
    assert!(page["content"].as_str().unwrap().contains("id=\"other-b-1\""), "{page}");
}

#[test]
fn a_mistake_fails_the_build_and_names_page_and_line() {
    for (page, parts) in [
        ("{{#step stage1-a stage9}}", &["`stage9` is no stage", "stage1-a, stage2-b"][..]),
        // A crate that is no stage.
        ("{{#step stage1-a other}}", &["`other` is no stage"]),
        ("{{#step stage1-a stage3-c}}", &["stage3-c/src/lib.rs", "No such file"]),
        ("{{#step other/a other/b}}", &["other/src/a.rs", "No such file"]),
        ("{{#step stage1-a}}", &["`{{#step stage1-a}}` is neither", "alone on its line"]),
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
fn it_is_for_html_and_says_how_it_is_run() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_side-by-side")).args(arguments).output().unwrap()
    };
    assert!(run(&["supports", "html"]).status.success());
    assert!(!run(&["supports", "markdown"]).status.success());
    let said = String::from_utf8(run(&["--help"]).stderr).unwrap();
    assert!(said.contains("mdBook runs this"), "{said}");
}
