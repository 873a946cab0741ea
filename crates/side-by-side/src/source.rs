//! A stage's file, cut into items.

/// The name of the item that holds the doc of the crate.
pub const DOC: &str = "crate doc";
/// The name of the item that holds what stands before the first mark.
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
    /// The name of its mark. A twin goes with what it is the twin of:
    /// `tail_async` is in `tail`, so that a line that moves from one to the
    /// other is seen to move.
    pub name: String,
    /// Its lines, and the blank ones that follow; the marks are left out.
    pub lines: Vec<Line>,
}

/// Returns the name of the item in which the mark `anchor` lies.
pub fn item_of(anchor: &str) -> &str {
    anchor.strip_suffix("_async").unwrap_or(anchor)
}

/// Cuts a file at its marks, `// ANCHOR: name` and `// ANCHOR_END: name`.
///
/// Every line of the file is in exactly one item, in its order, but for the
/// marks themselves. What is under no mark belongs to the item before it.
pub fn items(file: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let enter = |name: &str, items: &mut Vec<Item>| {
        if items.last().is_none_or(|last| last.name != name) {
            items.push(Item { name: name.to_owned(), lines: Vec::new() });
        }
    };
    let mut marked = false;
    for (number, text) in (1..).zip(file.lines()) {
        let trimmed = text.trim_start();
        if let Some(anchor) = trimmed.strip_prefix("// ANCHOR: ") {
            marked = true;
            enter(item_of(anchor.trim()), &mut items);
            continue;
        }
        if trimmed.starts_with("// ANCHOR_END: ") {
            continue;
        }
        if !marked {
            // The blank line below the doc goes with it.
            let doc = trimmed.starts_with("//!")
                || (trimmed.is_empty() && items.last().is_some_and(|item| item.name == DOC));
            enter(if doc { DOC } else { IMPORTS }, &mut items);
        }
        let line = Line { number, text: text.to_owned() };
        items.last_mut().expect("an item was entered").lines.push(line);
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
    fn a_file_without_marks_or_without_lines_is_a_file_as_well() {
        assert_eq!(items("").len(), 0);
        assert_eq!(items("fn main() {}\n\n")[0].lines.len(), 2);
    }
}
