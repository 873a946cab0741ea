//! The lines of a page that are for this preprocessor.

use std::ops::Range;

use anyhow::{Result, bail};
use pulldown_cmark::{Event, Parser, Tag};

/// What a line of a page asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// `{{#step OLD NEW}}` or `{{#step OLD NEW ITEM}}`: two stages side by side.
    Step {
        /// The name of the stage on the left.
        old: String,
        /// The name of the stage on the right.
        new: String,
        /// The item to show, or all of them.
        item: Option<String>,
    },
    /// `{{#files}}`: all stages' files, each on a page below this one.
    Files,
}

/// Finds the directives of a page, each with its place: the number of its line,
/// from 1.
///
/// A backslash before it makes a directive plain text, as for mdBook's own; in
/// a code block all is text.
///
/// # Errors
///
/// The first one that cannot be understood, or that shares its line with
/// something else, with the number of its line.
pub fn directives(page: &str) -> Result<Vec<(usize, Directive)>> {
    let listings = listings(page);
    let mut found = Vec::new();
    let mut begin = 0;
    for (number, whole) in (1..).zip(page.split_inclusive('\n')) {
        let line = whole.trim();
        let is_listing = listings.iter().any(|listing| listing.contains(&begin));
        begin += whole.len();
        if is_listing || !is_for_us(line) {
            continue;
        }
        match parse(line) {
            Some(directive) => found.push((number, directive)),
            None => bail!(
                "{number}: `{line}` is neither {{{{#step OLD NEW}}}}, {{{{#step OLD NEW ITEM}}}} \
                 nor {{{{#files}}}}, alone on its line"
            ),
        }
    }
    Ok(found)
}

/// Finds the code blocks of a page, from line to line.
fn listings(page: &str) -> Vec<Range<usize>> {
    let blocks = Parser::new(page).into_offset_iter().filter_map(|(event, range)| match event {
        // It begins behind its indentation.
        Event::Start(Tag::CodeBlock(_)) => {
            Some(page[..range.start].rfind('\n').map_or(0, |end| end + 1)..range.end)
        }
        _ => None,
    });
    blocks.collect()
}

/// Tells whether a line has something in it that is meant for us: whoever
/// writes `{{#Step` or `{{# files` is told, and not left with that text in the
/// book.
fn is_for_us(line: &str) -> bool {
    line.match_indices("{{").any(|(at, braces)| {
        let word = line[at + braces.len()..].trim_start().strip_prefix('#').map(str::trim_start);
        let is_ours = |word: &str, name: &str| {
            word.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        };
        let is_ours = word.is_some_and(|word| is_ours(word, "step") || is_ours(word, "file"));
        is_ours && !line[..at].ends_with('\\')
    })
}

fn parse(line: &str) -> Option<Directive> {
    let words = line.strip_prefix("{{")?.trim_start().strip_prefix('#')?.strip_suffix("}}")?;
    if words.starts_with(char::is_whitespace) {
        return None;
    }
    let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
    match &*words {
        [files] if files == "files" => Some(Directive::Files),
        [step, old, new, item @ ..] if step == "step" && item.len() <= 1 => {
            let (old, new) = (old.clone(), new.clone());
            Some(Directive::Step { old, new, item: item.first().cloned() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_is_a_line_of_its_own() {
        let step = |item: Option<&str>| Directive::Step {
            old: "a".into(),
            new: "b".into(),
            item: item.map(Into::into),
        };
        let page = "# Page\n\n{{#step a b}}\n\n  {{#step a  b tail}}\n{{#files}}\n{{#include x}}\n\\{{#step}}\n";
        assert_eq!(
            directives(page).unwrap(),
            [(3, step(None)), (5, step(Some("tail"))), (6, Directive::Files)],
        );
    }

    #[test]
    fn spaces_stand_where_mdbook_takes_them() {
        let step = Directive::Step { old: "a".into(), new: "b".into(), item: None };
        let page = "{{ #step a b}}\n\n{{  #step a b }}\r\n{{ #files }}";
        assert_eq!(
            directives(page).unwrap(),
            [(1, step.clone()), (3, step), (4, Directive::Files)]
        );
    }

    #[test]
    fn in_a_code_block_all_is_text() {
        for block in [
            "```text\n{{#step a b}}\n{{#Step}}\n```\n",
            "~~~~\n```\n{{#step a b}}\n~~~~\n",
            "- one\n\n  ```\n  {{#step a b}}\n  ```\n",
            "text\n\n    {{#step a b}}\n",
            "```\n{{#files}}\n",
        ] {
            assert_eq!(directives(block).unwrap(), [], "{block}");
        }
        let around = "```\n{{#files}}\n```\n{{#files}}\n\n```\n";
        assert_eq!(directives(around).unwrap(), [(4, Directive::Files)]);
    }

    #[test]
    fn what_is_no_directive_is_refused_with_its_line() {
        for line in [
            "{{#step a}}",
            "{{#step}}",
            "{{#step a b c d}}",
            "see {{#step a b}}",
            "{{#steps a b}}",
            "{{#files a}}",
            "{{#step a b",
            "{{#Step a b}}",
            "{{# step a b}}",
            "{{ #STEP a b }}",
            "{{#stepa b}}",
            "{{ #file}}",
            "\\{{#step a b}} {{#step a b}}",
        ] {
            let error = directives(&format!("\n{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("2: `{line}` is neither")), "{error}");
        }
    }
}
