//! Results with fixed numbers, for the tests of whatever shows results.

use crate::{Cell, Column, Row, Spread, Table};

/// A table with fixed numbers, one cell of each kind, and a wrong row.
pub fn table() -> Table {
    let column = |key, head| Column { key, head };
    Table {
        name: "backlog".into(),
        what: "2 complete files of 1 MiB".into(),
        columns: vec![
            column("time_seconds", "time"),
            column("ratio_to_cat", "× cat"),
            column("cpu_seconds", "CPU"),
            column("peak_threads", "threads"),
            column("context_switches", "switches"),
            column("peak_memory_bytes", "memory"),
            column("longest_stall_seconds", "stall"),
        ],
        rows: vec![
            Row {
                name: "cat".into(),
                cells: Ok(vec![
                    Cell::Times(Spread::new(vec![0.200, 0.210, 0.190])),
                    Cell::None,
                    Cell::Seconds(0.1905),
                    Cell::Count(1),
                    Cell::Count(12),
                    Cell::Bytes(1_966_080),
                    Cell::None,
                ]),
            },
            Row { name: "stage2-mixed".into(), cells: Err("2 lines lost".into()) },
            Row {
                name: "stage4-tasks".into(),
                cells: Ok(vec![
                    Cell::Times(Spread::new(vec![0.220, 0.210, 0.247])),
                    Cell::Ratio(Spread::new(vec![1.1, 1.0, 1.3])),
                    Cell::Seconds(1.25),
                    Cell::Count(6),
                    Cell::Count(12_345),
                    Cell::Bytes(11 << 20),
                    Cell::Seconds(0.000_029),
                ]),
            },
        ],
    }
}
