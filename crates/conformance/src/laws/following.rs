//! What becomes of a log while it is followed: rotated, truncated, deleted,
//! replaced; and who is woken by it.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use checker::Kind;
use tributary::MergeFn;

use crate::broken::{Verdict, require};
use crate::pen::Pen;
use crate::run::{HOUR, SOON};
use crate::scene::{Log, Scene};

/// Something that happens to a log between two looks.
type Step = fn(&mut Pen) -> io::Result<()>;

/// A renamed file is read to its end before the first line of its successor.
///
/// The log is renamed with more than a chunk unread, and its writer goes on in
/// the renamed file until there is a new one. The stop comes with the last
/// rotation.
pub fn a_renamed_file_is_read_to_its_end_before_its_successor(merge: MergeFn) -> Verdict {
    const ROTATE: Step = |pen| {
        pen.write(6_000)?;
        pen.rename()?;
        pen.write(10)?;
        pen.create()?;
        pen.write(10)
    };
    told(merge, HOUR, &[|pen| pen.write(10), ROTATE, ROTATE, ROTATE])
}

/// What is written late to a renamed file is merged, too.
///
/// Its writer goes on in the renamed file when the new one has lines already,
/// and when the renamed file is deleted.
pub fn what_is_written_late_to_a_renamed_file_is_merged(merge: MergeFn) -> Verdict {
    told(
        merge,
        HOUR,
        &[
            |pen| pen.write(10),
            |pen| {
                pen.rotate()?;
                pen.write(10)
            },
            |pen| pen.write_late(10),
            |pen| pen.write(10),
            |pen| {
                pen.remove_renamed()?;
                pen.write_late(10)
            },
        ],
    )
}

/// A half line at the end of a file is not glued to what its successor begins with.
///
/// Its own writer ends it, when the new file has a line already; or nobody
/// does, and it stands on a line of its own when its file is let go, or when
/// the run ends.
pub fn a_half_line_is_not_glued_to_the_next_file(merge: MergeFn) -> Verdict {
    let rotated = |quiet, is_ended: bool| {
        let scene = Scene::new();
        let logs = scene.logs(1);
        let pen = Arc::new(Mutex::new(Pen::new(&logs[0])));
        logs[0].append_bytes(b"one\nha").expect("a log can be written");
        let run = scene.following(&logs, SOON).letting_go_after(quiet).during({
            let log = logs[0].clone();
            move |look| {
                match look.count {
                    1 if look.found_nothing(&log) => {
                        lock(&pen).rotate()?;
                        log.append_bytes(b"two\n")?;
                    }
                    2 if look.found_nothing(&log) => {
                        if is_ended {
                            lock(&pen).write_late_bytes(b"lf\n")?;
                        }
                        look.stop.request();
                    }
                    _ => {}
                }
                Ok(())
            }
        });
        run.run(merge).report()?;
        let merged = scene.merged();
        let mut lines: Vec<_> = merged.split_inclusive(|&byte| byte == b'\n').collect();
        // When a file is let go is not said: its half line may come first.
        lines.sort_unstable();
        let half: &[u8] = if is_ended { b"half\n" } else { b"ha\n" };
        require(lines == [half, b"one\n", b"two\n"], || {
            format!(
                "expected the lines one, two and {:?}, found {:?}",
                half.escape_ascii().to_string(),
                merged.escape_ascii().to_string()
            )
        })
    };
    rotated(HOUR, true)?;
    rotated(HOUR, false)?;
    rotated(Duration::ZERO, false)
}

/// Twenty renames in quick succession lose nothing and keep the order.
///
/// Once at each moment of the source, so that two of them come between two
/// looks; and once by a writer that does not know when the source looks.
pub fn twenty_renames_in_quick_succession_lose_nothing(merge: MergeFn) -> Verdict {
    const TIMES: usize = 20;
    const ROTATE: Step = |pen| {
        pen.write(50)?;
        pen.rename()?;
        pen.write(1)?;
        pen.create()?;
        pen.write(50)
    };
    let scene = Scene::new();
    let logs = scene.logs(2);
    let pen = Arc::new(Mutex::new(Pen::new(&logs[0])));
    let run = scene.following(&logs, SOON).letting_go_after(HOUR).during({
        let (log, pen) = (logs[0].clone(), Arc::clone(&pen));
        move |look| {
            let mut pen = lock(&pen);
            if look.path == log.path && pen.rotations < TIMES {
                ROTATE(&mut pen)?;
                if pen.rotations == TIMES {
                    look.stop.request();
                }
            }
            Ok(())
        }
    });
    run.run(merge).report()?;
    scene.require_right(&[lock(&pen).expected(&scene), logs[1].clone()])?;

    let scene = Scene::new();
    let logs = scene.logs(2);
    let mut pen = Pen::new(&logs[0]);
    let run = scene.following(&logs, SOON).letting_go_after(HOUR).run(merge);
    let writer = thread::spawn(move || (0..TIMES).try_for_each(|_| ROTATE(&mut pen)).map(|()| pen));
    let pen = writer.join().expect("a writer does not panic").expect("a log can be written");
    run.stop.request();
    run.report()?;
    scene.require_right(&[pen.expected(&scene), logs[1].clone()])
}

/// A truncated file is read from its start.
///
/// Truncated with everything read and less than before in it then, with a half
/// line at its end, with a line that came and went since the last look, and
/// more than once. The half line stands alone.
pub fn a_truncated_file_is_read_from_its_start(merge: MergeFn) -> Verdict {
    told(
        merge,
        HOUR,
        &[
            |pen| pen.write(100),
            |pen| {
                pen.truncate()?;
                pen.write(3)
            },
            |pen| pen.write_half(),
            |pen| pen.truncate(),
            |pen| pen.write(10),
            |pen| {
                pen.write_and_truncate()?;
                pen.write(1)
            },
        ],
    )
}

/// A file that is rewritten as long as before, or longer, is read from its start.
pub fn a_rewritten_file_is_read_from_its_start(merge: MergeFn) -> Verdict {
    const STORY: &[Step] = &[
        |pen| pen.rewrite(10),
        |pen| pen.rewrite(10),
        |pen| pen.rewrite(20),
        |pen| pen.write(5),
        |pen| pen.rewrite(6_000),
    ];
    told(merge, HOUR, STORY)
}

/// A file that is deleted and made anew is followed.
///
/// Between two looks, and with looks at a name that is nobody's; with lines
/// that were not read when the file was deleted; with the deleted file still
/// held, and let go, so that the new one may have its inode.
pub fn a_deleted_file_that_is_made_anew_is_followed(merge: MergeFn) -> Verdict {
    const STORY: &[Step] = &[
        |pen| pen.write(10),
        |pen| {
            pen.write(10)?;
            pen.remove()?;
            pen.create()?;
            pen.write(10)
        },
        |pen| {
            pen.write(10)?;
            pen.remove()
        },
        |_| Ok(()),
        |pen| {
            pen.create()?;
            pen.write(10)
        },
    ];
    told(merge, HOUR, STORY)?;
    told(merge, Duration::ZERO, STORY)
}

/// A file that is missing is waited for, and read from its start when it is there.
///
/// Missing in its folder, and with it.
pub fn a_missing_file_is_waited_for(merge: MergeFn) -> Verdict {
    const APPEARS: Step = |pen| {
        pen.create()?;
        pen.write(10)
    };
    told(merge, HOUR, &[|pen| pen.remove(), |_| Ok(()), APPEARS, |pen| pen.write(10)])?;
    told(merge, HOUR, &[|pen| pen.remove_folder(), |_| Ok(()), APPEARS, |pen| pen.write(10)])
}

/// A symbolic link that leads elsewhere is followed.
///
/// There and back again: what was read of the first file is not read twice,
/// whether it is still held or was let go.
pub fn a_link_that_leads_elsewhere_is_followed(merge: MergeFn) -> Verdict {
    const STORY: &[Step] = &[
        |pen| {
            pen.lead_to("here")?;
            pen.write(10)
        },
        |pen| {
            pen.write(10)?;
            pen.lead_to("there")?;
            pen.write(10)
        },
        |pen| pen.write(10),
        |pen| {
            pen.lead_to("here")?;
            pen.write(10)
        },
    ];
    told(merge, HOUR, STORY)?;
    told(merge, Duration::ZERO, STORY)
}

/// A log and its rotated name may both be sources: each line is merged once.
///
/// The log is renamed to the name of the other source, whose file goes, and
/// its writer goes on in it. Held by the first source, and let go by it.
pub fn a_log_and_its_rotated_name_are_merged_once(merge: MergeFn) -> Verdict {
    let both = |quiet| {
        let scene = Scene::new();
        let mut logs = scene.logs(2);
        logs[1].path = scene.path("source-0000.log.1");
        fs::rename(scene.path("source-0001.log"), &logs[1].path).expect("the folder is ours");
        logs[1].append(1..=10).expect("a log can be written");
        let other = scene.expected(&logs[1], &logs[1].lines(1..=10));
        let pen = Arc::new(Mutex::new(Pen::new(&logs[0])));
        lock(&pen).write(10).expect("a log can be written");
        let run = scene.following(&logs, SOON).letting_go_after(quiet).during({
            let (log, pen) = (logs[0].clone(), Arc::clone(&pen));
            move |look| {
                if !look.found_nothing(&log) {
                    return Ok(());
                }
                let mut pen = lock(&pen);
                match look.count {
                    1 => {
                        pen.write(10)?;
                        pen.replace_renamed()?;
                        pen.create()?;
                        pen.write(10)
                    }
                    2..5 => pen.write_late(10),
                    5 => {
                        look.stop.request();
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
        });
        run.run(merge).report()?;
        // Which of the two sources reads a late line is not said.
        let kinds: Vec<_> =
            Kind::ALL.into_iter().filter(|&kind| kind != Kind::OutOfOrder).collect();
        scene.require_none_of(&kinds, &[lock(&pen).expected(&scene), other])
    };
    both(HOUR)?;
    both(Duration::ZERO)
}

/// A source that waits is woken by what happens to its file, not by an interval.
///
/// The interval is an hour, and each step is waited for: a write, a rotation,
/// a late write, a deletion, a truncation.
pub fn a_source_that_waits_is_woken_by_a_change(merge: MergeFn) -> Verdict {
    const STEPS: &[(&str, Step)] = &[
        ("a line that was written", |pen| pen.write(1)),
        ("a line of a new file", |pen| {
            pen.rotate()?;
            pen.write(1)
        }),
        ("a line of the renamed file", |pen| pen.write_late(1)),
        ("another line of the new file", |pen| pen.write(1)),
        ("a line of a file in the place of a deleted one", |pen| {
            pen.remove()?;
            pen.create()?;
            pen.write(1)
        }),
        ("a line of a truncated file", |pen| {
            pen.truncate()?;
            pen.write(1)
        }),
    ];
    let scene = Scene::new();
    let logs = scene.logs(2);
    let mut pen = Pen::new(&logs[0]);
    let run = scene.following(&logs, HOUR).letting_go_after(HOUR).notified().run(merge);
    run.until("both sources were found empty", |merge| {
        logs.iter().all(|log| merge.found_nothing(log) >= 1)
    })?;
    for (what, step) in STEPS {
        step(&mut pen).expect("a log can be written");
        run.until_merged(what, pen.bytes())?;
    }
    run.stop.request();
    run.report()?;
    scene.require_right(&[pen.expected(&scene), logs[1].clone()])
}

/// What happens to one source causes no look at another.
///
/// Five lines are written to one of four sources, each when the last one is in
/// the output and no look comes any more. The others are not looked at more than
/// twice: by the sweep that makes up for what no notification tells.
pub fn a_change_of_one_source_causes_no_look_at_another(merge: MergeFn) -> Verdict {
    const LINES: u64 = 5;
    const SWEEPS: u64 = 2;
    let scene = Scene::new();
    let logs = scene.logs(4);
    let run = scene.following(&logs, HOUR).notified().run(merge);
    run.until("all sources were found empty", |merge| {
        logs.iter().all(|log| merge.found_nothing(log) >= 1)
    })?;
    run.until_still()?;
    let looks = || run.see(|merge| logs.iter().map(|log| merge.looks_at(log)).collect::<Vec<_>>());
    let before = looks();
    for number in 1..=LINES {
        logs[0].append(number..=number).expect("a log can be written");
        let bytes = logs[0].lines(1..=number).len() as u64;
        run.until_merged(&format!("line {number} of source 0"), bytes)?;
        run.until_still()?;
    }
    for ((log, before), after) in logs.iter().zip(before).zip(looks()).skip(1) {
        require(after <= before + SWEEPS, || {
            format!(
                "{LINES} lines were written to source 0, one after the other: expected no look \
                 at source {}, found {}",
                log.index,
                after - before
            )
        })?;
    }
    run.stop.request();
    run.report()?;
    scene.require_right(&logs)
}

/// Follows a log, and another one at rest, while a story is told of it: its
/// first step before the merge begins, each further one when the log has been
/// looked at and nothing was found, the last one together with the stop.
#[track_caller]
fn told(merge: MergeFn, quiet: Duration, story: &'static [Step]) -> Verdict {
    let scene = Scene::new();
    let mut logs = scene.logs(2);
    logs[1].append(1..=100).expect("a log can be written");
    // In a folder of its own, which may go.
    let folder = scene.path("logs");
    fs::create_dir(&folder).expect("a law needs a folder");
    let log = Log { path: folder.join("source-0000.log"), ..logs[0].clone() };
    fs::rename(&logs[0].path, &log.path).expect("the folder is ours");
    logs[0] = log.clone();

    let mut pen = Pen::new(&log);
    story[0](&mut pen).expect("the story can begin");
    let pen = Arc::new(Mutex::new(pen));
    let run = scene.following(&logs, SOON).letting_go_after(quiet).during({
        let pen = Arc::clone(&pen);
        move |look| {
            if look.found_nothing(&log)
                && let Some(step) = story.get(look.count as usize)
            {
                step(&mut lock(&pen))?;
                if look.count as usize == story.len() - 1 {
                    look.stop.request();
                }
            }
            Ok(())
        }
    });
    run.run(merge).report()?;
    scene.require_right(&[lock(&pen).expected(&scene), logs[1].clone()])
}

fn lock(pen: &Mutex<Pen>) -> MutexGuard<'_, Pen> {
    pen.lock().unwrap_or_else(PoisonError::into_inner)
}
