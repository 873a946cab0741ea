//! What is to be run: workloads in the sizes that were asked for.

use std::collections::HashSet;
use std::time::Duration;

use report::{Grouped, Size, Time};
use stages::Stage;
use workload::{Backlog, Live, OutputKind, Pauses, SourceKind, WORKLOADS, Workload};

use crate::asking::args::Args;
use crate::asking::contender::{Contender, Program};
use crate::asking::own_files::OwnFiles;
use crate::protocol::Wake;

/// One table's worth of work.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) merged: Merged,
    /// The output is a FIFO with a reader that pauses.
    pub(crate) pauses: Option<Pauses>,
    /// How many rounds there are.
    pub(crate) rounds: u32,
}

/// What is merged; all but a person's own files is made from the seed, tagged.
#[derive(Debug)]
pub(crate) enum Merged {
    /// A person's own files, as they are.
    Own(OwnFiles),
    /// Complete files.
    Complete(Backlog),
    /// Complete files, which stages follow until they have read them all.
    Followed(Backlog),
    /// Files that grow or are at rest, and how it is noticed that they have grown.
    Growing(Live, Wake),
}

/// Turns what was typed into jobs.
pub(crate) fn asked_for(args: &Args, own: Option<OwnFiles>) -> Vec<Job> {
    let runs = args.runs.unwrap_or(if args.quick { 1 } else { 3 });
    if let Some(own) = own {
        return vec![Job { name: "files", merged: Merged::Own(own), pauses: None, rounds: runs }];
    }
    let named: Vec<&Workload> = match &args.workload[..] {
        [] => WORKLOADS.iter().collect(),
        named => named.iter().flatten().copied().collect(),
    };
    // In the order in which they were named, each once.
    let mut seen = HashSet::new();
    let named = named.into_iter().filter(|workload| seen.insert(workload.name));
    named.map(|workload| job(workload, args, runs)).collect()
}

fn job(workload: &Workload, args: &Args, runs: u32) -> Job {
    let Workload { name, sources, output, .. } = workload.clone();
    let sources_or = |files| args.sources.map_or(files, |sources| sources as usize);
    let merged = match sources {
        SourceKind::Backlog(Backlog { files, bytes }) => {
            let bytes = if args.quick { bytes / 8 } else { bytes };
            let bytes = args.bytes.unwrap_or(bytes);
            Merged::Complete(Backlog { files: sources_or(files), bytes })
        }
        SourceKind::Live(mut live) => {
            if args.quick {
                // Long enough for one pause of the slow reader.
                live.duration = Duration::from_millis(800);
            }
            live.duration = args.duration.unwrap_or(live.duration);
            if name == "live" && args.against.contains(&Program::Tail) {
                // What a log is like whose writer has a buffer.
                live.one_in_pieces = 50;
            }
            live.files = sources_or(live.files);
            Merged::Growing(live, args.wake)
        }
    };
    let pauses = match output {
        OutputKind::File => None,
        OutputKind::SlowFifo(pauses) => Some(pauses),
    };
    // A growing source is a distribution of thousands of lines in one run; a
    // slow output takes its time by the clock, whatever the stage does.
    let is_timed = matches!((&merged, pauses), (Merged::Complete(_), None));
    Job { name, merged, pauses, rounds: if is_timed { runs } else { 1 } }
}

impl Job {
    /// Says what is merged into what, in the sizes of this run.
    pub(crate) fn what(&self) -> String {
        let merged = match &self.merged {
            Merged::Own(own) => {
                format!("{} of your own, {}", files(own.paths().len(), ""), Size(own.bytes()))
            }
            Merged::Complete(made) | Merged::Followed(made) => {
                format!("{} of {}", files(made.files, "complete "), Size(made.bytes))
            }
            Merged::Growing(live, wake) => {
                let what = if live.is_idle() {
                    format!("{} at rest", files(live.files, ""))
                } else {
                    let each = if live.files == 1 { "" } else { " each" };
                    let files = files(live.files, "growing ");
                    format!("{files} of {} lines a second{each}", live.lines_per_second)
                };
                let pieces = match live.one_in_pieces {
                    0 => String::new(),
                    every => format!(" (one in {every} in two pieces)"),
                };
                let wake = match wake {
                    Wake::Notify => "notified",
                    Wake::Poll => "polled",
                };
                format!("{what}{pieces}, for {}, {wake}", Time(live.duration.as_secs_f64()))
            }
        };
        let pauses = self.pauses.map(|Pauses { every, length }| {
            let [every, length] = [every, length].map(|it| Time(it.as_secs_f64()));
            format!(",\n  into a FIFO whose reader pauses for {length} after every {every}")
        });
        let runs = if self.rounds == 1 { "run" } else { "runs" };
        format!("{merged}{}, {} {runs}", pauses.unwrap_or_default(), self.rounds)
    }

    /// Returns how many sources there are.
    pub(crate) fn sources(&self) -> usize {
        match &self.merged {
            Merged::Own(own) => own.paths().len(),
            Merged::Complete(made) | Merged::Followed(made) => made.files,
            Merged::Growing(live, _) => live.files,
        }
    }

    /// Returns about how many bytes the sources and one merged file take.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let made = match &self.merged {
            // A last line may get a newline that it did not have.
            Merged::Own(own) => return (0, own.bytes() + own.paths().len() as u64),
            Merged::Complete(made) | Merged::Followed(made) => {
                made.bytes.saturating_mul(made.files as u64)
            }
            Merged::Growing(live, _) => {
                let rate = live.files as f64 * f64::from(live.lines_per_second);
                (rate * live.duration.as_secs_f64()) as u64 * *live.line_bytes.end() as u64
            }
        };
        (made, made)
    }

    /// Returns who runs: the programs first, then the stages.
    pub(crate) fn contenders(
        &self,
        stages: &[&'static Stage],
        against: &[Program],
    ) -> Vec<Contender> {
        let asked = |program| against.contains(&program) && self.can_be_done_by(program);
        let cat = match asked(Program::Cat) {
            true => Some(Contender::Program(Program::Cat)),
            false => self.has_floor().then_some(Contender::Floor),
        };
        let tail = asked(Program::Tail).then_some(Contender::Program(Program::Tail));
        let stages = stages.iter().copied().map(Contender::Stage);
        cat.into_iter().chain(tail).chain(stages).collect()
    }

    /// Says whether a program can do what the stages do.
    pub(crate) fn can_be_done_by(&self, program: Program) -> bool {
        match &self.merged {
            Merged::Own(_) | Merged::Complete(_) => program == Program::Cat,
            Merged::Followed(_) => false,
            Merged::Growing(..) => program == Program::Tail,
        }
    }

    /// Says whether `cat` is run as the floor.
    pub(crate) fn has_floor(&self) -> bool {
        self.can_be_done_by(Program::Cat) && self.pauses.is_none()
    }

    /// Says whether nothing is written to sources that are followed.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(&self.merged, Merged::Growing(live, _) if live.is_idle())
    }
}

/// So many files of a kind.
fn files(count: usize, kind: &str) -> String {
    let files = if count == 1 { "file" } else { "files" };
    format!("{} {kind}{files}", Grouped(count as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn jobs(typed: &[&str]) -> Vec<Job> {
        let args = Args::try_parse_from([&["compare"], typed].concat()).unwrap();
        asked_for(&args, None)
    }

    #[test]
    fn workloads_are_run_in_the_order_of_their_names_and_each_once() {
        let names = |typed: &[&str]| jobs(typed).iter().map(|job| job.name).collect::<Vec<_>>();
        assert_eq!(names(&[]), ["backlog", "live", "slow-output"]);
        assert_eq!(names(&["--workload=live,idle,live"]), ["live", "idle"]);
    }

    #[test]
    fn only_complete_files_into_a_file_are_run_several_times() {
        let all = jobs(&["--workload", "live,all", "--runs", "5"]);
        let names: Vec<_> = all.iter().map(|job| job.name).collect();
        assert_eq!(names, ["live", "backlog", "slow-output", "many", "idle"]);
        let rounds: Vec<_> = all.iter().map(|job| job.rounds).collect();
        assert_eq!(rounds, [1, 5, 1, 1, 1]);
        let floors: Vec<_> = all.iter().map(Job::has_floor).collect();
        assert_eq!(floors, [false, true, false, false, false]);
    }

    #[test]
    fn lines_are_in_pieces_where_tail_may_tear_them() {
        let jobs = jobs(&["--workload", "live,slow-output,idle", "--against=tail"]);
        let pieces: Vec<_> = jobs.iter().map(|job| job.what().contains("in two pieces")).collect();
        assert_eq!(pieces, [true, false, false]);
        assert_eq!(jobs[2].what(), "1,000 files at rest, for 3.00 s, notified, 1 run");
        assert!(jobs[2].is_idle() && !jobs[0].is_idle());
    }

    #[test]
    fn sizes_can_be_chosen() {
        let jobs =
            jobs(&["--workload", "backlog,live", "--sources=3", "--bytes=2048", "--duration=1"]);
        assert_eq!(jobs[0].what(), "3 complete files of 2 KiB, 3 runs");
        assert_eq!(jobs[0].bytes(), (6144, 6144));
        let what = "3 growing files of 100 lines a second each, for 1.00 s, notified, 1 run";
        assert_eq!(jobs[1].what(), what);
    }

    #[test]
    fn one_file_is_no_files() {
        let jobs = jobs(&["--workload=backlog,live,idle", "--sources=1", "--runs=1"]);
        let what = ["1 complete file of 64 MiB, 1 run", "1 growing file of 100", "1 file at rest"];
        for (job, what) in jobs.iter().zip(what) {
            assert!(job.what().starts_with(what), "{}", job.what());
        }
    }
}
