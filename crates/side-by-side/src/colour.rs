//! What a reader tells apart by colour.
//!
//! mdBook colours a listing when it is read, by a script; these columns are
//! coloured when they are made, by the names that its themes know.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};

/// What a stretch of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A comment, or a doc.
    Comment,
    /// A word of the language.
    Keyword,
    /// A string, a character or a number.
    Literal,
}

impl Kind {
    /// Returns the name that mdBook's themes know it by.
    pub fn class(self) -> &'static str {
        match self {
            Kind::Comment => "hljs-comment",
            Kind::Keyword => "hljs-keyword",
            Kind::Literal => "hljs-string",
        }
    }
}

const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type",
    "unsafe", "use", "where", "while",
];

/// Finds what is to be coloured in each line of a file. A file that is no Rust
/// has no colours.
pub fn colours(file: &str) -> Vec<Vec<(Range<usize>, Kind)>> {
    let mut lines = vec![Vec::new(); file.lines().count()];
    let Ok(tokens) = file.parse::<TokenStream>() else { return lines };
    let mut found = Vec::new();
    // Up to where the tokens have been seen: between them are blanks and comments.
    let mut seen = 0;
    visit(tokens, file, &mut seen, &mut found);
    between(file, seen..file.len(), &mut found);

    let mut start = 0;
    for (line, text) in lines.iter_mut().zip(file.split_inclusive('\n')) {
        let end = start + text.trim_end_matches(['\n', '\r']).len();
        for (range, kind) in &found {
            let range = range.start.max(start)..range.end.min(end);
            // A comment of several lines is indented like its neighbours.
            let indent =
                file.get(range.clone()).map_or(0, |part| part.len() - part.trim_start().len());
            let indent = if *kind == Kind::Comment { indent } else { 0 };
            let range = range.start + indent..range.end;
            if !range.is_empty() {
                line.push((range.start - start..range.end - start, *kind));
            }
        }
        start += text.len();
    }
    lines
}

type Found = Vec<(Range<usize>, Kind)>;

fn visit(tokens: TokenStream, file: &str, seen: &mut usize, found: &mut Found) {
    for token in tokens {
        let range = match &token {
            TokenTree::Group(group) => group.span_open().byte_range(),
            token => token.span().byte_range(),
        };
        // A doc comes as the tokens of an attribute, all at its place.
        if range.start < *seen {
            continue;
        }
        between(file, *seen..range.start, found);
        *seen = range.end;
        let is_doc = file[range.clone()].starts_with("//") || file[range.clone()].starts_with("/*");
        match token {
            _ if is_doc => found.push((range, Kind::Comment)),
            TokenTree::Group(group) => {
                visit(group.stream(), file, seen, found);
                let close = group.span_close().byte_range();
                if close.start >= *seen {
                    between(file, *seen..close.start, found);
                    *seen = close.end;
                }
            }
            TokenTree::Ident(word) if KEYWORDS.contains(&&*word.to_string()) => {
                found.push((range, Kind::Keyword));
            }
            TokenTree::Literal(_) => found.push((range, Kind::Literal)),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Takes what is between two tokens for a comment, if it is not blank.
fn between(file: &str, range: Range<usize>, found: &mut Found) {
    let text = &file[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    let end = range.start + text.trim_end().len();
    if start < end {
        found.push((start..end, Kind::Comment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes each coloured stretch as `letter(text)`.
    fn seen(file: &str) -> Vec<String> {
        let lines = file.lines().zip(colours(file)).map(|(line, found)| {
            let part = |(range, kind): &(Range<usize>, Kind)| {
                format!("{}({})", &kind.class()[5..6], &line[range.clone()])
            };
            found.iter().map(part).collect::<Vec<_>>().join(" ")
        });
        lines.collect()
    }

    #[test]
    fn comments_words_and_literals_are_found_line_by_line() {
        let file = "\
//! Doc.

/// Adds é.
fn add(x: u32) -> u32 { // one
    // two
    let s = \"a \\\" // no comment
b\";
    x + 1 /* in
    between */
}
// end";
        assert_eq!(
            seen(file),
            [
                "c(//! Doc.)",
                "",
                "c(/// Adds é.)",
                "k(fn) c(// one)",
                "c(// two)",
                "k(let) s(\"a \\\" // no comment)",
                "s(b\")",
                "s(1) c(/* in)",
                "c(between */)",
                "",
                "c(// end)",
            ],
        );
    }

    #[test]
    fn what_is_no_rust_has_no_colours() {
        assert_eq!(colours("fn (\n\"\n"), [vec![], vec![]]);
    }
}
