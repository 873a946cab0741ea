//! Whoever ends at once leaves no program behind. In a process of its own: nothing can
//! be judged in this one afterwards.

use std::fs;
use std::thread;
use std::time::Duration;

use conform::{Law, Template, judge, kill_all};
use testkit::{until, until_ended};

#[test]
fn all_that_is_judged_is_killed_with_what_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let hangs = format!("trap '' TERM; sleep 3600 & echo $$ $! > {}; wait", started.display());
    let words = ["sh", "-c", &hangs, "-", "{inputs}"].map(str::to_owned).to_vec();
    // It goes on until the test has ended.
    thread::spawn(move || {
        let law = Law::named("a_stop_ends_the_run").unwrap();
        judge(&Template::new(words).unwrap(), &[law], Duration::from_secs(600), &|| false)
    });
    let processes = || fs::read_to_string(&started).unwrap_or_default();
    until("the program has started another", || processes().ends_with('\n'));

    kill_all();
    until_ended(&processes());
}
