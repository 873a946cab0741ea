//! The stages side by side: who writes, who waits for what, and for how long
//! the loop stood still.

use crate::StageLanes;
use maud::{Markup, html};
use recorder::{Kind, Lane, Role, Segment};

use super::{in_order, words};
use crate::theme;

pub(super) fn table<'a>(stages: impl Iterator<Item = &'a StageLanes>) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="The stages side by side" {
            table class="overview" {
                thead { tr {
                    th scope="col" { "stage" }
                    th scope="col" { "who writes" }
                    th scope="col" { "who waits, for what" }
                    th scope="col" { "loop stood still" }
                } }
                tbody {
                    @for stage in stages {
                        tr {
                            th scope="row" { (theme::short(&stage.stage)) }
                            td { (who_writes(stage)) }
                            td { (who_waits(stage)) }
                            td { (stood_still(stage)) }
                        }
                    }
                }
            }
        }
    }
}

fn who_writes(stage: &StageLanes) -> String {
    // What has no source is the finish.
    let appends = |it: &Segment| it.kind == Kind::Write && it.source.is_some();
    let writes = |lane: &&(String, &Lane)| lane.1.segments.iter().any(appends);
    let lanes = in_order(&stage.lanes);
    let mut told: Vec<String> = Vec::new();
    let writing = |role| lanes.iter().filter(writes).filter(|(_, it)| it.role == role).count();
    if writing(Role::Loop) > 0 {
        told.push("the loop itself".into());
    }
    if writing(Role::Writer) > 0 {
        told.push("a thread that only writes".into());
    }
    let of_pool =
        if lanes.iter().any(|(_, it)| it.role == Role::Loop) { " of the pool" } else { "" };
    match writing(Role::Tail) {
        0 => {}
        1 => told.push(format!("1 thread{of_pool}; it reads, too")),
        tails => told.push(format!("{tails} threads{of_pool}, one at a time; they read, too")),
    }
    if told.is_empty() { "nobody".into() } else { told.join(", ") }
}

fn who_waits(stage: &StageLanes) -> String {
    let blocked = words::blocked(stage);
    let blocks = |lane: &&(String, &Lane)| {
        let mut segments = lane.1.segments.iter().filter(|it| it.kind == Kind::Write);
        segments.any(|it| blocked.iter().any(|span| span.0 <= it.begin && it.end <= span.1))
    };
    let lanes = in_order(&stage.lanes);
    let mut told: Vec<String> = Vec::new();
    let holder = lanes.iter().filter(blocks).map(|(_, it)| it.role).min_by_key(|role| match role {
        Role::Loop => 0,
        Role::Writer => 1,
        _ => 2,
    });
    let still = blocked.iter().any(|span| words::stands_still(stage, *span));
    told.extend(holder.map(|role| match role {
        Role::Loop if still => "the loop, and so every task, for the output".to_owned(),
        Role::Loop => "the loop, for the output".to_owned(),
        Role::Writer => "that thread, for the output".to_owned(),
        _ => "one of them, for the output".to_owned(),
    }));
    let up_to = |count, one, many, what: &str| match count {
        0 => None,
        _ => Some(format!("up to {} {what}", words::counted(count, one, many))),
    };
    told.extend(up_to(words::in_line(stage, &blocked), "thread", "threads", "for the lock"));
    for (kind, what) in [
        (Kind::WaitForLoop, "for the loop"),
        (Kind::WaitForAnswer, "for the writer's answer, each for its own"),
    ] {
        let count = |(_, lane): &(String, &Lane)| {
            let waits = lane.waiting.iter().filter(|it| it.kind == kind).cloned();
            words::waiting_last(&waits.collect::<Vec<_>>(), &blocked)
        };
        told.extend(up_to(lanes.iter().map(count).max().unwrap_or(0), "task", "tasks", what));
    }
    if told.is_empty() { "nobody for long".into() } else { told.join("; ") }
}

fn stood_still(stage: &StageLanes) -> String {
    let stalls = words::stalls(stage);
    match stage.lanes.iter().any(|lane| lane.role == Role::Loop) {
        _ if !stalls.is_empty() => words::times_and_longest(&stalls),
        true => "never".into(),
        false => "there is no shared loop".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::fixed;

    #[test]
    fn each_stage_is_told_by_who_writes_and_who_waits() {
        let rows = fixed::lanes()
            .iter()
            .map(|stage| {
                let parts = [who_writes(stage), who_waits(stage), stood_still(stage)];
                format!("{}: {}", theme::short(&stage.stage), parts.join(" | "))
            })
            .collect::<Vec<_>>();
        insta::assert_snapshot!(rows.join("\n"), @"
        1 threads: 3 threads, one at a time; they read, too | one of them, for the output; up to 2 threads for the lock | there is no shared loop
        2 mixed: 3 threads of the pool, one at a time; they read, too | one of them, for the output; up to 2 threads for the lock | never
        3 bottom-up: 3 threads, one at a time; they read, too | one of them, for the output; up to 2 threads for the lock | there is no shared loop
        4 tasks: the loop itself | the loop, and so every task, for the output; up to 2 tasks for the loop | once, for 150.0 ms
        5 fully-async: a thread that only writes | that thread, for the output; up to 2 tasks for the writer's answer, each for its own | never
        ");
    }

    #[test]
    fn nobody_waits_where_nothing_blocks() {
        let mut stage = fixed::lanes().remove(0);
        stage.lanes.iter_mut().for_each(|lane| lane.segments.clear());
        assert_eq!(who_writes(&stage), "nobody");
        assert_eq!(who_waits(&stage), "nobody for long");
    }
}
