//! What recording costs: each stage on the same files, with the recorder and
//! without it, in turns.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use results::{Cell, Spread, Time};
use workload::Backlog;

use crate::attempt::{Attempt, Contender};
use crate::folder::Folder;
use crate::interrupt::Interrupt;
use crate::print::print;
use crate::stages::{STAGES, Stage};

/// How often each stage runs in each way.
const ROUNDS: usize = 9;
/// What it merges.
const FILES: Backlog = Backlog { files: 8, bytes: 16 * 1024 * 1024 };

/// Measures it, and prints a line for each stage.
pub(crate) fn run() -> anyhow::Result<()> {
    let interrupt = Interrupt::listen()?;
    let folder = Folder::open(None)?;
    let sources = FILES.make(&folder.of("cost")?, 62)?;
    print("the time of a merge with the recorder, as a multiple of that without it\n")?;
    for stage in &STAGES {
        let output = folder.merged("cost", stage.name);
        let record = output.with_extension("recording");
        let time = |record: Option<&Path>| -> anyhow::Result<Duration> {
            let attempt = Attempt::new(Contender::Stage(stage), &sources, &output);
            match (Attempt { record, ..attempt }).run(&interrupt)? {
                Ok(run) => Ok(Duration::from_secs_f64(run.merge.unwrap_or_default())),
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

fn line(stage: &Stage, with: &[Duration], without: &[Duration]) -> String {
    let ratios =
        with.iter().zip(without).map(|(with, without)| with.as_secs_f64() / without.as_secs_f64());
    let ratio = Cell::Ratio(Spread::new(ratios.collect()));
    let without = Spread::new(without.iter().map(Duration::as_secs_f64).collect()).median();
    format!("{:<20} {ratio} ({} without)\n", stage.name, Time(without))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let millis =
            |values: &[u64]| values.iter().map(|&it| Duration::from_millis(it)).collect::<Vec<_>>();
        let said = line(&STAGES[0], &millis(&[250, 500, 375]), &millis(&[250, 250, 250]));
        assert_eq!(said, "stage1-threads       1.50 ± 0.50 (250 ms without)\n");
    }
}
