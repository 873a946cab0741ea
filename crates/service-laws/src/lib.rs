//! What a line service promises: one suite, for each version of [`service`] and for one
//! that you write yourself.
//!
//! A [law](laws) is tried on a [`Bench`]: it starts services, and connects clients that
//! stay, pause, leave and vanish. [`suite!`] makes a test of each law.

mod bench;
mod disk;
pub mod laws;

use std::time::Duration;

use anyhow::Result;
use service::Serve;
use testkit::within;

pub use bench::{Bench, Client, Service};
pub use disk::{Output, SlowDisk};

/// What is waited in vain where a law is declared to be broken.
const A_WHILE: Duration = Duration::from_millis(300);

/// What can be wrong with a service, in words.
pub type Verdict = Result<()>;

/// Something that every version has to do.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// The name, which is also the rule.
    pub name: &'static str,
    /// Says what is not so.
    pub function: fn(&Bench) -> Verdict,
}

/// Hands the names of all laws to a macro, behind what else it takes.
#[doc(hidden)]
#[macro_export]
macro_rules! each {
    ({ $($macro:tt)+ } $($with:tt)*) => {
        $($macro)+! {
            { $($with)* }
            each_line_is_answered_with_its_number
            clients_that_pause_in_the_middle_of_a_line_hold_up_nobody
            clients_that_stay_are_all_served
            one_client_too_many_is_told
            a_slow_disk_keeps_no_client_waiting
            a_stop_reaches_whoever_waits
            a_stop_reaches_a_client_that_does_not_read
            a_client_that_vanishes_is_noted_and_ends_nobody_else
            the_statistics_are_whole
            statistics_that_cannot_be_written_are_an_error_at_the_end
            a_listener_that_fails_ends_the_service
        }
    };
}

macro_rules! list {
    ({} $($law:ident)*) => { &[$(Law { name: stringify!($law), function: laws::$law }),*] };
}

/// All laws.
pub static LAWS: &[Law] = each!({ list });

impl Law {
    /// Finds a law by its name.
    pub fn named(name: &str) -> Option<&'static Law> {
        LAWS.iter().find(|law| law.name == name)
    }

    /// Tries the law, and returns how it is broken, if it is.
    pub fn broken_by(&self, bench: &Bench) -> Option<String> {
        let told = (self.function)(bench).err()?;
        let ended = bench.error().map(|error| format!("\nthe service has ended: {error}"));
        Some(format!("{told:#}{}", ended.unwrap_or_default()))
    }
}

/// Makes a test of each law for one version, the path of a [`Serve`].
///
/// What the version cannot do is declared behind it, each with the reason, and the
/// declaration is checked: a law that holds although its breach is declared is a
/// failure, too.
#[macro_export]
macro_rules! suite {
    ($serve:path $(, $limit:ident: $reason:literal)* $(,)?) => {
        const LIMITS: &[(&str, &str)] = &[$((stringify!($limit), $reason)),*];
        // A limit of something that is no law does not compile.
        $(const _: fn(&$crate::Bench) -> $crate::Verdict = $crate::laws::$limit;)*
        $crate::each!({ $crate::tests } $serve);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ({ $serve:path } $($law:ident)*) => { $(
        #[test]
        fn $law() {
            $crate::hold(stringify!($law), $serve, LIMITS);
        }
    )* };
}

/// Tries one law on one version, as the version declares.
///
/// # Panics
///
/// Panics if it is broken and is not declared to be, or the other way round.
#[doc(hidden)]
#[track_caller]
pub fn hold(name: &str, serve: Serve, limits: &[(&str, &str)]) {
    let law = Law::named(name).unwrap_or_else(|| panic!("{name} is no law"));
    let limit = limits.iter().find(|(law, _)| *law == name);
    let bench = Bench::new(serve);
    let bench = if limit.is_some() { bench.patience(A_WHILE) } else { bench };
    match (limit, within(move || law.broken_by(&bench))) {
        (None, None) => {}
        (None, Some(told)) => panic!("{told}"),
        (Some(_), Some(told)) => {
            assert!(told.contains("waits in vain"), "it breaks in another way: {told}");
        }
        (Some((_, reason)), None) => panic!("it holds, and is declared not to: {reason}"),
    }
}
