//! The programs under `refused/`, which the READMEs of the stages offer for
//! breaking: the compiler refuses each at the line that says so, with the code
//! that it says, and takes its twin, which is one line away. Only the code and the
//! line are held to, not the words: these change with the compiler.

use std::collections::BTreeMap;
use std::path::Path;

use book_tests::refused::{check, expected, programs, step, twin};

use crate::root;

#[test]
fn each_program_is_refused_where_it_says_and_its_twin_is_not() {
    let programs = programs(&root().join("crates/book-tests/tests/refused"))
        .expect("the programs can be read");
    assert!(programs.len() >= 10, "two for each stage, found {}", programs.len());

    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
    let twins = programs.iter().map(|(name, program)| (format!("{name}_twin"), twin(program)));
    let both: BTreeMap<_, _> = programs.clone().into_iter().chain(twins).collect();
    let refusals = check(&root(), &package, &both).expect("they can be checked");
    let said = |name: &str| -> Vec<(String, u64)> {
        let said = refusals.get(name).cloned().unwrap_or_default();
        said.into_iter().map(|refusal| (refusal.what, refusal.line)).collect()
    };

    let mut wrong = Vec::new();
    for (name, program) in &programs {
        let expected = expected(program).unwrap_or_else(|error| panic!("{name}: {error}"));
        step(program).unwrap_or_else(|error| panic!("{name}: {error}"));
        let as_expected =
            |(what, line): &(String, u64)| what.starts_with(&expected.0) && *line == expected.1;
        let errors = said(name);
        if errors.is_empty() || !errors.iter().all(as_expected) {
            wrong.push(format!("{name}: expected {expected:?}, the compiler said {errors:?}"));
        }
        let errors = said(&format!("{name}_twin"));
        if !errors.is_empty() {
            wrong.push(format!("{name}: the twin should compile, the compiler said {errors:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_twin_is_one_line_away() {
    let program = "fn main() {\n    one(); // refused: E0000\n    // accepted: two();\n}";
    assert_eq!(step(program).unwrap(), ("one();", "two();"));
    assert_eq!(twin(program), "fn main() {\ntwo();\n}");
    for (accepted, said) in [
        ("", "no twin"),
        ("// accepted: one();\n", "the same"),
        ("// accepted: two();\nthree();\n// accepted: four();\n", "2 lines away"),
    ] {
        let error = step(&format!("one(); // refused: E0000\n{accepted}")).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}
