//! Which stage is for whom: the page answers what each does, and this what to do
//! with it.

use maud::{Markup, html};

/// The page of the book that says more, as a path in the repository.
const BOOK: &str = "docs/src/review.md";

/// A stage, who may stop there, and why: in the words of the book's page, to which
/// a test holds them.
pub(crate) const ADVICE: [(u32, &str, &str); 5] = [
    (
        1,
        "has a dozen files and no loop",
        "nothing that follows is better for them; it is the shortest to read",
    ),
    (
        2,
        "is becoming async from the top, and this is a step on the way",
        "the leaf stays as it is; each day in between is a program that works",
    ),
    (
        3,
        "is called from many places that will not be async for a while",
        "its callers change in nothing, and the twin is there; its blocking calls still have to be moved",
    ),
    (
        4,
        "has hundreds of sources, and writes to where a write is never slow",
        "four readers and one loop, no lock, and the fewest parts",
    ),
    (
        5,
        "has anything on its loop that must not stand still",
        "a slow output holds up those who write, and nobody else",
    ),
];

pub(crate) fn section() -> Markup {
    html! {
        section id="advice" {
            h2 { "Which stage is for you?" }
            p {
                "Every stage is a complete program that keeps the same laws. The last one is not \
                 the best for everybody."
            }
            ul {
                @for (stage, who, why) in ADVICE {
                    li {
                        strong class=(format!("stage{stage}")) { "Stop at " (stage) }
                        " when your program " (who) ": " (why) "."
                    }
                }
            }
            p class="quiet" {
                "The book says more, and what each of them asks of you: “Which stage should I stop \
                 at?”, " code { (BOOK) } "."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_the_book_says() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/review.md");
        let page = std::fs::read_to_string(page).expect("the book has this page");
        let page = page.replace("&nbsp;", " ");
        assert!(page.starts_with("# Which stage should I stop at?"), "its title");
        for (stage, who, why) in ADVICE {
            let row = page.lines().find(|line| line.contains(&format!("[stage {stage}](")));
            let row = row.unwrap_or_else(|| panic!("a row for stage {stage}"));
            assert!(row.contains(who) && row.contains(why), "stage {stage}: {row}");
        }
    }
}
