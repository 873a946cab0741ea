//! The page and its pictures, as a parser sees them, for a real run. The tests add what
//! a run without faults does not have.

use recorder::{Kind, Lane, Role, Segment};
use report::{Cell, Column, Comparison, Outcome, Spread, figures, render};
use scraper::{ElementRef, Html, Selector};

/// A quick run of all stages, made by `just refresh-run`.
fn comparison() -> Comparison {
    serde_json::from_str(include_str!("comparison.json")).expect("it is a comparison")
}

/// Parses the page, and asserts that its HTML has no error.
#[track_caller]
fn parsed(comparison: &Comparison) -> Html {
    let html = Html::parse_document(&render(comparison));
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    html
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).expect("the selector is one")).collect()
}

#[track_caller]
fn one<'a>(html: &'a Html, selector: &str) -> ElementRef<'a> {
    let found = all(html, selector);
    assert_eq!(found.len(), 1, "{selector}");
    found[0]
}

/// The text of an element, with single blanks.
fn text(element: ElementRef<'_>) -> String {
    let text: Vec<&str> = element.text().collect();
    text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    all(html, selector).into_iter().map(text).collect()
}

#[test]
fn a_sentence_stands_once_on_the_page_and_is_that_of_the_terminal_and_the_json() {
    let comparison = comparison();
    let seen = report::seen(&comparison);
    assert!(seen.len() > 10, "{seen:#?}");
    let mut headlines = texts(&parsed(&comparison), ".headline");
    // The lanes come first on the page, and after the workloads in `seen`.
    let (mut sorted, blanks) = (seen.clone(), |it: &String| it.split_whitespace().count());
    sorted.sort();
    headlines.sort();
    assert_eq!(headlines, sorted);
    assert!(seen.iter().all(|it| it.ends_with('.') && blanks(it) > 5), "{seen:#?}");
    let json: serde_json::Value = serde_json::from_str(&report::json(&comparison)).unwrap();
    assert_eq!(json["seen"], serde_json::json!(seen));
}

#[test]
fn each_thread_has_its_lane_and_each_piece_and_picture_its_text() {
    let comparison = comparison();
    let html = parsed(&comparison);
    let stages = all(&html, ".stage");
    assert_eq!(stages.len(), comparison.lanes.len());
    for (stage, drawn) in comparison.lanes.iter().zip(stages) {
        let lanes = Selector::parse(".lane").unwrap();
        let told: Vec<_> = drawn.select(&lanes).filter_map(|it| it.attr("aria-label")).collect();
        let numbers = text(drawn.select(&Selector::parse(".totals").unwrap()).next().unwrap());
        assert_eq!(told.len(), stage.lanes.len(), "{}", stage.stage);
        for lane in &stage.lanes {
            let named = format!("thread {},", lane.thread);
            let says = told.iter().find(|told| told.contains(&named)).expect(&named);
            // The numbers below the fold are what a screen reader says of the lane.
            assert!(numbers.contains(says.split_once(&named).unwrap().1.trim()), "{numbers}");
        }
    }
    let pieces = all(&html, ".piece");
    assert!(pieces.len() > 100, "{}", pieces.len());
    for piece in pieces {
        let titles: Vec<_> = piece.select(&Selector::parse("title").unwrap()).map(text).collect();
        assert!(titles.len() == 1 && titles[0].contains("from "), "{}", piece.html());
    }
    for picture in all(&html, "figure svg") {
        for id in picture.attr("aria-labelledby").expect("it has a text").split(' ') {
            assert!(!text(one(&html, &format!("[id='{id}']"))).is_empty(), "{id}");
        }
    }
}

#[test]
fn a_stall_is_on_the_loop_s_lane_and_nothing_is_drawn_right_of_the_end() {
    let html = parsed(&comparison());
    assert!(!all(&html, ".stall").is_empty());
    for stall in all(&html, ".stall") {
        let lane = stall.parent().and_then(ElementRef::wrap).and_then(|it| it.attr("aria-label"));
        assert!(lane.is_some_and(|told| told.starts_with("loop, ")), "{lane:?}");
        assert!(text(stall).ends_with("no task runs"), "{}", text(stall));
    }
    let number =
        |it: ElementRef<'_>, name: &str| -> f64 { it.attr(name).unwrap().parse().unwrap() };
    for stage in all(&html, ".stage") {
        let end = Selector::parse("svg > line[stroke-width='2']").unwrap();
        let end = number(stage.select(&end).next().expect("the end is drawn"), "x1");
        let drawn = Selector::parse(".piece rect, rect.piece").unwrap();
        let drawn = stage.select(&drawn).map(|it| number(it, "x") + number(it, "width"));
        let last = drawn.fold(0.0, f64::max);
        assert!(last <= end + 0.02 && last > end / 2.0, "{last} of {end}");
    }
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let html = parsed(&comparison());
    for attribute in ["src", "href", "srcset", "action"] {
        for it in all(&html, &format!("[{attribute}]")) {
            let link = it.attr(attribute).unwrap();
            assert!(link.starts_with('#') || link == "data:,", "{link}");
        }
    }
    let page = render(&comparison());
    for reference in page.match_indices("url(").chain(page.match_indices("@import")) {
        assert!(page[reference.0..].starts_with("url(#"), "{}", &page[reference.0..][..40]);
    }
    let parts = all(&html, "main > section").into_iter().filter_map(|it| it.attr("id"));
    let named = all(&html, "nav a").into_iter().filter_map(|it| it.attr("href"));
    assert!(parts.eq(named.map(|it| &it[1..])), "the parts are in the order of their links");
}

#[test]
fn what_is_wrong_is_said_and_has_no_figure() {
    let mut comparison = comparison();
    comparison.wrong.push("the lanes of stage2-mixed: no end within 10 s".into());
    let row = &mut comparison.workloads[0].rows[1];
    (row.wrong, row.cells) = (Some("2 lines lost".into()), [].into());
    comparison.verdicts[0].laws[0].outcome = Outcome::Wrong { seen: "3 torn".into() };
    let html = parsed(&comparison);
    assert_eq!(texts(&html, "tr.wrong"), ["1 threads wrong: 2 lines lost"]);
    assert!(text(one(&html, "header")).contains("wrong: the lanes of stage2-mixed: no end"));
    let reasons = texts(&html, ".reason");
    assert_eq!(reasons[0], "stage1-threads is wrong: 3 torn");
    assert!(reasons[1].starts_with("stage4-tasks, a declared limit: "), "{reasons:?}");
    assert!(text(one(&html, "#laws .headline")).ends_with("one verdict is wrong."));
    let outcomes = ["wrong", "limit", "kept"].map(|it| all(&html, &format!(".laws td.{it}")).len());
    let verdicts = comparison.verdicts.iter().map(|stage| stage.laws.len()).sum::<usize>();
    // The second wrong cell is the reason of the first.
    assert_eq!(outcomes, [2, 1, verdicts - 2]);
}

#[test]
fn what_there_is_not_is_left_out_with_a_sentence() {
    let empty = Comparison { head: comparison().head, interrupted: true, ..Comparison::default() };
    let html = parsed(&empty);
    assert_eq!(texts(&html, ".none").len(), 4);
    assert!(text(one(&html, ".warning")).starts_with("Interrupted."));
    assert!(all(&html, "table, figure, .headline").is_empty());
    assert!(figures(&empty).is_empty() && report::seen(&empty).is_empty());

    // Interrupted in the first runs: one stage, one number of sources, no row.
    let mut some = comparison();
    some.growth.truncate(1);
    some.verdicts.truncate(1);
    some.verdicts[0].laws.truncate(1);
    some.lanes.truncate(1);
    some.lanes[0].lanes.clear();
    some.workloads[0].rows.clear();
    some.workloads[1].rows.truncate(1);
    some.workloads[1].latencies[0].buckets.truncate(1);
    let html = parsed(&some);
    for (part, says) in [
        ("#laws", "Of 1 law with 1 stage, all are kept."),
        ("#growth", "not run with more"),
        ("#workloads", "interrupted before its first run"),
        ("#lanes", "no lanes"),
    ] {
        assert!(text(one(&html, part)).contains(says), "{part}");
    }
}

#[test]
fn that_there_is_no_loop_and_that_none_stalled_are_two_things() {
    let mut comparison = comparison();
    let stages = &mut comparison.workloads[0].rows[1..];
    stages.iter_mut().for_each(|row| *row.cells.get_mut(&Column::Stall).unwrap() = Cell::None);
    let html = parsed(&comparison);
    let table = all(&html, "#workloads table")[0];
    let [head, row, cell] =
        ["thead th", "tbody tr", "th, td"].map(|it| Selector::parse(it).unwrap());
    let place = table.select(&head).position(|it| text(it) == "stall").unwrap();
    let told = table.select(&row).map(|row| text(row.select(&cell).nth(place).unwrap()));
    let (none, no) = ("none seen", "no loop");
    assert_eq!(told.collect::<Vec<_>>(), [no, no, none, no, none, none]);
}

#[test]
fn hostile_names_stay_text() {
    let evil = "</title></svg><script>alert('x')</script>&\"";
    let mut comparison = comparison();
    comparison.command = evil.into();
    comparison.wrong.push(evil.into());
    comparison.head.kernel = evil.into();
    comparison.workloads[0].name = evil.into();
    comparison.workloads[0].rows[1].wrong = Some(evil.into());
    comparison.workloads[1].rows[0].name = evil.into();
    comparison.workloads[1].latencies[0].stage = evil.into();
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
    // The page's own script.
    assert_eq!(all(&html, "script").len(), 1);
    assert!(texts(&html, "title").iter().any(|title| title.contains("alert('x')")));
    for figure in figures(&comparison) {
        let svg = roxmltree::Document::parse(&figure.svg).expect("it is well-formed");
        assert!(svg.descendants().all(|node| !node.has_tag_name("script")), "{}", figure.name);
    }
}

#[test]
fn the_pictures_stand_alone_and_have_no_colour_but_the_inks() {
    let figures = figures(&comparison());
    let kinds = ["lanes-", "throughput-", "latency-", "growth-"];
    let count = |kind: &str| figures.iter().filter(|it| it.name.starts_with(kind)).count();
    assert_eq!(kinds.map(count), [5, 1, 2, 2]);
    for figure in &figures {
        let svg = roxmltree::Document::parse(&figure.svg).expect("it is well-formed");
        let root = svg.root_element();
        assert_eq!(root.tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
        let style = root.descendants().find(|node| node.has_tag_name("style"));
        let style = style.and_then(|style| style.text()).expect("it has a style");
        let classes = root.descendants().filter_map(|node| node.attribute("class"));
        for class in classes.flat_map(|classes| classes.split(' ')) {
            let for_scripts = ["lane", "piece", "stall", "ground"].contains(&class);
            assert!(for_scripts || style.contains(&format!(".{class}{{")), "{class}");
        }
        // A colour would be wrong in one of the themes.
        let drawn = figure.svg.split("</style>").nth(1).expect("it is drawn");
        assert!(!drawn.contains("fill=\"#") && !drawn.contains("stroke=\"#"), "{}", figure.name);
        assert!(figure.caption.contains(" cores, rustc "), "{}", figure.caption);
    }
}

#[test]
fn a_long_run_is_a_small_page() {
    let mut comparison = comparison();
    let step = |at: u32, kind, from: f64, to: f64| {
        let [begin, end] = [from, to].map(|part| (f64::from(at) + part) * 0.001);
        Segment { kind, source: Some("source-0001.log".into()), begin, end }
    };
    let segments: Vec<Segment> = (0..10_000).map(|at| step(at, Kind::Read, 0.0, 1.0)).collect();
    let waiting = (0..10_000).map(|at| step(at, Kind::WaitForLoop, 0.1, 2.4)).collect();
    let lane = Lane { thread: "t".into(), role: Role::Loop, segments, waiting, stalls: Vec::new() };
    for stage in &mut comparison.lanes {
        (stage.seconds, stage.lanes) = (10.0, vec![lane.clone(); 10]);
    }
    let bytes = render(&comparison).len();
    assert!(bytes < 1_000_000, "{bytes} bytes");
}

#[test]
fn an_order_is_told_as_one_only_where_the_spreads_do_not_meet() {
    let mut comparison = comparison();
    comparison.workloads.truncate(1);
    comparison.workloads[0]
        .rows
        .retain(|row| ["stage4-tasks", "stage5-fully-async"].contains(&&*row.name));
    let mut said = |four: &[f64], five: &[f64]| {
        for (row, ratios) in comparison.workloads[0].rows.iter_mut().zip([four, five]) {
            row.cells.insert(Column::Ratio, Cell::Spread(Spread::new(ratios.to_vec())));
        }
        report::seen(&comparison).remove(0)
    };
    assert!(said(&[1.1, 1.0, 1.2], &[1.4, 1.3, 1.5]).ends_with("; their spreads do not meet."));
    assert!(
        said(&[1.1, 1.0, 1.3], &[1.4, 1.2, 1.5]).ends_with("overlap, so this order may be chance.")
    );
    let once = said(&[1.1], &[1.4]);
    assert!(once.ends_with("each ran once, so this order may be chance."), "{once}");
    let both =
        "stage5-fully-async took 1.00 ± 0.10 times as long as cat, the least, and stage4-tasks";
    let told = said(&[1.4, 1.3, 1.5], &[1.0, 0.9, 1.1]);
    assert!(told.contains(both), "{told}");
}

#[test]
fn a_stage_that_came_less_far_is_not_set_against_the_others() {
    let mut comparison = comparison();
    let mut more = comparison.growth[1].clone();
    (more.sources, more.seconds, more.threads) = (512, vec![0.2], Some(514));
    // Interrupted, or the others have failed.
    comparison.growth.push(more);
    let said = report::seen(&comparison);
    let said: Vec<_> = said.iter().filter(|it| it.starts_with("From 8 to ")).collect();
    assert_eq!(
        said,
        [
            "From 8 to 512 sources, stage1-threads goes from 1.94 ms to 200 ms.",
            "From 8 to 512 sources, stage1-threads takes about one a source, 514 threads.",
        ]
    );
}

#[test]
fn a_law_that_was_not_tried_is_not_said_to_be_kept() {
    let mut comparison = comparison();
    comparison.verdicts.remove(3);
    comparison.verdicts[3].laws.truncate(3);
    let said = report::seen(&comparison).pop().unwrap();
    assert_eq!(
        said,
        "Of 8 laws with 4 stages, 27 of 32 pairs were tried, and all of these are kept."
    );
    let themes = texts(&parsed(&comparison), "#laws summary");
    assert_eq!(themes[0], "lines 1 law , kept by all ✓");
    assert_eq!(themes[3], "fairness 2 laws , not all tried");
}

#[test]
fn a_picture_says_of_how_many_cores_it_is() {
    let mut comparison = comparison();
    let mut caption = |cores| {
        comparison.head.cores = cores;
        figures(&comparison).remove(0).caption
    };
    assert!(caption(1).contains(", 1 core, rustc "), "{}", caption(1));
    assert!(caption(2).contains(", 2 cores, rustc "), "{}", caption(2));
}
