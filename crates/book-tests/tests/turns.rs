//! The gallery of wrong turns: each is caught by what is named for it, and its way out
//! is one. `REFRESH=1` writes what the book shows of them, and their table.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use book_tests::turns::{self, Catch, Turn};
use conformance::Law;

/// How many are taken at the same time. Most of the time they hang.
const AT_A_TIME: usize = 8;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wrong-turns");

#[test]
fn each_wrong_turn_is_caught_by_what_is_named_for_it_and_its_way_out_is_none() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let turns = turns::turns().unwrap();
    let taken = at_a_time(&turns, |turn| taken(turn, &root));
    let mut table = turns::HEAD.to_owned();
    for (turn, said) in turns.iter().zip(&taken) {
        let shows = turn.shows(said);
        table +=
            &turn.row(shows.unwrap_or_else(|| panic!("{} says nothing of it: {said}", turn.name)));
        is_shown(&root, &turn.name, said);
    }
    is_shown(&root, "table", &table);

    let ways_out = at_a_time(&turns, |turn| turn.way_out(Path::new(PROGRAM), &root).unwrap());
    for (turn, said) in turns.iter().zip(ways_out) {
        assert_eq!(said, None, "the way out of {} leads nowhere", turn.name);
    }
}

/// Takes a turn. If it hangs and has not said everything by then, the machine may be slow.
fn taken(turn: &Turn, root: &Path) -> String {
    let take = |seconds| turn.take(Path::new(PROGRAM), root, seconds).unwrap();
    let said = take(5);
    if !turn.hangs() || said == shown(&file(root, &turn.name)) {
        return said;
    }
    take(60).replace("after 60 s", "after 5 s")
}

/// Does something with all turns, a few at a time; returns what comes of each.
fn at_a_time<T: Send>(turns: &[Turn], act: impl Fn(&Turn) -> T + Sync) -> Vec<T> {
    let next = Mutex::new(turns.iter().enumerate());
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((at, turn)) = { next.lock().unwrap().next() } {
                    let done = act(turn);
                    all.lock().unwrap().push((at, done));
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, done)| done).collect()
}

fn file(root: &Path, name: &str) -> PathBuf {
    root.join("docs/src/outputs/turns").join(name).with_extension("txt")
}

fn shown(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// Holds what the book shows to what was said, or writes it.
fn is_shown(root: &Path, name: &str, said: &str) {
    let file = file(root, name);
    if env::var_os("REFRESH").is_some() {
        fs::write(&file, said).unwrap();
    }
    assert_eq!(shown(&file), said, "{name}: `just refresh-turns` writes it anew");
}

#[test]
fn every_law_that_catches_a_wrong_turn_is_one_and_every_test_is_there() {
    let tests = |folder: &str| -> io::Result<String> {
        let files = book_tests::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        files.map_err(io::Error::other)?.iter().map(fs::read_to_string).collect()
    };
    let tests = tests("tests").unwrap();
    for Turn { name, caught_by, .. } in turns::turns().unwrap() {
        match caught_by {
            Catch::Law(law) => assert!(Law::named(&law).is_some(), "{name}: {law}"),
            Catch::Test(test) => assert!(tests.contains(&format!("fn {test}()")), "{name}: {test}"),
        }
    }
}
