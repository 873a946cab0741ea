//! The page and its pictures, as a parser sees them.

mod parsed;

use parsed::{all, one, parsed, text};
use recorder::Lane;
use report::{Comparison, StageLanes, figures, fixed, render};
use scraper::Selector;

/// A comparison that was interrupted before its first figure.
fn empty() -> Comparison {
    Comparison {
        interrupted: true,
        workloads: Vec::new(),
        verdicts: Vec::new(),
        lanes: Vec::new(),
        growth: Vec::new(),
        wrong: Vec::new(),
        warnings: Vec::new(),
        seen: Vec::new(),
        ..fixed::comparison()
    }
}

#[test]
fn the_page_says_what_is_to_be_seen_in_each_of_its_parts() {
    let html = parsed(&fixed::comparison());
    let headlines: Vec<String> =
        all(&html, ".headline, .stage .shown > p").into_iter().map(text).collect();
    insta::assert_snapshot!(headlines.join("\n"), @"
    Stages 1 (threads), 2 (mixed) and 3 (bottom-up) queue at the lock while the output blocks; the loop of stage 4 (tasks) stands still; the loop of stage 5 (fully-async) goes on while one thread waits for the output.
    The start: a thread for each source reads, takes the lock, and writes.
    While the output blocked (once, for 150.0 ms), up to 2 of 3 threads came to stand in line for the lock.
    Since stage 1: a loop drives the top, and each tail, the same blocking code, has a thread of the loop's pool.
    While the output blocked (once, for 150.0 ms), up to 2 of 3 threads came to stand in line for the lock. They are threads of the pool: a tail sits on each of them until the end, and the loop only waits for them.
    Since stage 1, not 2: the thread of each source is the same; its tail is an async function, on a runtime of its own.
    While the output blocked (once, for 150.0 ms), up to 2 of 3 threads came to stand in line for the lock.
    The picture is that of stage 1 (threads), and that is the point: its callers and its threads change in nothing. What is new is inside of each thread, a runtime for its source.
    Since stages 2 and 3: the tails are tasks on one loop, which writes itself, without a lock; a few threads read for it.
    The loop stood still: once, for 150.0 ms, in append. No task ran meanwhile, and but for reads that were already on their way none began; up to 2 tasks stood with lines in hand.
    Since stage 4: the writer has left the loop for a thread of its own, and a task awaits its answer.
    The loop never stood still. While the output blocked (once, for 150.0 ms), only the writer's thread waited for it; 2 reads began meanwhile, and up to 2 tasks waited for its answer. Such a wait takes no thread and holds up its own task alone: the loop goes on with the others.
    On backlog, stage 4 (tasks) merges at 91% of cat's throughput.
    On live, half of the lines are seen within 400 µs in stage 1 (threads) to 2.00 ms in stage 5 (fully-async); the latest line took 18.0 ms, whatever the stage.
    Time: from 8 to 2,000 sources, stage 1 (threads) goes from 4.80 ms to 204 ms, the least, and stage 5 (fully-async) goes from 5.12 ms to 284 ms, the most.
    Threads: from 8 to 2,000 sources, stages 4 (tasks) and 5 (fully-async) stay at 9 to 10; stages 1 (threads), 2 (mixed) and 3 (bottom-up) have about one a source, 2,001 in the end.
    3 laws, 5 stages: one verdict is wrong.
    ");
}

#[test]
fn its_head_tells_where_the_figures_are_from_and_how_to_take_them_again() {
    let html = parsed(&fixed::comparison());
    insta::assert_snapshot!(text(one(&html, "header")), @"Tributary: ways to merge logs, compared The same program, from threads to async: what each step changes, and what it costs. machine Linux 6.18.44 x86_64, 2 cores commit 0123abcde compiler rustc 1.95.0 (59807616e 2026-04-14), profile release seed 62 date 2026-11-22 again cargo compare --workload backlog,live --seed 62 wrong: the lanes of stage2-mixed: no end within 10 s Warning. backlog: the runs of cat are far apart (30%): close what else runs lanes cost growth laws in words which stage glossary");
}

#[test]
fn a_quick_run_is_called_one_and_the_first_warning_is_seen() {
    let mut comparison = fixed::comparison();
    assert!(!text(one(&parsed(&comparison), "header")).contains("quick run"));
    comparison.command = "cargo compare --quick".into();
    comparison.warnings = ["the first", "the second", "the third"].map(str::to_owned).into();
    let html = parsed(&comparison);
    assert!(text(one(&html, "header")).contains("quick run"));
    assert_eq!(text(one(&html, ".warning summary")), "Warning. the first And 2 more");
    assert_eq!(text(one(&html, ".warning ul")), "the second the third");
}

#[test]
fn the_parts_are_in_the_order_in_which_they_are_named() {
    let html = parsed(&fixed::comparison());
    let named: Vec<_> = all(&html, "nav a").iter().filter_map(|it| it.attr("href")).collect();
    let parts = all(&html, "main > section").into_iter().filter_map(|it| it.attr("id"));
    let parts: Vec<String> = parts.map(|id| format!("#{id}")).collect();
    assert_eq!(named, parts);
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let comparison = fixed::comparison();
    let html = parsed(&comparison);
    let refers = |attribute: &str| {
        let those = all(&html, &format!("[{attribute}]")).into_iter();
        those.filter_map(|it| it.attr(attribute)).map(str::to_owned).collect::<Vec<_>>()
    };
    let links = [refers("src"), refers("href"), refers("srcset"), refers("action")].concat();
    assert!(links.len() > 4, "{links:?}");
    for link in links {
        assert!(link.starts_with('#') || link == "data:,", "{link}");
    }
    let page = render(&comparison);
    for reference in page.match_indices("url(").chain(page.match_indices("@import")) {
        assert!(page[reference.0..].starts_with("url(#"), "{}", &page[reference.0..][..40]);
    }
}

#[test]
fn that_there_is_no_loop_and_that_none_stalled_are_two_things() {
    let mut comparison = fixed::comparison();
    let table = &mut comparison.workloads[0].table;
    table.rows[1].cells = table.rows[0].cells.clone();
    table.rows[1].name = "stage1-threads".into();
    let stall = table.columns.iter().position(|column| column.head == "stall").unwrap();
    let mut quiet = table.rows[2].clone();
    quiet.name = "stage5-fully-async".into();
    quiet.cells.as_mut().unwrap()[stall] = report::Cell::None;
    table.rows.push(quiet);
    let html = parsed(&comparison);
    let at = all(&html, "#workloads table")[0];
    let (head, row) = (Selector::parse("thead th").unwrap(), Selector::parse("tbody tr").unwrap());
    let cell = Selector::parse("th, td").unwrap();
    let place = at.select(&head).position(|it| text(it) == "stall").unwrap();
    let told: Vec<String> =
        at.select(&row).map(|row| text(row.select(&cell).nth(place).unwrap())).collect();
    assert_eq!(told, ["no loop", "no loop", "29 µs", "none seen"]);
    // The same in the lanes: stage 2 has a loop that did not stall, and threads.
    let totals = text(all(&html, ".totals")[1]);
    assert!(totals.contains("none seen") && totals.contains("no loop"), "{totals}");
}

#[test]
fn what_is_marked_on_an_ink_stands_on_the_paper() {
    // The ends of the spread, the median, p50: on ten inks, in two themes.
    for (picture, marks) in [("throughput-backlog", 4), ("latency-live", 5 * 3)] {
        let figures = figures(&fixed::comparison());
        let figure = figures.iter().find(|it| it.name == picture).expect("it is drawn");
        let svg = roxmltree::Document::parse(&figure.svg).expect("it is well-formed");
        let lines = svg.descendants().filter(|it| it.has_tag_name("polyline"));
        let lines: Vec<_> = lines
            .filter(|it| ["l-paper", "l-text"].contains(&it.attribute("class").unwrap_or_default()))
            .map(|it| (it.attribute("class").unwrap(), it.attribute("stroke-width").unwrap()))
            .collect();
        let of = |wanted| lines.iter().filter(|it| **it == wanted).count();
        assert_eq!((of(("l-paper", "6")), of(("l-text", "2"))), (marks, marks), "{picture}");
        assert_eq!(lines[0].0, "l-paper", "the ground is drawn first: {picture}");
    }
}

#[test]
fn what_a_workload_is_about_stands_where_a_telephone_has_room() {
    let html = parsed(&fixed::comparison());
    let heads: Vec<String> = all(&html, "#workloads thead").into_iter().map(text).collect();
    assert_eq!(
        heads,
        ["stage time × cat stall CPU threads switches memory", "stage p50 p99 max lines"]
    );
    let page = render(&fixed::comparison());
    let (touch, first) = (page.find("Touch a piece"), page.find("class=\"stage\""));
    assert!(touch.is_some() && touch < first, "{touch:?}, {first:?}");
}

#[test]
fn every_piece_has_a_title_and_every_picture_a_text() {
    let html = parsed(&fixed::comparison());
    let title = Selector::parse("title").unwrap();
    let pieces = all(&html, ".piece");
    assert!(pieces.len() > 20, "{}", pieces.len());
    for piece in pieces {
        assert!(
            piece.select(&title).all(|title| text(title).contains("from ")),
            "{}",
            piece.html()
        );
        assert_eq!(piece.select(&title).count(), 1, "{}", piece.html());
    }
    for picture in all(&html, "figure svg:not(.swatch)") {
        for id in picture.attr("aria-labelledby").expect("it has a text").split(' ') {
            assert!(!text(one(&html, &format!("[id='{id}']"))).is_empty(), "{id}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_and_has_no_figure() {
    let html = parsed(&fixed::comparison());
    assert_eq!(text(one(&html, "tr.wrong")), "2 mixed wrong: 2 lines lost");
    let laws: Vec<String> = all(&html, ".reason").into_iter().map(text).collect();
    assert_eq!(
        laws,
        [
            "Stage 2 (mixed) is wrong: 2 lines lost",
            "Stage 4 (tasks), a declared limit: append runs on the loop",
        ]
    );
    assert_eq!(all(&html, ".laws td.wrong").len(), 2);
    assert_eq!(all(&html, ".laws td.limit").len(), 1);
    assert_eq!(all(&html, ".laws td.kept").len(), 13);
}

#[test]
fn what_there_is_not_is_left_out_with_a_sentence() {
    let html = parsed(&empty());
    let told: Vec<String> = all(&html, ".none, .warning").into_iter().map(text).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    Interrupted. This is what there was until then.
    No run of a stage was recorded, so there are no lanes.
    No workload was run to its first figure.
    The stages were not run with more and more sources.
    The laws were not tried in this run.
    Nothing has been seen yet that would make a sentence.
    ");
    assert!(all(&html, "table, figure").is_empty());
    assert!(figures(&empty()).is_empty());
}

#[test]
fn a_part_of_a_comparison_is_a_page_too() {
    let mut comparison = fixed::comparison();
    // Interrupted in the first runs: one stage, one number of sources, no row.
    comparison.growth.truncate(1);
    comparison.verdicts.truncate(1);
    comparison.verdicts[0].laws.truncate(1);
    comparison.lanes.truncate(1);
    comparison.lanes[0].lanes.clear();
    comparison.workloads[0].table.rows.clear();
    comparison.workloads[1].table.rows.truncate(1);
    comparison.workloads[1].distributions.truncate(1);
    comparison.workloads[1].distributions[0].buckets.truncate(1);
    let html = parsed(&comparison);
    assert!(text(one(&html, "#laws")).contains("1 law, 1 stage: all are kept"));
    assert!(text(one(&html, "#growth")).contains("not run with more"));
    assert!(text(one(&html, "#workloads")).contains("interrupted before its first run"));
    assert!(text(one(&html, "#lanes")).contains("no lanes"));
}

#[test]
fn hostile_names_stay_text() {
    let evil = "</title></svg><script>alert('x')</script>&\"";
    let mut comparison = fixed::comparison();
    comparison.command = evil.into();
    comparison.seen.push(evil.into());
    comparison.head.kernel = evil.into();
    comparison.workloads[0].table.name = evil.into();
    comparison.workloads[0].table.rows[1].cells = Err(evil.into());
    comparison.workloads[1].table.rows[0].name = evil.into();
    comparison.workloads[1].distributions[0].stage = evil.into();
    comparison.growth[0].stage = evil.into();
    comparison.verdicts[0].stage = evil.into();
    comparison.verdicts[1].laws[0].sentence = evil.into();
    for stage in &mut comparison.lanes {
        stage.stage += evil;
        stage.what = evil.into();
        for lane in &mut stage.lanes {
            lane.thread = evil.into();
            let segments = lane.segments.iter_mut().chain(&mut lane.waiting);
            segments.for_each(|segment| segment.source = Some(evil.into()));
            lane.stalls.iter_mut().for_each(|stall| stall.operation = Some(evil.into()));
        }
    }
    let html = parsed(&comparison);
    // The page's own.
    assert_eq!(all(&html, "script").len(), 1);
    assert!(all(&html, "title").into_iter().any(|title| text(title).contains("alert('x')")));
    for figure in figures(&comparison) {
        let svg = roxmltree::Document::parse(&figure.svg).expect("it is well-formed");
        assert!(svg.descendants().all(|node| !node.has_tag_name("script")), "{}", figure.name);
    }
}

#[test]
fn the_pictures_stand_alone() {
    let comparison = fixed::comparison();
    let figures = figures(&comparison);
    let names: Vec<&str> = figures.iter().map(|figure| &*figure.name).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    lanes-stage1-threads
    lanes-stage2-mixed
    lanes-stage3-bottom-up
    lanes-stage4-tasks
    lanes-stage5-fully-async
    throughput-backlog
    latency-live
    growth-time
    growth-threads
    ");
    for figure in &figures {
        let svg = roxmltree::Document::parse(&figure.svg).expect("it is well-formed");
        let root = svg.root_element();
        assert_eq!(root.tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
        let classes = root.descendants().filter_map(|node| node.attribute("class"));
        let style = root.descendants().find(|node| node.has_tag_name("style"));
        let style = style.and_then(|style| style.text()).expect("it has a style");
        for class in classes.flat_map(|classes| classes.split(' ')) {
            let known = style.contains(&format!(".{class}{{"));
            assert!(
                known || ["lane", "piece", "stall", "ground", "effect", "still"].contains(&class),
                "{class}"
            );
        }
        // No colour but the inks: it would be wrong in one of the themes.
        let drawn = figure.svg.split("</style>").nth(1).expect("it is drawn");
        assert!(!drawn.contains("fill=\"#") && !drawn.contains("stroke=\"#"), "{}", figure.name);
        assert!(figure.caption.contains("2 cores") && figure.caption.contains("2026-11-22"));
    }
}

#[test]
fn a_long_run_is_a_small_page() {
    let mut comparison = fixed::comparison();
    let source: std::sync::Arc<str> = "source-0001.log".into();
    for StageLanes { lanes, seconds, .. } in &mut comparison.lanes {
        *seconds = 10.0;
        for Lane { segments, waiting, .. } in lanes {
            let mut shape = segments.clone();
            shape.retain(|segment| segment.source.is_some());
            let Some(one) = shape.first() else { continue };
            let at = |step: u32, part: f64| (f64::from(step) + part) * 0.001;
            *segments = (0..10_000)
                .map(|step| recorder::Segment {
                    source: Some(source.to_string()),
                    begin: at(step, 0.0),
                    end: at(step, 1.0),
                    ..shape[step as usize % shape.len()].clone()
                })
                .collect();
            *waiting = (0..10_000)
                .map(|step| recorder::Segment {
                    begin: at(step, 0.1),
                    end: at(step, 2.4),
                    ..one.clone()
                })
                .collect();
        }
    }
    let bytes = render(&comparison).len();
    assert!(bytes < 1_000_000, "{bytes} bytes");
}

#[test]
fn two_orders_are_told_to_be_two() {
    let mut comparison = fixed::comparison();
    let table = &mut comparison.workloads[0].table;
    let mut other = table.rows[2].clone();
    other.name = "stage5-fully-async".into();
    // It took less time, and yet more of cat's, as cat had a good round.
    let cells = other.cells.as_mut().unwrap();
    cells[0] = report::Cell::Times(report::Spread::new(vec![0.200, 0.210, 0.205]));
    cells[1] = report::Cell::Ratio(report::Spread::new(vec![1.4, 1.2, 1.3]));
    table.rows.push(other);
    let says = "The order by time is not the order by × cat";
    assert!(text(one(&parsed(&comparison), "#workloads")).contains(says));
    comparison.workloads[0].table.rows.pop();
    assert!(!text(one(&parsed(&comparison), "#workloads")).contains(says));
}

#[test]
fn a_stage_is_called_the_same_in_every_sentence() {
    let html = parsed(&fixed::comparison());
    let seen = text(one(&html, "#seen ul"));
    assert_eq!(seen, "On backlog, stage 4 (tasks) took 1.10 ± 0.15 times as long as cat.");
}

#[test]
fn one_run_puts_nobody_in_order() {
    let mut comparison = fixed::comparison();
    let table = &mut comparison.workloads[0].table;
    let columns = table.columns.len();
    let stages = table.rows.iter_mut().filter(|row| row.name != "cat");
    for (row, ratio) in stages.zip([1.1, 1.2, 1.3, 1.4, 1.5]) {
        let ratio = report::Cell::Ratio(report::Spread::new(vec![ratio]));
        row.cells = Ok(vec![ratio; columns]);
    }
    let told = text(one(&parsed(&comparison), "#workloads"));
    assert!(told.contains("each ran once, so this order may be chance"), "{told}");
}
