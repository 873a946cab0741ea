//! The results in words. A figure has its sentence here and nowhere else: terminal,
//! JSON and page show the same.

use std::collections::BTreeSet;

use crate::comparison::{Comparison, Growth, Outcome, StageLanes, Verdicts};
use crate::growth;
use crate::lanes::facts::{self, Shape};
use crate::table::{Column, Row, Spread, Table};
use crate::units::{Grouped, Size, Time, counted, listed};

/// A loop stands still if it stalls for this long, in seconds: a busy machine stalls
/// any loop for less.
const STILL: f64 = 0.050;

/// Returns the sentences about workloads, lanes, growth and laws, in this order.
pub fn seen(comparison: &Comparison) -> Vec<String> {
    let tables = comparison.workloads.iter().flat_map(of_table);
    let lanes = comparison.lanes.iter().map(of_lanes);
    let growth = of_growth(&comparison.growth);
    let laws = of_laws(&comparison.verdicts);
    tables.chain(lanes).chain(growth.into_iter().flatten()).chain(laws).collect()
}

/// Returns the sentences about a table: each is about another column.
pub(crate) fn of_table(table: &Table) -> Vec<String> {
    let has = |column| table.columns().contains(&column);
    let parts = match () {
        () if has(Column::Ratio) => [against_cat(table), None],
        () if has(Column::RestCpu) => [at_rest(table), None],
        () if has(Column::P99) => [latency(table), stalls(table)],
        () => [memory(table), stalls(table)],
    };
    let parts = parts.into_iter().flatten().chain(torn(table));
    parts.map(|part| format!("On {}, {part}.", table.name)).collect()
}

fn against_cat(table: &Table) -> Option<String> {
    let stages = table.sorted(Column::Ratio);
    let ratio = |row: &Row| row.shown(Column::Ratio);
    Some(match &stages[..] {
        [] => return None,
        [(only, _)] => format!("{} took {} times as long as cat", only.name, ratio(only)),
        [(least, _), .., (most, _)] => format!(
            "{} took {} times as long as cat, the least, and {} {} times, the most; {}",
            least.name,
            ratio(least),
            most.name,
            ratio(most),
            chance(least.spread(Column::Ratio)?, most.spread(Column::Ratio)?),
        ),
    })
}

/// Says whether two spreads tell the order of their owners.
fn chance(less: &Spread, more: &Spread) -> &'static str {
    match less.bounds().1 < more.bounds().0 {
        _ if less.runs.len().min(more.runs.len()) < 2 => {
            "each ran once, so this order may be chance"
        }
        true => "their spreads do not meet",
        false => "but their spreads overlap, so this order may be chance",
    }
}

fn at_rest(table: &Table) -> Option<String> {
    let (wakes, wakeups) = *table.sorted(Column::WakeUps).last()?;
    let (cpu, seconds) = *table.sorted(Column::RestCpu).last()?;
    if wakeups == 0.0 && seconds == 0.0 {
        return Some("no stage was woken, or worked, at all".to_owned());
    }
    Some(format!(
        "at rest, no stage was woken more often than {} ({}), or worked for more than {} of a \
         second ({})",
        wakes.shown(Column::WakeUps),
        wakes.name,
        Time(seconds),
        cpu.name
    ))
}

fn latency(table: &Table) -> Option<String> {
    let half = table.sorted(Column::P50);
    let (&(first, least), &(last, most)) = (half.first()?, half.last()?);
    // Stages are not set apart if their figures differ by a tenth or less.
    let half = match most <= least * 1.1 {
        true => Time(most).to_string(),
        false => format!("{} ({}) to {} ({})", Time(least), first.name, Time(most), last.name),
    };
    let (row, p99) = *table.sorted(Column::P99).last()?;
    let (_, max) = *table.sorted(Column::Max).last()?;
    let of = match table.sorted(Column::P99).len() {
        1 => format!("in {}", row.name),
        _ => "in every stage that was right".to_owned(),
    };
    Some(format!(
        "half of the lines were seen within {half} of their write, 99 in 100 within {}, and the \
         last within {}, {of}",
        Time(p99),
        Time(max)
    ))
}

fn stalls(table: &Table) -> Option<String> {
    let stalled = table.sorted(Column::Stall);
    let &(longest, seconds) = stalled.last()?;
    if seconds < STILL {
        let longest = &longest.name;
        return Some(format!(
            "no loop stood still: the longest stall was {} ({longest})",
            Time(seconds)
        ));
    }
    let mut told = stalled.iter().rev().map(|(row, it)| format!("{} for {}", row.name, Time(*it)));
    let first = told.next()?.replacen(" for ", " stood still for ", 1);
    let others: String = told.map(|it| format!(", that of {it}")).collect();
    Some(format!("the loop of {first} at the longest{others}"))
}

fn memory(table: &Table) -> Option<String> {
    let (row, bytes) = *table.sorted(Column::Memory).last()?;
    Some(format!("no stage had more than {} of memory ({})", Size(bytes as u64), row.name))
}

/// Says what was wrong with the output of a program beside the stages.
fn torn(table: &Table) -> Option<String> {
    let row = table.rows.iter().find(|row| !row.is_stage() && row.wrong.is_some())?;
    let first = row.wrong.as_ref()?.lines().next().unwrap_or_default();
    // What is wrong, without the number of lines.
    let wrong = first.rsplit_once(": ").map_or(first, |(_, wrong)| wrong);
    let stages = if table.wrong().count() == 1 { "; that of every stage was right" } else { "" };
    Some(format!("the output of {} was wrong ({wrong}){stages}", row.name))
}

/// Returns the sentence about the lanes of a stage.
pub(crate) fn of_lanes(stage: &StageLanes) -> String {
    let blocked = facts::blocked(stage);
    if let Some(said) = of_service(stage, &blocked) {
        return said;
    }
    let while_blocked = || format!("while the output blocked ({})", facts::times(&blocked));
    let said = match facts::shape(stage) {
        Shape::Still => still(stage),
        Shape::Line => {
            let tails = stage.lanes.iter().filter(|lane| lane.role == recorder::Role::Tail);
            let (line, all) = (facts::in_line(stage, &blocked), tails.count());
            format!("{}, up to {line} of {all} threads stood in line for the lock", while_blocked())
        }
        Shape::Writer => {
            let mut said = format!(
                "{}, only the writer's thread waited for it, and {}",
                while_blocked(),
                counted(facts::reads_begun(stage, &blocked), "read") + " began meanwhile"
            );
            let waiting = facts::tasks_waiting(stage, &blocked);
            if waiting > 0 {
                let tasks = counted(waiting, "task");
                said += &format!("; up to {tasks} awaited its answer, each for itself alone");
            }
            let stalls = facts::stalls(stage);
            if !stalls.is_empty() {
                said += &format!("; the loop stood still {}, not to write", facts::times(&stalls));
            }
            said
        }
        Shape::Alone => format!("{}, nobody else had anything to write", while_blocked()),
        Shape::Nothing => "no write took long, and nothing stood still".to_owned(),
    };
    format!("In {}, {said}.", stage.stage)
}

/// The same sentence for every version of the service, so that they can be compared.
fn of_service(stage: &StageLanes, blocked: &[facts::Span]) -> Option<String> {
    let (answered, longest) = facts::answered(stage, blocked)?;
    Some(format!(
        "In {}, while a note was written ({}), {} answered, and a client waited for {} at the \
         longest.",
        stage.stage,
        facts::times(blocked),
        counted(answered, "line") + if answered < 2 { " was" } else { " were" },
        Time(longest)
    ))
}

fn still(stage: &StageLanes) -> String {
    let mut spans = facts::stalls(stage);
    let mut causes = facts::causes(stage);
    if spans.is_empty() {
        // The watch has missed the stalls.
        (spans, causes) = (facts::blocked_on_loop(stage), vec!["append"]);
    }
    let mut said = format!(
        "the loop stood still {}, in {}: no task ran meanwhile",
        facts::times(&spans),
        listed(&causes)
    );
    let blocked = facts::blocked(stage);
    let waiting = facts::tasks_waiting(stage, if blocked.is_empty() { &spans } else { &blocked });
    if waiting > 0 {
        said += &format!(", and up to {} had lines in hand", counted(waiting, "task"));
    }
    said
}

/// A stage: its least and its largest number of sources, and its figure at each.
struct Grown<'a> {
    stage: &'a str,
    from: (u64, f64),
    to: (u64, f64),
}

/// Returns the sentence about the times and, if threads were counted, the one about
/// them.
pub(crate) fn of_growth(growth: &[Growth]) -> [Option<String>; 2] {
    let [seconds, counts] = growth::lines(growth);
    [times(&grown(&seconds)), threads(&grown(&counts))]
}

/// Returns the stages that ran with more than one number of sources, sorted by their
/// figure at the largest. Those that came less far than others are left out: a stage
/// fails, or the run is interrupted, and figures at other numbers cannot be compared.
fn grown<'a>(lines: &[growth::Line<'a>]) -> Vec<Grown<'a>> {
    let grown = lines.iter().filter_map(|(stage, points)| {
        let [from, to] = [points.first()?, points.last()?]
            .map(|(sources, [_, middle, _])| (*sources as u64, *middle));
        (from.0 < to.0).then_some(Grown { stage, from, to })
    });
    let mut grown: Vec<Grown<'_>> = grown.collect();
    let width = |it: &Grown<'_>| it.to.0 - it.from.0;
    let widest = grown.iter().max_by_key(|it| width(it)).map(|it| (it.from.0, it.to.0));
    grown.retain(|it| Some((it.from.0, it.to.0)) == widest);
    grown.sort_by(|a, b| a.to.1.total_cmp(&b.to.1));
    grown
}

fn times(grown: &[Grown<'_>]) -> Option<String> {
    let (least, most) = (grown.first()?, grown.last()?);
    let way =
        |it: &Grown<'_>| format!("{} goes from {} to {}", it.stage, Time(it.from.1), Time(it.to.1));
    let ends = match grown.len() {
        1 => way(least),
        _ => format!("{}, the least, and {}, the most", way(least), way(most)),
    };
    Some(format!("From {} to {} sources, {ends}.", Grouped(least.from.0), Grouped(least.to.0)))
}

/// Says which stages take about one thread more for each source more, and which keep
/// their number. Stages of one kind are told together, though their numbers differ by
/// one or two.
fn threads(grown: &[Grown<'_>]) -> Option<String> {
    let first = grown.first()?;
    let stays = |it: &Grown<'_>| it.to.1 <= it.from.1 * 1.05;
    let a_source = |it: &Grown<'_>| {
        let slope = (it.to.1 - it.from.1) / (it.to.0 - it.from.0) as f64;
        (0.95..=1.05).contains(&slope)
    };
    let of = |those: &dyn Fn(&Grown<'_>) -> bool, [one, many]: [&str; 2]| {
        let those: Vec<&Grown<'_>> = grown.iter().filter(|it| those(it)).collect();
        let count = |it: &Grown<'_>| Grouped(it.to.1.round() as u64).to_string();
        let (least, most) = (count(those.first()?), count(those.last()?));
        let range = if least == most { least } else { format!("{least} to {most}") };
        let mut names: Vec<&str> = those.iter().map(|it| it.stage).collect();
        names.sort_unstable();
        let verb = if names.len() == 1 { one } else { many };
        Some(format!("{} {verb} {range} threads", listed(&names)))
    };
    let parts = [
        of(&stays, ["stays at", "stay at"]),
        of(&a_source, ["takes about one a source,", "take about one a source,"]),
        of(&|it| !stays(it) && !a_source(it), ["comes to", "come to"]),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let (from, to) = (Grouped(first.from.0), Grouped(first.to.0));
    Some(format!("From {from} to {to} sources, {}.", parts.join("; ")))
}

/// Says how many laws are kept.
pub(crate) fn of_laws(verdicts: &[Verdicts]) -> Option<String> {
    let all = || verdicts.iter().flat_map(|stage| stage.laws.iter().map(move |law| (stage, law)));
    let wrong = all().filter(|(_, law)| matches!(law.outcome, Outcome::Wrong { .. })).count();
    let declared = all().filter(|(_, law)| matches!(law.outcome, Outcome::BrokenAsDeclared { .. }));
    let declared: Vec<String> =
        declared.map(|(stage, law)| format!("{} breaks {}", stage.stage, law.law)).collect();
    let laws = all().map(|(_, law)| &*law.law).collect::<BTreeSet<_>>().len();
    let (tried, pairs) = (all().count(), laws * verdicts.len());
    if tried == 0 {
        return None;
    }
    let (laws, stages) = (counted(laws, "law"), counted(verdicts.len(), "stage"));
    // What an interrupted run has not tried is not kept.
    let kept = match tried < pairs {
        true => format!("{tried} of {pairs} pairs were tried, and all of these are kept"),
        false => "all are kept".to_owned(),
    };
    Some(match (wrong, &declared[..]) {
        (0, []) => format!("Of {laws} with {stages}, {kept}."),
        (0, _) => {
            let declared = declared.join(", ");
            format!("Of {laws} with {stages}, {kept}, but that {declared}, as it declares.")
        }
        (1, _) => format!("Of {laws} with {stages}, one verdict is wrong."),
        _ => format!("Of {laws} with {stages}, {wrong} verdicts are wrong."),
    })
}
