//! The page as a parser sees it, for the tests of its parts.

use report::{Comparison, render};
use scraper::{ElementRef, Html, Selector};

/// Parses the page, and holds it to the grammar of HTML.
#[track_caller]
pub(crate) fn parsed(comparison: &Comparison) -> Html {
    let html = Html::parse_document(&render(comparison));
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    html
}

pub(crate) fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).expect("the selector is one")).collect()
}

#[track_caller]
pub(crate) fn one<'a>(html: &'a Html, selector: &str) -> ElementRef<'a> {
    let found = all(html, selector);
    assert_eq!(found.len(), 1, "{selector}");
    found[0]
}

/// The text of an element, with single blanks.
pub(crate) fn text(element: ElementRef<'_>) -> String {
    let text: Vec<&str> = element.text().collect();
    text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}
