//! What the watch says: a line while the loop is stuck, one when it turns
//! again, and not more than anybody can read.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use tracing::dispatcher::{self, Dispatch};
use tracing::field::{DisplayValue, display};
use tracing::subscriber::NoSubscriber;
use tracing::warn;

use crate::turn::{Findings, Operation, Spell, Turn};

/// How many stalls are told one after the other; then one a [`REFILL`].
const AT_ONCE: u32 = 10;
/// After what time one more stall may be told.
const REFILL: Duration = Duration::from_secs(1);

/// Tells of the stalls of one loop, from the thread of its watch.
pub(crate) struct Tells {
    threshold: Duration,
    // Of the thread that called `run`, which may have a subscriber of its own.
    dispatch: Dispatch,
    /// Whether the stall that goes on has been told.
    told: bool,
    /// How many stalls may be told, and since when it has been so many.
    quota: (u32, Instant),
    /// How many stalls were not, and the longest of them.
    left_out: (u64, Duration),
}

/// Who is to blame for a stall.
enum Blamed {
    /// One operation, or code without a name.
    Spell(Spell),
    /// A turn that went from one operation to the next; one of them.
    Turn(Spell),
    /// Nobody: so many turns, and the longest spell in them.
    Nobody(u64, Option<Spell>),
}

impl Tells {
    pub(crate) fn new(threshold: Duration) -> Tells {
        Tells {
            threshold,
            dispatch: dispatcher::get_default(Dispatch::clone),
            told: false,
            quota: (AT_ONCE, Instant::now()),
            left_out: (0, Duration::ZERO),
        }
    }

    /// Tells of a stall that goes on, once one spell or turn is to blame.
    pub(crate) fn stuck(&mut self, so_far: Duration, (spell, turn): (Spell, Duration)) {
        if self.told || so_far <= self.threshold {
            return;
        }
        let blamed = if spell.length > self.threshold {
            Blamed::Spell(spell)
        } else if turn > self.threshold.saturating_add(self.threshold / 4) {
            // A quarter later, or a turn would get the blame that began a
            // little before the operation that blocks it.
            Blamed::Turn(spell)
        } else {
            return;
        };
        if !self.may_tell() {
            return;
        }
        self.told = true;
        let message = match &blamed {
            Blamed::Spell(spell) => format!("{} blocks it{}", What(spell), Where(spell)),
            Blamed::Turn(spell) => {
                format!("one operation after another keeps it, now {}{}", What(spell), Where(spell))
            }
            Blamed::Nobody(..) => unreachable!("that is known at the end alone"),
        };
        let message = format!("the event loop has not turned for {}: {message}", Shown(so_far));
        let cause = Fields::of(&blamed);
        self.say(|| {
            warn!(
                target: crate::TARGET,
                stuck_us = micros(so_far),
                operation = cause.operation,
                source = cause.source,
                task = cause.task,
                spawned_at = cause.spawned_at,
                "{message}"
            );
        });
    }

    /// Tells of a stall that is over, if it was longer than the threshold.
    pub(crate) fn over(&mut self, stall: Duration, findings: Findings) {
        if !self.told && (stall <= self.threshold || !self.may_tell()) {
            if stall > self.threshold {
                let (left_out, longest) = self.left_out;
                self.left_out = (left_out + 1, longest.max(stall));
            }
            return;
        }
        self.told = false;
        let blamed = self.blamed(stall, findings);
        let message = match &blamed {
            Blamed::Spell(spell) if is_most(spell.length, stall) => {
                format!("{} blocked it{}", What(spell), Where(spell))
            }
            Blamed::Spell(spell) => {
                let length = Shown(spell.length);
                format!("{} blocked it for {length} of that{}", What(spell), Where(spell))
            }
            Blamed::Turn(spell) => format!(
                "one operation after another kept it, the longest {} with {}{}",
                What(spell),
                Shown(spell.length),
                Where(spell)
            ),
            Blamed::Nobody(turns, longest) => {
                let longest = longest.as_ref().map(|spell| {
                    let length = Shown(spell.length);
                    format!(", the longest {} with {length}{}", What(spell), Where(spell))
                });
                let turns = if *turns == 1 { "1 turn".into() } else { format!("{turns} turns") };
                format!(
                    "not one operation, the loop is busy: {turns} of others{}",
                    longest.unwrap_or_default()
                )
            }
        };
        let (left_out, _) = std::mem::take(&mut self.left_out);
        let others = match left_out {
            0 => String::new(),
            1 => "; 1 stall before it was not told".to_owned(),
            _ => format!("; {left_out} stalls before it were not told"),
        };
        let message =
            format!("the event loop turns again after {}: {message}{others}", Shown(stall));
        let cause = Fields::of(&blamed);
        self.say(|| {
            warn!(
                target: crate::TARGET,
                stall_us = micros(stall),
                operation = cause.operation,
                source = cause.source,
                task = cause.task,
                spawned_at = cause.spawned_at,
                turns = cause.turns,
                left_out = (left_out > 0).then_some(left_out),
                "{message}"
            );
        });
    }

    /// Tells of the stalls that have not been told, when the loop has ended.
    pub(crate) fn end(&mut self) {
        let (left_out, longest) = std::mem::take(&mut self.left_out);
        if left_out == 0 {
            return;
        }
        let stalls =
            if left_out == 1 { "1 stall was".into() } else { format!("{left_out} stalls were") };
        self.say(|| {
            warn!(
                target: crate::TARGET,
                left_out,
                longest_us = micros(longest),
                "the event loop has ended: {stalls} not told, the longest {}",
                Shown(longest)
            );
        });
    }

    /// Says it to the subscriber of the thread that called `run`; where that had
    /// none, to whichever all threads have by now.
    fn say(&self, line: impl FnOnce()) {
        if self.dispatch.is::<NoSubscriber>() {
            line();
        } else {
            dispatcher::with_default(&self.dispatch, line);
        }
    }

    fn blamed(&self, stall: Duration, findings: Findings) -> Blamed {
        let Findings { longest, longest_turn, turns } = findings;
        // A stall that is hardly over the threshold has a cause that is hardly
        // under it.
        let is_long = |length| length > self.threshold || is_most(length, stall);
        match (longest, longest_turn) {
            (Some(spell), _) if is_long(spell.length) => Blamed::Spell(spell),
            (_, Some((length, spell))) if is_long(length) => Blamed::Turn(spell),
            (longest, _) => Blamed::Nobody(turns, longest),
        }
    }

    /// Takes one of the stalls that may be told.
    fn may_tell(&mut self) -> bool {
        self.may_tell_at(Instant::now())
    }

    fn may_tell_at(&mut self, now: Instant) -> bool {
        let (mut quota, since) = self.quota;
        let refills = now.saturating_duration_since(since).as_secs() / REFILL.as_secs();
        let mut since = since + REFILL * u32::try_from(refills).unwrap_or(u32::MAX);
        quota = quota.saturating_add(u32::try_from(refills).unwrap_or(u32::MAX)).min(AT_ONCE);
        if quota == AT_ONCE {
            since = now;
        }
        self.quota = (quota.saturating_sub(1), since);
        quota > 0
    }
}

/// Tells whether a spell is nearly all of a stall.
fn is_most(spell: Duration, stall: Duration) -> bool {
    spell * 10 >= stall * 9
}

/// The fields of an event, for programs.
struct Fields<'a> {
    operation: Option<&'static str>,
    source: Option<&'a str>,
    task: Option<u64>,
    spawned_at: Option<DisplayValue<&'static Location<'static>>>,
    turns: Option<u64>,
}

impl Fields<'_> {
    fn of(blamed: &Blamed) -> Fields<'_> {
        let none =
            Fields { operation: None, source: None, task: None, spawned_at: None, turns: None };
        match blamed {
            Blamed::Nobody(turns, _) => Fields { turns: Some(*turns), ..none },
            Blamed::Spell(spell) => {
                let operation = spell.operation.as_ref();
                Fields {
                    operation: operation.map(|operation| operation.name),
                    source: operation.and_then(|operation| operation.source.as_deref()),
                    ..Fields::of_turn(spell, none)
                }
            }
            Blamed::Turn(spell) => Fields::of_turn(spell, none),
        }
    }

    fn of_turn<'a>(spell: &Spell, none: Fields<'a>) -> Fields<'a> {
        // What tokio shows of an id is its number.
        let task = spell.task().and_then(|task| task.to_string().parse().ok());
        Fields { task, spawned_at: spell.spawned_at().map(display), ..none }
    }
}

impl Spell {
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
struct What<'a>(&'a Spell);

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.operation {
            None => f.write_str("an unnamed operation"),
            Some(Operation { name, source: None, .. }) => write!(f, "`{name}`"),
            Some(Operation { name, source: Some(source), .. }) => write!(f, "`{name}` of {source}"),
        }
    }
}

/// ", in task 7", ", in main".
struct Where<'a>(&'a Spell);

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.task(), self.0.turn) {
            (Some(task), _) => write!(f, ", in task {task}")?,
            (None, Turn::Main) => f.write_str(", in main")?,
            // A span that is no task's: of the loop itself, or of a `Drop`.
            (None, _) if self.0.operation.is_some() => {}
            (None, _) => f.write_str(", in a task")?,
        }
        match self.0.spawned_at() {
            Some(place) => write!(f, ", spawned at {place}"),
            None => Ok(()),
        }
    }
}

/// "503 ms", from ten seconds on "12.3 s", and below a millisecond "20 µs".
struct Shown(Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            0 => write!(f, "{} µs", self.0.as_micros()),
            millis @ ..10_000 => write!(f, "{millis} ms"),
            _ => write!(f, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_stalls_are_told_at_once_and_then_one_a_second_and_ten_again_after_a_rest() {
        let mut tells = Tells::new(Duration::ZERO);
        let begin = Instant::now();
        let mut told_after = |millis| {
            let now = begin + Duration::from_millis(millis);
            (0..100).filter(|_| tells.may_tell_at(now)).count()
        };
        let told = [0, 900, 1_900, 2_000, 5_500, 5_900, 60_000].map(&mut told_after);
        assert_eq!(told, [10, 0, 1, 1, 3, 0, 10]);
    }
}
