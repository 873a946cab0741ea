//! Every version is held to the same laws. What a version cannot do is declared
//! beside it with the reason, and the declaration is checked: a law that holds
//! although its breach is declared is a failure, too.

mod bench;
mod disk;
mod laws;

use std::time::Duration;

use anyhow::Result;
use service::Serve;
use testkit::{BOUND, within};

use bench::Bench;

/// What is waited in vain where a law is declared to be broken.
const A_WHILE: Duration = Duration::from_millis(300);

/// Tries one law on one version, as the version declares.
fn hold(law: fn(&Bench) -> Result<()>, name: &str, serve: Serve, limits: &[(&str, &str)]) {
    let limit = limits.iter().find(|(law, _)| *law == name);
    let patience = if limit.is_some() { A_WHILE } else { BOUND / 2 };
    let kept = within(move || law(&Bench { serve, patience }));
    match (limit, kept) {
        (None, kept) => kept.unwrap_or_else(|told| panic!("{told:#}")),
        (Some(_), Err(told)) => {
            let told = format!("{told:#}");
            assert!(told.contains("waits in vain"), "it breaks in another way: {told}");
        }
        (Some((_, reason)), Ok(())) => panic!("it holds, and is declared not to: {reason}"),
    }
}

/// Makes a test of each law for each version.
macro_rules! suite {
    ({ $($version:ident { $($limit:ident: $reason:literal,)* })* } $laws:tt) => {
        $(
            mod $version {
                pub(crate) const LIMITS: &[(&str, &str)] = &[$((stringify!($limit), $reason)),*];
                suite!(@tests $version $laws);
            }
        )*
        const VERSIONS: &[&str] = &[$(stringify!($version)),*];
        const LAWS: &[&str] = &suite!(@names $laws);
        const LIMITS: &[&[(&str, &str)]] = &[$($version::LIMITS),*];
    };
    (@tests $version:ident { $($law:ident)* }) => { $(
        #[test]
        fn $law() {
            let (law, name) = (crate::laws::$law, stringify!($law));
            crate::hold(law, name, service::$version::serve, LIMITS);
        }
    )* };
    (@names { $($law:ident)* }) => { [$(stringify!($law)),*] };
}

suite! {
    {
    // ANCHOR: limits
    threads {
        one_client_too_many_is_told:
            "a thread for each, until the system has none left",
    }
    top_down {
        clients_that_stay_are_all_served:
            "a job lasts as long as its client stays, and the pool has a fixed number of threads",
        one_client_too_many_is_told:
            "it waits in the queue of the pool, and nobody says so",
    }
    bottom_up {
        one_client_too_many_is_told:
            "a thread and a loop for each, until the system has none left",
    }
    tasks {
        a_slow_disk_keeps_no_client_waiting:
            "the write is on the loop, and every task waits for the loop",
        one_client_too_many_is_told:
            "a task for each, until the process has no descriptor left",
    }
    fully_async {}
    // ANCHOR_END: limits
    }
    {
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
}

#[test]
fn every_limit_names_a_law() {
    for (limit, _) in LIMITS.iter().flat_map(|limits| limits.iter()) {
        assert!(LAWS.contains(limit), "{limit} is no law: {LAWS:?}");
    }
}

#[test]
fn every_version_is_a_file_of_less_than_120_lines() {
    for version in VERSIONS {
        let path = format!("{}/src/{version}.rs", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read_to_string(&path).unwrap();
        // The marks of the listings are not read.
        let lines = file.lines().filter(|line| !line.starts_with("// ANCHOR")).count();
        assert!(lines < 120, "{path} has {lines} lines");
    }
}
