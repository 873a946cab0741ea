//! The examples do what they say.

#[allow(dead_code, reason = "each has a `main` of its own")]
#[path = "../../examples/follow.rs"]
mod follow;
#[allow(dead_code, reason = "each has a `main` of its own")]
#[path = "../../examples/merge.rs"]
mod merge;

use crate::common::Place;
use tributary::Plan;

#[test]
fn follow_shows_whole_lines_until_the_stop() {
    let place = Place::new();
    place.append(&place.log, "1\n2\nhalf");
    let plan = Plan::open([&place.log], &place.output, place.options.clone()).unwrap();
    plan.stop.request();
    follow::follow(plan).unwrap();
    assert_eq!(place.merged(), "1\n2\nhalf\n");
}

#[test]
fn merge_goes_on_where_it_ended() {
    let place = Place::new();
    let logs = || ["app.log", "other.log"].map(|name| place.path(name).into()).into_iter();
    place.append("app.log", "1\nha");
    place.append("other.log", "2\n");
    merge::merge(&place.output, logs(), |stop| stop.request()).unwrap();
    assert_eq!(place.merged(), "app.log: 1\nother.log: 2\n");
    place.append("app.log", "lf\n");
    merge::merge(&place.output, logs(), |stop| stop.request()).unwrap();
    assert_eq!(place.merged(), "app.log: 1\nother.log: 2\napp.log: half\n");
}
