//! Says in words what the rows have shown.

use crate::asking::contender::Program;
use report::{Comparison, Growth, Row, Size, StageLanes, Table, Time};

/// The sentences of all parts, in their order; none where there is nothing to
/// say.
pub(crate) fn sentences(comparison: &Comparison) -> Vec<String> {
    let tables = || comparison.workloads.iter().map(|workload| &workload.table);
    tables()
        .filter_map(sentence)
        .chain(tables().filter_map(torn))
        .chain(stalls(&comparison.lanes))
        .chain(most_sources(&comparison.growth))
        .collect()
}

fn sentence(table: &Table) -> Option<String> {
    let parts: Vec<_> = match () {
        () if has(table, "ratio_to_cat") => [times_of_cat(table)].into_iter().flatten().collect(),
        () if has(table, "rest_wakeups_per_second") => at_rest(table).into_iter().collect(),
        () if table.name == "live" => [on_the_way(table)].into_iter().flatten().collect(),
        () if has(table, "p99_seconds") => [stood_still(table)].into_iter().flatten().collect(),
        () => [memory(table), stood_still(table)].into_iter().flatten().collect(),
    };
    if parts.is_empty() { None } else { Some(format!("On {}, {}.", table.name, parts.join("; "))) }
}

/// What a program made of it that a person would use instead.
fn torn(table: &Table) -> Option<String> {
    let (program, wrong) = table.wrong().find(|(name, _)| Program::named(name).is_some())?;
    let first = wrong.lines().next().unwrap_or_default();
    // What is wrong, without how many lines there were.
    let wrong = first.rsplit_once(": ").map_or(first, |(_, wrong)| wrong);
    let stages = if table.wrong().count() == 1 { "; that of every stage was right" } else { "" };
    Some(format!("On {}, the output of {program} was wrong ({wrong}){stages}.", table.name))
}

fn at_rest(table: &Table) -> Option<String> {
    let (wakes, _) = *sorted(table, "rest_wakeups_per_second").last()?;
    let (cpu, seconds) = *sorted(table, "rest_cpu_seconds_per_second").last()?;
    let wakeups = table.cell(wakes, "rest_wakeups_per_second")?;
    if table.number(wakes, "rest_wakeups_per_second")? == 0.0 && seconds == 0.0 {
        return Some("no stage was woken, or worked, at all".to_owned());
    }
    Some(format!(
        "at rest, no stage was woken more often than {wakeups} ({}), or worked for more than {} of a \
         second ({})",
        wakes.name,
        Time(seconds),
        cpu.name
    ))
}

/// For how long the loop of each stage stood still, of those that have one.
fn stalls(stages: &[StageLanes]) -> Option<String> {
    let with_loop =
        |stage: &&StageLanes| stage.lanes.iter().any(|lane| lane.role == recorder::Role::Loop);
    let mut parts = stages.iter().filter(with_loop).map(|stage| {
        let stalls = stage.lanes.iter().flat_map(|lane| &lane.stalls);
        let still: f64 = stalls.map(|stall| stall.end - stall.begin).sum();
        let what = if still > 0.0 {
            format!("stood still for {} of {}", Time(still), Time(stage.seconds))
        } else {
            "never stood still".to_owned()
        };
        format!("that of {} {what}", stage.stage)
    });
    let first = parts.next()?.replacen("that of", "the loop of", 1);
    let others: String = parts.map(|part| format!(", {part}")).collect();
    Some(format!("In the lanes, {first}{others}."))
}

fn most_sources(growth: &[Growth]) -> Option<String> {
    let sources = growth.iter().map(|step| step.sources).max()?;
    let mut steps: Vec<_> = growth
        .iter()
        .filter(|step| step.sources == sources)
        .filter_map(|step| Some((step, step.threads?)))
        .collect();
    steps.sort_by_key(|&(_, threads)| threads);
    let [(least, few), .., (_, many)] = steps[..] else { return None };
    // Those that differ from the most by a hundredth go the same way as it.
    let (most, from) = {
        let like = steps.iter().filter(|(_, threads)| *threads + many.div_ceil(100) >= many);
        let mut like: Vec<(&str, u64)> =
            like.map(|(step, threads)| (&*step.stage, *threads)).collect();
        let from = like[0].1;
        like.sort_unstable();
        let mut names: Vec<&str> = like.into_iter().map(|(name, _)| name).collect();
        let last = names.pop()?;
        let first = if names.is_empty() { String::new() } else { names.join(", ") + " and " };
        (format!("{first}{last}"), from)
    };
    let grouped = report::Grouped;
    let range = match from == many {
        true => grouped(many).to_string(),
        false => format!("{} to {}", grouped(from), grouped(many)),
    };
    Some(format!(
        "With {} sources, {} took {} threads, the least, and {most} {range}, the most.",
        grouped(sources),
        least.stage,
        grouped(few),
    ))
}

fn has(table: &Table, key: &str) -> bool {
    table.columns.iter().any(|column| column.key == key)
}

/// The stages with this figure, from the least to the largest.
fn sorted<'a>(table: &'a Table, key: &str) -> Vec<(&'a Row, f64)> {
    let stages = table.rows.iter().filter(|row| Program::named(&row.name).is_none());
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
    let stage = match sorted(table, "p99_seconds").len() {
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
    use report::{Cell, Column, Spread};

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
    fn idle_is_about_what_waiting_costs() {
        let rest = |cpu, wakeups| vec![Cell::Seconds(cpu), Cell::Rate(wakeups)];
        let rows = vec![
            ("stage1-threads", rest(0.000_2, 1.3)),
            ("tail", rest(0.9, 900.0)),
            ("stage5-fully-async", rest(0.001, 0.5)),
        ];
        let keys = ["rest_cpu_seconds_per_second", "rest_wakeups_per_second"];
        let mut table = table("idle", &keys, rows);
        insta::assert_snapshot!(sentence(&table).unwrap(), @"On idle, at rest, no stage was woken more often than 1.3/s (stage1-threads), or worked for more than 1.00 ms of a second (stage5-fully-async).");
        table.rows.truncate(1);
        table.rows[0].cells = Ok(rest(0.0, 0.0));
        assert_eq!(sentence(&table).unwrap(), "On idle, no stage was woken, or worked, at all.");
    }

    #[test]
    fn a_program_that_tears_lines_is_named() {
        let mut table = table(
            "live",
            &["lines"],
            vec![("tail", vec![]), ("stage1-threads", vec![Cell::Count(9)])],
        );
        assert_eq!(torn(&table), None);
        table.rows[0].cells = Err("9 lines, and not as they should be: 3 torn\nline 7".into());
        insta::assert_snapshot!(torn(&table).unwrap(), @"On live, the output of tail was wrong (3 torn); that of every stage was right.");
        table.rows[1].cells = Err("2 lost".into());
        insta::assert_snapshot!(torn(&table).unwrap(), @"On live, the output of tail was wrong (3 torn).");
    }

    #[test]
    fn the_lanes_are_about_the_loops() {
        let lane = |role, stalls: &[(f64, f64)]| {
            let stall = |&(begin, end)| recorder::Stall {
                begin,
                end,
                operation: None,
                source: None,
                task: None,
            };
            let stalls = stalls.iter().map(stall).collect();
            recorder::Lane {
                thread: "main".into(),
                role,
                segments: vec![],
                waiting: vec![],
                stalls,
            }
        };
        let stage = |stage: &str, lane| StageLanes {
            stage: stage.into(),
            what: String::new(),
            seconds: 0.7,
            lanes: vec![lane],
            left_out: 0,
        };
        let stages = [
            stage("stage1-threads", lane(recorder::Role::Tail, &[])),
            stage("stage4-tasks", lane(recorder::Role::Loop, &[(0.1, 0.25), (0.4, 0.55)])),
            stage("stage5-fully-async", lane(recorder::Role::Loop, &[])),
        ];
        insta::assert_snapshot!(stalls(&stages).unwrap(), @"In the lanes, the loop of stage4-tasks stood still for 300 ms of 700 ms, that of stage5-fully-async never stood still.");
        assert_eq!(stalls(&stages[..1]), None);
    }

    #[test]
    fn growth_is_about_the_threads_of_the_most_sources() {
        let step = |stage: &str, sources, threads| Growth {
            stage: stage.into(),
            sources,
            seconds: vec![0.1],
            threads,
        };
        let growth = [
            step("a", 8, Some(1)),
            step("a", 2_000, Some(2_001)),
            step("b", 2_000, Some(4)),
            step("c", 2_000, None),
        ];
        insta::assert_snapshot!(most_sources(&growth).unwrap(), @"With 2,000 sources, b took 4 threads, the least, and a 2,001, the most.");
        assert_eq!(most_sources(&growth[3..]), None);
        // A few threads more or less are no other way to grow.
        let more = [("d", 1_990), ("e", 2_003), ("f", 9)];
        let more = more.map(|(stage, threads)| step(stage, 2_000, Some(threads)));
        let growth = [&growth[..], &more].concat();
        insta::assert_snapshot!(most_sources(&growth).unwrap(), @"With 2,000 sources, b took 4 threads, the least, and a, d and e 1,990 to 2,003, the most.");
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
