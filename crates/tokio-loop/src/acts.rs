//! What a stuck thread does, from look to look.

use std::time::{Duration, Instant};

use crate::doing::{Doing, Thread};
use crate::judge::Seen;
use crate::words::{Stall, Subject};

/// How many things that a thread does are kept. In a long turn there may be a new one at
/// each look: it reads one file after the other.
const MOST: usize = 64;

/// The thread of a stall.
#[derive(Debug)]
pub(crate) struct Acts {
    pub(crate) thread: Option<Thread>,
    /// The look with which the stall begins, and the last look.
    pub(crate) first: Seen,
    pub(crate) last: Seen,
    /// What it was seen to do, and for how long.
    seen: Vec<(Doing, Duration)>,
    /// The length of the stall when it was last found to go on.
    pub(crate) stuck: Option<Duration>,
}

impl Acts {
    /// Takes a first look. `None`: the thread is not known.
    pub(crate) fn new(thread: Option<Thread>) -> Acts {
        let first = Seen::now(thread);
        Acts { thread, last: first.clone(), first, seen: Vec::new(), stuck: None }
    }

    /// Notes that the thread is stuck, and what it does.
    pub(crate) fn note(&mut self, so_far: Duration, doing: Option<&Doing>) {
        let time = so_far.saturating_sub(self.stuck.replace(so_far).unwrap_or_default());
        let Some(doing) = doing.cloned() else { return };
        match self.seen.iter_mut().find(|(before, _)| before.is_like(&doing)) {
            Some((before, so_far)) => (*before, *so_far) = (doing, *so_far + time),
            None => {
                let least = self.seen.iter().enumerate().min_by_key(|(_, (_, time))| time);
                if let Some((place, _)) = least.filter(|_| self.seen.len() == MOST) {
                    self.seen.remove(place);
                }
                self.seen.push((doing, time));
            }
        }
    }

    /// Returns what the thread has done since the first look.
    pub(crate) fn doing(&self) -> Option<Doing> {
        let (first, last) = self.first.thread.as_ref().zip(self.last.thread.as_ref())?;
        Some(Doing::between(first, last, self.last.at - self.first.at))
    }

    /// Returns what the thread was seen to do for the longest time.
    pub(crate) fn did(&self) -> Option<&Doing> {
        let longest = self.seen.iter().rev().max_by_key(|(_, time)| time);
        longest.map(|(doing, _)| doing)
    }

    /// Returns the stall in the form in which it is told.
    pub(crate) fn stall<'a>(
        &self,
        subject: Subject,
        length: Duration,
        doing: Option<&'a Doing>,
    ) -> Stall<'a> {
        let looks = self.first.thread.as_ref().zip(self.last.thread.as_ref());
        Stall {
            subject,
            is_batch: false,
            length,
            thread: self.thread,
            doing,
            ran: looks.map(|(first, last)| last.ran.saturating_sub(first.ran)),
            waited: looks.map(|(first, last)| last.waited.saturating_sub(first.waited)),
            unowned: None,
        }
    }
}

impl Seen {
    /// Looks at a thread.
    pub(crate) fn now(thread: Option<Thread>) -> Seen {
        Seen { at: Instant::now(), thread: thread.and_then(Thread::look) }
    }
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::doing::{Call, Look};

    #[test]
    fn what_it_did_is_what_it_was_seen_to_do_for_the_longest_time() {
        let in_call = |number: u32| {
            let call = Call::parse(&format!("{number} 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0"));
            let look = Look { call, ..Look::default() };
            Doing::between(&look, &look, Duration::from_millis(1))
        };
        let mut acts = Acts::new(None);
        let noted = [(50, 35), (52, 230), (54, 61), (56, 61), (58, 61)];
        for (millis, number) in noted {
            acts.note(Duration::from_millis(millis), Some(&in_call(number)));
        }
        assert_eq!(acts.did().unwrap().then(), in_call(35).then());
        assert_ne!(in_call(35).then(), in_call(61).then());
    }

    #[test]
    fn a_thread_that_does_something_else_at_each_look_fills_no_memory() {
        let mut acts = Acts::new(None);
        for number in 0..300 {
            let call = Call::parse(&format!("{number} 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0"));
            let look = Look { call, ..Look::default() };
            let doing = Doing::between(&look, &look, Duration::from_millis(1));
            acts.note(Duration::from_millis(number), Some(&doing));
        }
        assert!(acts.seen.len() <= MOST, "{}", acts.seen.len());
    }
}
