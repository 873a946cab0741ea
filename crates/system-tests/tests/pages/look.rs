//! Texts can be read, by day and by night.

use crate::contrast::texts_too_faint;
use crate::{open, picture};

#[test]
fn every_text_stands_out_from_its_ground_in_every_theme() {
    let browser = open("mixed.html");
    let mut faint = Vec::new();
    for theme in ["light", "rust", "coal", "navy", "ayu"] {
        browser.run(&format!("localStorage.setItem('mdbook-theme', '{theme}')"));
        for page in [
            "index.html",
            "mixed.html",
            "never-block.html",
            "threads-predict.html",
            "files/stage5-fully-async.html",
        ] {
            browser.open(&crate::book().join(page));
            let has = format!("return document.documentElement.classList.contains('{theme}')");
            assert_eq!(browser.run(&has), true);
            let found = texts_too_faint(&browser, "main, #mdbook-sidebar, .menu-title");
            faint.extend(found.into_iter().map(|text| format!("{theme}, {page}: {text}")));
        }
    }
    assert!(faint.is_empty(), "these are faint:\n{}", faint.join("\n"));
}

#[test]
fn who_prefers_the_dark_gets_it() {
    let browser = open("index.html");
    let is_dark = "return document.documentElement.classList.contains('navy')";
    assert_eq!(browser.run(is_dark), false);
    browser.media("screen", &[("prefers-color-scheme", "dark")]);
    browser.open(&crate::book().join("mixed.html"));
    assert_eq!(browser.run(is_dark), true);
    picture(&browser, "dark");
}
