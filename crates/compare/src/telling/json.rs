//! Shows a comparison as JSON, for programs. `schema.md`, beside this crate's
//! README, says what each key is; a test holds the two against each other.

use serde_json::{Map, Value, json};

use report::{Cell, Comparison, Table, Workload};

/// Which keys there are, and what they mean. A key that is added keeps the
/// number; one that goes, or comes to mean something else, raises it.
pub(crate) const SCHEMA: u32 = 1;

/// The whole comparison.
pub(crate) fn result(comparison: &Comparison) -> Value {
    let Comparison { head, command, interrupted, verdicts, lanes, growth, .. } = comparison;
    json!({
        "schema": SCHEMA,
        "head": head,
        "command": command,
        "interrupted": interrupted,
        "workloads": comparison.workloads.iter().map(workload).collect::<Vec<_>>(),
        "lanes": lanes,
        "growth": growth,
        "verdicts": verdicts,
        "wrong": comparison.wrong,
        "warnings": comparison.warnings,
        "seen": comparison.seen,
    })
}

fn workload(workload: &Workload) -> Value {
    let mut value = table(&workload.table);
    value["latencies"] = json!(workload.distributions);
    value
}

fn table(table: &Table) -> Value {
    let rows = table.rows.iter().map(|row| {
        let mut object = Map::new();
        object.insert("stage".into(), row.name.clone().into());
        match &row.cells {
            Ok(cells) => {
                for (column, cell) in table.columns.iter().zip(cells) {
                    object.insert(column.key.into(), value(cell));
                }
            }
            Err(wrong) => {
                object.insert("wrong".into(), wrong.clone().into());
            }
        }
        Value::Object(object)
    });
    json!({ "workload": table.name, "what": table.what, "rows": rows.collect::<Vec<_>>() })
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::None => Value::Null,
        Cell::Count(number) | Cell::Bytes(number) => json!(number),
        Cell::Seconds(number) | Cell::Rate(number) => json!(number),
        Cell::Times(spread) | Cell::Ratio(spread) => json!({
            "median": spread.median(),
            "half_range": spread.half_range(),
            "runs": spread.values(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use recorder::{Kind, Lane, Role, Segment, Stall};
    use report::fixed::table as fixed;
    use report::{Bucket, Distribution, Growth, Head, Outcome, StageLanes, Verdict, Verdicts};

    #[test]
    fn every_cell_is_a_number_under_the_key_of_its_column() {
        let shown = serde_json::to_string_pretty(&table(&fixed())).unwrap();
        insta::assert_snapshot!(shown, @r#"
        {
          "rows": [
            {
              "context_switches": 12,
              "cpu_seconds": 0.1905,
              "longest_stall_seconds": null,
              "peak_memory_bytes": 1966080,
              "peak_threads": 1,
              "ratio_to_cat": null,
              "stage": "cat",
              "time_seconds": {
                "half_range": 0.009999999999999995,
                "median": 0.2,
                "runs": [
                  0.2,
                  0.21,
                  0.19
                ]
              }
            },
            {
              "stage": "stage2-mixed",
              "wrong": "2 lines lost"
            },
            {
              "context_switches": 12345,
              "cpu_seconds": 1.25,
              "longest_stall_seconds": 0.000029,
              "peak_memory_bytes": 11534336,
              "peak_threads": 6,
              "ratio_to_cat": {
                "half_range": 0.15000000000000002,
                "median": 1.1,
                "runs": [
                  1.1,
                  1.0,
                  1.3
                ]
              },
              "stage": "stage4-tasks",
              "time_seconds": {
                "half_range": 0.018500000000000003,
                "median": 0.22,
                "runs": [
                  0.22,
                  0.21,
                  0.247
                ]
              }
            }
          ],
          "what": "2 complete files of 1 MiB",
          "workload": "backlog"
        }
        "#);
    }

    /// All keys of a value, each with the keys that lead to it.
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

    /// A comparison in which there is some of everything.
    fn full() -> Comparison {
        let stall = Stall { begin: 0.1, end: 0.2, operation: None, source: None, task: None };
        let segment = Segment { kind: Kind::Read, source: None, begin: 0.0, end: 0.1 };
        let lane = Lane {
            thread: "main".into(),
            role: Role::Loop,
            segments: vec![segment.clone()],
            waiting: vec![segment],
            stalls: vec![stall],
        };
        let stage = || "stage4-tasks".to_owned();
        let verdict = |outcome| Verdict {
            theme: "lines".into(),
            law: "a_law".into(),
            sentence: "It is kept.".into(),
            outcome,
        };
        let bucket = Bucket { from: 0.1, below: 0.2, lines: 3 };
        Comparison {
            head: Head {
                seed: 7,
                commit: None,
                rustc: "rustc 1.95.0".into(),
                cores: 2,
                profile: "release".into(),
                date: "2026-11-22".into(),
                kernel: "Linux 6.18 x86_64".into(),
            },
            command: "cargo compare".into(),
            interrupted: true,
            // Every column that there is.
            workloads: crate::telling::rows::tests::workloads()
                .into_iter()
                .map(|table| Workload {
                    table,
                    distributions: vec![Distribution { stage: stage(), buckets: vec![bucket] }],
                })
                .collect(),
            verdicts: vec![Verdicts {
                stage: stage(),
                laws: vec![
                    verdict(Outcome::Held),
                    verdict(Outcome::BrokenAsDeclared { reason: "by design".into() }),
                    verdict(Outcome::Wrong { seen: "it hangs".into() }),
                ],
            }],
            lanes: vec![StageLanes {
                stage: stage(),
                what: "6 growing files".into(),
                seconds: 0.7,
                lanes: vec![lane],
                left_out: 0,
            }],
            growth: vec![Growth { stage: stage(), sources: 8, seconds: vec![0.1], threads: None }],
            wrong: vec!["wrong".into()],
            warnings: vec!["warning".into()],
            seen: vec!["seen".into()],
        }
    }

    #[test]
    fn the_keys_that_are_written_are_those_that_are_documented() {
        let mut written = BTreeSet::new();
        keys(&result(&full()), "", &mut written);

        let schema = include_str!("../../schema.md");
        let rows = schema.lines().filter_map(|line| line.strip_prefix("| `"));
        let documented: Vec<String> =
            rows.map(|row| row.split_once('`').expect("a key has an end").0.to_owned()).collect();
        let set: BTreeSet<String> = documented.iter().cloned().collect();
        assert_eq!(set.len(), documented.len(), "a key is documented twice");
        let missing: Vec<_> = written.difference(&set).collect();
        let gone: Vec<_> = set.difference(&written).collect();
        assert!(
            missing.is_empty() && gone.is_empty(),
            "not in schema.md: {missing:?}; only there: {gone:?}"
        );
        assert!(
            schema.contains(&format!("`\"schema\": {SCHEMA}`")),
            "schema.md is of another number"
        );
    }
}
