//! What keeps the stages a lesson: their shape and the size of each step.
//! `tidy` in `crates/book` holds the size of each file, and who knows whom.

use std::fs;

use compare::diff::{folder, steps};
use compare::stages::{STAGES, Stage};
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

#[test]
fn every_stage_declares_the_expected_items_in_the_expected_order() {
    let expected: [&[&str]; 5] = [
        &["merge", "tail", "Writer", "Writer::write"],
        &["merge", "merge_async", "tail", "Writer", "Writer::write", "Writer::write_async"],
        &["merge", "tail", "tail_async", "Writer", "Writer::write"],
        &["READERS", "merge", "merge_async", "tail", "Writer", "Writer::write"],
        &[
            "READERS",
            "merge",
            "merge_async",
            "tail",
            "WriteThread",
            "Request",
            "WriteThread::start",
            "WriteThread::write",
            "WriteThread::stop",
        ],
    ];
    for (stage, expected) in STAGES.iter().zip(expected) {
        assert_eq!(items(stage), expected, "{}", stage.name);
    }
}

#[test]
fn the_taught_steps_are_the_graph_of_the_book() {
    let taught: Vec<_> = STAGES
        .iter()
        .flat_map(|stage| steps(stage).unwrap_or_else(|error| panic!("{error:#}")))
        .map(|step| (step.from.number, step.to.number))
        .collect();
    assert_eq!(taught, [(1, 2), (1, 3), (2, 4), (3, 4), (4, 5)]);
}

#[test]
fn no_taught_step_adds_more_than_sixty_lines_of_code() {
    for stage in &STAGES {
        for step in steps(stage).unwrap_or_else(|error| panic!("{error:#}")) {
            let (added, _) = step.code_lines();
            let (from, to) = (step.from.name, step.to.name);
            assert!(added <= STEP, "{from} to {to} adds {added} lines of code, {STEP} are allowed");
            assert!(added > 0, "{from} to {to} adds nothing: what does it teach?");
        }
    }
}
