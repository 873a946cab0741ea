//! Which stage is for whom, as the manifests of the stages say it.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use stages::{STAGES, StopHere};

fn main() {
    println!("| your program | stop at | why |\n|---|---|---|");
    for stage in STAGES {
        let Some(StopHere { who, why }) = stage.said().stop_here else { continue };
        let (number, chapter) = (stage.number, stage.short_name());
        println!("| {who} | [stage&nbsp;{number}]({chapter}.md) | {why} |");
    }
}
