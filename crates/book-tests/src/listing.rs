use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A listing that a page takes from a file: `{{#include FILE:ANCHOR}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The file, relative to the folder of the page.
    pub file: PathBuf,
    /// The part of the file, or all of it.
    pub anchor: Option<String>,
}

/// What is no listing: what is escaped, and the directives of `crates/side-by-side`.
const NOT_LISTINGS: [&str; 3] = [r"\", "{{#step ", "{{#files"];

/// Finds every listing of a page, in order, or says what it is instead. Line
/// numbers are refused: they go stale, and nobody notices.
pub fn includes(page: &str) -> Vec<Result<Include, String>> {
    let links = Regex::new(r"\\?\{\{#[^}]*\}{0,2}").expect("it is a pattern");
    let include = Regex::new(r"^\{\{#include ([^\s:]+)(?::([A-Za-z][\w-]*))?\}\}$");
    let include = include.expect("it is a pattern");
    let links = links.find_iter(page).map(|found| found.as_str());
    let links = links.filter(|link| !NOT_LISTINGS.iter().any(|begin| link.starts_with(begin)));
    let read = |link| {
        let parts = include.captures(link);
        let parts = parts.ok_or_else(|| format!("{link} is neither FILE nor FILE:ANCHOR"))?;
        let anchor = parts.get(2).map(|anchor| anchor.as_str().to_owned());
        Ok(Include { file: parts[1].into(), anchor })
    };
    links.map(read).collect()
}

impl Include {
    /// Returns the text that the page in `folder` will show.
    ///
    /// # Blocking
    ///
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// A sentence on what mdBook would pass over in silence.
    pub fn resolve(&self, folder: &Path) -> Result<String, String> {
        let file = folder.join(&self.file);
        let text = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
        // mdBook leaves the marks out.
        let shown = match &self.anchor {
            None => steps::unmarked(text.lines()),
            Some(anchor) => steps::listing(&text, anchor)?,
        };
        if shown.iter().all(|line| line.trim().is_empty()) {
            return Err("there is nothing to show".to_owned());
        }
        Ok(shown.join("\n"))
    }
}
