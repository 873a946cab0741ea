//! Nothing is lost on the way into two columns, and nothing is invented.

use proptest::prelude::*;
use side_by_side::step::{Section, step};
use stages::find;
use steps::Line;

/// Puts one column back together: its lines, and their numbers.
fn column(sections: &[Section], left: bool) -> Vec<Line> {
    let rows = sections.iter().flat_map(|section| &section.rows);
    rows.filter_map(|row| Some(row.side(!left)?.line.clone())).collect()
}

/// The lines of a file that are to be shown: all but the marks.
fn shown(file: &str) -> Vec<Line> {
    let lines = (1..).zip(file.lines());
    let is_mark = |line: &str| {
        let line = line.trim_start();
        line.starts_with("// ANCHOR: ") || line.starts_with("// ANCHOR_END: ")
    };
    lines
        .filter(|(_, line)| !is_mark(line))
        .map(|(number, text)| Line { number, text: text.to_owned() })
        .collect()
}

fn check(old: &str, new: &str) {
    let sections = step(old, new);
    assert_eq!(column(&sections, true), shown(old), "the old file");
    assert_eq!(column(&sections, false), shown(new), "the new file");
    for row in sections.iter().flat_map(|section| &section.rows) {
        let texts = [&row.old, &row.new].map(|side| side.as_ref().map(|side| &side.line.text));
        assert!(texts != [None, None], "an empty row");
        assert_eq!(row.same, texts[0] == texts[1], "{texts:?}");
        for side in [&row.old, &row.new].into_iter().flatten() {
            // Slicing panics where a mark cuts through a character.
            let marked = side.marks.iter().map(|mark| side.line.text[mark.clone()].len());
            assert!(marked.sum::<usize>() <= side.line.text.len());
        }
    }
}

/// Files of few different lines, so that much is the same and much is near it.
fn files() -> impl Strategy<Value = String> {
    let lines = prop::sample::select(vec![
        "",
        "}",
        "    }",
        "//! Doc.",
        "// ANCHOR: merge",
        "// ANCHOR: merge_async",
        "// ANCHOR: tail",
        "    // ANCHOR_END: tail",
        "fn merge(plan: Plan) {",
        "async fn merge(plan: Plan) {",
        "    // Bridge: wartet, très léger.",
        "    // Bridge: wartet, très lent.",
        "    writer.write(lines)?;",
        "        writer.write(lines).await?;",
        "é ü — ✓",
    ]);
    prop::collection::vec(lines, 0..24).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn each_column_is_its_file(old in files(), new in files()) {
        check(&old, &new);
    }

    #[test]
    fn a_file_beside_itself_is_the_same(file in files()) {
        let sections = step(&file, &file);
        let mut rows = sections.iter().flat_map(|section| &section.rows);
        prop_assert!(rows.all(|row| row.same));
    }
}

#[test]
fn each_column_of_the_taught_steps_is_its_file() {
    let steps = stages::taught().flat_map(|stage| {
        let from = stage.said().follows.into_iter();
        from.map(|from| (find(&from).expect("it follows a stage").source, stage.source))
    });
    for (old, new) in steps {
        check(old, new);
        // Items stand beside items: `merge` beside `merge`, down to the writer.
        let sections = step(old, new);
        let names: Vec<_> = sections.iter().map(|section| &*section.name).collect();
        assert_eq!(names, ["crate doc", "imports", "merge", "tail", "writer"]);
    }
}
