//! Every listing of the book shows something, every link leads somewhere, and
//! every file that a text names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use side_by_side::columns;
use side_by_side::directive::{Directive, directives};
use stages::STAGES;

use book_tests::{Include, Page, Problem, includes, pages};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn project_pages() -> Vec<Page> {
    let pages = pages(&root()).expect("the texts of the project can be read");
    assert!(pages.iter().any(|page| page.path.ends_with("docs/src/SUMMARY.md")));
    pages
}

#[test]
fn every_listing_of_the_book_shows_something() {
    let mut wrong = Vec::new();
    let mut right = 0;
    for page in project_pages() {
        for include in includes(&page.text) {
            match include.and_then(|include| include.resolve(page.folder())) {
                Ok(_) => right += 1,
                Err(problem) => wrong.push(format!("{}: {problem}", page.path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "these listings would be empty:\n{}", wrong.join("\n"));
    assert!(right >= 2 * STAGES.len(), "a listing or two for each stage, found {right}");
}

#[test]
fn every_step_of_the_book_shows_both_stages() {
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    for page in pages(&root().join("docs/src")).expect("the book can be read") {
        let place = page.path.display().to_string();
        let found = directives(&page.text).unwrap_or_else(|error| panic!("{place}:{error}"));
        for (line, directive) in found {
            let Directive::Step { old, new, item } = directive else { continue };
            match columns(&root().join("crates"), &old, &new, item.as_deref(), "") {
                Ok(html) => {
                    assert!(html.contains("class=\"changed\""), "{place}:{line}: no change")
                }
                Err(error) => wrong.push(format!("{place}:{line}: {error:#}")),
            }
            if item.is_none() {
                shown.insert(format!("{old} {new}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these steps cannot be shown:\n{}", wrong.join("\n"));
    let steps = stages::taught().flat_map(|stage| {
        let to = stage.name;
        stage.said().follows.into_iter().map(move |from| format!("{from} {to}"))
    });
    assert_eq!(shown, steps.collect(), "whole steps, and the ways of the graph");
}

#[test]
fn every_link_leads_to_a_file() {
    let mut dead = Vec::new();
    for page in project_pages() {
        for link in page.links() {
            if !page.folder().join(link).exists() {
                dead.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "these links lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn every_file_that_a_text_names_is_there() {
    let mut missing = Vec::new();
    for page in project_pages() {
        for path in page.named_paths() {
            if !root().join(path).exists() {
                missing.push(format!("{}: {path}", page.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "these files are not there:\n{}", missing.join("\n"));
}

#[test]
fn every_page_of_the_book_is_in_its_summary() {
    let docs = root().join("docs/src");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("the book has a summary");
    // The pictures and their captions are parts of pages, as listings are.
    let is_a_page = |page: &Page| !page.folder().ends_with("figures");
    for page in pages(&docs).expect("the book can be read").into_iter().filter(is_a_page) {
        let name = page.path.file_name().expect("a page has a name").to_string_lossy();
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name} is in no chapter of SUMMARY.md, so mdBook leaves it out",
        );
    }
}

fn resolved(file: &str, link: &str) -> Result<String, Problem> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("a.rs"), file).expect("the temporary folder can be written");
    let mut found = includes(link);
    assert_eq!(found.len(), 1, "one listing in {link}");
    found.remove(0)?.resolve(folder.path())
}

const FILE: &str = "\
use x;
// ANCHOR: one
fn one() {
    // ANCHOR: inner
    1
    // ANCHOR_END: inner
}
// ANCHOR_END: one
// ANCHOR: hollow

// ANCHOR_END: hollow
// ANCHOR: endless
// ANCHOR: twice
// ANCHOR: twice
// ANCHOR_END: early
// ANCHOR: early
";

#[test]
fn a_listing_is_the_text_between_its_marks() {
    let shown = resolved(FILE, "before {{#include a.rs:one}} after");
    assert_eq!(shown.as_deref(), Ok("fn one() {\n    1\n}"));
    assert_eq!(resolved("a\n// ANCHOR: b\nc\n", "{{#include a.rs}}").as_deref(), Ok("a\nc"));
}

#[test]
fn a_listing_that_mdbook_would_leave_empty_is_found() {
    let no_anchor = |name: &str| Err(Problem::NoAnchor(name.to_owned()));
    let no_end = |name: &str| Err(Problem::NoEnd(name.to_owned()));
    assert_eq!(resolved(FILE, "{{#include a.rs:two}}"), no_anchor("two"));
    // No mere beginning of a name.
    assert_eq!(resolved(FILE, "{{#include a.rs:on}}"), no_anchor("on"));
    assert_eq!(resolved(FILE, "{{#include a.rs:twice}}"), no_anchor("twice"));
    assert_eq!(resolved(FILE, "{{#include a.rs:endless}}"), no_end("endless"));
    assert_eq!(resolved(FILE, "{{#include a.rs:early}}"), no_end("early"));
    assert_eq!(resolved(FILE, "{{#include a.rs:hollow}}"), Err(Problem::Empty));
    assert_eq!(resolved("\n", "{{#include a.rs}}"), Err(Problem::Empty));
    assert!(matches!(resolved(FILE, "{{#include b.rs:one}}"), Err(Problem::NoFile(_))));
}

#[test]
fn what_is_no_plain_include_is_refused() {
    for link in [
        "{{#include a.rs:1:7}}",
        "{{#include a.rs:7}}",
        "{{#include a.rs:}}",
        "{{#include :one}}",
        "{{#includes a.rs:one}}",
        "{{#rustdoc_include a.rs:one}}",
        "{{#include a.rs:one",
    ] {
        assert_eq!(resolved(FILE, link), Err(Problem::NotAnInclude(link.to_owned())));
    }
    let page = r"\{{#include escaped.rs}} and {{#include real.rs}}";
    assert_eq!(includes(page), [Ok(Include { file: "real.rs".into(), anchor: None })]);
}
