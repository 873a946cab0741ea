//! The words of a line, and the fields of its event.

use std::fmt::{self, Display};
use std::panic::Location;
use std::time::Duration;

use tracing::field::{DisplayValue, display};

use crate::doing::{Doing, Thread};
use crate::turn::{Activity, Operation, Turn};

/// Who does not turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A runtime of one thread.
    Loop,
    /// One worker of several.
    Worker(usize),
    /// The future that `watched` was given, on a thread that is no worker.
    Main,
}

impl Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Loop => f.write_str("the event loop"),
            Subject::Worker(index) => write!(f, "worker {index}"),
            Subject::Main => f.write_str("main"),
        }
    }
}

/// A stall, as it is seen from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stall<'a> {
    pub(crate) subject: Subject,
    /// It may have been many turns, of which none is known.
    pub(crate) is_batch: bool,
    pub(crate) length: Duration,
    pub(crate) thread: Option<Thread>,
    pub(crate) doing: Option<&'a Doing>,
    /// How long it has run since then, and how long it has waited for a processor.
    pub(crate) ran: Option<Duration>,
    pub(crate) waited: Option<Duration>,
    pub(crate) unowned: Option<Unowned>,
}

/// No worker holds the driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unowned {
    /// How many workers could.
    pub(crate) idle: usize,
    /// One of them was woken to take it.
    pub(crate) healed: bool,
}

impl Display for Unowned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = if self.idle == 1 { "worker is" } else { "workers are" };
        let Unowned { idle, healed } = self;
        if *healed {
            write!(f, "; an idle worker was woken to turn timers and sockets, which nobody did")
        } else {
            write!(f, "; nobody turns timers and sockets meanwhile, though {idle} {workers} idle")
        }
    }
}

/// Who is to blame for a stall.
pub(crate) enum Blamed {
    /// One operation, or code without a name.
    Activity(Activity),
    /// A turn that went from one operation to the next; one of them.
    Turn(Activity),
    /// One long turn or many short ones; what goes on at the end of them.
    Batch(Activity),
    /// Nobody: so many turns, and the longest activity in them.
    Nobody(u64, Option<Activity>),
}

impl Blamed {
    /// Returns what is said of a stall that goes on.
    pub(crate) fn now(&self, stall: &Stall<'_>) -> String {
        let (what, place) = match self {
            Blamed::Activity(activity) => (format!("{} blocks it", What(activity)), activity),
            Blamed::Turn(activity) => {
                (format!("one operation after another keeps it, now {}", What(activity)), activity)
            }
            Blamed::Batch(activity) => {
                (format!("one is long, or many are short, now {}", What(activity)), activity)
            }
            Blamed::Nobody(..) => unreachable!("that is known at the end alone"),
        };
        let Stall { subject, length, doing, unowned, .. } = *stall;
        let doing = doing.map(|doing| format!(": {}", doing.now())).unwrap_or_default();
        let unowned = unowned.map(|unowned| unowned.to_string()).unwrap_or_default();
        let (length, place) = (Shown(length), Where(place, subject));
        let turned = if let Blamed::Batch(_) = self { "ended a batch of turns" } else { "turned" };
        format!("{subject} has not {turned} for {length}: {what}{place}{doing}{unowned}")
    }

    /// Returns what is said of a stall that is over.
    pub(crate) fn then(&self, stall: &Stall<'_>) -> String {
        let Stall { subject, length, doing, .. } = *stall;
        let doing = doing.map(|doing| format!(": {}", doing.then())).unwrap_or_default();
        let what = match self {
            Blamed::Activity(activity) => {
                let part = if is_most(activity.length, length) {
                    String::new()
                } else {
                    format!(" for {} of that", Shown(activity.length))
                };
                format!("{} blocked it{part}{}{doing}", What(activity), Where(activity, subject))
            }
            Blamed::Turn(activity) => format!(
                "one operation after another kept it, the longest {} with {}{}{doing}",
                What(activity),
                Shown(activity.length),
                Where(activity, subject)
            ),
            Blamed::Batch(_) => format!("one was long, or many were short{doing}"),
            Blamed::Nobody(turns, longest) => {
                let longest = longest.as_ref().map(|activity| {
                    let (what, length) = (What(activity), Shown(activity.length));
                    format!(", the longest {what} with {length}{}", Where(activity, subject))
                });
                let turns = if *turns == 1 { "1 turn".into() } else { format!("{turns} turns") };
                format!(
                    "not one operation, the loop is busy: {turns} of others{}",
                    longest.unwrap_or_default()
                )
            }
        };
        let turns =
            if let Blamed::Batch(_) = self { "has ended a batch of turns" } else { "turns again" };
        format!("{subject} {turns} after {}: {what}", Shown(length))
    }
}

/// Returns whether an activity is nearly all of a stall.
pub(crate) fn is_most(activity: Duration, stall: Duration) -> bool {
    activity.saturating_mul(10) >= stall.saturating_mul(9)
}

/// The fields of an event, for programs.
#[derive(Default)]
pub(crate) struct Fields<'a> {
    pub(crate) operation: Option<&'static str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) task: Option<u64>,
    pub(crate) spawned_at: Option<DisplayValue<&'static Location<'static>>>,
    pub(crate) turns: Option<u64>,
    pub(crate) worker: Option<u64>,
    pub(crate) thread: Option<u32>,
    pub(crate) call: Option<&'a str>,
    pub(crate) wait_channel: Option<&'a str>,
    pub(crate) ran_us: Option<u64>,
    pub(crate) waited_us: Option<u64>,
    pub(crate) driver_unowned: Option<bool>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(blamed: &'a Blamed, stall: &Stall<'a>) -> Fields<'a> {
        let mut fields = Fields::of_stall(stall);
        let activity = match blamed {
            Blamed::Nobody(turns, _) => return Fields { turns: Some(*turns), ..fields },
            Blamed::Activity(activity) => {
                let operation = activity.operation.as_ref();
                fields.operation = operation.map(|operation| operation.name);
                fields.source = operation.and_then(|operation| operation.source.as_deref());
                activity
            }
            Blamed::Turn(activity) | Blamed::Batch(activity) => activity,
        };
        // tokio shows an id as its number.
        fields.task = activity.task().and_then(|task| task.to_string().parse().ok());
        fields.spawned_at = activity.spawned_at().map(display);
        fields
    }

    fn of_stall(stall: &Stall<'a>) -> Fields<'a> {
        let Stall { subject, thread, doing, ran, waited, unowned, .. } = *stall;
        Fields {
            worker: match subject {
                Subject::Worker(index) => Some(index as u64),
                Subject::Loop | Subject::Main => None,
            },
            thread: thread.map(Thread::number),
            call: doing.and_then(Doing::call),
            wait_channel: doing.and_then(Doing::wait_channel),
            ran_us: ran.map(micros),
            waited_us: waited.map(micros),
            driver_unowned: unowned.map(|_| true),
            ..Fields::default()
        }
    }
}

impl Activity {
    /// Returns whether anybody has said whose it is.
    pub(crate) fn is_known(&self) -> bool {
        self.operation.is_some() || !matches!(self.turn, Turn::Unknown)
    }

    fn task(&self) -> Option<tokio::task::Id> {
        match self.turn {
            Turn::Task(id, _) => Some(id),
            _ => self.operation.as_ref().and_then(|operation| operation.task),
        }
    }

    fn spawned_at(&self) -> Option<&'static Location<'static>> {
        match self.turn {
            Turn::Task(_, spawned_at) => Some(spawned_at),
            _ => None,
        }
    }
}

/// "`append` of a.log", or "an unnamed operation".
struct What<'a>(&'a Activity);

impl Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.operation {
            None => f.write_str("an unnamed operation"),
            Some(Operation { name, source: None, .. }) => write!(f, "`{name}`"),
            Some(Operation { name, source: Some(source), .. }) => write!(f, "`{name}` of {source}"),
        }
    }
}

/// ", in task 7", ", in main".
struct Where<'a>(&'a Activity, Subject);

impl Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.task(), self.0.turn) {
            (Some(task), _) => write!(f, ", in task {task}")?,
            (None, Turn::Main) if self.1 == Subject::Main => {}
            (None, Turn::Main) => f.write_str(", in main")?,
            // A span that is no task's: of the loop itself, or of a `Drop`.
            (None, _) if self.0.operation.is_some() => {}
            // Only on a runtime of one thread is everything but `main` known to be a
            // task.
            (None, _) if self.1 == Subject::Loop => f.write_str(", in a task")?,
            (None, _) => {}
        }
        match self.0.spawned_at() {
            Some(place) => write!(f, ", spawned at {place}"),
            None => Ok(()),
        }
    }
}

/// "503 ms", from ten seconds on "12.3 s", and below a millisecond "20 µs".
pub(crate) struct Shown(pub(crate) Duration);

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            0 => write!(f, "{} µs", self.0.as_micros()),
            millis @ ..10_000 => write!(f, "{millis} ms"),
            _ => write!(f, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
