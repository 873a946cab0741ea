//! How long each chapter of the book takes, counted.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::path::Path;

use book_tests::reading::{Chapter, chapters};

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let minutes = |words| match Chapter::minutes(words) {
        0 => String::new(),
        minutes => minutes.to_string(),
    };
    println!("| chapter | minutes | beside it |\n|---|---|---|");
    let (mut core, mut beside) = (0, 0);
    for chapter in chapters(&root)? {
        let Chapter { title, page, .. } = &chapter;
        println!("| [{title}]({page}) | {} | {} |", minutes(chapter.core), minutes(chapter.beside));
        core += Chapter::minutes(chapter.core);
        beside += Chapter::minutes(chapter.beside);
    }
    println!("| **in all** | **{core}** | **{beside}** |");
    Ok(())
}
