//! Who does what when: one short run of each stage, recorded.
//!
//! The sources grow, and the output is a pipe whose reader pauses twice: long
//! enough for all who hold lines to wait for whoever writes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use recorder::Recording;
use report::{StageLanes, Time};
use stages::Stage;
use tributary::Shown;
use workload::{Live, Pauses};

use crate::asking::contender::Contender;
use crate::protocol::Wake;
use crate::running::attempt::{Attempt, Checked, Sources};
use crate::running::course::Growing;
use crate::running::rounds::Setup;

/// Ten files that take turns, a line every ten milliseconds. Two lines fill the
/// pipe, so the output blocks soon after its reader pauses; the other sources
/// come to have something one after the other, and who is able to read goes on.
/// The lines go on for a while after the second pause, and end before a third
/// would begin: what was held up is seen to be made good.
const FILES: usize = 10;
const LINES_PER_SECOND: u32 = 10;
const LINE_BYTES: usize = 40_000;
const DURATION: Duration = Duration::from_millis(720);
const PAUSES: Pauses =
    Pauses { every: Duration::from_millis(150), length: Duration::from_millis(150) };

/// Makes the lanes of every stage, gives them to `after` stage by stage, and
/// writes a trace of each if a folder is named.
pub(crate) fn run(
    setup: &Setup<'_>,
    trace: Option<&Path>,
    mut after: impl FnMut(Checked<StageLanes>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for stage in setup.stages {
        setup.interrupt.check()?;
        setup.progress.set_message(format!("lanes: {}", stage.name));
        let recording = record(setup, stage)?;
        if let (Some(folder), Ok(recording)) = (trace, &recording) {
            write_trace(folder, stage.name, recording)?;
        }
        setup.progress.inc(1);
        after(recording.map(|recording| lanes(stage.name, recording)))?;
    }
    Ok(())
}

/// Records one run of a stage.
fn record(setup: &Setup<'_>, stage: &'static Stage) -> anyhow::Result<Checked<Recording>> {
    let live = Live {
        files: FILES,
        lines_per_second: LINES_PER_SECOND,
        line_bytes: LINE_BYTES..=LINE_BYTES,
        one_in_pieces: 0,
        duration: DURATION,
    };
    // Kept sources are those of the workloads.
    let folder = setup.folder.passing()?;
    let sources = live.create(folder.path(), setup.seed)?;
    let (output, record) = (folder.path().join("merged.log"), folder.path().join("recording"));
    let growing = Growing { sources, duration: DURATION, at_rest: false };
    let sources = Sources::Growing(growing, Wake::Notify);
    let attempt = Attempt {
        pauses: Some(PAUSES),
        record: Some(&record),
        ..Attempt::new(Contender::Stage(stage), sources, &output)
    };
    match attempt.run(setup.interrupt)? {
        Ok(_) => read(&record).map(Ok),
        Err(wrong) => {
            let first = wrong.lines().next().unwrap_or_default();
            Ok(Err(format!("{} on its lanes: {first}", stage.name)))
        }
    }
}

fn read(record: &Path) -> anyhow::Result<Recording> {
    let bytes = fs::read(record)
        .with_context(|| format!("{}: a stage has not recorded itself", Shown(record)))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("{}: this is no recording", Shown(record)))
}

fn write_trace(folder: &Path, stage: &str, recording: &Recording) -> anyhow::Result<()> {
    let path = folder.join(format!("{stage}.json"));
    fs::write(&path, recording.chrome_trace().to_string())
        .with_context(|| format!("{}: cannot write this file", Shown(&path)))
}

/// Makes lanes of a recording. A source is called by the name of its file: its
/// folder is temporary, and says nothing.
fn lanes(stage: &str, recording: Recording) -> StageLanes {
    let name = |path: &String| {
        Path::new(path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned())
    };
    let sources = recording.sources.iter().map(name).collect();
    let stalls = recording.stalls.iter().cloned().map(|mut stall| {
        stall.source = stall.source.as_ref().map(name);
        stall
    });
    let stalls = stalls.collect();
    let recording = Recording { sources, stalls, ..recording };
    StageLanes {
        stage: stage.to_owned(),
        what: what(),
        seconds: recording.seconds,
        left_out: recording.left_out,
        lanes: recording.lanes(),
    }
}

/// What is merged into what.
fn what() -> String {
    let [lasts, pause, every] =
        [DURATION, PAUSES.length, PAUSES.every].map(|duration| Time(duration.as_secs_f64()));
    format!(
        "{FILES} growing files of {LINES_PER_SECOND} lines of {LINE_BYTES} bytes a second each, for {lasts},\n  \
         into a FIFO whose reader pauses for {pause} after every {every}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lanes_go_on_after_the_second_pause_and_end_before_a_third() {
        let two = 2 * (PAUSES.every + PAUSES.length);
        assert!(DURATION >= two + Duration::from_millis(100), "{DURATION:?}");
        assert!(DURATION < two + PAUSES.every, "{DURATION:?}");
    }
}
