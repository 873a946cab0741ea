//! The lanes on the page, as a parser sees them.

mod parsed;

use parsed::{all, one, parsed, text};
use recorder::Lane;
use report::{Comparison, fixed};
use scraper::{ElementRef, Selector};

#[test]
fn each_stage_has_a_lane_for_each_thread_in_both_widths() {
    let comparison = fixed::comparison();
    let html = parsed(&comparison);
    for (stage, figure) in comparison.lanes.iter().zip(all(&html, "figure.stage")) {
        for width in [".wide", ".narrow"] {
            let lanes = Selector::parse(&format!("{width} .lane")).unwrap();
            let told: Vec<_> =
                figure.select(&lanes).filter_map(|lane| lane.attr("aria-label")).collect();
            assert_eq!(told.len(), stage.lanes.len(), "{} {width}", stage.stage);
            for lane in &stage.lanes {
                let named = format!("thread {},", lane.thread);
                assert!(told.iter().any(|told| told.contains(&named)), "{named} in {told:?}");
            }
        }
    }
}

#[test]
fn a_stall_is_on_its_lane_alone_and_each_band_says_what_it_does_to_the_others() {
    let html = parsed(&fixed::comparison());
    let stalls = all(&html, "figure.stage .wide .stall");
    assert_eq!(stalls.len(), 1);
    let told = text(stalls[0]);
    assert!(told.contains("stall 150.0 ms: append of a.log"), "{told}");
    assert_eq!(all(&html, "figure.stage .wide rect.h-alarm").len(), 1);
    assert!(all(&html, "figure.stage rect.f-alarm").is_empty());
    let line = ["2 threads read once,", "then wait for the lock"];
    let still = ["no read begins,", "no task runs"];
    let on = ["2 reads begin,", "2 tasks await the answer;", "the loop goes on"];
    let each: [&[&str]; 5] = [&line, &line, &line, &still, &on];
    let effects = |width: &str| -> Vec<String> {
        all(&html, &format!("figure.stage {width} .effect")).into_iter().map(text).collect()
    };
    assert_eq!(effects(".wide"), each.concat());
    // No band of a telephone is as wide as that: it stands under the picture.
    let under = each.map(|lines| format!("Grey: {}.", lines.join(" ")));
    assert_eq!(effects(".narrow").join(" "), under.join(" "));
    // One band a stage, all of the same ink.
    assert_eq!(all(&html, "figure.stage .wide rect.f-blocked").len(), 5);
}

#[test]
fn no_task_runs_while_the_loop_stands_still_and_the_numbers_say_so() {
    let html = parsed(&fixed::comparison());
    let still = all(&html, "figure.stage .wide .still");
    let told: Vec<String> = still.iter().map(|it| text(*it)).collect();
    let title = "no task runs for 150.0 ms: the loop stands still, from 50.0 ms to 200 ms";
    assert_eq!(told, [format!("{title} no task runs")]);
    let lane =
        still[0].ancestors().filter_map(ElementRef::wrap).find(|it| it.attr("role").is_some());
    let says = lane.and_then(|lane| lane.attr("aria-label")).expect("it is on a lane");
    assert!(says.ends_with("none of 3 tasks runs for 150.0 ms"), "{says}");
    assert!(text(one(&html, ".legend")).contains("no task runs: the loop stands still"));

    // By the column of its name, a row for each stage that has one.
    let column = |head: &str| -> Vec<Vec<String>> {
        let tables = all(&html, ".totals table").into_iter();
        let cells = |row: ElementRef<'_>| -> Vec<String> {
            let cells = Selector::parse("th, td").unwrap();
            row.select(&cells).map(text).collect()
        };
        let row = Selector::parse("tr").unwrap();
        tables
            .filter_map(|table| {
                let rows: Vec<_> = table.select(&row).map(cells).collect();
                let at = rows[0].iter().position(|it| it.starts_with(head))?;
                Some(rows[1..].iter().map(|row| row[at].clone()).collect())
            })
            .collect()
    };
    // Three tasks, each of them for 150 ms: to be set against the waits of stage 5.
    assert_eq!(column("tasks stand still with the loop"), [["450.0", "-"]]);
    assert_eq!(column("tasks wait, each for itself").last().unwrap()[0], "260.0 (2×)");
}

#[test]
fn a_picture_that_is_that_of_another_stage_says_that_this_is_the_point() {
    let mut comparison = fixed::comparison();
    let twin = |comparison: &Comparison| {
        let told = all(&parsed(comparison), ".stage").into_iter().map(text).collect::<Vec<_>>();
        told.into_iter().map(|it| it.contains("The picture is that of stage 1")).collect::<Vec<_>>()
    };
    assert_eq!(twin(&comparison), [false, false, true, false, false]);
    comparison.lanes[2].lanes.pop();
    assert_eq!(twin(&comparison), [false; 5]);
}

#[test]
fn nothing_is_drawn_right_of_the_end_of_the_run_and_the_finish_has_its_name() {
    let mut comparison = fixed::comparison();
    let stage = &mut comparison.lanes[0];
    let end = stage.seconds;
    let finish =
        recorder::Segment { kind: recorder::Kind::Write, source: None, begin: end - 0.000_01, end };
    let (waiting, stalls) = (Vec::new(), Vec::new());
    let (thread, role) = ("main".to_owned(), recorder::Role::Other);
    stage.lanes.push(Lane { thread, role, segments: vec![finish], waiting, stalls });
    let html = parsed(&comparison);
    let figure = all(&html, "figure.stage .wide")[0];
    let number = |it: ElementRef<'_>, name: &str| -> f64 {
        it.attr(name).and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{}", it.html()))
    };
    let line = Selector::parse("svg > line[stroke-width='2']").unwrap();
    let last = number(figure.select(&line).next().expect("the end is drawn"), "x1");
    let piece = Selector::parse(".piece rect, rect.piece").unwrap();
    let right = |it: ElementRef<'_>| number(it, "x") + number(it, "width");
    let most = figure.select(&piece).map(right).fold(0.0, f64::max);
    assert!(most <= last + 0.02 && most > last - 1.0, "{most} of {last}");
    let label = Selector::parse(".lane text").unwrap();
    assert!(figure.select(&label).any(|it| text(it) == "finish"));
    let title = Selector::parse(".piece title").unwrap();
    assert!(figure.select(&title).any(|it| text(it).starts_with("finish 10 µs, from")));
}
