//! The lines of a page that are for this preprocessor.

use anyhow::{Result, bail};

/// What a line of a page asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// `{{#step OLD NEW}}`: two files side by side, each the name of a stage or
    /// `crate/module`.
    Step {
        /// The file on the left.
        old: String,
        /// The file on the right.
        new: String,
    },
    /// `{{#files}}`: all stages' files, each on a page below this one; or those that
    /// are named, `{{#files crate/module …}}`.
    Files(Vec<String>),
    /// `<!-- question 7: a_test -->`: the paragraph below answers what people ask, and
    /// is to be found by `#question-7`.
    Question(u32),
}

/// Finds the directives of a page, each with its place: the number of its line,
/// from 1. A backslash before it makes a directive plain text, as for mdBook's own.
///
/// # Errors
///
/// The first one that cannot be understood, or that shares its line with
/// something else, with the number of its line.
pub fn directives(page: &str) -> Result<Vec<(usize, Directive)>> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(page.lines()).filter(|(_, line)| is_for_us(line)) {
        match parse(line) {
            Some(directive) => found.push((number, directive)),
            None => bail!(
                "{number}: `{line}` is neither {{{{#step OLD NEW}}}} nor {{{{#files}}}} nor the mark \
                 of a question, alone on its line"
            ),
        }
    }
    Ok(found)
}

/// Tells whether a line has something in it that is meant for us: whoever
/// writes `{{#Step` or `{{# files` is told, and not left with that text in the
/// book.
fn is_for_us(line: &str) -> bool {
    let plain = line.to_lowercase().replace(' ', "").replace(r"\{{", "");
    ["{{#step", "{{#file", "<!--question"].iter().any(|begin| plain.contains(begin))
}

fn parse(line: &str) -> Option<Directive> {
    if let Some(mark) = line.strip_prefix("<!-- question ") {
        let number = mark.strip_suffix(" -->")?.split(':').next()?;
        return number.parse().ok().map(Directive::Question);
    }
    let words = line.strip_prefix("{{#")?.strip_suffix("}}")?;
    match *words.split(' ').collect::<Vec<_>>() {
        ["step", old, new] => Some(Directive::Step { old: old.into(), new: new.into() }),
        ["files", ref names @ ..] if names.iter().all(|name| name.contains('/')) => {
            Some(Directive::Files(names.iter().map(|name| (*name).into()).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_is_a_line_of_its_own() {
        let step = Directive::Step { old: "a".into(), new: "b".into() };
        let page = "# Page\n\n{{#step a b}}\n{{#files}}\r\n{{#include x}}\n\\{{#step}}\n\
                    {{#files a/b a/c}}\n<!-- question 7: a_test -->\nText.\n";
        let named = Directive::Files(vec!["a/b".into(), "a/c".into()]);
        let all = Directive::Files(Vec::new());
        assert_eq!(
            directives(page).unwrap(),
            [(3, step), (4, all), (7, named), (8, Directive::Question(7))]
        );
    }

    #[test]
    fn what_is_no_directive_is_refused_with_its_line() {
        for line in [
            "{{#step a}}",
            "{{#step a b c}}",
            "see {{#step a b}}",
            "{{#files a}}",
            "{{#step a b",
            "{{ #Step a b}}",
            "\\{{#step a b}} {{#step a b}}",
            "<!-- question seven -->",
            "see <!-- question 7 -->",
            "<!-- question 7",
        ] {
            let error = directives(&format!("\n{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("2: `{line}` is neither")), "{error}");
        }
    }
}
