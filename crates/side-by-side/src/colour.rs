//! What a reader tells apart by colour.
//!
//! mdBook colours a listing when it is read, by a script; these columns are
//! coloured when they are made, by the names that its themes know.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

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

/// A comment, or a literal, or a word of the language, whichever begins first.
static COLOURED: LazyLock<Regex> = LazyLock::new(|| {
    let comment = r"//[^\n]*|/\*.*?\*/";
    let literal = r#"b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\[^\n]+?)'|\b[0-9]\w*(?:\.[0-9]\w*)?"#;
    let words = "as async await break const continue crate dyn else enum extern false fn for if \
                 impl in let loop match mod move mut pub ref return self Self static struct super \
                 trait true type unsafe use where while";
    let words = words.replace(' ', "|");
    let pattern = format!(r"(?s)({comment})|({literal})|\b(?:{words})\b");
    Regex::new(&pattern).expect("it is a pattern")
});

/// Finds what is to be coloured in each line of a file.
pub fn colours(file: &str) -> Vec<Vec<(Range<usize>, Kind)>> {
    let mut found = COLOURED.captures_iter(file).map(|found| {
        let kind = match (found.get(1), found.get(2)) {
            (Some(_), _) => Kind::Comment,
            (_, Some(_)) => Kind::Literal,
            _ => Kind::Keyword,
        };
        (found.get(0).expect("it was found").range(), kind)
    });
    let mut last = found.next();
    let mut lines = Vec::new();
    let mut start = 0;
    for text in file.split_inclusive('\n') {
        let end = start + text.trim_end().len();
        let mut line = Vec::new();
        while let Some((range, kind)) = last.take_if(|(range, _)| range.start < end) {
            let (mut begin, until) = (range.start.max(start), range.end.min(end));
            // A comment of several lines is indented like its neighbours.
            if kind == Kind::Comment {
                begin = until - file[begin..until].trim_start().len();
            }
            line.push((begin - start..until - start, kind));
            let next = start + text.len();
            last = if range.end > next { Some((next..range.end, kind)) } else { found.next() };
        }
        lines.push(line);
        start += text.len();
    }
    lines
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
}
