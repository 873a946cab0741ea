//! Says in words what the rows have shown.

use results::{Row, Size, Table, Time};

/// One sentence a workload, in the order of the tables; none where there is
/// nothing to say.
pub(crate) fn sentences(tables: &[Table]) -> Vec<String> {
    tables.iter().filter_map(sentence).collect()
}

fn sentence(table: &Table) -> Option<String> {
    let parts: Vec<_> = match () {
        () if has(table, "ratio_to_cat") => [times_of_cat(table)].into_iter().flatten().collect(),
        () if table.name == "live" => [on_the_way(table)].into_iter().flatten().collect(),
        () if has(table, "p99_seconds") => [stood_still(table)].into_iter().flatten().collect(),
        () => [memory(table), stood_still(table)].into_iter().flatten().collect(),
    };
    if parts.is_empty() { None } else { Some(format!("On {}, {}.", table.name, parts.join("; "))) }
}

fn has(table: &Table, key: &str) -> bool {
    table.columns.iter().any(|column| column.key == key)
}

/// The stages with this figure, from the least to the largest.
fn sorted<'a>(table: &'a Table, key: &str) -> Vec<(&'a Row, f64)> {
    let stages = table.rows.iter().filter(|row| row.name != "cat");
    let mut stages: Vec<_> =
        stages.filter_map(|row| Some((row, table.number(row, key)?))).collect();
    stages.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    stages
}

fn times_of_cat(table: &Table) -> Option<String> {
    let stages = sorted(table, "ratio_to_cat");
    let ratio = |row| table.cell(row, "ratio_to_cat").map(ToString::to_string).unwrap_or_default();
    match &stages[..] {
        [] => None,
        [(only, _)] => Some(format!("{} took {} times as long as cat", only.name, ratio(only))),
        [(least, _), .., (most, _)] => Some(format!(
            "{} took {} times as long as cat, the least, and {} {} times, the most",
            least.name,
            ratio(least),
            most.name,
            ratio(most)
        )),
    }
}

fn on_the_way(table: &Table) -> Option<String> {
    let (_, p50) = *sorted(table, "p50_seconds").last()?;
    let (row, p99) = *sorted(table, "p99_seconds").last()?;
    let (_, max) = *sorted(table, "max_seconds").last()?;
    let stage = match table.rows.len() {
        1 => format!("in {}", row.name),
        _ => "in every stage that was right".to_owned(),
    };
    Some(format!(
        "half of the lines were visible within {} of their write, 99 in 100 within {}, \
         and the last within {}, {stage}",
        Time(p50),
        Time(p99),
        Time(max)
    ))
}

fn stood_still(table: &Table) -> Option<String> {
    let stages = table.rows.iter().filter_map(|row| {
        let stall = table.number(row, "longest_stall_seconds")?;
        Some((&row.name, Time(stall)))
    });
    let mut stages = stages.map(|(name, stall)| format!("that of {name} for {stall}"));
    let first = stages.next()?;
    let first =
        first.replacen("that of", "the loop of", 1).replacen(" for ", " stood still for ", 1);
    let others: String = stages.map(|stage| format!(", {stage}")).collect();
    Some(format!("{first} at the longest{others}"))
}

fn memory(table: &Table) -> Option<String> {
    let (row, bytes) = *sorted(table, "peak_memory_bytes").last()?;
    Some(format!("no stage had more than {} of memory ({})", Size(bytes as u64), row.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::{Cell, Column, Spread};

    fn table(name: &str, keys: &[&'static str], rows: Vec<(&str, Vec<Cell>)>) -> Table {
        let rows =
            rows.into_iter().map(|(name, cells)| Row { name: name.into(), cells: Ok(cells) });
        Table {
            name: name.into(),
            what: String::new(),
            columns: keys.iter().map(|key| Column { key, head: "" }).collect(),
            rows: rows.collect(),
        }
    }

    #[test]
    fn backlog_is_about_cat() {
        let ratio = |values: &[f64]| vec![Cell::Ratio(Spread::new(values.to_vec()))];
        let rows = vec![
            ("cat", ratio(&[1.0])),
            ("stage2-mixed", ratio(&[1.5, 1.4, 1.6])),
            ("stage5-fully-async", ratio(&[1.1, 1.0, 1.2])),
        ];
        let mut table = table("backlog", &["ratio_to_cat"], rows);
        insta::assert_snapshot!(sentence(&table).unwrap(), @"On backlog, stage5-fully-async took 1.10 ± 0.10 times as long as cat, the least, and stage2-mixed 1.50 ± 0.10 times, the most.");
        table.rows.truncate(2);
        insta::assert_snapshot!(sentence(&table).unwrap(), @"On backlog, stage2-mixed took 1.50 ± 0.10 times as long as cat.");
        table.rows.truncate(1);
        assert_eq!(sentence(&table), None);
    }

    #[test]
    fn live_is_about_the_way_of_a_line() {
        let rows = vec![
            ("stage1-threads", [0.05, 0.101, 0.120].map(Cell::Seconds).to_vec()),
            ("stage5-fully-async", [0.052, 0.100, 0.110].map(Cell::Seconds).to_vec()),
        ];
        let table = table("live", &["p50_seconds", "p99_seconds", "max_seconds"], rows);
        insta::assert_snapshot!(sentence(&table).unwrap(), @"On live, half of the lines were visible within 52.0 ms of their write, 99 in 100 within 101 ms, and the last within 120 ms, in every stage that was right.");
    }

    #[test]
    fn slow_output_is_about_the_loops() {
        let rows = vec![
            ("stage1-threads", vec![Cell::Seconds(0.5), Cell::None]),
            ("stage4-tasks", vec![Cell::Seconds(0.5), Cell::Seconds(0.312)]),
            ("stage5-fully-async", vec![Cell::Seconds(0.5), Cell::Seconds(0.002)]),
        ];
        let mut table = table("slow-output", &["p99_seconds", "longest_stall_seconds"], rows);
        insta::assert_snapshot!(sentence(&table).unwrap(), @"On slow-output, the loop of stage4-tasks stood still for 312 ms at the longest, that of stage5-fully-async for 2.00 ms.");
        table.rows.truncate(1);
        assert_eq!(sentence(&table), None);
    }

    #[test]
    fn many_is_about_memory() {
        let rows = vec![
            ("stage1-threads", vec![Cell::Bytes(30 << 20), Cell::None]),
            ("stage4-tasks", vec![Cell::Bytes(20 << 20), Cell::Seconds(0.3)]),
        ];
        let table = table("many", &["peak_memory_bytes", "longest_stall_seconds"], rows);
        insta::assert_snapshot!(sentence(&table).unwrap(), @"On many, no stage had more than 30 MiB of memory (stage1-threads); the loop of stage4-tasks stood still for 300 ms at the longest.");
    }
}
