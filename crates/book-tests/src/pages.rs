use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
/// Folders whose name begins with a dot, and `target`, are left out.
///
/// # Blocking
///
/// Reads files.
///
/// # Errors
///
/// Any failure to read, with the path.
pub fn pages(root: &Path) -> io::Result<Vec<Page>> {
    let mut found = Vec::new();
    visit(root, &mut found)?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn visit(folder: &Path, found: &mut Vec<Page>) -> io::Result<()> {
    let named = |path: &Path, cause: io::Error| {
        io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
    };
    for entry in fs::read_dir(folder).map_err(|cause| named(folder, cause))? {
        let entry = entry.map_err(|cause| named(folder, cause))?;
        let path = entry.path();
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        if entry.file_type().map_err(|cause| named(&path, cause))?.is_dir() {
            if !hidden && name != "target" {
                visit(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(&path).map_err(|cause| named(&path, cause))?;
            found.push(Page { path, text });
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
