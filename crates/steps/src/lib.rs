//! Cuts the file of a stage into parts: for the diff of two stages, for the columns and
//! the listings of the book, and for the guards.
//!
//! Besides code, a file has three things: the crate doc; the marks of the listings,
//! `// ANCHOR: name` and `// ANCHOR_END: name`, each on a line of its own (in Python
//! behind `#`); and ` // New` at the end of a line in which something is new.

/// The name of the item with the crate doc.
pub const DOC: &str = "crate doc";
/// The name of the item with what stands between the crate doc and the first mark.
pub const IMPORTS: &str = "imports";

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Its text, without the newline.
    pub text: String,
}

/// A stretch of a file that is compared with the one of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The name of its mark. `tail_async` is in the item `tail`: the diff then shows a
    /// line that moves from one to the other as moved.
    pub name: String,
    /// Its lines, and the blank ones that follow, without the marks.
    pub lines: Vec<Line>,
}

/// A mark of the book's listings: the listing of this name begins, or ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark<'a> {
    Begin(&'a str),
    End(&'a str),
}

impl Mark<'_> {
    fn of(line: &str) -> Option<Mark<'_>> {
        let line = line.trim_start();
        let line = line.strip_prefix("// ").or_else(|| line.strip_prefix("# "))?;
        let begin = || Some(Mark::Begin(line.strip_prefix("ANCHOR:")?.trim()));
        let end = || Some(Mark::End(line.strip_prefix("ANCHOR_END:")?.trim()));
        begin().or_else(end)
    }
}

/// The mark at the end of a line in which something is new.
const NEW: &str = " // New";

/// Returns the lines that are marked as new, without the mark.
pub fn new_lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines().filter_map(|line| line.strip_suffix(NEW))
}

/// Returns the file without the marks of what is new. A mark is about one step: in the
/// next, a line that lost only its mark has not changed.
pub fn without_new(file: &str) -> String {
    file.lines().flat_map(|line| [line.strip_suffix(NEW).unwrap_or(line), "\n"]).collect()
}

/// Returns the lines of the file without the crate doc and without the marks.
pub fn code(file: &str) -> Vec<Line> {
    let is_doc = |line: &Line| line.text.starts_with("//!");
    let lines = lines(file).filter(|line| !is_doc(line) && Mark::of(&line.text).is_none());
    // The blank lines below the crate doc go with it.
    lines.skip_while(|line| line.text.is_empty()).collect()
}

fn lines(file: &str) -> impl Iterator<Item = Line> {
    (1..).zip(file.lines()).map(|(number, text)| Line { number, text: text.to_owned() })
}

/// Names the constants, the types and the functions of a file that rustfmt has
/// formatted, in order, a method as `Type::method`.
pub fn names(file: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut of_impl = None;
    for Line { text, .. } in code(file) {
        let item = text.trim_start();
        let indent = text.len() - item.len();
        let item = item.strip_prefix("pub ").unwrap_or(item);
        let item = item.strip_prefix("async ").unwrap_or(item);
        let Some((kind, rest)) = item.split_once(' ') else {
            of_impl = of_impl.filter(|_| text != "}");
            continue;
        };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        match (kind, indent, &of_impl) {
            ("impl", 0, _) => of_impl = Some(name),
            ("fn", 4, Some(of)) => names.push(format!("{of}::{name}")),
            ("fn" | "const" | "static" | "struct" | "enum" | "trait" | "type" | "mod", 0, _) => {
                names.push(name);
            }
            _ => {}
        }
    }
    names
}

/// Returns the lines of a listing, without the marks in it.
///
/// # Errors
///
/// A sentence, if a mark is missing or there twice, or the end does not follow.
pub fn listing<'a>(file: &'a str, name: &str) -> Result<Vec<&'a str>, String> {
    let lines: Vec<_> = file.lines().collect();
    let places = |mark: Mark<'_>| -> Vec<usize> {
        (0..lines.len()).filter(|&place| Mark::of(lines[place]) == Some(mark)).collect()
    };
    let [begin] = places(Mark::Begin(name))[..] else {
        return Err(format!("ANCHOR: {name} is not there exactly once"));
    };
    match places(Mark::End(name))[..] {
        [end] if end > begin => Ok(unmarked(lines[begin + 1..end].iter().copied())),
        _ => Err(format!("ANCHOR_END: {name} does not follow")),
    }
}

/// Returns the lines without the marks.
pub fn unmarked<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.filter(|line| Mark::of(line).is_none()).collect()
}

/// Returns the name of the item that the mark `anchor` belongs to.
pub fn item_of(anchor: &str) -> &str {
    anchor.strip_suffix("_async").unwrap_or(anchor)
}

/// Cuts a file at its marks, `// ANCHOR: name` and `// ANCHOR_END: name`.
///
/// Every line of the file but the marks is in exactly one item, in order. A line under
/// no mark belongs to the item before it.
pub fn items(file: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let enter = |name: &str, items: &mut Vec<Item>| {
        if items.last().is_none_or(|last| last.name != name) {
            items.push(Item { name: name.to_owned(), lines: Vec::new() });
        }
    };
    let mut marked = false;
    for line in lines(file) {
        let mark = Mark::of(&line.text);
        if let Some(Mark::Begin(anchor)) = mark {
            marked = true;
            enter(item_of(anchor), &mut items);
        } else if !marked {
            // The blank line below the doc goes with it.
            let is_doc = line.text.starts_with("//!")
                || (line.text.is_empty() && items.last().is_some_and(|item| item.name == DOC));
            enter(if is_doc { DOC } else { IMPORTS }, &mut items);
        }
        if mark.is_none() {
            items.last_mut().expect("an item was entered").lines.push(line);
        }
    }
    items.retain(|item| !item.lines.is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_at_its_marks_and_a_twin_goes_with_what_it_twins() {
        let file = "\
//! Doc.

use a;

// ANCHOR: merge
fn merge() {}
// ANCHOR_END: merge

// ANCHOR: merge_async
async fn merge_async() {}
// ANCHOR_END: merge_async

// ANCHOR: tail
fn tail() {}
// ANCHOR_END: tail
";
        let found = items(file);
        let shape: Vec<_> = found
            .iter()
            .map(|item| {
                (&*item.name, item.lines.iter().map(|line| line.number).collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            shape,
            [
                (DOC, vec![1, 2]),
                (IMPORTS, vec![3, 4]),
                ("merge", vec![6, 8, 10, 12]),
                ("tail", vec![14]),
            ],
        );
    }

    #[test]
    fn code_is_what_is_no_crate_doc_and_no_mark() {
        let file = "//! Doc.\n\n// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n\n// b\n";
        let code: Vec<_> = code(file).into_iter().map(|line| (line.number, line.text)).collect();
        assert_eq!(code, [(4, "fn a() {}".into()), (6, String::new()), (7, "// b".into())]);
    }

    #[test]
    fn a_listing_of_python_has_its_marks_behind_a_hash() {
        let file = "import a\n# ANCHOR: b\ndef b():\n    # c\n# ANCHOR_END: b\n";
        assert_eq!(listing(file, "b"), Ok(vec!["def b():", "    # c"]));
    }

    #[test]
    fn what_is_new_is_said_at_the_end_of_a_line_and_left_out() {
        let file = "// New\na(); // New\nb(); // Newer\n";
        assert_eq!(new_lines(file).collect::<Vec<_>>(), ["a();"]);
        assert_eq!(without_new(file), "// New\na();\nb(); // Newer\n");
    }

    #[test]
    fn items_are_named_in_order_and_methods_with_their_type() {
        let file = "use a;\nconst A: u8 = 1;\npub fn b() {\n    fn inner() {}\n}\n\
                    struct C {\n    d: D,\n}\nimpl C {\n    async fn e(&self) {}\n}\n\
                    async fn f() {}\nenum G {}\n";
        assert_eq!(names(file), ["A", "b", "C", "C::e", "f", "G"]);
    }

    #[test]
    fn a_file_without_marks_or_without_lines_is_a_file_as_well() {
        assert_eq!(items("").len(), 0);
        assert_eq!(items("fn main() {}\n\n")[0].lines.len(), 2);
    }
}
