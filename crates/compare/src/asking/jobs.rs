//! What is to be run: workloads in the sizes that were asked for.

use std::collections::HashSet;
use std::time::Duration;

use report::{Grouped, Size, Time};
use workload::{OutputKind, SourceKind, WORKLOADS, Workload};

use crate::asking::args::Args;
use crate::asking::contender::{Contender, Program};
use crate::asking::own_files::OwnFiles;
use crate::asking::workloads::{self, Named};
use crate::protocol::Wake;
use stages::Stage;

/// One table's worth of work.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// How many rounds there are.
    pub(crate) rounds: u32,
    /// How growing sources are noticed to have grown.
    pub(crate) wake: Wake,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// Made from the seed, tagged.
    Made { sources: SourceKind, output: OutputKind },
    /// A person's own files, merged as they are.
    Own(OwnFiles),
}

/// Turns what was typed into jobs.
pub(crate) fn asked_for(args: &Args, own: Option<OwnFiles>) -> Vec<Job> {
    let runs = args.runs.unwrap_or(if args.quick { 1 } else { 3 });
    if let Some(own) = own {
        return vec![Job { name: "files", kind: Kind::Own(own), rounds: runs, wake: args.wake }];
    }
    let named: Vec<&Workload> = match &args.workload[..] {
        [] => WORKLOADS.iter().collect(),
        named => named
            .iter()
            .flat_map(|named| match named {
                Named::All => workloads::all().collect(),
                Named::One(workload) => vec![*workload],
            })
            .collect(),
    };
    // In the order in which they were named, each once.
    let mut seen = HashSet::new();
    let named = named.into_iter().filter(|workload| seen.insert(workload.name));
    named.map(|workload| job(workload, args, runs)).collect()
}

fn job(workload: &Workload, args: &Args, runs: u32) -> Job {
    let Workload { name, mut sources, output, .. } = workload.clone();
    let files = match &mut sources {
        SourceKind::Backlog(backlog) => {
            if args.quick {
                backlog.bytes /= 8;
            }
            backlog.bytes = args.bytes.unwrap_or(backlog.bytes);
            &mut backlog.files
        }
        SourceKind::Live(live) => {
            if args.quick {
                // Long enough for one pause of the slow reader.
                live.duration = Duration::from_millis(800);
            }
            live.duration = args.duration.unwrap_or(live.duration);
            if name == "live" && args.against.contains(&Program::Tail) {
                // What a log is like whose writer has a buffer.
                live.one_in_pieces = 50;
            }
            &mut live.files
        }
    };
    *files = args.sources.map_or(*files, |sources| sources as usize);
    // A growing source is a distribution of thousands of lines in one run; a
    // slow output takes its time by the clock, whatever the stage does.
    let rounds = match (&sources, output) {
        (SourceKind::Backlog(_), OutputKind::File) => runs,
        _ => 1,
    };
    Job { name, kind: Kind::Made { sources, output }, rounds, wake: args.wake }
}

impl Job {
    /// Says what is merged into what, in the sizes of this run.
    pub(crate) fn what(&self) -> String {
        let rounds =
            if self.rounds == 1 { "1 run".into() } else { format!("{} runs", self.rounds) };
        match &self.kind {
            Kind::Own(own) => {
                let files = files(own.paths().len(), "");
                format!("{files} of your own, {}, {rounds}", Size(own.bytes()))
            }
            Kind::Made { sources, output } => {
                let sources = match sources {
                    SourceKind::Backlog(backlog) => {
                        format!("{} of {}", files(backlog.files, "complete "), Size(backlog.bytes))
                    }
                    SourceKind::Live(live) => {
                        let each = if live.files == 1 { "" } else { " each" };
                        let what = if live.is_idle() {
                            format!("{} at rest", files(live.files, ""))
                        } else {
                            let files = files(live.files, "growing ");
                            format!("{files} of {} lines a second{each}", live.lines_per_second)
                        };
                        let pieces = match live.one_in_pieces {
                            0 => String::new(),
                            every => format!(" (one in {every} in two pieces)"),
                        };
                        let wake = match self.wake {
                            Wake::Notify => "notified",
                            Wake::Poll => "polled",
                        };
                        let duration = Time(live.duration.as_secs_f64());
                        format!("{what}{pieces}, for {duration}, {wake}")
                    }
                };
                match output {
                    OutputKind::File => format!("{sources}, {rounds}"),
                    OutputKind::SlowFifo(pauses) => format!(
                        "{sources},\n  into a FIFO whose reader pauses for {} after every {}, {rounds}",
                        Time(pauses.length.as_secs_f64()),
                        Time(pauses.every.as_secs_f64())
                    ),
                }
            }
        }
    }

    /// Returns how many sources there are.
    pub(crate) fn sources(&self) -> usize {
        match &self.kind {
            Kind::Own(own) => own.paths().len(),
            Kind::Made { sources: SourceKind::Backlog(backlog), .. } => backlog.files,
            Kind::Made { sources: SourceKind::Live(live), .. } => live.files,
        }
    }

    /// Returns about how many bytes the sources and one merged file take.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        match &self.kind {
            // A last line may get a newline that it did not have.
            Kind::Own(own) => (0, own.bytes() + own.paths().len() as u64),
            Kind::Made { sources: SourceKind::Backlog(backlog), .. } => {
                let all = backlog.bytes.saturating_mul(backlog.files as u64);
                (all, all)
            }
            Kind::Made { sources: SourceKind::Live(live), .. } => {
                let lines = live.files as f64
                    * f64::from(live.lines_per_second)
                    * live.duration.as_secs_f64();
                let bytes = lines as u64 * *live.line_bytes.end() as u64;
                (bytes, bytes)
            }
        }
    }

    /// Says whether a program can do what the stages do.
    pub(crate) fn can_be_done_by(&self, program: Program) -> bool {
        self.grows() == (program == Program::Tail)
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

    /// Says whether `cat` is run as the floor.
    pub(crate) fn has_floor(&self) -> bool {
        match &self.kind {
            Kind::Own(_) => true,
            Kind::Made { sources, output } => {
                matches!((sources, output), (SourceKind::Backlog(_), OutputKind::File))
            }
        }
    }

    /// Says whether the sources grow while they are merged.
    pub(crate) fn grows(&self) -> bool {
        matches!(&self.kind, Kind::Made { sources: SourceKind::Live(_), .. })
    }

    /// Says whether nothing is written to sources that are followed.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(&self.kind, Kind::Made { sources: SourceKind::Live(live), .. } if live.is_idle())
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
