//! What is to be run: workloads in the sizes that were asked for.

use std::collections::HashSet;
use std::time::Duration;

use workload::{Backlog, Live, OutputKind, Pauses, SourceKind, WORKLOADS, Workload};

use crate::asking::args::{Args, Wake};
use crate::asking::own_files::OwnFiles;
use crate::asking::program::Program;
use report::{Grouped, Size, Time};

/// A workload that is run when it is named, and not by default: it shows what
/// the memory of a stage is bounded by.
pub(crate) static MANY: Workload = Workload {
    name: "many",
    sentence: "2,000 complete files of 512 KiB into a FIFO whose reader pauses: how much memory does \
               that take? (not run unless it is named)",
    sources: SourceKind::Backlog(Backlog { files: 2_000, bytes: 512 * 1024 }),
    output: OutputKind::SlowFifo(Pauses {
        every: Duration::from_millis(400),
        length: Duration::from_millis(300),
    }),
};

/// Sources to which nothing is written: what waiting costs. Run when it is named.
pub(crate) static IDLE: Workload = Workload {
    name: "idle",
    sentence: "1,000 files to which nothing is written, followed for 3 s: what does waiting cost? \
               (not run unless it is named)",
    sources: SourceKind::Live(Live {
        files: 1_000,
        lines_per_second: 0,
        line_bytes: 40..=400,
        one_in_pieces: 0,
        duration: Duration::from_secs(3),
    }),
    output: OutputKind::File,
};

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

/// What `--workload` names: one workload, or all of them.
#[derive(Debug, Clone)]
pub(crate) enum Named {
    All,
    One(&'static Workload),
}

/// All workloads, those first that are run by default.
fn all() -> impl Iterator<Item = &'static Workload> {
    WORKLOADS.iter().chain([&MANY, &IDLE])
}

/// Finds a workload by its name, or all by `all`.
pub(crate) fn find(name: &str) -> Result<Named, String> {
    if name == "all" {
        return Ok(Named::All);
    }
    all().find(|workload| workload.name == name).map(Named::One).ok_or_else(|| {
        let names: Vec<_> = all().map(|workload| workload.name).collect();
        format!("the workloads are all, {}", names.join(", "))
    })
}

/// Turns what was typed into jobs.
pub(crate) fn asked_for(args: &Args, own: Option<OwnFiles>) -> Vec<Job> {
    let runs = args.runs.unwrap_or(if args.quick { 1 } else { 3 });
    if let Some(own) = own {
        return vec![Job { name: "files", kind: Kind::Own(own), rounds: runs, wake: args.wake }];
    }
    let named = match &args.workload[..] {
        [] => WORKLOADS.iter().collect(),
        named if named.iter().any(|named| matches!(named, Named::All)) => all().collect(),
        named => named.iter().flat_map(Named::one).collect::<Vec<_>>(),
    };
    // In the order in which they were named, each once.
    let mut seen = HashSet::new();
    let named = named.into_iter().filter(|workload| seen.insert(workload.name));
    named.map(|workload| job(workload, args, runs)).collect()
}

impl Named {
    fn one(&self) -> Option<&'static Workload> {
        if let Named::One(workload) = self { Some(workload) } else { None }
    }
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
    fn by_default_every_workload_of_the_table_is_run() {
        let names: Vec<_> = jobs(&[]).iter().map(|job| job.name).collect();
        assert_eq!(names, ["backlog", "live", "slow-output"]);
    }

    #[test]
    fn a_workload_that_is_named_twice_is_run_once() {
        let names: Vec<_> = jobs(&["--workload=live,idle,live"]).iter().map(|it| it.name).collect();
        assert_eq!(names, ["live", "idle"]);
    }

    #[test]
    fn only_complete_files_into_a_file_are_run_several_times() {
        let all = jobs(&["--workload", "live,all", "--runs", "5"]);
        let names: Vec<_> = all.iter().map(|job| job.name).collect();
        assert_eq!(names, ["backlog", "live", "slow-output", "many", "idle"]);
        let rounds: Vec<_> = all.iter().map(|job| job.rounds).collect();
        assert_eq!(rounds, [5, 1, 1, 1, 1]);
        let floors: Vec<_> = all.iter().map(Job::has_floor).collect();
        assert_eq!(floors, [true, false, false, false, false]);
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
        let whats: Vec<_> = jobs.iter().map(Job::what).collect();
        assert_eq!(whats[0], "1 complete file of 64 MiB, 1 run");
        assert!(whats[1].starts_with("1 growing file of 100 lines a second, for"), "{}", whats[1]);
        assert!(whats[2].starts_with("1 file at rest, for"), "{}", whats[2]);
    }
}
