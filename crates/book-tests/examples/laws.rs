//! Prints the laws by theme, from the list that the tests are made of, for the
//! page of the book that shows them.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use conformance::LAWS;

fn main() {
    let mut theme = "";
    for law in LAWS.iter() {
        if law.theme != theme {
            theme = law.theme;
            println!("\n## {}\n", title(theme));
        }
        println!("- {}\n  `{}`", law.sentence, law.name);
    }
    println!("\nThese are {} laws.", LAWS.len());
}

/// Says what a theme is about.
fn title(theme: &str) -> &str {
    match theme {
        "lines" => "What is in the output",
        "stop" => "When a line comes through, and when a run ends",
        "scale" => "Many sources",
        "fairness" => "Who holds up whom",
        "following" => "What becomes of a log meanwhile",
        "waking" => "Who is woken by what",
        "failures" => "What happens when something fails",
        "report" => "What the report says",
        other => other,
    }
}
