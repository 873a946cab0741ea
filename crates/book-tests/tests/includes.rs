//! Every listing of the book shows something, every link leads somewhere, and
//! every file that a text names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use book_tests::{Include, Page, includes, pages};
use side_by_side::columns;
use side_by_side::directive::{Directive, directives};
use stages::STAGES;
use testkit::Folder;

use crate::root;

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
            let Directive::Step { old, new } = directive else { continue };
            match columns(&root().join("crates"), &old, &new, "") {
                Ok(html) => {
                    assert!(html.contains("class=\"changed\""), "{place}:{line}: no change")
                }
                Err(error) => wrong.push(format!("{place}:{line}: {error:#}")),
            }
            shown.insert(format!("{old} {new}"));
        }
    }
    assert!(wrong.is_empty(), "these steps cannot be shown:\n{}", wrong.join("\n"));
    // Those of the other program are shown where its chapter wants them.
    shown.retain(|step| !step.contains('/'));
    let steps = stages::taught().flat_map(|stage| {
        let to = stage.name;
        stage.said().follows.into_iter().map(move |from| format!("{from} {to}"))
    });
    assert_eq!(shown, steps.collect(), "whole steps, and the ways of the graph");
}

#[test]
fn every_link_leads_to_a_file_and_every_file_that_a_text_names_is_there() {
    let mut missing = Vec::new();
    for page in project_pages() {
        let links = page.links().into_iter().map(|link| page.folder().join(link));
        let named = page.named_paths().into_iter().map(|path| root().join(path));
        let dead = links.chain(named).filter(|path| !path.exists());
        missing.extend(dead.map(|path| format!("{}: {}", page.path.display(), path.display())));
    }
    assert!(missing.is_empty(), "these files are not there:\n{}", missing.join("\n"));
}

/// A code host shows a page as it is written: where a listing should be, it has the
/// directive.
#[test]
fn a_link_from_outside_of_the_book_leads_to_no_page_that_has_listings() {
    let book = root().join("docs/src").canonicalize().expect("there is a book");
    let mut raw = Vec::new();
    let mut followed = 0;
    for page in project_pages() {
        let is_of_the_book = page.path.canonicalize().is_ok_and(|path| path.starts_with(&book));
        for link in page.links().into_iter().filter(|_| !is_of_the_book) {
            let Ok(target) = page.folder().join(link).canonicalize() else { continue };
            if !target.starts_with(&book) || target.extension().is_none_or(|end| end != "md") {
                continue;
            }
            followed += 1;
            let text = fs::read_to_string(&target).expect("a page can be read");
            if ["{{#include", "{{#step", "{{#files"]
                .iter()
                .any(|directive| text.contains(directive))
            {
                raw.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert!(raw.is_empty(), "these lead to pages that only mdBook can show:\n{}", raw.join("\n"));
    assert!(followed > 0, "the promises are linked from outside");
}

#[test]
fn every_output_that_is_made_is_shown() {
    let shown: BTreeSet<_> = project_pages()
        .iter()
        .flat_map(|page| includes(&page.text))
        .filter_map(|include| Some(include.ok()?.file.file_name()?.to_owned()))
        .collect();
    let made = |folder: &str| -> Vec<PathBuf> {
        let made = fs::read_dir(root().join(folder)).expect("the book shows outputs");
        made.map(|file| file.expect("the book shows outputs").path()).collect()
    };
    for file in made("docs/src/outputs").into_iter().filter(|path| path.is_file()) {
        let name = file.file_name().expect("a file has a name");
        assert!(shown.contains(name), "no page shows {name:?}");
    }
    // Of what the compiler says, a page shows all or the first line.
    for file in made("docs/src/outputs/refused") {
        let names = ["txt", "diff"].map(|end| file.with_extension(end));
        let is_shown = |path: &PathBuf| path.file_name().is_some_and(|name| shown.contains(name));
        assert!(names.iter().any(is_shown), "no page shows {file:?}");
    }
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

fn resolved(file: &str, link: &str) -> Result<String, String> {
    let folder = Folder::of([("a.rs", file)]);
    let mut found = includes(link);
    assert_eq!(found.len(), 1, "one listing in {link}");
    found.remove(0)?.resolve(folder.folder())
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
    let page = r"\{{#include escaped.rs}} and {{#include real.rs}}, {{#files}}";
    assert_eq!(includes(page), [Ok(Include { file: "real.rs".into(), anchor: None })]);
}

#[test]
fn what_mdbook_would_show_nothing_of_is_found() {
    for (link, why) in [
        ("{{#include a.rs:two}}", "ANCHOR: two is not there exactly once"),
        // No mere beginning of a name.
        ("{{#include a.rs:on}}", "ANCHOR: on is not there"),
        ("{{#include a.rs:twice}}", "ANCHOR: twice is not there"),
        ("{{#include a.rs:endless}}", "ANCHOR_END: endless does not follow"),
        ("{{#include a.rs:early}}", "ANCHOR_END: early does not follow"),
        ("{{#include a.rs:hollow}}", "there is nothing to show"),
        ("{{#include b.rs:one}}", "b.rs: No such file"),
        ("{{#include a.rs:1:7}}", "neither FILE nor FILE:ANCHOR"),
        ("{{#include a.rs:7}}", "neither FILE nor FILE:ANCHOR"),
        ("{{#includes a.rs:one}}", "neither FILE nor FILE:ANCHOR"),
        ("{{#include a.rs:one", "neither FILE nor FILE:ANCHOR"),
    ] {
        let told = resolved(FILE, link).expect_err(link);
        assert!(told.contains(why), "{link}: {told}");
    }
}
