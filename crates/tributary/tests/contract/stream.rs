//! What a merge keeps of a stream on another machine: as its output, and as where its
//! lines come from. No server is needed for that; `crates/system-tests` has one.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tributary::{Error, Lines, Options, Plan, Read, Target};

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn options(&self) -> Options {
        Options { checkpoint: Some(self.path("state")), ..Options::default() }
    }

    /// A merge of `log` into a stream.
    fn written_to(&self, name: &str) -> Result<Plan, Error> {
        Plan::open([self.path("log")], Target::Stream(name.to_owned()), self.options())
    }

    /// A merge from a stream into `out`.
    fn read_of(&self, name: &str) -> Result<Plan, Error> {
        let options = Options { from: Some(name.to_owned()), ..self.options() };
        Plan::open(Vec::<&Path>::new(), self.path("out"), options)
    }

    fn out(&self) -> String {
        fs::read_to_string(self.path("out")).unwrap()
    }
}

fn look(plan: &mut Plan) -> Lines {
    match plan.sources[0].read_lines().unwrap() {
        Read::Lines(lines) => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_checkpoint_says_with_which_message_the_lines_of_a_log_have_arrived() {
    let place = Place::new();
    fs::write(place.path("log"), "1\n2\n").unwrap();
    let mut plan = place.written_to("nats://a/S").unwrap();
    let lines = look(&mut plan);
    assert_eq!((lines.begin(), lines.end(), plan.output.sequence()), (0, 4, 0));
    let home = fs::canonicalize(place.path("log")).unwrap();
    assert_eq!(plan.output.arrived_of(&lines), (home.clone(), 0));
    plan.output.arrived(&lines, 7);
    assert_eq!(plan.output.arrived_of(&lines), (home.clone(), 7));
    drop(lines);
    assert_eq!(plan.output.finish().unwrap().lines, 2);
    drop(plan);

    // Rotated: it is the log that has sent the message, and not its file.
    fs::rename(place.path("log"), place.path("log.1")).unwrap();
    fs::write(place.path("log"), "3\n").unwrap();
    let mut plan = place.written_to("nats://a/S").unwrap();
    let lines = look(&mut plan);
    assert_eq!(lines.as_bytes(), b"3\n");
    assert_eq!((plan.output.arrived_of(&lines), plan.output.sequence()), ((home, 7), 7));
}

#[test]
fn what_has_not_arrived_is_read_again() {
    let place = Place::new();
    fs::write(place.path("log"), "1\n").unwrap();
    let mut plan = place.written_to("nats://a/S").unwrap();
    drop(look(&mut plan));
    plan.output.finish().unwrap();
    drop(plan);
    assert_eq!(look(&mut place.written_to("nats://a/S").unwrap()).as_bytes(), b"1\n");
}

#[test]
fn a_stage_that_writes_files_writes_no_stream() {
    let place = Place::new();
    fs::write(place.path("log"), "1\n").unwrap();
    let told = tributary::merge(place.written_to("nats://a/S").unwrap()).unwrap_err();
    assert!(told.to_string().starts_with("nats://a/S: a stream, and"), "{told}");

    // Who drops that error hears of it at the end.
    let mut plan = place.written_to("nats://a/S").unwrap();
    let lines = look(&mut plan);
    plan.output.append(&lines).unwrap_err();
    plan.output.finish().unwrap_err();
}

#[test]
fn the_output_and_the_place_in_the_stream_are_of_one_moment() {
    let place = Place::new();
    let mut plan = place.read_of("nats://a/S").unwrap();
    plan.output.append_from(Path::new("web:/log"), b"1\n2\n", 4).unwrap();
    let written = plan.output.finish().unwrap();
    assert_eq!((written.lines, written.sources[0].path.as_path()), (2, Path::new("web:/log")));
    drop(plan);

    let mut plan = place.read_of("nats://a/S").unwrap();
    assert_eq!(plan.output.sequence(), 4);
    // Dropped before a save, as by a kill: these lines are cut off, and come again.
    plan.output.append_from(Path::new("web:/log"), b"3\n", 5).unwrap();
    let saved = fs::read(place.path("state")).unwrap();
    drop(plan);
    fs::write(place.path("state"), saved).unwrap();
    let plan = place.read_of("nats://a/S").unwrap();
    assert_eq!((plan.output.sequence(), place.out().as_str()), (4, "1\n2\n"));
}

#[test]
fn an_output_that_is_renamed_before_the_first_message_is_not_emptied() {
    let place = Place::new();
    fs::write(place.path("out"), "before\n").unwrap();
    let options = Options { from: Some("nats://a/S".into()), restart: true, ..place.options() };
    let mut plan = Plan::open(Vec::<&Path>::new(), place.path("out"), options).unwrap();
    fs::rename(place.path("out"), place.path("out.1")).unwrap();
    plan.output.append_from(Path::new("web:/log"), b"1\n", 1).unwrap();
    assert_eq!(fs::read_to_string(place.path("out.1")).unwrap(), "before\n");
    assert_eq!(place.out(), "1\n");
}

#[test]
fn a_file_here_that_has_the_path_of_a_log_elsewhere_is_not_that_log() {
    let place = Place::new();
    let path = place.path("log");
    fs::write(&path, "of this machine\n").unwrap();
    let mut plan = place.read_of("nats://a/S").unwrap();
    plan.output.append_from(&path, b"1\n", 1).unwrap();
    let log = &plan.progress().sources()[0];
    assert_eq!((&log.path, log.lines, log.bytes, log.lag), (&path, 1, 2, None));
}

#[test]
fn a_checkpoint_of_another_stream_or_of_files_is_refused_and_nothing_is_changed() {
    let place = Place::new();
    fs::write(place.path("log"), "1\n").unwrap();
    let mut plan = place.read_of("nats://a/S").unwrap();
    plan.output.append_from(Path::new("web:/log"), b"1\n", 1).unwrap();
    plan.output.finish().unwrap();
    drop(plan);
    let of_files = Plan::open([place.path("log")], place.path("out"), place.options());
    // Into the same stream, too: it is the place of a reader.
    for plan in [place.read_of("nats://a/T"), place.written_to("nats://a/S"), of_files] {
        let told = plan.unwrap_err().to_string();
        assert!(told.ends_with("is of a merge from nats://a/S; name another one"), "{told}");
    }
    assert_eq!(place.out(), "1\n");
}

#[test]
fn a_server_that_has_got_another_address_has_the_same_stream() {
    let place = Place::new();
    fs::write(place.path("log"), "1\n").unwrap();
    let mut plan = place.written_to("nats://a/S").unwrap();
    assert!(plan.output.stream_was_made("monday"));
    let lines = look(&mut plan);
    plan.output.arrived(&lines, 7);
    drop(lines);
    plan.output.finish().unwrap();
    drop(plan);
    let mut plan = place.written_to("nats://b:4222/S").unwrap();
    assert_eq!(plan.output.sequence(), 7);
    assert!(plan.output.stream_was_made("monday") && !plan.output.stream_was_made("tuesday"));
    plan.output.finish().unwrap();
    drop(plan);
    // What is told from now on is the new address.
    let told = place.written_to("nats://b:4222/T").unwrap_err().to_string();
    assert!(told.ends_with("is of a merge into nats://b:4222/S; name another one"), "{told}");
}

#[test]
fn a_stream_that_was_made_anew_is_another_one() {
    let place = Place::new();
    let mut plan = place.read_of("nats://a/S").unwrap();
    assert!(plan.output.stream_was_made("monday") && plan.output.stream_was_made("monday"));
    plan.output.finish().unwrap();
    drop(plan);
    assert!(!place.read_of("nats://a/S").unwrap().output.stream_was_made("tuesday"));
}

#[test]
fn a_stream_cannot_be_started_anew() {
    let place = Place::new();
    fs::write(place.path("log"), "1\n").unwrap();
    let options = Options { restart: true, ..place.options() };
    let target = Target::Stream("nats://a/S".to_owned());
    let told = Plan::open([place.path("log")], target, options).unwrap_err().to_string();
    assert!(told.contains("purge it and remove the checkpoint"), "{told}");
}
