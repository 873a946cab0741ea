//! The jobs: workloads in the sizes that were asked for.

use std::collections::HashSet;
use std::time::Duration;

use report::{Grouped, Size, Time};
use stages::Stage;
use tributary::Wake;
use workload::{Backlog, Live, Pauses, Sources, WORKLOADS, Workload};

use crate::asking::args::Args;
use crate::asking::contender::{Contender, Program};
use crate::asking::own_files::OwnFiles;

/// One workload to run: a table of the result.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) merged: Merged,
    /// The output is a FIFO with a reader that pauses.
    pub(crate) pauses: Option<Pauses>,
    pub(crate) rounds: u32,
    /// Each stage records who does what when.
    pub(crate) recorded: bool,
}

/// What is merged. All but a person's own files are made from the seed, with tagged
/// lines.
#[derive(Debug)]
pub(crate) enum Merged {
    /// A person's own files, as they are.
    Own(OwnFiles),
    /// Complete files.
    Complete(Backlog),
    /// Complete files, which stages follow until they have read them all.
    Followed(Backlog),
    /// Files that grow or are at rest, and how a merge notices that they have grown.
    Growing(Live, Wake),
}

/// Turns what was typed into jobs.
pub(crate) fn asked_for(args: &Args, own: Option<OwnFiles>) -> Vec<Job> {
    let runs = args.runs.unwrap_or(if args.quick { 1 } else { 3 });
    if let Some(own) = own {
        return vec![Job::new("files", Merged::Own(own), runs)];
    }
    let is_named =
        |name| WORKLOADS.iter().filter(move |it: &&Workload| name == "all" || name == it.name);
    let named: Vec<&Workload> = match &args.workload[..] {
        [] => WORKLOADS.iter().filter(|workload| workload.by_default).collect(),
        named => named.iter().flat_map(|name| is_named(name)).collect(),
    };
    // In the order of the names, each once.
    let mut seen = HashSet::new();
    let named = named.into_iter().filter(|workload| seen.insert(workload.name));
    named.map(|workload| job(workload, args, runs)).collect()
}

fn job(workload: &Workload, args: &Args, runs: u32) -> Job {
    let Workload { name, sources, pauses, .. } = workload.clone();
    let sources_or = |files| args.sources.map_or(files, |sources| sources as usize);
    let merged = match sources {
        Sources::Backlog(Backlog { files, bytes }) => {
            let bytes = if args.quick { bytes / 8 } else { bytes };
            let bytes = args.bytes.unwrap_or(bytes);
            Merged::Complete(Backlog { files: sources_or(files), bytes })
        }
        Sources::Live(mut live) => {
            if args.quick {
                // Long enough for one pause of the slow reader.
                live.duration = Duration::from_millis(800);
            }
            live.duration = args.duration.unwrap_or(live.duration);
            if name == "live" && args.against.contains(&Program::Tail) {
                // As of a writer with a buffer: one line in 50 comes in two pieces.
                live.one_in_pieces = 50;
            }
            live.files = sources_or(live.files);
            Merged::Growing(live, args.wake)
        }
    };
    // One run is enough for the others: live sources give thousands of latencies, and a
    // slow output takes its time by the clock, whatever the stage does.
    let is_timed = matches!((&merged, pauses), (Merged::Complete(_), None));
    Job { pauses, ..Job::new(name, merged, if is_timed { runs } else { 1 }) }
}

/// The jobs of growth: one for each number of sources that may be open at once. A
/// source always has the same bytes.
///
/// The merges follow until every source has been read to its end. Without following, a
/// thread would end with its file, and a stage never have the threads that it needs for
/// so many.
pub(crate) fn growth(quick: bool, most: u64) -> Vec<Job> {
    /// The number of sources, and of rounds. The largest takes the longest, and its
    /// figure varies least, so it has fewer rounds.
    const STEPS: [(usize, u32); 4] = [(8, 3), (64, 3), (512, 3), (2_000, 2)];
    const QUICK: [(usize, u32); 2] = [(8, 1), (64, 1)];
    let steps = if quick { &QUICK[..] } else { &STEPS };
    let fits = |(files, _): &&(usize, u32)| *files as u64 <= most;
    let job = |&(files, rounds): &(usize, u32)| {
        Job::new("growth", Merged::Followed(Backlog { files, bytes: 16 * 1024 }), rounds)
    };
    steps.iter().filter(fits).map(job).collect()
}

/// The job of the lanes: one short run of each stage, recorded.
///
/// The output is a FIFO whose reader pauses twice, long enough for every source with
/// lines to wait for the writer. Ten files take turns, a line every ten milliseconds.
/// Two lines fill the FIFO, so the output blocks soon after a pause begins. Meanwhile
/// the other sources get their lines one after the other, and whoever can read goes on.
/// The lines go on after the second pause, which shows how a stage catches up, and end
/// before a third.
pub(crate) fn lanes() -> Job {
    let live = Live {
        files: 10,
        lines_per_second: 10,
        line_bytes: 40_000..=40_000,
        one_in_pieces: 0,
        duration: Duration::from_millis(720),
    };
    let [every, length] = [Duration::from_millis(150); 2];
    let pauses = Some(Pauses { every, length });
    Job { pauses, recorded: true, ..Job::new("lanes", Merged::Growing(live, Wake::Notify), 1) }
}

impl Job {
    /// Makes a job that merges into a file and records nothing.
    pub(crate) fn new(name: &'static str, merged: Merged, rounds: u32) -> Job {
        Job { name, merged, pauses: None, rounds, recorded: false }
    }

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
                    let (least, most) = (live.line_bytes.start(), live.line_bytes.end());
                    let bytes = match least == most {
                        true => format!(" of {} bytes", Grouped(*most as u64)),
                        false => String::new(),
                    };
                    format!("{files} of {} lines{bytes} a second{each}", live.lines_per_second)
                };
                let pieces = match live.one_in_pieces {
                    0 => String::new(),
                    every => format!(" (one in {every} in two pieces)"),
                };
                let wake = if *wake == Wake::Poll { "polled" } else { "notified" };
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

    pub(crate) fn sources(&self) -> usize {
        match &self.merged {
            Merged::Own(own) => own.paths().len(),
            Merged::Complete(made) | Merged::Followed(made) => made.files,
            Merged::Growing(live, _) => live.files,
        }
    }

    /// Returns about how many bytes a run adds to the folder: the sources that it
    /// makes, and one merged file.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let made = match &self.merged {
            // A last line without a newline gets one.
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

    /// Returns the contenders: the programs first, then the stages.
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
            // Only a stage says when it has read every source, and who did what.
            Merged::Followed(_) => false,
            _ if self.recorded => false,
            Merged::Own(_) | Merged::Complete(_) => program == Program::Cat,
            Merged::Growing(..) => program == Program::Tail,
        }
    }

    /// Says whether times are set against `cat`'s, which then runs even unasked.
    pub(crate) fn has_floor(&self) -> bool {
        self.can_be_done_by(Program::Cat) && self.pauses.is_none()
    }

    /// Says whether the sources are followed and at rest.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(&self.merged, Merged::Growing(live, _) if live.is_idle())
    }
}

/// `8 complete files`, with the kind `complete `.
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
    fn a_number_for_which_there_are_no_descriptors_is_left_out() {
        let rounds = |quick, most| {
            let jobs = growth(quick, most);
            jobs.iter().map(|job| (job.sources(), job.rounds)).collect::<Vec<_>>()
        };
        assert_eq!(rounds(false, 1_999), [(8, 3), (64, 3), (512, 3)]);
        assert_eq!(rounds(false, 2_000), [(8, 3), (64, 3), (512, 3), (2_000, 2)]);
        assert_eq!(rounds(true, u64::MAX), [(8, 1), (64, 1)]);
    }

    #[test]
    fn the_lanes_go_on_after_the_second_pause_and_end_before_a_third() {
        let Job { merged: Merged::Growing(live, _), pauses: Some(pauses), .. } = lanes() else {
            panic!("{:?}", lanes())
        };
        let two = 2 * (pauses.every + pauses.length);
        assert!(live.duration >= two + Duration::from_millis(100), "{live:?}");
        assert!(live.duration < two + pauses.every, "{live:?}");
        assert!(lanes().contenders(&[], &[Program::Cat, Program::Tail]).is_empty());
        let what = "10 growing files of 10 lines of 40,000 bytes a second each, for 720 ms";
        assert!(lanes().what().starts_with(what), "{}", lanes().what());
    }

    #[test]
    fn a_job_says_what_it_is_in_the_sizes_that_were_chosen() {
        let sizes = ["--sources=3", "--bytes=2048", "--duration=1"];
        let some = jobs(&[&["--workload", "backlog,live"], &sizes[..]].concat());
        assert_eq!(some[0].bytes(), (6144, 6144));
        let one = jobs(&["--workload=backlog,live,idle", "--sources=1", "--runs=1"]);
        let what = [
            "3 complete files of 2 KiB, 3 runs",
            "3 growing files of 100 lines a second each, for 1.00 s, notified, 1 run",
            "1 complete file of 64 MiB, 1 run",
            "1 growing file of 100 lines a second, for 1.60 s, notified, 1 run",
            "1 file at rest, for 3.00 s, notified, 1 run",
        ];
        assert!(some.iter().chain(&one).map(Job::what).eq(what), "{some:#?}, {one:#?}");
    }
}
