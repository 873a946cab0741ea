//! Shows a result as JSON, for programs.

use serde_json::{Map, Value, json};

use crate::warnings::Warning;
use results::Head;
use results::{Cell, Table};

/// The whole result: head, tables, warnings, and the closing sentences.
pub(crate) fn result(
    head: &Head,
    tables: &[Table],
    warnings: &[Warning],
    sentences: &[String],
    interrupted: bool,
) -> Value {
    json!({
        "head": head,
        "interrupted": interrupted,
        "workloads": tables.iter().map(table).collect::<Vec<_>>(),
        "warnings": warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "seen": sentences,
    })
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
    use results::fixed::table as fixed;

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

    #[test]
    fn the_result_has_its_head_and_says_whether_it_is_whole() {
        let head = Head {
            seed: 7,
            commit: None,
            rustc: "rustc 1.95.0".into(),
            cores: 2,
            profile: "release".into(),
            date: "2026-11-22".into(),
            kernel: "Linux 6.18 x86_64".into(),
        };
        let shown = result(&head, &[], &[Warning::OneCore], &["seen".into()], true);
        insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap(), @r#"
        {
          "head": {
            "commit": null,
            "cores": 2,
            "date": "2026-11-22",
            "kernel": "Linux 6.18 x86_64",
            "profile": "release",
            "rustc": "rustc 1.95.0",
            "seed": 7
          },
          "interrupted": true,
          "seen": [
            "seen"
          ],
          "warnings": [
            "there is one core, so the threads of a stage take turns, and readers never read while the writer writes; run it where there are two or more"
          ],
          "workloads": []
        }
        "#);
    }
}
