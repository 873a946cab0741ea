//! Trying a law: on a thread of its own, under a watchdog.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::bound::{self, TriedBy};
use crate::{Broken, Law, Limit, MergeFn};

/// How long a law may wait by default. This is generous, since only a merger that hangs
/// waits that long.
pub const BOUND: Duration = Duration::from_secs(60);

/// One law, tried on one merger.
#[derive(Debug, Clone)]
pub struct Case {
    law: &'static Law,
    name: String,
    merge: MergeFn,
    bound: Duration,
    grace: Duration,
    tried_by: TriedBy,
}

/// How long a law has, after its bound, to say what it waited for and to take
/// its files away: on a machine with much else to do, two thousand of them.
const GRACE: Duration = Duration::from_secs(30);

/// The outcome of a [`Case`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The merger keeps the law.
    Held,
    /// The merger breaks the law.
    Broken(Broken),
    /// The law itself hung, beyond every bound that it has for its merger.
    Hung,
    /// Neither, with the message of the panic: a merge failed or panicked where no law
    /// expects it, or the law could not be tried.
    Accident(String),
}

impl Case {
    /// Creates the case of the law with the name `law` and of a merger, which messages
    /// call `name`.
    ///
    /// # Panics
    ///
    /// Panics if there is no law of that name.
    pub fn new(law: &str, name: &str, merge: MergeFn) -> Case {
        let law = Law::named(law).unwrap_or_else(|| panic!("there is no law named {law}"));
        let (name, tried_by) = (name.replace(' ', ""), TriedBy::Nothing);
        Case { law, name, merge, bound: BOUND, grace: GRACE, tried_by }
    }

    /// Says which `#[test]` tries the case, by its path from the crate on.
    ///
    /// A law that needs a process of its own starts the test executable once
    /// more, with that test alone.
    #[must_use]
    pub fn tried_by(self, path: &str) -> Case {
        // libtest leaves the name of the crate out.
        let test = path.split_once("::").map_or(path, |(_crate, test)| test);
        Case { tried_by: TriedBy::Test(test.to_owned()), ..self }
    }

    /// Says that this process runs nothing else.
    ///
    /// A law that needs a process of its own then uses this one.
    #[must_use]
    pub fn alone(self) -> Case {
        Case { tried_by: TriedBy::Process, ..self }
    }

    /// Sets how long the law may wait, instead of [`BOUND`].
    #[must_use]
    pub fn within(self, bound: Duration) -> Case {
        Case { bound, ..self }
    }

    /// Tries the law.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread until the law has come to its end, at most
    /// for the bound and half a minute.
    pub fn outcome(&self) -> Outcome {
        let Case { law, merge, bound, tried_by, .. } = self.clone();
        let (ended, end) = channel();
        let thread = thread::Builder::new().name(law.name.into()).spawn(move || {
            bound::begin(bound, tried_by);
            let verdict = catch_unwind(AssertUnwindSafe(|| (law.function)(merge)));
            // Nobody listens any more if the watchdog was quicker.
            let _ = ended.send(verdict);
        });
        thread.expect("a law needs a thread");
        // All waits of a law end with the bound; this is for a law that hangs itself.
        match end.recv_timeout(bound + self.grace) {
            Ok(Ok(Ok(()))) => Outcome::Held,
            Ok(Ok(Err(broken))) => Outcome::Broken(broken),
            Ok(Err(panic)) => Outcome::Accident(message_of(&*panic).to_owned()),
            Err(RecvTimeoutError::Timeout) => Outcome::Hung,
            Err(RecvTimeoutError::Disconnected) => unreachable!("the thread sends before it ends"),
        }
    }

    /// Tries the law, and panics unless it is kept, or broken as declared. A law that is
    /// declared broken may wait for a third of the bound.
    ///
    /// # Blocking
    ///
    /// As [`outcome`](Case::outcome).
    ///
    /// # Panics
    ///
    /// Panics with the merger, the law and what was wrong: if the law is not
    /// kept, and it is not among `limits`; or if it is among them, and was
    /// kept after all or could not be tried.
    #[track_caller]
    pub fn hold(&self, limits: &[Limit]) {
        let limit = limits.iter().find(|limit| limit.law == self.law.name);
        // What hangs by design hangs until then, each time.
        let bound = if limit.is_some() { self.bound / 3 } else { self.bound };
        let Case { law: Law { name, sentence, .. }, name: merge, .. } = self;
        match (self.clone().within(bound).outcome(), limit) {
            (Outcome::Held, None) | (Outcome::Broken(_), Some(_)) => {}
            (Outcome::Broken(how), None) => {
                panic!("{merge} breaks the law {name}\n  {sentence}\n  {how}")
            }
            (Outcome::Hung, _) => panic!(
                "{merge} hangs in the law {name}, which has a bound of {bound:?}\n  {sentence}"
            ),
            (Outcome::Accident(message), _) => panic!(
                "{merge}: an accident in the law {name}, which says nothing about it\n  \
                 {sentence}\n  {message}"
            ),
            (Outcome::Held, Some(Limit { reason, .. })) => panic!(
                "{merge} keeps the law {name}, although its manifest declares that it cannot\n  \
                 {sentence}\n  declared: \"{reason}\"\n  take the declaration away"
            ),
        }
    }
}

/// Returns what a panic says.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Verdict, broken::require};

    fn limits() -> [Limit; 1] {
        [Limit { law: "a_law", reason: "by design".into() }]
    }

    /// Tries this function as a law on a merger that is never called. Returns the
    /// message of the panic, if there is one.
    fn held(function: fn(MergeFn) -> Verdict, limits: &[Limit]) -> Option<String> {
        held_with(GRACE, function, limits)
    }

    fn held_with(
        grace: Duration,
        function: fn(MergeFn) -> Verdict,
        limits: &[Limit],
    ) -> Option<String> {
        let law: &'static Law = Box::leak(Box::new(Law {
            theme: "none",
            name: "a_law",
            sentence: "It is kept.",
            function,
        }));
        let case = Case {
            law,
            name: "my::merge".into(),
            merge: |_| unreachable!("no law here runs it"),
            bound: Duration::from_millis(100),
            grace,
            tried_by: TriedBy::Nothing,
        };
        let panic = catch_unwind(AssertUnwindSafe(|| case.hold(limits))).err()?;
        Some(message_of(&*panic).to_owned())
    }

    fn kept(_: MergeFn) -> Verdict {
        Ok(())
    }

    fn broken(_: MergeFn) -> Verdict {
        require(false, || "expected one, found two".into())
    }

    fn waits_in_vain(_: MergeFn) -> Verdict {
        thread::sleep(bound::left());
        Err(bound::passed("the sun goes down"))
    }

    fn hangs(_: MergeFn) -> Verdict {
        loop {
            thread::park();
        }
    }

    fn has_an_accident(_: MergeFn) -> Verdict {
        panic!("no space left")
    }

    #[test]
    fn a_law_that_is_kept_passes_unless_it_is_declared_broken() {
        assert_eq!(held(kept, &[]), None);
        let said = held(kept, &limits()).expect("a claim that is not true fails");
        assert!(said.contains("my::merge keeps the law a_law"), "{said}");
        assert!(said.contains("declared: \"by design\""), "{said}");
    }

    #[test]
    fn a_law_that_is_broken_fails_unless_it_is_declared_broken() {
        assert_eq!(held(broken, &limits()), None);
        let said = held(broken, &[]).expect("a broken law fails");
        assert!(said.contains("my::merge breaks the law a_law\n  It is kept."), "{said}");
        assert!(said.contains("expected one, found two\n  (said by "), "{said}");
        let other = [Limit { law: "another_law", reason: "by design".into() }];
        assert_eq!(held(broken, &other), Some(said));
    }

    #[test]
    fn what_is_waited_for_in_vain_is_said() {
        assert_eq!(held(waits_in_vain, &limits()), None);
        let said = held(waits_in_vain, &[]).expect("a bound that has passed fails");
        assert!(said.contains("waited 100ms in vain for this: the sun goes down"), "{said}");
    }

    #[test]
    fn a_law_that_hangs_fails_and_is_named() {
        for limits in [&[][..], &limits()] {
            let said = held_with(Duration::ZERO, hangs, limits).expect("a hang fails");
            assert!(said.contains("my::merge hangs in the law a_law"), "{said}");
        }
    }

    #[test]
    fn an_accident_fails_and_confirms_no_limit() {
        for limits in [&[][..], &limits()] {
            let said = held(has_an_accident, limits).expect("an accident fails");
            assert!(said.contains("an accident in the law a_law"), "{said}");
            assert!(said.contains("no space left"), "{said}");
        }
    }
}
