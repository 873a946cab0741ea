//! What the lanes of a stage show, in words: computed from the segments, so that
//! a stage that changes changes its sentence.

use std::collections::BTreeSet;

use crate::StageLanes;
use recorder::{Kind, Lane, Role, Segment};

use super::millis::{millis, shown, tenths};
use crate::theme;

/// A piece of time, in seconds.
pub(super) type Span = (f64, f64);

/// A read that begins so soon after a span, in seconds, was on its way before.
const ON_ITS_WAY: f64 = 0.005;

/// What is to be seen in the lanes of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The loop stood still.
    Still,
    /// Threads stood in line for the lock while one of them wrote.
    Line,
    /// A thread that only writes waited, and the loop went on.
    Writer,
    /// Whoever wrote waited, and nobody else had anything to write.
    Alone,
    /// Nothing blocked.
    Nothing,
}

/// Returns the spans in which a write did not return for long: an output that
/// takes nothing. Those that touch are one.
pub(super) fn blocked(stage: &StageLanes) -> Vec<Span> {
    blocked_on(stage, |_| true)
}

/// Returns those of them that are writes of the loop itself.
fn blocked_on_the_loop(stage: &StageLanes) -> Vec<Span> {
    blocked_on(stage, |lane| lane.role == Role::Loop)
}

fn blocked_on(stage: &StageLanes, lane: impl Fn(&&Lane) -> bool) -> Vec<Span> {
    let long = (stage.seconds / 50.0).max(0.010);
    let writes = stage.lanes.iter().filter(lane).flat_map(|lane| &lane.segments);
    let writes = writes.filter(|it| it.kind == Kind::Write && it.end - it.begin >= long);
    let mut spans: Vec<Span> = writes.map(|it| (it.begin, it.end)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut().filter(|last| span.0 <= last.1 + 0.001) {
            Some(last) => last.1 = last.1.max(span.1),
            None => joined.push(span),
        }
    }
    joined
}

/// Says whether the loop stands still through half of a span.
pub(super) fn stands_still(stage: &StageLanes, span: Span) -> bool {
    let stalls = stage.lanes.iter().flat_map(|lane| &lane.stalls);
    let common = |(begin, end): Span| (end.min(span.1) - begin.max(span.0)).max(0.0);
    stalls.map(|stall| common((stall.begin, stall.end))).sum::<f64>() >= (span.1 - span.0) / 2.0
}

pub(super) fn shape(stage: &StageLanes) -> Shape {
    let blocked = blocked(stage);
    // A machine that is busy stalls any loop now and then, so a stall counts
    // only where no write is to be told of.
    if blocked.is_empty() {
        if stalls(stage).is_empty() { Shape::Nothing } else { Shape::Still }
    } else if !blocked_on_the_loop(stage).is_empty() {
        Shape::Still
    } else if in_line(stage, &blocked) > 0 {
        Shape::Line
    } else if stage.lanes.iter().any(|lane| lane.role == Role::Writer) {
        Shape::Writer
    } else {
        Shape::Alone
    }
}

/// The sentence over all stages.
pub(super) fn headline(stages: &[StageLanes]) -> String {
    let of = |wanted| {
        let them = stages.iter().filter(|stage| shape(stage) == wanted);
        let them: Vec<&str> = them.map(|stage| &*stage.stage).collect();
        (!them.is_empty()).then(|| (theme::listed(&them), them.len() == 1))
    };
    let parts = [
        of(Shape::Line).map(|(them, one)| {
            let queue = if one { "queues" } else { "queue" };
            format!("{them} {queue} at the lock while the output blocks")
        }),
        of(Shape::Still).map(|(them, one)| {
            format!("the loop of {them} {} still", if one { "stands" } else { "stand" })
        }),
        of(Shape::Writer).map(|(them, _)| {
            format!("the loop of {them} goes on while one thread waits for the output")
        }),
        of(Shape::Alone).map(|(them, _)| format!("in {them} nobody waited but who wrote")),
        of(Shape::Nothing).map(|(them, _)| format!("in {them} nothing blocked for long")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    capital(&parts.join("; ")) + "."
}

/// The sentence for one stage.
pub(super) fn sentence(stage: &StageLanes) -> String {
    let blocked = blocked(stage);
    let the_loop = stage.lanes.iter().find(|lane| lane.role == Role::Loop);
    match shape(stage) {
        Shape::Still => still(stage),
        Shape::Line => {
            let threads = stage.lanes.iter().filter(|lane| lane.role == Role::Tail).count();
            let mut says = format!(
                "While the output blocked ({}), up to {} of {threads} threads came to stand in line for the lock.",
                times(&blocked),
                in_line(stage, &blocked)
            );
            if the_loop.is_some() {
                says += " They are threads of the pool: a tail sits on each of them until the end, \
                         and the loop only waits for them.";
            }
            says
        }
        Shape::Writer => {
            let waiting =
                stage.lanes.iter().map(|lane| waiting_last(&lane.waiting, &blocked)).max();
            let stalls = stalls(stage);
            let of_the_loop = if the_loop.is_none() {
                String::new()
            } else if stalls.is_empty() {
                "The loop never stood still. ".to_owned()
            } else {
                format!("The loop stood still {}, but not to write. ", times_and_longest(&stalls))
            };
            let mut says = format!(
                "{of_the_loop}While the output blocked ({}), only the writer's thread waited for it; {} meanwhile",
                times(&blocked),
                counted(begun(stage, &blocked), "read began", "reads began"),
            );
            if let Some(waiting) = waiting.filter(|waiting| *waiting > 0) {
                says += &format!(
                    ", and up to {} for its answer. Such a wait takes no thread and holds up its \
                     own task alone: the loop goes on with the others",
                    counted(waiting, "task waited", "tasks waited")
                );
            }
            says + "."
        }
        Shape::Alone => format!(
            "While the output blocked ({}), nobody else had anything to write.",
            times(&blocked)
        ),
        Shape::Nothing => "No write took long, and nothing stood still.".to_owned(),
    }
}

fn still(stage: &StageLanes) -> String {
    let mut spans = stalls(stage);
    if spans.is_empty() {
        // The watch came too late to see them.
        spans = blocked_on_the_loop(stage);
    }
    let all = || stage.lanes.iter().flat_map(|lane| &lane.stalls);
    let causes: BTreeSet<&str> =
        all().map(|stall| stall.operation.as_deref().unwrap_or("an unnamed operation")).collect();
    let mut causes: Vec<&str> = causes.into_iter().collect();
    if causes.is_empty() {
        causes.push("append");
    }
    let mut says = format!(
        "The loop stood still: {}, in {}.",
        times_and_longest(&spans),
        causes.join(" and ")
    );
    // A stall is seen to end when the loop turns again, a little after what had
    // stopped it.
    let mut at = blocked(stage);
    at.retain(|span| stands_still(stage, *span));
    let at = if at.is_empty() { &spans } else { &at };
    says += &match begun(stage, at) {
        0 if begun_after(stage, at, 0.0) > 0 => {
            " No task ran meanwhile, and but for reads that were already on their way none began"
                .to_owned()
        }
        0 => " No task ran meanwhile, and no read began".to_owned(),
        reads => {
            format!(" No task ran meanwhile; {}", counted(reads, "read began", "reads began"))
        }
    };
    let waiting = stage.lanes.iter().map(|lane| waiting_last(&lane.waiting, at)).max();
    match waiting.unwrap_or(0) {
        0 => says + ".",
        waiting => {
            says + &format!(
                "; up to {} with lines in hand.",
                counted(waiting, "task stood", "tasks stood")
            )
        }
    }
}

/// Returns the stalls as they were measured.
pub(super) fn stalls(stage: &StageLanes) -> Vec<Span> {
    let stalls = stage.lanes.iter().flat_map(|lane| &lane.stalls);
    stalls.map(|stall| (stall.begin, stall.end)).collect()
}

/// The most lanes that stand in line for the lock as a span comes to its end:
/// sources get their lines one after the other, and so do the waits begin.
pub(super) fn in_line(stage: &StageLanes, spans: &[Span]) -> usize {
    let waits = |lane: &Lane, now: f64| {
        let mut waits = lane.segments.iter().filter(|it| it.kind == Kind::WaitForLock);
        waits.any(|it| it.begin <= now && now < it.end)
    };
    let count = |now| stage.lanes.iter().filter(|lane| waits(lane, now)).count();
    spans.iter().map(|span| count(last(span))).max().unwrap_or(0)
}

/// How many reads begin within the spans, and were not on their way before.
pub(super) fn begun(stage: &StageLanes, spans: &[Span]) -> usize {
    reads_begun(stage, spans).count()
}

pub(super) fn reads_begun<'a>(
    stage: &'a StageLanes,
    spans: &'a [Span],
) -> impl Iterator<Item = &'a Segment> {
    reads_begun_after(stage, spans, ON_ITS_WAY)
}

fn begun_after(stage: &StageLanes, spans: &[Span], after: f64) -> usize {
    reads_begun_after(stage, spans, after).count()
}

fn reads_begun_after<'a>(
    stage: &'a StageLanes,
    spans: &'a [Span],
    after: f64,
) -> impl Iterator<Item = &'a Segment> {
    let within = move |it: &&Segment| {
        spans.iter().any(|span| span.0 + after <= it.begin && it.begin < span.1)
    };
    let reads = stage.lanes.iter().flat_map(|lane| &lane.segments);
    reads.filter(|it| it.kind == Kind::Read).filter(within)
}

/// The most segments that overlap as a span comes to its end.
pub(super) fn waiting_last(segments: &[Segment], spans: &[Span]) -> usize {
    let at = |now: f64| segments.iter().filter(|it| it.begin <= now && now < it.end).count();
    spans.iter().map(|span| at(last(span))).max().unwrap_or(0)
}

/// A moment at which a span is about to end.
pub(super) fn last(span: &Span) -> f64 {
    span.0 + 0.95 * (span.1 - span.0)
}

/// `2 times, 302.4 ms in all`: the sum of what each of them is shown as.
fn times(spans: &[Span]) -> String {
    let all: u64 = spans.iter().map(|span| tenths(span.1 - span.0)).sum();
    match spans.len() {
        1 => format!("once, for {}", shown(all)),
        many => format!("{many} times, {} in all", shown(all)),
    }
}

/// `2 times, 302.4 ms in all, 152.1 ms at the longest`.
pub(super) fn times_and_longest(spans: &[Span]) -> String {
    let longest = spans.iter().map(|span| span.1 - span.0).fold(0.0, f64::max);
    match spans.len() {
        1 => times(spans),
        _ => format!("{}, {} at the longest", times(spans), millis(longest)),
    }
}

pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

/// The text with a capital letter at its begin.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::fixed;
    use recorder::Stall;

    fn stage(at: usize) -> StageLanes {
        fixed::lanes().remove(at)
    }

    #[test]
    fn each_stage_has_the_shape_that_its_lanes_have() {
        let shapes: Vec<Shape> = fixed::lanes().iter().map(shape).collect();
        assert_eq!(shapes, [Shape::Line, Shape::Line, Shape::Line, Shape::Still, Shape::Writer]);
    }

    #[test]
    fn a_stall_of_the_machine_s_is_not_held_against_a_loop_that_does_not_write() {
        let mut stage = stage(4);
        let stall = Stall { operation: None, source: None, task: None, begin: 0.060, end: 0.160 };
        stage.lanes[0].stalls.push(stall);
        assert_eq!(shape(&stage), Shape::Writer);
        let says = sentence(&stage);
        let begin = "The loop stood still once, for 100.0 ms, but not to write. While the output \
                     blocked";
        assert!(says.starts_with(begin), "{says}");
    }

    #[test]
    fn a_loop_that_writes_stands_still_whether_its_watch_has_seen_it_or_not() {
        let mut stage = stage(3);
        stage.lanes[0].stalls.clear();
        assert_eq!(shape(&stage), Shape::Still);
        let says = sentence(&stage);
        assert!(says.starts_with("The loop stood still: once, for 150.0 ms, in append."), "{says}");
    }

    #[test]
    fn a_write_that_nobody_waited_behind_is_told_all_the_same() {
        let mut stage = stage(0);
        for segment in stage.lanes.iter_mut().flat_map(|lane| &mut lane.segments) {
            if segment.kind == Kind::WaitForLock {
                segment.kind = Kind::Idle;
            }
        }
        assert_eq!(shape(&stage), Shape::Alone);
        let says = "While the output blocked (once, for 150.0 ms), nobody else had anything to \
                    write.";
        assert_eq!(sentence(&stage), says);
    }

    #[test]
    fn a_short_write_blocks_nobody() {
        let mut stage = stage(0);
        assert_eq!(blocked(&stage), [(0.050, 0.200)]);
        // Ten minutes: 150 ms are now a fraction of a pixel.
        stage.seconds = 600.0;
        assert!(blocked(&stage).is_empty());
        assert_eq!(sentence(&stage), "No write took long, and nothing stood still.");
    }

    #[test]
    fn a_stall_without_a_name_is_one_all_the_same() {
        let mut stage = stage(3);
        let the_loop = &mut stage.lanes[0];
        the_loop.stalls[0].operation = None;
        // A long computation: no write is in it, and somebody reads meanwhile.
        the_loop.segments.retain(|segment| segment.kind != Kind::Write);
        the_loop.waiting.clear();
        stage.lanes[1].segments[0].begin = 0.070;
        stage.lanes[1].segments[0].kind = Kind::Read;
        assert_eq!(
            sentence(&stage),
            "The loop stood still: once, for 150.0 ms, in an unnamed operation. \
             No task ran meanwhile; 1 read began."
        );
    }

    #[test]
    fn writes_that_follow_each_other_at_once_are_one_block() {
        let mut stage = stage(4);
        let writer = &mut stage.lanes[1].segments;
        let second = Segment { begin: 0.2005, end: 0.250, ..writer[1].clone() };
        writer.push(second);
        assert_eq!(blocked(&stage), [(0.050, 0.250)]);
    }

    #[test]
    fn who_waits_as_a_block_ends_stands_in_line() {
        let mut stage = stage(0);
        assert_eq!(in_line(&stage, &blocked(&stage)), 2);
        for segment in &mut stage.lanes[1].segments {
            if segment.kind == Kind::WaitForLock {
                // It got its turn before.
                segment.end = 0.180;
            }
        }
        assert_eq!(in_line(&stage, &blocked(&stage)), 1);
    }

    #[test]
    fn the_longest_is_told_beside_the_sum() {
        let spans = [(0.1, 0.2), (0.3, 0.5)];
        assert_eq!(times_and_longest(&spans), "2 times, 300.0 ms in all, 200.0 ms at the longest");
        assert_eq!(times_and_longest(&spans[..1]), "once, for 100.0 ms");
        // 130.44 and 130.44 would make 260.9, were it not that each is shown as 130.4.
        let shown = [(0.0, 0.130_44), (0.2, 0.330_44)];
        assert_eq!(times_and_longest(&shown), "2 times, 260.8 ms in all, 130.4 ms at the longest");
    }
}
