use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One text of this project.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// Reads every Markdown file under `root`, in the order of their paths.
///
/// # Blocking
///
/// Reads files.
///
/// # Errors
///
/// Any failure to read, with the path.
pub fn pages(root: &Path) -> Result<Vec<Page>> {
    let is_a_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let pages = files(root)?.into_iter().filter(is_a_page);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Page { path, text })
    };
    pages.map(read).collect()
}

/// Lists every file under `root`, in order. Folders whose name begins with a dot,
/// and `target`, are left out.
///
/// # Blocking
///
/// Reads folders.
///
/// # Errors
///
/// Any failure to read, with the path.
pub fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    visit(root, &mut found).with_context(|| root.display().to_string())?;
    found.sort();
    Ok(found)
}

fn visit(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !entry.file_type()?.is_dir() {
            found.push(entry.path());
        } else if name != "target" && !name.to_string_lossy().starts_with('.') {
            visit(&entry.path(), found)?;
        }
    }
    Ok(())
}

impl Page {
    /// Returns the folder that the links and listings of this page start from.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Finds the targets of its Markdown links that are files of this
    /// project, without their fragments.
    pub fn links(&self) -> Vec<&str> {
        let ends = self.text.split("](").skip(1);
        let targets = ends.filter_map(|rest| rest.split(')').next());
        let targets = targets.filter(|target| !target.contains("://"));
        let files = targets.filter_map(|target| target.split('#').next());
        files.filter(|file| !file.is_empty()).collect()
    }

    /// Finds the paths that it names between backticks, from the root of the
    /// project on: `crates/…`, `docs/…`, `benches/…`.
    pub fn named_paths(&self) -> Vec<&str> {
        let spans = self.text.split('`').skip(1).step_by(2);
        let is_a_path = |span: &&str| {
            ["crates/", "docs/", "benches/"].iter().any(|root| span.starts_with(root))
                && !span.contains(['*', 'N', ' ', '{'])
        };
        spans.filter(is_a_path).collect()
    }
}
