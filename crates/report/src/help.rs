//! What to do with the figures: which stage is for whom, and what the words mean.

use maud::{Markup, html};
use stages::STAGES;

use crate::theme::Ink;

/// The page of the book that says more, as a path in the repository.
const BOOK: &str = "docs/src/review.md";

const WORDS: [(&str, &str); 21] = [
    ("source", "One log file that grows, or that is complete."),
    ("tail", "What follows one source until it closes: a thread, a job of the pool, or a task."),
    ("writer", "What guards the output, or owns it."),
    ("append", "One write of lines to the output. It returns when the output has taken them."),
    (
        "finish",
        "The end of the output: what is still in memory is written, and the file is made safe.",
    ),
    ("loop", "One thread that runs many tasks by turns."),
    ("backlog", "Files that are complete when the merge begins."),
    ("live", "Files to which lines are written while they are merged."),
    ("at rest", "Files to which nothing is written: what waiting costs."),
    ("read", "One look at a source: it gives whole lines, or finds nothing."),
    (
        "stall",
        "The longest time that a woken task waited for its turn on the shared loop. A few milliseconds are what the machine needs to hand out a turn; a loop that stands still stalls for about as long as the output blocks.",
    ),
    (
        "time",
        "From the start of the process to its end: the median of the runs, ± half the way from the least to the largest.",
    ),
    (
        "× cat",
        "The time as a multiple of cat's in the same round, so that a slow moment of the machine meets both: its order may differ from that of the times. The throughput is its inverse.",
    ),
    (
        "p50, p99, max",
        "From the write of a line to its being seen in the output: half, 99 in 100, and all of the lines took no longer.",
    ),
    ("CPU", "User and system time of all threads of the process."),
    (
        "threads",
        "The most threads of the process at once: the main thread, the notifier and the watch of the loop are among them.",
    ),
    ("switches", "Context switches of all threads, of their own will and against it."),
    ("memory", "The peak of resident memory."),
    ("law", "What every merge promises; each is tried with every stage."),
    (
        "limit",
        "A law that a stage breaks by design. It says so itself, and it is wrong if it keeps the law after all.",
    ),
    (
        "wrong",
        "The merged file, or the verdict, is not what it has to be. Then there is no figure.",
    ),
];

pub(crate) fn which_stage() -> Markup {
    html! {
        section id="advice" {
            h2 { "Which stage is for you?" }
            p {
                "Every stage is a complete program that keeps the same laws. The last one is not \
                 the best for everybody."
            }
            ul {
                @for stage in STAGES {
                    @if let Some(stop) = stage.said().stop_here {
                        li {
                            strong class=(Ink::of(stage.name).name()) { "Stop at " (stage.number) }
                            " when your program " (stop.who) ": " (stop.why) "."
                        }
                    }
                }
            }
            p class="quiet" {
                "The book says more, and what each of them asks of you: “Which stage should I stop \
                 at?”, " code { (BOOK) } "."
            }
        }
    }
}

pub(crate) fn glossary() -> Markup {
    html! {
        section id="words" {
            h2 { "Glossary" }
            details {
                summary { "What the columns and the words mean" }
                dl { @for (word, means) in WORDS { dt { (word) } dd { (means) } } }
            }
        }
    }
}
