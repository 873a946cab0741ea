//! What recording costs: each stage on the same files, with the recorder and
//! without it, in turns.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use results::{Cell, Spread};
use workload::Backlog;

use crate::attempt::{Attempt, Contender};
use crate::folder::Folder;
use crate::interrupt::Interrupt;
use crate::print::print;
use stages::{STAGES, Stage};

/// How often each stage runs in each way.
const ROUNDS: usize = 9;
/// What it merges.
const FILES: Backlog = Backlog { files: 8, bytes: 16 * 1024 * 1024 };

/// Measures it, and prints a line for each stage.
pub(crate) fn run() -> anyhow::Result<()> {
    let interrupt = Interrupt::listen()?;
    let folder = Folder::open(None)?;
    let sources = FILES.make(&folder.of("cost")?, 62)?;
    print("with the recorder, as a multiple of without it\n")?;
    for stage in STAGES {
        let output = folder.merged("cost", stage.name);
        let record = output.with_extension("recording");
        let time = |record: Option<&Path>| -> anyhow::Result<Figures> {
            let attempt = Attempt::new(Contender::Stage(stage), &sources, &output);
            match (Attempt { record, ..attempt }).run(&interrupt)? {
                Ok(run) => Ok(Figures { time: run.wall, cpu: run.cpu }),
                Err(wrong) => bail!("{}: {wrong}", stage.name),
            }
        };
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            // Who comes first changes, so that nobody always meets a warm machine.
            if round % 2 == 0 {
                with.push(time(Some(&record))?);
                without.push(time(None)?);
            } else {
                without.push(time(None)?);
                with.push(time(Some(&record))?);
            }
        }
        print(&line(stage, &with, &without))?;
    }
    Ok(())
}

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Figures {
    time: Duration,
    cpu: Duration,
}

fn line(stage: &Stage, with: &[Figures], without: &[Figures]) -> String {
    let ratio = |figure: fn(&Figures) -> Duration| {
        let pairs = with.iter().zip(without);
        let ratios =
            pairs.map(|(with, without)| figure(with).as_secs_f64() / figure(without).as_secs_f64());
        Cell::Ratio(Spread::new(ratios.collect()))
    };
    let (time, cpu) = (ratio(|it| it.time), ratio(|it| it.cpu));
    format!("{:<20} time {time}, CPU {cpu}\n", stage.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratios_are_taken_round_by_round() {
        let figures = |values: &[u64]| -> Vec<Figures> {
            let figures = |&it: &u64| Figures {
                time: Duration::from_millis(it),
                cpu: Duration::from_millis(2 * it),
            };
            values.iter().map(figures).collect()
        };
        let said = line(&STAGES[0], &figures(&[250, 500, 375]), &figures(&[250, 250, 250]));
        assert_eq!(said, "stage1-threads       time 1.50 ± 0.50, CPU 1.50 ± 0.50\n");
    }
}
