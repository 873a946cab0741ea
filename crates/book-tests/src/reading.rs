//! How long the book takes: its words, counted as a reader meets them.
//!
//! A listing that is shown twice is read once. Of a step what is unfolded is read.
//! The lists of tests at the foot of a page are there to look things up.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use regex::Regex;
use side_by_side::columns;
use side_by_side::directive::{Directive, directives};

use crate::{Include, includes};

/// How many words a reader reads in a minute.
pub const A_MINUTE: usize = 200;

/// The parts of the book that are read from beginning to end, each with its chapters.
const CORE: [&str; 4] = ["", "The subject", "The stages", "Your own program"];

/// What stands among the chapters of the core and can be left out.
fn is_beside(title: &str, page: &str) -> bool {
    title.starts_with("Predict")
        || title.starts_with("Wrong turn")
        || ["cannot-await.md", "tuned.md", "stream.md"].contains(&page)
}

/// The words of a chapter, its pages together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chapter {
    /// The title, as the summary has it; of what is no core, that of the part.
    pub title: String,
    /// The first page.
    pub page: String,
    /// How many words of the core it has.
    pub core: usize,
    /// How many words stand beside the core.
    pub beside: usize,
}

impl Chapter {
    /// Returns in how many minutes so many words are read.
    pub fn minutes(words: usize) -> usize {
        words.div_ceil(A_MINUTE)
    }
}

/// Counts the chapters of the core, each by itself, and the other parts of the book,
/// each as one.
///
/// # Blocking
///
/// Reads files.
///
/// # Errors
///
/// A page or a listing that cannot be read, with its path.
pub fn chapters(root: &Path) -> Result<Vec<Chapter>> {
    let book = root.join("docs/src");
    let summary = fs::read_to_string(book.join("SUMMARY.md")).context("docs/src/SUMMARY.md")?;
    let entry = Regex::new(r"^( *)(?:- )?\[(.+)\]\((\S+\.md)\)$").expect("it is a pattern");
    let mut chapters: Vec<Chapter> = Vec::new();
    let mut pages = Vec::new();
    let mut part = "";
    for line in summary.lines() {
        if let Some(title) = line.strip_prefix("# ") {
            part = if title == "Summary" { "" } else { title };
        }
        let Some(found) = entry.captures(line) else { continue };
        let (title, page) = (&found[2], &found[3]);
        let is_core = CORE.contains(&part);
        let begins = found[1].is_empty();
        if begins && (is_core || chapters.last().is_none_or(|last| last.title != part)) {
            let title = if is_core { title } else { part };
            chapters.push(Chapter { title: title.into(), page: page.into(), ..Chapter::default() });
        }
        pages.push((chapters.len() - 1, is_core && !is_beside(title, page), book.join(page)));
    }
    // What is shown in the core and beside it belongs to the core.
    let mut seen = HashSet::new();
    for core in [true, false] {
        for (chapter, _, page) in pages.iter().filter(|page| page.1 == core) {
            let words = words_of(page, &mut seen)?;
            let chapter = &mut chapters[*chapter];
            *(if core { &mut chapter.core } else { &mut chapter.beside }) += words;
        }
    }
    Ok(chapters)
}

/// Counts the words of a page; adds the listings that it shows to those `seen`.
fn words_of(page: &Path, seen: &mut HashSet<(PathBuf, Option<String>)>) -> Result<usize> {
    let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let text = text.split("\n## The tests behind this page").next().unwrap_or_default();
    let folder = page.parent().unwrap_or(Path::new("."));
    let mut shown = String::new();
    for line in text.lines() {
        if !line.contains("{{#") {
            shown += line;
            shown.push('\n');
            continue;
        }
        let listing = includes(line).into_iter().next();
        match (listing, directives(line)?.pop()) {
            (Some(include), _) => {
                let include: Include = include.map_err(|why| anyhow!(why))?;
                if seen.insert((include.file.clone(), include.anchor.clone())) {
                    let listing = include.resolve(folder).map_err(|why| anyhow!(why))?;
                    shown += &listing;
                }
            }
            (None, Some((_, Directive::Step { old, new }))) => {
                shown += &unfolded(&columns(&folder.join("../../crates"), &old, &new, "")?);
            }
            (None, Some((_, Directive::Files(_) | Directive::Question(_)))) => {}
            (None, None) => shown += line,
        }
        shown.push('\n');
    }
    Ok(words(&shown))
}

/// Returns what is read of a step before anything is unfolded.
fn unfolded(html: &str) -> String {
    let mut html = html.to_owned();
    for (away, with) in [
        (r"<details>.*?</details>", " "),
        // Line numbers, and what is said to those who do not see the colours.
        (r"<t(h)\b.*?</th>", " "),
        (r#"<span class="said">.*?</span>"#, ""),
        // What is the same was read with the stage before.
        (r#"<tbody class="same".*?</tbody>"#, " "),
        (r"</(?:td|tr|p|a)>", " "),
    ] {
        html = Regex::new(away).expect("it is a pattern").replace_all(&html, with).into_owned();
    }
    html
}

/// Counts words as a reader sees them: no tags, no addresses, no bare signs.
fn words(text: &str) -> usize {
    let mut text = text.to_owned();
    for away in [r"(?s)<!--.*?-->", r"</?[a-z][^>]*>", r"\]\([^)\s]*\)", r"(?m)^```.*$"] {
        text = Regex::new(away).expect("it is a pattern").replace_all(&text, "").into_owned();
    }
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_is_read() {
        for (text, count) in [
            ("One, two; three.", 3),
            ("A [link to](page.md#place) [→](page.md) there", 4),
            ("| a | b |\n|---|---|", 2),
            ("<!-- question 3: a_test -->\nseen <b class=\"a b\">once</b>", 2),
            ("```rust,ignore\nlet x = f(y);\n```", 3),
        ] {
            assert_eq!(words(text), count, "{text}");
        }
    }

    #[test]
    fn of_a_step_what_is_folded_or_the_same_is_not_read_again() {
        let html = r##"<details><summary>9 lines, the same</summary></details><table><tbody class="same"><tr><td>a</td></tr></tbody><tbody class="changed"><tr><th class="number"><a>7</a></th><td><span class="said">removed: </span>b<mark>c</mark></td><td>d</td></tr></tbody></table>"##;
        assert_eq!(words(&unfolded(html)), 2);
    }
}
