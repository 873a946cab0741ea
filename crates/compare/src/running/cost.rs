//! What recording costs: each stage on the same files, with the recorder and without
//! it, in turn.

use std::time::Duration;

use anyhow::anyhow;
use report::Spread;
use runner::Interrupt;
use stages::{STAGES, Stage};
use workload::Backlog;

use crate::asking::contender::Contender;
use crate::asking::jobs::{Job, Merged};
use crate::running::attempt::{Attempt, Figures};
use crate::running::folder::Folder;

/// How often each stage runs with the recorder, and how often without.
const ROUNDS: usize = 9;
/// The files that are merged.
const FILES: Backlog = Backlog { files: 8, bytes: 16 * 1024 * 1024 };

/// Measures, and passes `tell` a headline and a line for each stage.
pub(crate) fn run(mut tell: impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let interrupt = Interrupt::listen()?;
    let folder = Folder::open(None, false)?;
    let sources = FILES.make(&folder.of("cost")?, 62)?;
    tell("with the recorder, as a multiple of without it\n")?;
    for stage in STAGES {
        let output = folder.merged("cost", stage.name);
        let mut runs = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            // The first changes from round to round, or the second would always find a
            // warm machine.
            for way in [round % 2, 1 - round % 2] {
                let job = Job::new("cost", Merged::Complete(FILES), 1);
                let job = Job { recorded: way == 0, ..job };
                let attempt = Attempt::new(&job, Contender::Stage(stage), &sources, &output);
                let figures = attempt.run(&interrupt)?;
                runs[way].push(figures.map_err(|wrong| anyhow!("{}: {wrong}", stage.name))?);
            }
        }
        let [with, without] = &runs;
        tell(&line(stage, with, without))?;
    }
    Ok(())
}

fn line(stage: &Stage, with: &[Figures], without: &[Figures]) -> String {
    let ratio = |figure: fn(&Figures) -> Duration| {
        let pairs = with.iter().zip(without);
        let ratios = pairs.map(|(with, without)| figure(with).div_duration_f64(figure(without)));
        Spread::new(ratios.collect()).show(|it| format!("{it:.2}"))
    };
    let (time, cpu) = (ratio(|it| it.took.wall), ratio(|it| it.took.cpu));
    format!("{:<20} time {time}, CPU {cpu}\n", stage.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runner::Took;

    #[test]
    fn the_ratios_are_taken_round_by_round() {
        let figures = |millis: &[u64]| -> Vec<Figures> {
            let durations = millis.iter().map(|&millis| Duration::from_millis(millis));
            let took = durations.map(|wall| Took { wall, cpu: 2 * wall, ..Took::default() });
            took.map(|took| Figures { took, ..Figures::default() }).collect()
        };
        let said = line(&STAGES[0], &figures(&[250, 500, 375]), &figures(&[250, 250, 250]));
        assert_eq!(said, "stage1-threads       time 1.50 ± 0.50, CPU 1.50 ± 0.50\n");
    }
}
