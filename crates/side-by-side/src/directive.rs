//! The lines of a page that are for this preprocessor.

use anyhow::{Result, bail};

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
/// A backslash before it makes a directive plain text, as for mdBook's own.
///
/// # Errors
///
/// The first one that cannot be understood, or that shares its line with
/// something else, with the number of its line.
pub fn directives(page: &str) -> Result<Vec<(usize, Directive)>> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(page.lines()) {
        if !is_for_us(line) {
            continue;
        }
        match parse(line.trim()) {
            Some(directive) => found.push((number, directive)),
            None => bail!(
                "{number}: `{}` is neither {{{{#step OLD NEW}}}}, {{{{#step OLD NEW ITEM}}}} nor \
                 {{{{#files}}}}, alone on its line",
                line.trim()
            ),
        }
    }
    Ok(found)
}

fn is_for_us(line: &str) -> bool {
    ["{{#step", "{{#files"].iter().any(|start| {
        let mut places = line.match_indices(start);
        places.any(|(at, _)| !line[..at].ends_with('\\'))
    })
}

fn parse(line: &str) -> Option<Directive> {
    let words = line.strip_prefix("{{#")?.strip_suffix("}}")?;
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
    fn what_is_no_directive_is_refused_with_its_line() {
        for line in [
            "{{#step a}}",
            "{{#step}}",
            "{{#step a b c d}}",
            "see {{#step a b}}",
            "{{#steps a b}}",
            "{{#files a}}",
            "{{#step a b",
        ] {
            let error = directives(&format!("\n{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("2: `{line}` is neither")), "{error}");
        }
    }
}
