//! What a blocked output does to the others, as the label of a band says it.

use std::collections::BTreeSet;

use crate::StageLanes;
use recorder::{Kind, Lane, Role, Segment};

use super::words::{Span, begun, counted, in_line, last, reads_begun, stands_still};

/// What goes on while the output is blocked, and what waits, in the lines of a
/// label: of each stage alike, so that two stages can be compared.
pub(super) fn effect(stage: &StageLanes, span: Span) -> Vec<String> {
    let spans = [span];
    let reads = begun(stage, &spans);
    if stands_still(stage, span) {
        return vec![format!("{},", begins(reads)), "no task runs".into()];
    }
    let threads = in_line(stage, &spans) > 0;
    let (who, waits) = match threads {
        true => ("thread", standing(stage, span, |lane| &lane.segments)),
        false => ("task", standing(stage, span, |lane| &lane.waiting)),
    };
    let of = |count: usize| if count == 1 { who.to_owned() } else { format!("{who}s") };
    let kinds: BTreeSet<&str> = waits.iter().map(|it| awaited(it.kind)).collect();
    let what = kinds.into_iter().collect::<Vec<_>>().join(" and ");
    let readers = sources(reads_begun(stage, &spans));
    let once = readers.len() == reads && readers.is_subset(&sources(waits.iter().copied()));
    let mut lines = match (reads, waits.len()) {
        (_, 0) => vec![format!("{},", begins(reads)), "nobody waits".into()],
        (1.., _) if once => {
            // `await the answer`, `awaits the answer`.
            let what = if reads == 1 { what.replacen(' ', "s ", 1) } else { what };
            let read = if reads == 1 { "reads" } else { "read" };
            vec![format!("{reads} {} {read} once,", of(reads)), format!("then {what}")]
        }
        (_, 1) => {
            vec![format!("{},", begins(reads)), format!("1 {who} {}", what.replacen(' ', "s ", 1))]
        }
        (_, many) => vec![format!("{},", begins(reads)), format!("{many} {} {what}", of(many))],
    };
    if !threads && stage.lanes.iter().any(|lane| lane.role == Role::Loop) {
        if let Some(last) = lines.last_mut() {
            *last += ";";
        }
        lines.push("the loop goes on".into());
    }
    lines
}

/// `no read begins`, `9 reads begin`.
fn begins(reads: usize) -> String {
    match reads {
        0 | 1 => counted(reads, "read begins", ""),
        _ => counted(reads, "", "reads begin"),
    }
}

fn awaited(kind: Kind) -> &'static str {
    match kind {
        Kind::WaitForLock => "wait for the lock",
        Kind::WaitForAnswer => "await the answer",
        _ => "wait for the loop",
    }
}

/// The waits that go on as a span comes to its end.
fn standing<'a>(
    stage: &'a StageLanes,
    span: Span,
    of: impl Fn(&'a Lane) -> &'a [Segment],
) -> Vec<&'a Segment> {
    let now = last(&span);
    let waits = stage.lanes.iter().flat_map(of).filter(|it| {
        matches!(it.kind, Kind::WaitForLock | Kind::WaitForLoop | Kind::WaitForAnswer)
    });
    waits.filter(|it| it.begin <= now && now < it.end).collect()
}

/// The sources that segments are about.
fn sources<'a>(segments: impl Iterator<Item = &'a Segment>) -> BTreeSet<&'a str> {
    segments.filter_map(|it| it.source.as_deref()).collect()
}

/// How many sources a stage has read or written.
pub(super) fn source_count(stage: &StageLanes) -> usize {
    sources(stage.lanes.iter().flat_map(|lane| &lane.segments)).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::words::blocked;
    use crate::fixed;

    fn effect_of(stage: &StageLanes) -> String {
        effect(stage, blocked(stage)[0]).join(" ")
    }

    #[test]
    fn each_stage_is_told_by_what_goes_on_and_what_waits() {
        let told: Vec<String> = fixed::lanes().iter().map(effect_of).collect();
        let line = "2 threads read once, then wait for the lock";
        assert_eq!(told[..3], [line, line, line]);
        // A read that was on its way before the span does not begin in it.
        assert_eq!(told[3], "no read begins, no task runs");
        assert_eq!(told[4], "2 reads begin, 2 tasks await the answer; the loop goes on");
    }

    #[test]
    fn who_read_once_and_waits_is_told_so_and_no_other() {
        let mut stage = fixed::lanes().remove(4);
        // b.log is read, and awaits its answer; a.log had been read before.
        stage.lanes[2].segments.retain(|it| it.source.as_deref() != Some("c.log"));
        assert_eq!(
            effect_of(&stage),
            "1 task reads once, then awaits the answer; the loop goes on"
        );
        stage.lanes[0].waiting.truncate(1);
        assert_eq!(effect_of(&stage), "1 read begins, 1 task awaits the answer; the loop goes on");
        stage.lanes[0].waiting.clear();
        assert_eq!(effect_of(&stage), "1 read begins, nobody waits; the loop goes on");
        stage.lanes.remove(0);
        assert_eq!(effect_of(&stage), "1 read begins, nobody waits");
    }
}
