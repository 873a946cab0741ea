//! How long the book takes is what its texts say.

use std::fs;

use book_tests::reading::{Chapter, chapters};

use crate::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("the texts can be read")
}

#[test]
fn the_core_is_read_in_two_hours_and_the_texts_say_so() {
    let chapters = chapters(&root()).expect("every page can be read");
    let minutes: usize = chapters.iter().map(|chapter| Chapter::minutes(chapter.core)).sum();
    assert!((60..=120).contains(&minutes), "the core takes {minutes} minutes");
    let table = read("docs/src/outputs/reading_time.txt");
    let said = table.split("| **in all** | **").nth(1).and_then(|rest| rest.split("**").next());
    assert_eq!(said, Some(minutes.to_string().as_str()), "`just refresh` counts anew");
    let includes_it = read("docs/src/index.md").contains("{{#include outputs/reading_time.txt}}");
    assert!(includes_it, "the first page says how long the book takes");
    let half_hours = (minutes + 15) / 30;
    let words = ["", "half an hour", "an hour", "an hour and a half", "two hours"][half_hours];
    let sentence = format!("its core takes about {words}");
    // A line may be broken anywhere in it.
    let readme = read("README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains(&sentence), "README.md does not say that {sentence}");
}
