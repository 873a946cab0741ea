//! The page of a comparison, in a browser.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use report::Comparison;
use serde_json::{Value, json};
use system_tests::Browser;

use crate::contrast::texts_too_faint;
use crate::{SCREEN, TELEPHONE, opened};

/// Returns a real run, with long names and long reasons added to it.
fn comparison() -> Comparison {
    let run = include_str!("../../../report/tests/comparison.json");
    let mut comparison: Comparison = serde_json::from_str(run).expect("it is a comparison");
    let long = "a-name-that-knows-no-end-".repeat(8);
    comparison.command += &format!(" -- /var/log/{long}.log");
    comparison.warnings.push(format!("{long}: this is no file"));
    comparison.workloads[0].rows[1].wrong = Some(format!("lost: /var/log/{long}.log:17"));
    for verdicts in &mut comparison.verdicts {
        verdicts.laws[0].law = "an_idle_source_is_looked_at_while_the_output_blocks".into();
    }
    comparison
}

/// Returns the path of the page, which is written once for all tests.
fn page() -> &'static Path {
    static PAGE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = PAGE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("index.html");
        std::fs::write(&path, report::render(&comparison())).expect("the page can be written");
        (folder, path)
    });
    path
}

#[test]
fn it_loads_without_a_word_asks_for_nothing_and_shows_a_lane_for_each_thread() {
    let browser = opened(page(), SCREEN);
    assert_eq!(browser.run("return document.title"), "Tributary, compared");
    assert_eq!(browser.console(), Vec::<String>::new());
    let asked = browser.requests();
    let own =
        |address: &&String| !address.starts_with("data:") && !address.ends_with("/index.html");
    let foreign: Vec<_> = asked.iter().filter(own).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(asked.iter().any(|address| address.ends_with("/index.html")), "{asked:?}");
    let seen = "return [...document.querySelectorAll('.stage')].map(stage =>
        [...stage.querySelectorAll('.lane')].filter(lane => lane.getClientRects().length).length)";
    let threads: Vec<usize> = comparison().lanes.iter().map(|stage| stage.lanes.len()).collect();
    assert_eq!(browser.run(seen), json!(threads));
}

#[test]
fn a_tap_and_the_arrow_keys_show_what_a_piece_was() {
    let browser = opened(page(), TELEPHONE);
    browser.command("Emulation.setTouchEmulationEnabled", json!({ "enabled": true }));
    // In the middle of a stall, the largest piece of its lane.
    let place = browser.run(
        "const stall = document.querySelector('.stall rect');
         stall.scrollIntoView({ block: 'center', inline: 'center' });
         const box = stall.getBoundingClientRect();
         return { x: box.x + box.width / 2, y: box.y + box.height / 2,
                  says: stall.parentElement.querySelector('title').textContent }",
    );
    let detail = "return document.getElementById('detail').checkVisibility()
        ? document.getElementById('detail').textContent : ''";
    assert_eq!(browser.run(detail), "");
    let point = json!({ "x": place["x"], "y": place["y"] });
    let tap = |kind: &str, points: Vec<&Value>| {
        let event = json!({ "type": kind, "touchPoints": points });
        browser.command("Input.dispatchTouchEvent", event);
    };
    tap("touchStart", vec![&point]);
    tap("touchEnd", vec![]);
    browser.wait("document.getElementById('detail').textContent !== ''");
    assert_eq!(browser.run(detail), place["says"]);

    let titles = "return [...document.querySelector('.lane').querySelectorAll('.piece title')]
        .map(it => it.textContent)";
    let titles = browser.run(titles);
    let press = |key: &str| {
        for kind in ["keyDown", "keyUp"] {
            browser.command("Input.dispatchKeyEvent", json!({ "type": kind, "key": key }));
        }
        browser.run(detail)
    };
    browser.run("document.querySelector('.lane').focus()");
    for (key, piece) in [("ArrowRight", 0), ("ArrowRight", 1), ("ArrowLeft", 0)] {
        assert_eq!(press(key), titles[piece], "{key}");
    }
}

#[test]
fn a_telephone_has_all_of_it_and_what_goes_on_says_so_and_keeps_the_names_in_sight() {
    let browser = opened(page(), TELEPHONE);
    browser.run("document.querySelectorAll('details').forEach(it => it.open = true)");
    let (width, _) = TELEPHONE;
    assert_eq!(browser.run("return document.documentElement.scrollWidth"), width);
    // An element that scrolls by itself may be wider inside.
    let wider = browser.run(
        "return [...document.querySelectorAll('body *')]
            .filter(it => !it.parentElement.closest('.scroll') && it.getClientRects().length)
            .filter(it => { const box = it.getBoundingClientRect();
                            return box.left < -0.5 || box.right > innerWidth + 0.5 })
            .map(it => `${it.tagName} ${it.className} ${it.textContent.slice(0, 60)}`)",
    );
    assert_eq!(wider, json!([]));
    // The letters of a drawing that is made smaller must still be read.
    let small = browser.run(
        "return [...document.querySelectorAll('figure text')].filter(it =>
             parseFloat(getComputedStyle(it).fontSize) * it.getCTM().a < 8).length",
    );
    assert_eq!(small, 0);
    let moved = browser.run(
        "const table = [...document.querySelectorAll('#workloads div.scroll')]
             .find(it => it.scrollWidth > it.clientWidth);
         const shades = getComputedStyle(table).backgroundAttachment;
         const name = table.querySelector('tbody th');
         const before = name.getBoundingClientRect().left;
         table.scrollLeft = 1000;
         return { shades, scrolled: table.scrollLeft > 0,
                  moved: name.getBoundingClientRect().left - before }",
    );
    // One shade scrolls away over one that stays: the edge is dark until the end.
    assert_eq!(moved, json!({ "shades": "local, scroll", "scrolled": true, "moved": 0 }));
}

#[test]
fn text_can_be_read_in_the_theme_that_is_preferred_and_in_the_other_and_paper_is_white() {
    for (preferred, chosen) in [("light", "dark"), ("dark", "light")] {
        let browser = opened(page(), SCREEN);
        browser.media("screen", &[("prefers-color-scheme", preferred)]);
        hold_contrast(&browser, preferred);
        browser.run(&format!("document.getElementById('theme-{chosen}').click()"));
        hold_contrast(&browser, chosen);
        let seen = "return ['.touch', '.totals table', '#words dl'].map(it =>
            document.querySelector(it).checkVisibility({ contentVisibilityAuto: true }))";
        browser.run("document.querySelectorAll('details').forEach(it => it.open = false)");
        assert_eq!(browser.run(seen), json!([true, false, false]));
        // Paper is white, whatever the screen is. It has the numbers, and no hint to touch.
        browser.media("print", &[("prefers-color-scheme", preferred)]);
        let paper = "return getComputedStyle(document.body).backgroundColor";
        assert_eq!(browser.run(paper), "rgb(255, 255, 255)", "{chosen}");
        assert_eq!(browser.run(seen), json!([false, true, true]));
    }
}

/// Asks for a contrast of 4.5 between every visible text and its ground, in this theme.
#[track_caller]
fn hold_contrast(browser: &Browser, theme: &str) {
    let shown = "return getComputedStyle(document.documentElement).colorScheme";
    assert_eq!(browser.run(shown), theme);
    assert_eq!(texts_too_faint(browser, "body"), [""; 0], "{theme}");
}
