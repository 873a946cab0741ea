//! The browser of the tests shows what a page does, and leaves nothing behind.

use std::fs;
use std::path::Path;

use serde_json::json;
use system_tests::Browser;

const PAGE: &str = r#"<!doctype html><title>A page</title>
<style>
  p { color: rgb(1, 2, 3) }
  @media print { p { color: rgb(4, 5, 6) } }
  @media (prefers-color-scheme: dark) { body { color: rgb(7, 8, 9) } }
</style>
<p>text</p><img src="missing.png">
<script>console.warn("a warning"); setTimeout(() => { window.late = 1; throw new Error("thrown") });</script>"#;

fn written(page: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    fs::write(&file, page).unwrap();
    (folder, file)
}

#[test]
fn what_a_page_says_and_asks_for_is_told() {
    let (_folder, file) = written(PAGE);
    let browser = Browser::start();
    browser.open(&file);
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
    let (folder, file) = written(PAGE);
    let browser = Browser::start();
    browser.viewport(390, 844);
    browser.open(&file);
    assert_eq!(browser.run("return [innerWidth, innerHeight]"), json!([390, 844]));

    let colour = |of: &str| {
        browser.run(&format!("return getComputedStyle(document.querySelector('{of}')).color"))
    };
    assert_eq!(colour("p"), "rgb(1, 2, 3)");
    browser.media("print", &[("prefers-color-scheme", "dark")]);
    assert_eq!(colour("p"), "rgb(4, 5, 6)");
    assert_eq!(colour("body"), "rgb(7, 8, 9)");

    let picture = folder.path().join("pictures/page.png");
    browser.screenshot(&picture);
    let bytes = fs::read(picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    // The width is in the first chunk.
    assert_eq!(bytes[16..20], 390u32.to_be_bytes());
}

#[test]
fn nothing_is_left_behind() {
    let browser = Browser::start();
    let profile = browser.profile().to_owned();
    assert!(!running(&profile).is_empty(), "the browser runs with its profile");
    drop(browser);
    testkit::until("the browser ends", || running(&profile).is_empty());
    assert!(!profile.exists(), "{} is still there", profile.display());
}

/// Finds the processes that were started with this profile.
fn running(profile: &Path) -> Vec<String> {
    let profile = profile.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|it| fs::read_to_string(it.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(profile)).collect()
}
