use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use steps::NoListing;

/// A listing that a page takes from a file: `{{#include FILE:ANCHOR}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The file, relative to the folder of the page.
    pub file: PathBuf,
    /// The part of the file, or all of it.
    pub anchor: Option<String>,
}

/// Why a listing would not show what its page means to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is not `{{#include FILE}}` or `{{#include FILE:ANCHOR}}`. Line
    /// numbers are refused as well: they go stale, and nobody notices.
    NotAnInclude(String),
    /// The file cannot be read.
    NoFile(PathBuf),
    /// The file has no such anchor, or has it twice.
    NoAnchor(String),
    /// The anchor has no end behind its beginning.
    NoEnd(String),
    /// There is nothing to show.
    Empty,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NotAnInclude(link) => {
                write!(f, "{link} is neither FILE nor FILE:ANCHOR")
            }
            Problem::NoFile(file) => write!(f, "{} cannot be read", file.display()),
            Problem::NoAnchor(anchor) => write!(f, "ANCHOR: {anchor} is not there exactly once"),
            Problem::NoEnd(anchor) => write!(f, "ANCHOR_END: {anchor} does not follow"),
            Problem::Empty => write!(f, "there is nothing to show"),
        }
    }
}

/// The directives that are not of mdBook but of `crates/side-by-side`.
const NOT_LISTINGS: [&str; 2] = ["{{#step ", "{{#files}}"];

/// Finds every listing of a page, in order. Steps are no listings.
pub fn includes(page: &str) -> Vec<Result<Include, Problem>> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find("{{#") {
        let escaped = rest[..at].ends_with('\\');
        let link = &rest[at..];
        let link = &link[..link.find("}}").map_or(link.len(), |end| end + 2)];
        if !escaped && !NOT_LISTINGS.iter().any(|start| link.starts_with(start)) {
            found.push(parse(link));
        }
        rest = &rest[at + link.len()..];
    }
    found
}

fn parse(link: &str) -> Result<Include, Problem> {
    let wrong = || Problem::NotAnInclude(link.to_owned());
    let inside = link.strip_prefix("{{#include ").and_then(|link| link.strip_suffix("}}"));
    let inside = inside.ok_or_else(wrong)?.trim();
    let (file, anchor) = match inside.split_once(':') {
        None => (inside, None),
        Some((file, anchor)) if is_a_name(anchor) => (file, Some(anchor.to_owned())),
        Some(_) => return Err(wrong()),
    };
    if file.is_empty() { Err(wrong()) } else { Ok(Include { file: file.into(), anchor }) }
}

fn is_a_name(anchor: &str) -> bool {
    let mut chars = anchor.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
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
    /// The [`Problem`] that mdBook would pass over in silence.
    pub fn resolve(&self, folder: &Path) -> Result<String, Problem> {
        let file = folder.join(&self.file);
        let text = fs::read_to_string(&file).map_err(|_| Problem::NoFile(file))?;
        // mdBook leaves the marks out.
        let shown = match &self.anchor {
            None => steps::unmarked(text.lines()),
            Some(anchor) => steps::listing(&text, anchor).map_err(|why| match why {
                NoListing::Begin => Problem::NoAnchor(anchor.clone()),
                NoListing::End => Problem::NoEnd(anchor.clone()),
            })?,
        };
        if shown.iter().all(|line| line.trim().is_empty()) {
            return Err(Problem::Empty);
        }
        Ok(shown.join("\n"))
    }
}
