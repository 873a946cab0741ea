//! Where a line of code may be broken.
//!
//! A browser breaks code at its blanks, and where there is none in the middle of
//! a word. It is told of better places by an empty element that the style sheet
//! gives a blank of no width: what is copied, and what is read aloud, has no gap
//! there. A `<wbr>` is read as a blank.

/// Finds where a line of code may be broken: the bytes at which the next line
/// would begin.
///
/// They are rustfmt's: behind the `(` of a call, `,` and `::`, and before the
/// `.` of a method.
pub fn of_code(line: &str) -> Vec<usize> {
    let places = line.char_indices().map(|(place, _)| place).skip(1);
    places.filter(|place| may_be_broken(line.split_at(*place))).collect()
}

fn may_be_broken((before, after): (&str, &str)) -> bool {
    // A blank is a place by itself.
    if after.starts_with(char::is_whitespace) {
        return false;
    }
    let names = |c: char| c.is_alphanumeric() || "_>!(".contains(c);
    let is_call = before.strip_suffix('(').is_some_and(|before| before.ends_with(names));
    let ends = |c: char| c.is_alphanumeric() || "_)]}?\"".contains(c);
    let method = after.strip_prefix('.').filter(|_| before.ends_with(ends));
    before.ends_with("::")
        || before.ends_with(',')
        || (is_call && !after.starts_with(')'))
        || method.is_some_and(|name| name.starts_with(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, mut places: Vec<usize>) -> String {
        let mut shown = text.to_owned();
        places.reverse();
        places.into_iter().for_each(|place| shown.insert(place, '|'));
        shown
    }

    #[test]
    fn code_is_broken_where_rustfmt_breaks_it() {
        for line in [
            "let tail = thread::|Builder::|new()|.spawn_scoped(|scope, tail);",
            "ended|.and(|tail|.unwrap_or_else(|panic));",
            "use tributary::|{Error, Lines};",
            "let Plan { sources, .. } = plan; // (see é.)",
            "Ok(|(|1..2, 0.5, f(|a,|b)?|.g[0]|.h))",
        ] {
            let code = line.replace('|', "");
            assert_eq!(shown(&code, of_code(&code)), line);
        }
    }
}
