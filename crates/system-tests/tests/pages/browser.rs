//! The browser of the tests shows what a page does.

use std::fs;

use serde_json::json;
use system_tests::Browser;
use testkit::Folder;

const PAGE: &str = r#"<!doctype html><title>A page</title>
<style>
  p { color: rgb(1, 2, 3) }
  @media print { p { color: rgb(4, 5, 6) } }
  @media (prefers-color-scheme: dark) { body { color: rgb(7, 8, 9) } }
</style>
<p>text</p><img src="missing.png">
<script>console.warn("a warning"); setTimeout(() => { window.late = 1; throw new Error("thrown") });</script>"#;

#[test]
fn what_a_page_says_and_asks_for_is_told() {
    let folder = Folder::of([("page.html", PAGE)]);
    let browser = Browser::start();
    browser.open(&folder.path("page.html"));
    browser.wait("window.late === 1");
    assert_eq!(browser.run("return document.title"), "A page");

    let said = browser.console().join("\n");
    for part in ["WARNING", "a warning", "SEVERE", "thrown", "missing.png"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(browser.console(), [""; 0], "nothing is told twice");

    let asked = browser.requests();
    for part in ["page.html", "missing.png"] {
        assert!(asked.iter().any(|address| address.ends_with(part)), "{part} is not in {asked:?}");
    }
    assert!(asked.iter().all(|address| address.starts_with("file://")), "{asked:?}");
}

#[test]
fn the_size_and_the_medium_are_what_a_test_says() {
    let folder = Folder::of([("page.html", PAGE)]);
    let browser = Browser::start();
    browser.viewport(390, 844);
    browser.open(&folder.path("page.html"));
    assert_eq!(browser.run("return [innerWidth, innerHeight]"), json!([390, 844]));

    let colour = |of: &str| {
        browser.run(&format!("return getComputedStyle(document.querySelector('{of}')).color"))
    };
    assert_eq!(colour("p"), "rgb(1, 2, 3)");
    browser.media("print", &[("prefers-color-scheme", "dark")]);
    assert_eq!(colour("p"), "rgb(4, 5, 6)");
    assert_eq!(colour("body"), "rgb(7, 8, 9)");

    let picture = folder.path("pictures/page.png");
    browser.screenshot(&picture);
    let bytes = fs::read(picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    // The width is in the first chunk.
    assert_eq!(bytes[16..20], 390u32.to_be_bytes());
}
