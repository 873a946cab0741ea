//! The pictures and tables of a comparison as files, for other texts.

use std::fs;
use std::path::Path;

use anstream::adapter::strip_str;
use anyhow::Context;
use recorder::Recording;
use report::Comparison;
use tributary::Shown;

use crate::asking::places::take_name;
use crate::telling::terminal;

/// Writes every picture, as SVG and as a figure for a page of Markdown, and
/// `tables.txt`, in which each table stands between two anchors of its name.
pub(crate) fn write(folder: &Path, comparison: &Comparison) -> anyhow::Result<()> {
    let beside = folder.file_name().unwrap_or_default().to_string_lossy();
    for figure in report::figures(comparison) {
        put(folder, &format!("{}.svg", figure.name), &figure.svg)?;
        put(folder, &format!("{}.md", figure.name), &figure.markdown(&beside))?;
    }
    put(folder, "tables.txt", &tables(comparison))
}

/// Writes the recording of a stage as a trace for Perfetto.
pub(crate) fn write_trace(folder: &Path, stage: &str, made: &Recording) -> anyhow::Result<()> {
    put(folder, &format!("{stage}.json"), &made.chrome_trace().to_string())
}

fn put(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    take_name(&path)?;
    fs::write(&path, text).with_context(|| format!("{}: cannot write this file", Shown(&path)))
}

fn tables(comparison: &Comparison) -> String {
    let mut parts = vec![("head", terminal::head(&comparison.head))];
    for workload in &comparison.workloads {
        parts.push((&workload.name, terminal::table(workload)));
    }
    parts.push(("growth", terminal::growth(&comparison.growth)));
    let taken = format!("Taken on {}.\n", comparison.head.date);
    parts[0].1 += &taken;

    let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
    parts
        .map(|(name, text)| {
            format!("// ANCHOR: {name}\n{}// ANCHOR_END: {name}\n", strip_str(&text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_a_link_leads_to_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("mine");
        fs::write(&mine, "mine").unwrap();
        symlink(&mine, folder.path().join("tables.txt")).unwrap();
        let said = put(folder.path(), "tables.txt", "a table").unwrap_err().to_string();
        assert!(said.contains("tables.txt: this is no regular file"), "{said}");
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
    }
}
