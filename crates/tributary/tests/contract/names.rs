//! Every line once, whatever the names do: over runs, patterns, copies and
//! restored files.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};

use testkit::BOUND;
use tributary::{Options, Read, Wake};

/// A place whose merges keep a checkpoint, and do not follow.
fn place() -> crate::common::Place {
    let mut place = crate::common::Place::with_checkpoint();
    place.options.follow = false;
    place
}

/// Many lines, more than the bytes by which a file is recognised.
fn many(from: u32, to: u32) -> String {
    (from..to).map(|n| format!("line number {n}\n")).collect()
}

#[test]
fn a_log_rotated_between_two_runs_under_a_pattern_is_read_once_and_first() {
    for rotated in ["app-20261122.log", "app.1.log", "app.old-name.log"] {
        let place = place();
        place.append("app.log", "1\n");
        place.run(&[], place.pattern("*.log"));
        place.append("app.log", "2\n");
        place.rename("app.log", rotated);
        place.append("app.log", "3\n");
        assert_eq!(place.run(&[], place.pattern("*.log")), "1\n2\n3\n", "{rotated}");
        assert_eq!(place.run(&[], place.pattern("*.log")), "1\n2\n3\n", "{rotated}, once more");
    }
}

#[test]
fn names_that_hold_a_time_are_found_between_two_runs() {
    let place = place();
    place.append("current", "1\n");
    place.run(&["current"], place.options.clone());
    place.append("current", "2\n");
    place.rename("current", "@400000006792a0f10c5e1b44.s");
    place.append("current", "3\n");
    place.rename("current", "@400000006792a0f20c5e1b44.s");
    place.append("current", "4\n");
    assert_eq!(place.run(&["current"], place.options.clone()), "1\n2\n3\n4\n");
}

#[test]
fn a_longer_file_with_the_same_lines_goes_on_where_the_one_before_ended() {
    let place = place();
    place.append("app.log", &(many(0, 50) + "half"));
    let mut plan = place.open_with(|it| it.follow = true);
    assert_eq!(plan.look(), many(0, 50));
    place.append(".app.log.tmp", &(many(0, 50) + "half a line\n"));
    place.rename(".app.log.tmp", "app.log");
    let expected = many(0, 50) + "half a line\n";
    assert_eq!(plan.look(), expected);
    // A merge that is killed now knows that, too.
    plan.end();
    assert_eq!(place.run(&["app.log"], place.options.clone()), expected);
}

#[test]
fn a_half_line_whose_rest_comes_to_the_file_that_was_replaced_is_whole() {
    for checkpoint in [true, false] {
        let place = place();
        let mut writer = place.append("app.log", many(0, 50) + "half");
        let mut plan = place.open_with(|it| {
            it.follow = true;
            it.checkpoint = it.checkpoint.take().filter(|_| checkpoint);
        });
        assert_eq!(plan.look(), many(0, 50));
        place.append(".app.log.tmp", many(0, 50) + "half a line\n");
        place.rename(".app.log.tmp", "app.log");
        let expected = many(0, 50) + "half a line\n";
        assert_eq!(plan.look(), expected);
        // Who writes the log still has the file that has lost the name.
        writer.write_all(b" of the old one\nlate\n").unwrap();
        let expected = expected + "half of the old one\nlate\n";
        assert_eq!(plan.look(), expected);
        writer.write_all(b"end").unwrap();
        plan.stop.request();
        let end = if checkpoint { "" } else { "end\n" };
        assert_eq!(plan.look(), expected + end);
    }
}

#[test]
fn a_log_that_gets_its_name_back_goes_on_where_it_was() {
    let place = place();
    place.append("app.log", many(0, 50) + "first\n");
    let mut plan = place.open_with(|it| it.follow = true);
    plan.look();
    place.rename("app.log", "app.log.1");
    // It begins with the same lines, as each start of a program writes them.
    place.append("app.log", many(0, 50));
    let mut expected = many(0, 50) + "first\n" + &many(0, 50);
    assert_eq!(plan.look(), expected);
    // Somebody takes the rotation back.
    place.rename("app.log.1", "app.log");
    assert_eq!(plan.look(), expected);
    for line in ["second\n", "third\n"] {
        place.append("app.log", line);
        expected += line;
        assert_eq!(plan.look(), expected);
    }
}

#[test]
fn a_log_that_gets_its_name_back_in_the_moment_in_which_it_is_let_go_is_read_on() {
    let place = place();
    let options =
        Options { follow: true, quiet: Duration::ZERO, wake: Wake::Poll, ..place.options.clone() };
    place.append("app.log", "1\n");
    let mut plan = place.merge(&["app.log"], options);
    plan.drain();
    place.append("app.log", "2\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "");
    let Read::Lines(lines) = plan.sources[0].read_lines().unwrap() else { panic!("2") };
    // It is let go, but for these lines.
    assert!(matches!(plan.sources[0].read_lines().unwrap(), Read::NoNewData));
    place.rename("app.log.1", "app.log");
    assert!(matches!(plan.sources[0].read_lines().unwrap(), Read::NoNewData));
    plan.output.append(&lines).unwrap();
    drop(lines);
    plan.end();
    // The next run knows it as the file of the log, whatever its name is.
    place.append("app.log", "3\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "4\n");
    assert_eq!(place.run(&["app.log"], place.options.clone()), "1\n2\n3\n4\n");
}

#[test]
fn a_half_line_of_a_file_that_gets_the_name_of_another_log_is_not_torn() {
    let place = place();
    let options =
        Options { follow: true, quiet: Duration::ZERO, wake: Wake::Poll, ..place.options.clone() };
    place.append("app.log.1", "1\n");
    let mut plan = place.merge(&["app.log", "app.log.1"], options);
    assert_eq!(plan.look(), "1\n");
    place.append("app.log.1", "half");
    plan.drain();
    place.rename("app.log.1", "app.log");
    plan.drain();
    place.append("app.log", " a line\n");
    assert_eq!(plan.look(), "1\nhalf a line\n");
}

#[test]
fn a_log_may_be_replaced_again_and_again_without_a_checkpoint_too() {
    let place = place();
    place.append("app.log", many(0, 50));
    let mut plan = place.open_with(|it| (it.follow, it.checkpoint) = (true, None));
    plan.look();
    for length in [51, 52, 53] {
        place.append(".app.log.tmp", many(0, length));
        place.rename(".app.log.tmp", "app.log");
        assert_eq!(plan.look(), many(0, length));
    }
}

#[test]
fn a_copy_that_fits_the_pattern_is_not_read_again() {
    let place = place();
    place.append("app.log", many(0, 50));
    let options = Options { follow: true, ..place.pattern("app.log*") };
    let mut plan = place.merge(&[], options);
    plan.look();
    fs::copy(place.path("app.log"), place.path("app.log.bak")).unwrap();
    // What the copy has beyond the place of the last look is read from it.
    place.append("app.log", "unread\n");
    fs::copy(place.path("app.log"), place.path("app.log.1")).unwrap();
    File::create(place.path("app.log")).unwrap();
    place.append("app.log", "after\n");
    let expected = many(0, 50) + "after\nunread\n";
    plan.look_until(&expected);
    plan.end();
    place.rename("app.log.1", "app.log.2");
    assert_eq!(place.run(&[], place.pattern("app.log*")), expected, "in the next run");
}

#[test]
fn a_log_that_begins_as_another_one_is_no_copy_once_it_has_lines_of_its_own() {
    let place = place();
    let begin = many(0, 50);
    place.append("worker", begin.clone() + "one\n");
    let options = Options { follow: true, ..place.pattern("worker*") };
    let mut plan = place.merge(&[], options.clone());
    assert_eq!(plan.look(), begin.clone() + "one\n");
    // All that it has is the beginning of the other one, when it is first seen.
    place.append("worker-2", &begin);
    plan.end();
    let mut plan = place.merge(&[], options);
    assert_eq!(plan.look(), begin.clone() + "one\n");
    place.append("worker-2", "two\n");
    // Every folder is read once more.
    plan.stop.request();
    let expected = begin.clone() + "one\n" + &begin + "two\n";
    assert_eq!(plan.look(), expected);
    plan.end();
    assert_eq!(place.run(&[], place.pattern("worker*")), expected, "in the next run");
}

#[test]
fn the_checkpoint_and_the_outputs_before_are_no_logs() {
    let place = place();
    place.append("a.log", "1\n");
    let options = || Options { checkpoint: Some(place.path("state.log")), ..place.pattern("*") };
    let run = || {
        let mut plan = place.merge(&[], options());
        for _ in 0..3 {
            plan.drain();
        }
        plan.output.finish().unwrap();
        place.merged()
    };
    assert_eq!(run(), "1\n");
    place.rename("merged.log", "merged.log.1");
    place.append("a.log", "2\n");
    assert_eq!(run(), "2\n");
    place.append("a.log", "3\n");
    assert_eq!(run(), "2\n3\n");
    assert_eq!(place.read("merged.log.1"), "1\n");
    // A log that gets the inode of such a file is one.
    fs::remove_file(place.path("merged.log.1")).unwrap();
    for number in 0..20 {
        place.append(format!("b{number}.log"), "b\n");
    }
    assert_eq!(run(), "2\n3\n".to_owned() + &"b\n".repeat(20));
}

#[test]
fn a_checkpoint_is_its_owners_alone_and_touches_no_other_file() {
    let place = place();
    place.append("a.log", "1\n");
    for bystander in ["state.new", ".state.new"] {
        place.append(bystander, "precious\n");
    }
    place.append("victim", "keep\n");
    symlink("victim", place.path(".state.000000.new")).unwrap();
    place.run(&["a.log"], place.options.clone());
    let mode = fs::metadata(place.path("state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.read("victim"), "keep\n");
    for bystander in ["state.new", ".state.new"] {
        assert_eq!(place.read(bystander), "precious\n");
    }
}

#[test]
fn logs_that_are_gone_leave_nothing_behind() {
    let place = place();
    fs::create_dir(place.path("d")).unwrap();
    let options =
        Options { follow: true, quiet: Duration::ZERO, wake: Wake::Notify, ..place.pattern("d/*") };
    let mut plan = place.merge(&[], options);
    let mut expected = String::new();
    for number in 0..200 {
        let (name, line) = (format!("d/{number}"), format!("{number}\n"));
        place.append(&name, &line);
        expected += &line;
        plan.look_until(&expected);
        fs::remove_file(place.path(&name)).unwrap();
    }
    let bound = Instant::now() + BOUND;
    while plan.progress().sources().len() > 1 {
        assert!(Instant::now() < bound, "{:?}", plan.progress().sources());
        plan.look();
    }
    let all = &plan.progress().sources()[0];
    assert_eq!((all.lines, all.bytes), (200, expected.len() as u64), "summed up: {all:?}");
    plan.output.finish().unwrap();
    let length = fs::metadata(place.path("state")).unwrap().len();
    assert!(length < 1000, "the checkpoint has {length} bytes");
}

#[test]
fn what_is_moved_to_another_folder_of_the_patterns_is_not_read_again() {
    let mut place = place();
    place.options = Options { follow: true, quiet: Duration::ZERO, ..place.options };
    let mut options = place.pattern("logs/*");
    options.patterns.extend(place.pattern("old/*").patterns);
    place.append("old/first", "");
    place.append("logs/app.log", "");
    let mut plan = place.merge(&[], options);
    // So many that those are forgotten that are gone.
    let mut expected = String::new();
    for number in 0..100 {
        let line = format!("{number}\n");
        place.append("logs/app.log", &line);
        expected += &line;
        plan.drain();
        place.rename("logs/app.log", format!("old/{number}"));
        place.append("logs/app.log", "");
        plan.drain();
    }
    // Every folder is read once more.
    plan.stop.request();
    assert_eq!(plan.look(), expected);
}

#[test]
fn what_a_checkpoint_costs_is_what_has_changed() {
    let place = place();
    for number in 0..500 {
        place.append(format!("d/{number}.log"), many(0, 30));
    }
    let mut plan = place.merge(&[], Options { follow: true, ..place.pattern("d/*.log") });
    plan.look();
    plan.output.finish().unwrap();
    let length = || fs::metadata(place.path("state")).unwrap().len();
    let whole = length();
    for line in 0..20 {
        place.append("d/7.log", format!("{line}\n"));
        plan.look();
        plan.output.finish().unwrap();
    }
    assert!(length() <= whole + 20_000, "from {whole} to {} bytes", length());
}

#[test]
fn what_is_rotated_while_the_kernel_tells_is_read_once_whatever_its_name() {
    let place = place();
    place.append("app.log", "1\n");
    let mut plan = place.open_with(|it| (it.follow, it.wake) = (true, Wake::Notify));
    plan.look();
    let mut expected = "1\n".to_owned();
    // No rule knows such names, and each is passed over between two looks.
    for round in 0..5 {
        for (name, line) in [("first", "a"), ("second", "b")] {
            place.rename("app.log", format!("{name} of {round}"));
            place.append("app.log", format!("{line} {round}\n"));
            expected += &format!("{line} {round}\n");
        }
        assert_eq!(plan.look(), expected, "round {round}");
        // What comes late comes once.
        for name in ["first", "second"] {
            place.append(format!("{name} of {round}"), format!("late in {name} {round}\n"));
            expected += &format!("late in {name} {round}\n");
        }
        assert_eq!(plan.look(), expected, "late in round {round}");
    }
}
