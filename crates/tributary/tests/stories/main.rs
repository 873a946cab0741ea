//! Stories of logs and merges, drawn at random: in the end every line is in
//! the outputs once, whatever happened to the names, the logs and the merge.
//!
//! `STORIES=20000 cargo test --release -p tributary --test stories` tells that
//! many, from a seed of its own; `SEED=…` tells one again. A story that fails
//! is told in the fewest steps in which it does.

mod alphabet;
mod model;
mod world;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use alphabet::{Rotation, Run, Story};
use model::Wrong;
use tempfile::TempDir;
use world::World;

#[test]
fn every_line_comes_once_whatever_happens() {
    let number = |name| std::env::var(name).ok().map(|it| it.parse::<u64>().expect(name));
    let (seed, stories) = match (number("SEED"), number("STORIES")) {
        (Some(seed), stories) => (seed, stories.unwrap_or(1)),
        (None, Some(stories)) => (fastrand::u64(..1 << 48), stories),
        // The same in each run of the tests.
        (None, None) => (0, 2000),
    };
    if let Some((seed, failure)) = first_to_fail(seed..seed + stories) {
        let failure = shrink(Story::of(seed), failure);
        panic!("SEED={seed}\n{}{}", failure.told, failure.wrong);
    }
}

/// A story that has failed.
struct Failure {
    wrong: Wrong,
    /// What happened, in words.
    told: String,
}

/// Tells stories on all processors; returns the seed of one that fails.
fn first_to_fail(seeds: Range<u64>) -> Option<(u64, Failure)> {
    let next = AtomicU64::new(seeds.start);
    let failed = Mutex::new(None);
    let work = || {
        let mut told = Vec::new();
        while failed.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return;
            }
            let (folder, ended) = tell(&Story::of(seed));
            if let Err(failure) = ended {
                failed.lock().unwrap().get_or_insert((seed, failure));
            }
            // ext4 passes over what was deleted in the last five seconds, one by one, when
            // it makes a file. So the folders go together.
            told.push(folder);
            if told.len() == 1_000 {
                told.clear();
            }
        }
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        (0..workers).for_each(|_| drop(scope.spawn(work)));
    });
    failed.into_inner().unwrap()
}

/// Lets a story happen; returns its folder, too.
fn tell(story: &Story) -> (TempDir, Result<(), Failure>) {
    let mut world = World::new(story.setting);
    let mut words = Vec::new();
    let play = || {
        for step in &story.steps {
            words.extend(world.act(step)?);
        }
        world.end(story.closing, &mut words)
    };
    let played = catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|_| {
        Err(Wrong { kind: "the merge fails", what: "a panic, as it says above".into() })
    });
    let ended = played.map_err(|wrong| {
        let mut told = format!("{:?}\n", story.setting);
        for (words, number) in words.iter().zip(1..) {
            told += &format!("{number:3}. {words}\n");
        }
        told += &format!("The outputs hold:\n{}", world.merged());
        Failure { wrong, told }
    });
    (world.into_folder(), ended)
}

/// Leaves out steps, many at first and then one by one, for as long as the
/// story fails in the same way; then simplifies what is left.
fn shrink(mut story: Story, mut failure: Failure) -> Failure {
    let mut fails = |shorter: &Story| match tell(shorter).1 {
        Err(other) if other.wrong.kind == failure.wrong.kind => {
            failure = other;
            true
        }
        _ => false,
    };
    let mut many = story.steps.len();
    while many > 0 {
        let (mut at, before) = (0, story.steps.len());
        while at < story.steps.len() {
            let mut shorter = story.clone();
            shorter.steps.drain(at..(at + many).min(story.steps.len()));
            if fails(&shorter) {
                story = shorter;
            } else {
                at += many;
            }
        }
        if many > 1 || story.steps.len() == before {
            many /= 2;
        }
    }
    for simplify in SIMPLER {
        let mut simpler = story.clone();
        simplify(&mut simpler);
        if fails(&simpler) {
            story = simpler;
        }
    }
    for at in 0..story.steps.len() {
        let mut simpler = story.clone();
        simpler.steps[at].simplify();
        if fails(&simpler) {
            story = simpler;
        }
    }
    failure
}

const SIMPLER: [fn(&mut Story); 5] = [
    |story| story.setting.rotation = Rotation::Numbered,
    |story| story.setting.near = false,
    |story| story.setting.yesterday = false,
    |story| story.setting.inside = false,
    |story| story.closing = Run::SIMPLEST,
];
