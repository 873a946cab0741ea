//! The page of a comparison, in a browser.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use report::{Comparison, fixed};
use serde_json::{Value, json};
use system_tests::Browser;

/// A telephone, as narrow as they are sold.
const TELEPHONE: (u32, u32) = (390, 844);
const SCREEN: (u32, u32) = (1100, 900);

/// A comparison with everything in it, long names and long reasons among it.
fn comparison() -> Comparison {
    let mut comparison = fixed::comparison();
    let long = "a-name-that-knows-no-end-".repeat(8);
    comparison.command += &format!(" -- /var/log/{long}.log");
    comparison.warnings.push(format!("{long}: this is no file"));
    comparison.workloads[0].table.rows[1].cells = Err(format!("lost: /var/log/{long}.log:17"));
    for verdicts in &mut comparison.verdicts {
        verdicts.laws[0].law = "an_idle_source_is_looked_at_while_the_output_blocks".into();
    }
    comparison
}

/// The page, written once for all tests.
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

fn opened((width, height): (u32, u32)) -> Browser {
    let browser = Browser::start();
    browser.viewport(width, height);
    browser.open(page());
    browser
}

/// What a script in the page gives, as a list of texts.
#[track_caller]
fn texts(browser: &Browser, script: &str) -> Vec<String> {
    let given = browser.run(script);
    let list = given.as_array().unwrap_or_else(|| panic!("a list: {given}"));
    list.iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn it_loads_without_a_word_and_asks_for_nothing() {
    let browser = opened(SCREEN);
    assert_eq!(browser.run("return document.title"), "Tributary, compared");
    assert_eq!(browser.console(), Vec::<String>::new());
    let asked = browser.requests();
    let own =
        |address: &&String| !address.starts_with("data:") && !address.ends_with("/index.html");
    let foreign: Vec<_> = asked.iter().filter(own).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(asked.iter().any(|address| address.ends_with("/index.html")), "{asked:?}");
}

#[test]
fn each_thread_has_a_lane_that_is_seen() {
    let seen = "return [...document.querySelectorAll('figure.stage')].map(stage =>
        [...stage.querySelectorAll('.lane')].filter(lane => lane.getClientRects().length).length)";
    let threads: Vec<usize> = comparison().lanes.iter().map(|stage| stage.lanes.len()).collect();
    for size in [SCREEN, TELEPHONE] {
        assert_eq!(opened(size).run(seen), json!(threads), "{size:?}");
    }
}

#[test]
fn a_tap_shows_what_a_piece_was() {
    let browser = opened(TELEPHONE);
    browser.command("Emulation.setTouchEmulationEnabled", json!({ "enabled": true }));
    // In the middle of the stall, which is the largest of its lane.
    let place = browser.run(
        "const stall = document.querySelector('.narrow .stall rect');
         stall.scrollIntoView({ block: 'center' });
         const box = stall.getBoundingClientRect();
         return { x: box.x + box.width / 2, y: box.y + box.height / 2 }",
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
    let told = browser.run(detail);
    assert_eq!(told, "stall 150.0 ms: append of a.log, measured from 50.0 ms to 200 ms");
}

#[test]
fn the_arrow_keys_go_from_piece_to_piece() {
    let browser = opened(SCREEN);
    let press = |key: &str| {
        for kind in ["keyDown", "keyUp"] {
            browser.command("Input.dispatchKeyEvent", json!({ "type": kind, "key": key }));
        }
        browser.run("return document.getElementById('detail').textContent")
    };
    browser.run("document.querySelector('.wide .lane').focus()");
    assert_eq!(press("ArrowRight"), "read 1.00 ms of a.log, from 49.0 ms to 50.0 ms");
    assert_eq!(press("ArrowRight"), "write 150 ms of a.log, from 50.0 ms to 200 ms");
    assert_eq!(press("ArrowLeft"), "read 1.00 ms of a.log, from 49.0 ms to 50.0 ms");
}

#[test]
fn nothing_overflows_a_telephone() {
    let browser = opened(TELEPHONE);
    browser.run("document.querySelectorAll('details').forEach(it => it.open = true)");
    let (width, _) = TELEPHONE;
    assert_eq!(browser.run("return document.documentElement.scrollWidth"), width);
    // What scrolls by itself may be wider inside.
    let wider = texts(
        &browser,
        "return [...document.querySelectorAll('body *')]
            .filter(it => !it.closest('.scroll table') && it.getClientRects().length)
            .filter(it => { const box = it.getBoundingClientRect();
                            return box.left < -0.5 || box.right > innerWidth + 0.5 })
            .map(it => `${it.tagName} ${it.className} ${it.textContent.slice(0, 60)}`)",
    );
    assert!(wider.is_empty(), "{wider:#?}");
}

#[test]
fn a_table_that_goes_on_says_so_and_keeps_the_names_in_sight() {
    let browser = opened(TELEPHONE);
    let moved = browser.run(
        "const table = [...document.querySelectorAll('#workloads .scroll')]
             .find(it => it.scrollWidth > it.clientWidth);
         const shades = getComputedStyle(table).backgroundAttachment;
         const name = table.querySelector('tbody th');
         const before = name.getBoundingClientRect().left;
         table.scrollLeft = 1000;
         return { shades, scrolled: table.scrollLeft > 0,
                  moved: name.getBoundingClientRect().left - before }",
    );
    // One that scrolls away over one that stays: the edge is dark until the end.
    assert_eq!(moved, json!({ "shades": "local, scroll", "scrolled": true, "moved": 0 }));
}

#[test]
fn paper_has_the_numbers_and_no_word_on_touching() {
    let browser = opened(SCREEN);
    let seen = "return ['.touch', '.totals table', '#words dl'].map(it =>
        document.querySelector(it).checkVisibility({ contentVisibilityAuto: true }))";
    assert_eq!(browser.run(seen), json!([true, false, false]));
    browser.media("print", &[]);
    assert_eq!(browser.run(seen), json!([false, true, true]));
}

#[test]
fn text_can_be_read_in_both_themes() {
    for theme in ["light", "dark"] {
        let browser = opened(SCREEN);
        browser.media("screen", &[("prefers-color-scheme", theme)]);
        hold_contrast(&browser, theme);
    }
}

#[test]
fn the_theme_can_be_chosen_against_what_is_preferred() {
    for (preferred, chosen) in [("light", "dark"), ("dark", "light")] {
        let browser = opened(SCREEN);
        browser.media("screen", &[("prefers-color-scheme", preferred)]);
        let paper = "return getComputedStyle(document.body).backgroundColor";
        let before = browser.run(paper);
        browser.run(&format!("document.getElementById('theme-{chosen}').click()"));
        assert_ne!(browser.run(paper), before, "{chosen}");
        hold_contrast(&browser, chosen);
        // Paper is white, whatever the screen is.
        browser.media("print", &[("prefers-color-scheme", preferred)]);
        assert_eq!(browser.run(paper), "rgb(255, 255, 255)", "{chosen}");
    }
}

/// Holds every text that is seen, in this theme, to a contrast of 4.5 with what
/// it stands on.
#[track_caller]
fn hold_contrast(browser: &Browser, theme: &str) {
    let shown = "return getComputedStyle(document.documentElement).colorScheme";
    assert_eq!(browser.run(shown), theme);
    browser.run("document.querySelectorAll('details').forEach(it => it.open = true)");
    let report = browser.run(CONTRAST);
    let texts = report["texts"].as_u64().expect("a number");
    assert!(texts > 100, "{texts} texts were looked at, {theme}");
    assert_eq!(report["poor"], json!([]), "{theme}");
}

/// Looks at every text: its colour, and the nearest ground below it. In a
/// picture that is the paper, or a shape of the same picture under its middle.
const CONTRAST: &str = r"
const parts = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
const clear = colour => { const [, , , a] = parts(colour); return a === 0; };
const luminance = colour => {
    const [r, g, b] = parts(colour).slice(0, 3).map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
};
const ground = it => {
    for (let at = it; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!clear(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
};
const under = text => {
    const box = text.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const shapes = [...text.ownerSVGElement.querySelectorAll('rect.f-blocked')].filter(shape => {
        const at = shape.getBoundingClientRect();
        return at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
    });
    return shapes.length ? getComputedStyle(shapes[0]).fill : ground(text.ownerSVGElement);
};
let texts = 0;
const poor = [];
for (const it of document.querySelectorAll('body *')) {
    const own = [...it.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !it.checkVisibility() || ['SCRIPT', 'title', 'desc'].includes(it.tagName)) continue;
    const drawn = it instanceof SVGElement;
    const [colour, behind] = drawn
        ? [getComputedStyle(it).fill, under(it)] : [getComputedStyle(it).color, ground(it)];
    texts += 1;
    if (contrast(colour, behind) < 4.5)
        poor.push(`${it.textContent.trim().slice(0, 40)}: ${colour} on ${behind}`);
}
return { texts, poor };
";
