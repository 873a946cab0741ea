//! Every page of the book, in a browser.

use std::fs;

use serde_json::json;

use crate::{TELEPHONE, book, narrow, open, pages};

/// Finds elements that go beyond the edge of the screen and cannot be scrolled to. A wide
/// listing or table scrolls by itself, and is no such element.
const CUT: &str = "
    const scrolls = at => at.tagName !== 'MAIN'
        && (['auto', 'scroll'].includes(getComputedStyle(at).overflowX) || scrolls(at.parentElement));
    return [...document.querySelectorAll('main *')]
        .filter(it => it.getBoundingClientRect().right > innerWidth + 1 && !scrolls(it))
        .map(it => it.tagName + '.' + it.className).slice(0, 5);
";

/// Finds code within a text that is broken into two lines and should not be, and what a
/// program says that is cut off.
const TORN: &str = "
    const short = [...document.querySelectorAll('main :not(pre) > code:not(.long), code.long > .short')]
        .filter(it => !it.closest('h1, h2, h3, h4') && it.checkVisibility());
    const said = [...document.querySelectorAll('pre > code:is(.language-text, .language-sh):not(.measured)')]
        .filter(it => it.checkVisibility());
    return [
        short.length + said.length,
        short.filter(it => it.getClientRects().length > 1).map(it => it.textContent),
        said.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent),
    ];
";

#[test]
fn every_page_asks_for_no_network_has_no_complaint_and_fits_a_telephone() {
    let browser = narrow("index.html");
    browser.requests();
    let folder = url::Url::from_directory_path(fs::canonicalize(book()).unwrap()).unwrap();
    let (mut asked, mut seen) = (0, 0);
    for page in pages() {
        browser.open(&page);
        let place = page.display();
        assert_eq!(browser.console(), [""; 0], "{place}");
        for address in browser.requests() {
            let is_ours = address.starts_with(folder.as_str()) || address.starts_with("data:");
            assert!(is_ours, "{place} asks for {address}");
            asked += 1;
        }
        if page.ends_with("print.html") {
            continue;
        }
        let width = browser.run("return document.documentElement.scrollWidth");
        assert_eq!(width, json!(TELEPHONE.0), "{place}");
        assert_eq!(browser.run(CUT), json!([]), "{place}: cut off at the edge");
        let found = browser.run(TORN);
        seen += found[0].as_u64().unwrap();
        assert_eq!((&found[1], &found[2]), (&json!([]), &json!([])), "{place}");
    }
    assert!(asked > 200, "style, fonts and scripts are asked for: {asked}");
    assert!(seen > 500, "code in a text is in one piece: {seen}");
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
