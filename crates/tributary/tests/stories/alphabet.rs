//! What can happen to logs, and to a merge of them.

use fastrand::Rng;

/// A story: what was decided before it begins, and what happens.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) setting: Setting,
    pub(crate) steps: Vec<Step>,
    /// The run that ends the story.
    pub(crate) closing: Run,
}

/// What holds for a whole story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) rotation: Rotation,
    /// Whether the logs of the near name, `app-error.log`, are sources.
    pub(crate) near: bool,
    /// Whether a rotated and a hidden file lie there before anything begins.
    pub(crate) yesterday: bool,
    /// Whether output and checkpoint are called `*.log`, as the logs are.
    pub(crate) inside: bool,
}

/// How the logs are rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// To `app.log.1`, and that to `app.log.2`.
    Numbered,
    /// To `app.log-20261122`.
    DateBehind,
    /// To `app-20261122.log`.
    DateBefore,
    /// Copied to `app.log.1`, then truncated.
    CopyTruncate,
    /// To `@40000001.s`, which no rule knows.
    Foreign,
}

/// A log by its place in [`LOGS`](crate::model::LOGS).
pub(crate) type Log = usize;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Whole lines; first the rest of a half line.
    Write(Log, usize),
    /// The beginning of a line.
    Half(Log),
    /// A line to the file that had the name before.
    Late(Log),
    /// A rotation is taken back: the newest file that lost the name of the log gets
    /// it again, over its successor, if that is there.
    TakeBack(Log),
    /// A rotation; if that is said, with a new file at once. With
    /// `copytruncate`, that says that all is read just before.
    Rotate(Log, bool),
    Copy(Log),
    /// The newest file that was rotated away is compressed.
    Pack(Log),
    /// Copied with its times, and moved back over the log.
    Restore(Log),
    Remove(Log),
    /// Removed, and made again with the same lines.
    Again(Log),
    /// A short-lived log of another name.
    Job,
    EndJob,
    /// The clock of the file system ticks.
    Tick,
    /// Each source is asked once, in an order drawn from this seed.
    Look(u64),
    /// Until no source has anything new.
    LookAll,
    Save,
    /// Remembers the checkpoint, for a kill before the next one was written.
    Remember,
    Start(Run),
    Stop,
    /// `kill -9`; if that is said, before anything was saved since `Remember`.
    Kill(bool),
    /// The devices get other numbers, as at a boot.
    Renumber,
    /// Renamed; if that is said, as logrotate does it: with a new file, of which
    /// the merge is told.
    RotateOutput(bool),
    /// Truncated or, if that is said, removed.
    CutOutput(bool),
}

/// How a merge is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) by: By,
    pub(crate) spelling: Spelling,
    /// Of the sources, if that is said the other way round.
    pub(crate) reversed: bool,
    /// Whether files without a name are read on for an hour, or let go at once.
    pub(crate) patient: bool,
}

/// What names the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// `app.log`
    Name,
    /// `app.log` and `app.log.1`
    RotatedName,
    /// `app.log*`
    Pattern,
    /// `app.log` and `app.log*`
    NameAndPattern,
    /// `*.log`, where all logs are sources.
    All,
}

impl By {
    /// Whether the logs themselves are named, and not only a pattern.
    pub(crate) fn names_logs(self) -> bool {
        !matches!(self, By::Pattern | By::All)
    }
}

/// How paths are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    Absolute,
    Relative,
    /// With a `./` in its midst.
    Dotted,
    /// Through a link to the folder.
    LinkedFolder,
    /// By a link to the file, in another folder.
    Link,
}

fn one_of<T: Copy>(random: &mut Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

impl Story {
    pub(crate) fn of(seed: u64) -> Story {
        let random = &mut Rng::with_seed(seed);
        let rotations = [
            Rotation::Numbered,
            Rotation::Numbered,
            Rotation::DateBehind,
            Rotation::DateBefore,
            Rotation::CopyTruncate,
            Rotation::Foreign,
        ];
        let setting = Setting {
            rotation: one_of(random, &rotations),
            near: random.bool(),
            // Seldom: the story waits until it is old enough.
            yesterday: random.u8(..20) == 0,
            inside: random.bool(),
        };
        let length = random.usize(3..50);
        let steps = (0..length).map(|_| Step::of(random)).collect();
        Story { setting, steps, closing: Run::of(random) }
    }
}

impl Step {
    fn of(random: &mut Rng) -> Step {
        // The near log is there to be taken for the other one.
        let log = usize::from(random.u8(..4) == 0);
        match random.u8(..103) {
            0..18 => Step::Write(log, if random.u8(..3) == 0 { 9 } else { random.usize(1..4) }),
            18..21 => Step::Half(log),
            21..24 => Step::Late(log),
            24..36 => Step::Rotate(log, random.bool()),
            36..38 => Step::Copy(log),
            38 => Step::Pack(log),
            39..42 => Step::Restore(log),
            42..44 => Step::Remove(log),
            44..46 => Step::Again(log),
            46..48 => Step::Job,
            48 => Step::EndJob,
            49 => Step::Tick,
            50..57 => Step::Look(random.u64(..)),
            57..65 => Step::LookAll,
            65..68 => Step::Save,
            68..70 => Step::Remember,
            70..84 => Step::Start(Run::of(random)),
            84..88 => Step::Stop,
            88..94 => Step::Kill(random.bool()),
            94..96 => Step::Renumber,
            96..98 => Step::RotateOutput(random.bool()),
            98..100 => Step::CutOutput(random.bool()),
            _ => Step::TakeBack(log),
        }
    }
}

impl Step {
    /// Starts in the simplest way, if it starts.
    pub(crate) fn simplify(&mut self) {
        if let Step::Start(run) = self {
            *run = Run::SIMPLEST;
        }
    }
}

impl Run {
    pub(crate) const SIMPLEST: Run =
        Run { by: By::Name, spelling: Spelling::Absolute, reversed: false, patient: true };

    fn of(random: &mut Rng) -> Run {
        let by = [By::Name, By::Name, By::RotatedName, By::Pattern, By::NameAndPattern, By::All];
        let spelling = [
            Spelling::Absolute,
            Spelling::Absolute,
            Spelling::Absolute,
            Spelling::Relative,
            Spelling::Dotted,
            Spelling::LinkedFolder,
            Spelling::Link,
        ];
        Run {
            by: one_of(random, &by),
            spelling: one_of(random, &spelling),
            reversed: random.bool(),
            patient: random.bool(),
        }
    }
}
