//! What mdBook runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mdbook_preprocessor::book::{Book, BookItem, Chapter};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use steps::without_new;

use crate::directive::{Directive, directives};
use crate::page::{self, File};
use crate::step::step;

/// Where the pages of the files are, from the root of the book.
const FOLDER: &str = "files";

/// The preprocessor: it replaces each directive by what it asks for.
///
/// In `book.toml`, `crates` names the folder of the stages, seen from there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

impl Preprocessor for Files {
    fn name(&self) -> &str {
        "side-by-side"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let crates = context.config.get::<PathBuf>("preprocessor.side-by-side.crates")?;
        let crates = context.root.join(crates.context("book.toml does not say where `crates` is")?);
        let mut result = Ok(());
        book.for_each_chapter_mut(|chapter| {
            if result.is_ok() && !chapter.is_draft_chapter() {
                result = replace(chapter, &crates);
            }
        });
        result.map(|()| book)
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        Ok(renderer == "html")
    }
}

/// Replaces the directives of one page.
fn replace(chapter: &mut Chapter, crates: &Path) -> Result<()> {
    let path = chapter.source_path.clone().or(chapter.path.clone()).unwrap_or_default();
    let page = path.display().to_string();
    let found = directives(&chapter.content).map_err(|error| anyhow::anyhow!("{page}:{error}"))?;
    if found.is_empty() {
        return Ok(());
    }
    let up = "../".repeat(path.components().count().saturating_sub(1));
    let mut lines: Vec<String> = chapter.content.lines().map(str::to_owned).collect();
    // What the colours of a step mean is told once on a page.
    let mut legend = page::legend();
    for (number, directive) in found {
        let here = || format!("{page}:{number}");
        lines[number - 1] = match directive {
            Directive::Step { old, new } => {
                let step = columns(crates, &old, &new, &up).with_context(here)?;
                std::mem::take(&mut legend) + &step
            }
            // A block of its own, so that a table may follow as well.
            Directive::Question(question) => format!("<div id=\"question-{question}\"></div>\n"),
            Directive::Files(names) => {
                let names = if names.is_empty() { stages(crates) } else { Ok(names) };
                let files = names.and_then(|names| files(crates, &names)).with_context(here)?;
                add_pages(chapter, &files);
                let link =
                    |file: &File| format!("- [{}]({up}{FOLDER}/{}.md)", file.path, file.name);
                files.iter().map(link).collect::<Vec<_>>().join("\n")
            }
        };
    }
    chapter.content = lines.join("\n") + "\n";
    Ok(())
}

/// Returns the two columns of a step, as HTML. `up` leads from the page to the
/// root of the book.
///
/// # Blocking
///
/// Reads both files below `crates`.
///
/// # Errors
///
/// A stage that there is not, with those that there are; a file that cannot be
/// read, with its path.
pub fn columns(crates: &Path, old: &str, new: &str, up: &str) -> Result<String> {
    let read = |stage| {
        let file = read(crates, stage, up)?;
        // The columns show themselves what is new.
        anyhow::Ok(File { text: without_new(&file.text), ..file })
    };
    let (old, new) = (&read(old)?, &read(new)?);
    Ok(page::step(old, new, &step(&old.text, &new.text)))
}

/// Reads the file of a stage, or of `crate/module`.
fn read(crates: &Path, name: &str, up: &str) -> Result<File> {
    let path = match name.split_once('/') {
        Some((folder, module)) => format!("{folder}/src/{module}.rs"),
        None => format!("{name}/src/lib.rs"),
    };
    let stages = stages(crates)?;
    if !name.contains('/') && !stages.iter().any(|known| known == name) {
        bail!("`{name}` is no stage: {}", stages.join(", "));
    }
    let file = crates.join(&path);
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let name = name.replace('/', "-");
    let address = format!("{up}{FOLDER}/{name}.html");
    Ok(File { name, path, text, address })
}

fn files(crates: &Path, names: &[String]) -> Result<Vec<File>> {
    // Each is on the page that its lines lead to.
    let here = |file| File { address: String::new(), ..file };
    names.iter().map(|name| read(crates, name, "").map(here)).collect()
}

/// Names the stages that there are, in order.
fn stages(crates: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(crates).with_context(|| crates.display().to_string())?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("stage") && name.contains('-') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Puts a page for each file below `chapter`.
fn add_pages(chapter: &mut Chapter, files: &[File]) {
    let mut parents = chapter.parent_names.clone();
    parents.push(chapter.name.clone());
    for file in files {
        let content = format!("# {}\n\n{}\n", file.path, page::file(file));
        let path = format!("{FOLDER}/{}.md", file.name);
        let mut page = Chapter::new(&file.name, content, path, parents.clone());
        // It is made, so there is no file to edit or to find it by.
        page.source_path = None;
        let index = chapter.sub_items.len() as u32 + 1;
        page.number = chapter.number.clone().map(|mut number| {
            number.push(index);
            number
        });
        chapter.sub_items.push(BookItem::Chapter(page));
    }
}
