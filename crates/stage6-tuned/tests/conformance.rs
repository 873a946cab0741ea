//! Stage 6, held to the laws that every merge keeps.

use tributary::{Error, Options, Plan, Target};

conformance::suite!(stage6_tuned::merge);

#[test]
fn an_error_of_the_last_batch_is_told() {
    // A stream is refused at each append, and the output forgets it at once.
    let stream = Target::Stream("LOGS".to_owned());
    let plan = Plan::open(["Cargo.toml"], stream, Options::default()).unwrap();
    let error = stage6_tuned::merge(plan).unwrap_err();
    assert!(matches!(error, Error::BadOutput { .. }), "{error}");
}
