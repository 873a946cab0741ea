//! "What people ask" is made from marks in the pages, and each question has one.

use std::collections::BTreeSet;
use std::fs;

use book_tests::asked::{Mark, marks, page, questions};
use book_tests::{Page, files, pages};

use crate::root;

fn marks_of_the_book() -> Vec<Mark> {
    let pages = pages(&root().join("docs/src")).expect("the book can be read");
    pages.iter().flat_map(|page| marks(page).expect("each mark can be read")).collect()
}

#[test]
fn every_question_has_a_mark_and_every_mark_a_question() {
    let asked = questions().expect("the questions can be read");
    assert_eq!(asked.len(), 68);
    let asked: BTreeSet<_> = asked.iter().map(|question| question.number).collect();
    let marked: BTreeSet<_> = marks_of_the_book().iter().map(|mark| mark.number).collect();
    assert_eq!(marked, asked, "a mark without a question, or a question without a mark");
}

#[test]
fn the_page_of_what_people_ask_is_what_the_marks_say() {
    let made = page(&questions().expect("the questions can be read"), &marks_of_the_book());
    let made = made.expect("each mark has a question");
    let there = fs::read_to_string(root().join("docs/src/asked.md")).expect("there is a page");
    for (made, there) in made.lines().zip(there.lines()) {
        assert_eq!(made, there, "`just refresh` makes it anew");
    }
    assert_eq!(made.len(), there.len(), "`just refresh` makes it anew");
}

#[test]
fn each_message_that_is_explained_is_one_that_a_test_has_seen() {
    let page = page(&[], &[]).expect("a page without questions");
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let said: Vec<_> = rows.map_while(|row| row.split(" | ").next()?.strip_prefix("| ")).collect();
    let said = &said[..said.len() - 1];
    assert!(said.len() > 5, "{said:?}");
    let tests = root().join("crates/book-tests/tests");
    let files = files(&tests).expect("the tests can be listed");
    let others = files.iter().filter(|file| **file != tests.join("asked.rs"));
    let texts: Vec<_> =
        others.map(|file| fs::read_to_string(file).expect("a test can be read")).collect();
    for message in said {
        // The tests break their lines before the end of the longest.
        let begin: String = message.chars().take(48).collect();
        assert!(texts.iter().any(|text| text.contains(&begin)), "no test has seen: {message}");
    }
}

fn marked(text: &str) -> anyhow::Result<Vec<Mark>> {
    marks(&Page { path: "folder/page.md".into(), text: text.to_owned() })
}

#[test]
fn a_mark_takes_the_heading_above_and_the_tests_that_it_or_its_paragraph_names() {
    let text = "# Title\n```\n## In a listing\n<!-- a -->\n```\n<!-- question 1: a_test_of_mine -->\nText.\n\n## Why `Drop`?\n\n<!-- question 2 -->\nIt is shown (`by_a_test_below`).\n";
    let found = marked(text).expect("both can be read");
    let said = |mark: &Mark| (mark.number, mark.heading.clone(), mark.tests.clone());
    assert_eq!(said(&found[0]), (1, "Title".into(), vec!["a_test_of_mine".into()]));
    assert_eq!(said(&found[1]), (2, "Why `Drop`?".into(), vec!["by_a_test_below".into()]));
    assert!(page(&[], &found).is_err(), "nobody has asked them");
    let questions = questions().expect("the questions can be read");
    let table = page(&questions[..2], &found).expect("both are asked");
    assert!(table.contains("[Title](page.md#question-1) | `a_test_of_mine` |"), "{table}");
    assert!(table.contains("[Why `Drop`?](page.md#question-2) | `by_a_test_below` |"), "{table}");
}

#[test]
fn a_mark_without_a_paragraph_a_heading_or_a_test_is_found() {
    for text in [
        "# Title\n<!-- question 1: a_test_of_mine -->\n\nText.",
        "<!-- question 1: a_test_of_mine -->\nText.",
        "# Title\n<!-- question 1 -->\nText without one.",
        "# Title\n<!-- question one: a_test_of_mine -->\nText.",
        "# Title\n<!-- question 1: a_test_of_mine\nText.",
    ] {
        assert!(marked(text).is_err(), "{text}");
    }
}
