//! Every link of the book leads somewhere in it, or away from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use scraper::{Html, Selector};
use url::Url;

use crate::{book, pages};

/// The places that a page has, by their ids, and the addresses that it links to.
struct Page {
    names: BTreeSet<String>,
    links: Vec<String>,
}

fn read(path: &Path) -> Page {
    let html = Html::parse_document(&fs::read_to_string(path).unwrap());
    let all = |selector: &str, attribute: &str| -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let found = html.select(&selector).filter_map(|it| it.attr(attribute));
        found.map(str::to_owned).collect()
    };
    let mut links = all("a[href], link[href]", "href");
    links.extend(all("script[src], img[src], iframe[src]", "src"));
    Page { names: all("[id]", "id").into_iter().collect(), links }
}

#[test]
fn every_link_leads_to_a_page_and_a_place_in_it() {
    let pages: BTreeMap<PathBuf, Page> =
        pages().iter().map(|path| (fs::canonicalize(path).unwrap(), read(path))).collect();
    let mut dead = Vec::new();
    let mut followed = 0;
    for (path, page) in &pages {
        let here = Url::from_file_path(path).unwrap();
        for link in &page.links {
            let target = here.join(link).unwrap();
            if target.scheme() != "file" {
                continue;
            }
            followed += 1;
            let file = target.to_file_path().unwrap();
            let name = target.fragment().unwrap_or_default();
            let there = match pages.get(&file) {
                None => name.is_empty() && file.is_file(),
                Some(page) => name.is_empty() || page.names.contains(name),
            };
            if !there {
                let path = path.strip_prefix(fs::canonicalize(book()).unwrap()).unwrap();
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{} of {followed} links:\n{}", dead.len(), dead.join("\n"));
    assert!(followed > 1000, "{followed}");
}
