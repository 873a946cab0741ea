//! Programs of others and in other languages, held to the laws from outside. The result
//! is a table of the book, which `REFRESH=1` writes. And what the book says of Python.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use conform::{Judged, LAWS, Template, judge, table};
use stages::{STAGES, Stage};
use system_tests::program;

/// The first columns of the table, as a person types them at the root of the repository.
/// A column for each stage follows.
const OTHERS: &[&str] = &[
    "cat {inputs}",
    "tail -q -n +1 -F {inputs}",
    "python3 docs/python/threads.py {output} {inputs}",
    "python3 docs/python/mixed.py {output} {inputs}",
    "python3 docs/python/wrapper.py {output} {inputs}",
    "python3 docs/python/tasks.py {output} {inputs}",
    "python3 docs/python/fully_async.py {output} {inputs}",
];

/// How long a program has for a right output. A wrong one costs all of that time.
const WITHIN: Duration = Duration::from_secs(20);

/// Lets a program open as many files as in a shell, unless it raises the limit itself.
const LIMITED: [&str; 2] = ["prlimit", "--nofile=1024:"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Judges a program of the list. Its path, and our command, are found from any folder.
fn judged(line: &str) -> Judged {
    let typed = Template::parse(line).unwrap();
    let found = typed.words().iter().map(|word| match &**word {
        "tributary" => env!("CARGO_BIN_EXE_tributary").to_owned(),
        path if path.starts_with("docs/") => root().join(path).display().to_string(),
        word => word.to_owned(),
    });
    let words = LIMITED.map(str::to_owned).into_iter().chain(found).collect();
    let laws: Vec<_> = LAWS.iter().collect();
    judge(&Template::new(words).unwrap(), &laws, WITHIN, &|| false).unwrap()
}

#[test]
fn the_table_of_the_book_says_which_law_which_program_keeps() {
    program("python3", "python3");
    program("prlimit", "util-linux");
    let stage = |stage: &Stage| {
        format!("tributary --stage {} --follow -o {{output}} {{inputs}}", stage.number)
    };
    let programs: Vec<String> =
        OTHERS.iter().map(|line| line.to_string()).chain(STAGES.iter().map(stage)).collect();
    let next = Mutex::new(programs.iter().enumerate());
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                while let Some((at, line)) = { next.lock().unwrap().next() } {
                    let judged = judged(line);
                    all.lock().unwrap().push((at, judged));
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap();
    all.sort_by_key(|(at, _)| *at);
    let all: Vec<_> = all.into_iter().map(|(_, judged)| judged).collect();

    let mut text = String::new();
    for (at, line) in programs.iter().enumerate() {
        text += &format!("{:>2}  {line}\n", at + 1);
    }
    text += &format!("\n{}", table(&all));
    let file = root().join("docs/src/figures/programs.txt");
    if env::var_os("REFRESH").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    assert!(text == known, "found:\n{text}\n{}", conform::text(&all));

    // A program that hangs is told as one that never begins some files. A program that
    // has no descriptor left says so.
    for (at, said) in [(3, "of 64 files have given no line"), (4, "Too many open files")] {
        let (_, witness) = all[at].broken().next().unwrap();
        assert!(witness.contains(said), "{witness}");
    }
}

#[test]
fn what_the_book_says_of_python_is_so() {
    let mut python = program("python3", "python3");
    let tried = python.arg(root().join("docs/python/facts.py")).output().unwrap();
    let said = String::from_utf8_lossy(&tried.stderr);
    assert!(tried.status.success() && said.contains("Ran 16 tests"), "{said}");
}
