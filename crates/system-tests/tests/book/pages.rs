//! Every page of the book, in a browser.

use std::fs;

use serde_json::json;
use system_tests::Browser;

use crate::{book, open, pages};

/// The machines that a book is read on: a narrow one has no room to spare.
const NARROW: (u32, u32) = (390, 844);

#[test]
fn every_page_loads_without_a_network_and_has_nothing_to_complain_of() {
    let browser = Browser::start();
    let folder = url::Url::from_directory_path(fs::canonicalize(book()).unwrap()).unwrap();
    let mut asked = 0;
    for page in pages() {
        browser.open(&page);
        assert_eq!(browser.console(), [""; 0], "{}", page.display());
        for address in browser.requests() {
            let is_ours = address.starts_with(folder.as_str()) || address.starts_with("data:");
            assert!(is_ours, "{} asks for {address}", page.display());
            asked += 1;
        }
    }
    assert!(asked > 200, "style, fonts and scripts are asked for: {asked}");
}

/// Finds what goes beyond the edge of the screen and cannot be scrolled to: what
/// is wide, a listing or a table, scrolls by itself.
const CUT: &str = "
    const scrolls = at => at.tagName !== 'MAIN'
        && (['auto', 'scroll'].includes(getComputedStyle(at).overflowX) || scrolls(at.parentElement));
    return [...document.querySelectorAll('main *')]
        .filter(it => it.getBoundingClientRect().right > innerWidth + 1 && !scrolls(it))
        .map(it => it.tagName + '.' + it.className).slice(0, 5);
";

#[test]
fn no_page_is_wider_than_a_narrow_screen() {
    let browser = Browser::start();
    browser.viewport(NARROW.0, NARROW.1);
    for page in pages().iter().filter(|page| !page.ends_with("print.html")) {
        browser.open(page);
        let width = browser.run("return document.documentElement.scrollWidth");
        assert_eq!(width, json!(NARROW.0), "{}", page.display());
        let cut = browser.run(CUT);
        assert_eq!(cut, json!([]), "{}: cut off at the edge", page.display());
    }
}

#[test]
fn the_search_finds_a_word_of_the_book() {
    let browser = open("index.html");
    browser.run("document.getElementById('mdbook-search-toggle').click()");
    browser.wait("document.activeElement.id === 'mdbook-searchbar'");
    "oneshot".chars().for_each(|letter| browser.press(&letter.to_string()));
    browser.wait("document.querySelectorAll('#mdbook-searchresults li a').length > 0");
    let target = browser.run("return document.querySelector('#mdbook-searchresults li a').href");
    browser.goto(target.as_str().unwrap());
    let text = browser.run("return document.querySelector('main').textContent");
    assert!(text.as_str().unwrap().contains("oneshot"), "{target}");
}

#[test]
fn on_paper_there_is_no_navigation_and_no_answer_is_folded() {
    let browser = open("threads-predict.html");
    let shown = |selector: &str| {
        browser.run(&format!(
            "return [...document.querySelectorAll('{selector}')].filter(it => it.checkVisibility() \
             && it.getBoundingClientRect().height > 0).length"
        ))
    };
    let navigation = "#mdbook-sidebar, #mdbook-menu-bar, .nav-chapters, .nav-wrapper";
    let answers = "main details > :not(summary)";
    assert_ne!(shown(navigation), 0);
    assert_eq!(shown(answers), 0, "a reader is to guess first");
    browser.media("print", &[]);
    assert_eq!(shown(navigation), 0);
    assert_ne!(shown(answers), 0);
}
