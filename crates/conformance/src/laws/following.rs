//! What becomes of a log while it is followed: rotated, truncated, deleted,
//! replaced.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use checker::Kind;
use tributary::{MergeFn, Wake};

use crate::broken::{Verdict, require};
use crate::pen::{Pen, Step, lock};
use crate::run::{HOUR, SOON, both_ways};
use crate::scene::Scene;

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
/// The writer goes on in the renamed file after the new one has lines, and after the
/// renamed file is deleted.
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
/// Either its writer ends it, after the new file has a line. Or nobody does, and it is
/// on a line of its own once its file is let go, or the run ends.
pub fn a_half_line_is_not_glued_to_the_next_file(merge: MergeFn) -> Verdict {
    let rotated = |quiet, is_ended: bool, wake| {
        let scene = Scene::new();
        let logs = scene.logs(1);
        let pen = Arc::new(Mutex::new(Pen::new(&logs[0])));
        logs[0].append_bytes(b"one\nha").expect("a log can be written");
        let run = scene.following(&logs, SOON).woken(wake).letting_go_after(quiet).during({
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
        // No order is promised for a file that is let go: its half line may come first.
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
    both_ways(|wake| {
        rotated(HOUR, true, wake)?;
        rotated(HOUR, false, wake)?;
        rotated(Duration::ZERO, false, wake)
    })
}

/// Twenty renames in quick succession lose nothing and keep the order.
///
/// Tried with a rename at each moment of the source, so that several come between two
/// looks; and with a writer that does not know when the source looks.
pub fn twenty_renames_in_quick_succession_lose_nothing(merge: MergeFn) -> Verdict {
    both_ways(|wake| twenty_renames(merge, wake))
}

fn twenty_renames(merge: MergeFn, wake: Wake) -> Verdict {
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
    let run = scene.following(&logs, SOON).woken(wake).letting_go_after(HOUR).during({
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
    let run = scene.following(&logs, SOON).woken(wake).letting_go_after(HOUR).run(merge);
    let writer = thread::spawn(move || (0..TIMES).try_for_each(|_| ROTATE(&mut pen)).map(|()| pen));
    let pen = writer.join().expect("a writer does not panic").expect("a log can be written");
    run.stopped()?;
    scene.require_right(&[pen.expected(&scene), logs[1].clone()])
}

/// A truncated file is read from its start.
///
/// It is truncated when all was read, and has less in it than before; with a half line
/// at its end, which then stands alone; with a line that came and went since the last
/// look; and more than once.
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
/// Tried between two looks, and with looks while the name leads to no file, or led to
/// one for a moment; with lines that were unread when the file was deleted; with the
/// deleted file still held, and let go, so that the new one may have its inode.
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
        |pen| {
            pen.create()?;
            pen.remove()
        },
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
/// The file is missing alone, and together with its folder: without a folder, nothing
/// is notified.
pub fn a_missing_file_is_waited_for(merge: MergeFn) -> Verdict {
    const APPEARS: Step = |pen| {
        pen.create()?;
        pen.write(10)
    };
    const VANISHES: Step = |pen| {
        pen.create()?;
        pen.remove()
    };
    const GOES_AGAIN: Step = |pen| {
        pen.create()?;
        pen.remove_folder()
    };
    told(merge, HOUR, &[|pen| pen.remove(), VANISHES, APPEARS, |pen| pen.write(10)])?;
    const WITH_ITS_FOLDER: &[Step] =
        &[|pen| pen.remove_folder(), GOES_AGAIN, APPEARS, |pen| pen.write(10)];
    told_once(merge, HOUR, Wake::Poll, WITH_ITS_FOLDER)
}

/// A symbolic link that leads elsewhere is followed.
///
/// The link leads to another file and back again. The lines of the first file are not
/// read twice, whether it is still held or was let go. The same with the folder of the
/// log: programs are deployed so, and Kubernetes mounts its files so.
pub fn a_link_that_leads_elsewhere_is_followed(merge: MergeFn) -> Verdict {
    macro_rules! story {
        ($lead_to:ident) => {
            &[
                |pen| {
                    pen.$lead_to("here")?;
                    pen.write(10)
                },
                |pen| {
                    pen.write(10)?;
                    pen.$lead_to("there")?;
                    pen.write(10)
                },
                |pen| pen.write(10),
                |pen| {
                    pen.$lead_to("here")?;
                    pen.write(10)
                },
            ]
        };
    }
    const FILE: &[Step] = story!(lead_to);
    const FOLDER: &[Step] = story!(lead_folder_to);
    for story in [FILE, FOLDER] {
        told(merge, HOUR, story)?;
        told(merge, Duration::ZERO, story)?;
    }
    Ok(())
}

/// A log and its rotated name may both be sources: each line is merged once.
///
/// The log is renamed over the file of the other source, and its writer goes on in it.
/// Tried while the first source holds the file, and after it has let go.
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
        // Either of the two sources may read a late line.
        let kinds: Vec<_> =
            Kind::ALL.into_iter().filter(|&kind| kind != Kind::OutOfOrder).collect();
        scene.require_none_of(&kinds, &[lock(&pen).expected(&scene), other])
    };
    both(HOUR)?;
    both(Duration::ZERO)
}

/// Follows a log, and another one at rest, while a story is told of it. The first step
/// comes before the merge begins, each further one after a look that found nothing, the
/// last one together with the stop. Tried both ways, since each step is notified.
fn told(merge: MergeFn, quiet: Duration, story: &'static [Step]) -> Verdict {
    both_ways(|wake| told_once(merge, quiet, wake, story))
}

fn told_once(merge: MergeFn, quiet: Duration, wake: Wake, story: &'static [Step]) -> Verdict {
    let scene = Scene::new();
    let mut logs = scene.logs(2);
    logs[1].append(1..=100).expect("a log can be written");
    // A step may delete its folder.
    let log = scene.in_its_own_folder(&logs[0]);
    logs[0] = log.clone();

    let mut pen = Pen::new(&log);
    story[0](&mut pen).expect("the story can begin");
    let (pen, told) = (Arc::new(Mutex::new(pen)), Arc::new(AtomicUsize::new(1)));
    let run = scene.following(&logs, SOON).woken(wake).letting_go_after(quiet).during({
        let (pen, told) = (Arc::clone(&pen), Arc::clone(&told));
        move |look| {
            if look.found_nothing(&log)
                && let Some(step) = story.get(look.count as usize)
            {
                step(&mut lock(&pen))?;
                told.fetch_add(1, Ordering::SeqCst);
                if look.count as usize == story.len() - 1 {
                    look.stop.request();
                }
            }
            Ok(())
        }
    });
    run.run(merge).report()?;
    scene.require_right(&[lock(&pen).expected(&scene), logs[1].clone()])?;
    // The lines are right, and yet the merge may have left before what the law is about.
    let told = told.load(Ordering::SeqCst);
    require(told == story.len(), || {
        format!("the merge has ended before the stop, after {told} of {} steps", story.len())
    })
}
