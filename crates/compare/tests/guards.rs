//! What keeps the stages a lesson: their shape and the size of each step.
//! `tidy` in `crates/book` holds the size of each file, and who knows whom.

use std::fs;

use compare::diff::{folder, steps};
use stages::Stage;
use syn::{ImplItem, Item};

/// The most lines of code that a taught step may add.
const STEP: usize = 60;

fn file(stage: &Stage) -> String {
    let path = folder(stage).join("src/lib.rs");
    fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// The items of a stage by name, in order, methods with their type.
fn items(stage: &Stage) -> Vec<String> {
    let file = syn::parse_file(&file(stage)).expect("cargo has compiled it");
    let mut names = Vec::new();
    for item in file.items {
        match item {
            Item::Use(_) => {}
            Item::Const(item) => names.push(item.ident.to_string()),
            Item::Fn(item) => names.push(item.sig.ident.to_string()),
            Item::Struct(item) => names.push(item.ident.to_string()),
            Item::Impl(item) => {
                let syn::Type::Path(of) = &*item.self_ty else {
                    panic!("{}: odd impl", stage.name)
                };
                let of = &of.path.segments.last().expect("a path has a segment").ident;
                for item in item.items {
                    let ImplItem::Fn(method) = item else { panic!("{}: odd item", stage.name) };
                    names.push(format!("{of}::{}", method.sig.ident));
                }
            }
            _ => panic!("{}: an item of a kind that no stage has", stage.name),
        }
    }
    names
}

/// The items that a taught stage may have, in their order. A new name is a decision
/// for all stages.
const ITEMS: [&str; 13] = [
    "READERS",
    "merge",
    "merge_async",
    "tail",
    "tail_async",
    "Writer",
    "Writer::write",
    "Writer::write_async",
    "WriteThread",
    "Request",
    "WriteThread::start",
    "WriteThread::write",
    "WriteThread::stop",
];

#[test]
fn every_taught_stage_declares_the_same_items_in_the_same_order() {
    for stage in stages::taught() {
        let items = items(stage);
        let expected = ITEMS.iter().filter(|name| items.iter().any(|item| item == *name));
        assert_eq!(items, expected.copied().collect::<Vec<_>>(), "{}", stage.name);
        for name in ["merge", "tail"] {
            assert!(items.iter().any(|item| item == name), "{} has no {name}", stage.name);
        }
        assert!(items.iter().any(|item| item.ends_with("::write")), "{}: who writes?", stage.name);
    }
}

#[test]
fn no_taught_step_adds_more_than_sixty_lines_of_code() {
    for stage in stages::taught() {
        for step in steps(stage).unwrap_or_else(|error| panic!("{error:#}")) {
            let (added, _) = step.code_lines();
            let (from, to) = (step.from.name, step.to.name);
            assert!(added <= STEP, "{from} to {to} adds {added} lines of code, {STEP} are allowed");
            assert!(added > 0, "{from} to {to} adds nothing: what does it teach?");
        }
    }
}
