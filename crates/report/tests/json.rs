//! The JSON of a comparison is what its schema says.

use std::collections::BTreeSet;

use report::{Cell, Column, Comparison, Outcome, SCHEMA};
use serde_json::Value;

const RUN: &str = include_str!("comparison.json");

#[test]
fn what_is_written_is_read_as_what_it_was() {
    let comparison: Comparison = serde_json::from_str(RUN).unwrap();
    let written = report::json(&comparison);
    let again: Comparison = serde_json::from_str(&written).unwrap();
    assert_eq!(report::json(&again), written);
    let (mut run, mut written): (Value, Value) =
        (serde_json::from_str(RUN).unwrap(), serde_json::from_str(&written).unwrap());
    // The sentences are made again with each JSON, and may have changed.
    for value in [&mut run, &mut written] {
        value.as_object_mut().unwrap().remove("seen");
    }
    assert_eq!(run, written);
}

#[test]
fn the_keys_that_are_written_are_those_that_are_documented() {
    let mut comparison: Comparison = serde_json::from_str(RUN).unwrap();
    // Keys that a run without faults does not have.
    let rows = &mut comparison.workloads[1].rows;
    rows[0].cells.insert(Column::RestCpu, Cell::Number(0.1));
    rows[0].cells.insert(Column::WakeUps, Cell::None);
    rows[1].wrong = Some("2 lines lost".into());
    comparison.verdicts[0].laws[0].outcome = Outcome::Wrong { seen: "it hangs".into() };
    let written: Value = serde_json::from_str(&report::json(&comparison)).unwrap();
    let mut found = BTreeSet::new();
    keys(&written, "", &mut found);

    let schema = include_str!("../../compare/schema.md");
    let rows = schema.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented = rows.map(|row| row.split_once('`').expect("a key has an end").0.to_owned());
    let documented: Vec<String> = documented.collect();
    let set: BTreeSet<String> = documented.iter().cloned().collect();
    assert_eq!(set.len(), documented.len(), "a key is documented twice");
    let missing: Vec<_> = found.difference(&set).collect();
    let gone: Vec<_> = set.difference(&found).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in schema.md: {missing:?}; only there: {gone:?}"
    );
    assert!(schema.contains(&format!("`\"schema\": {SCHEMA}`")), "it is of another number");
}

/// Collects all keys of a value, each with the keys that lead to it.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                found.insert(path.clone());
                keys(value, &path, found);
            }
        }
        Value::Array(values) => {
            values.iter().for_each(|value| keys(value, &format!("{path}[]"), found));
        }
        _ => {}
    }
}
