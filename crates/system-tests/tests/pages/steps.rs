//! Two stages side by side, as a browser lays them out.

use serde_json::{Value, json};
use system_tests::Browser;

use crate::{narrow, open, picture};

/// The page whose step has the most of everything.
const PAGE: &str = "mixed.html";

/// Returns for every visible row whether its lines are the same, and where its two texts
/// are, each as left, top and right; `null` where there is none.
const ROWS: &str = "
    const place = cell => {
        const box = cell.getBoundingClientRect();
        return box.height > 0 ? [box.left, box.top, box.right].map(Math.round) : null;
    };
    return [...document.querySelectorAll('.step tbody tr')]
        .filter(row => row.querySelector('td').checkVisibility() || row.querySelector('td.new').checkVisibility())
        .map(row => ({
            same: row.parentElement.classList.contains('same'),
            group: [...document.querySelectorAll('tbody')].indexOf(row.parentElement),
            old: place(row.querySelector('td.old:not(.number)')),
            new: place(row.querySelector('td.new:not(.number)')),
        }));
";

fn rows(browser: &Browser) -> Vec<Value> {
    let rows = browser.run(ROWS).as_array().unwrap().clone();
    assert!(rows.len() > 60, "{}", rows.len());
    rows
}

#[test]
fn on_a_wide_page_the_lines_stand_side_by_side() {
    let browser = open(PAGE);
    picture(&browser, "wide");
    let rows = rows(&browser);
    for row in &rows {
        assert_eq!(row["old"][1], row["new"][1], "the tops of {row}");
        // The columns of all tables are at the same place.
        assert_eq!(row["old"][0], rows[0]["old"][0], "{row}");
        assert_eq!(row["new"][0], rows[0]["new"][0], "{row}");
        assert!(row["old"][2].as_i64() < row["new"][0].as_i64(), "they overlap: {row}");
    }
    let same = rows.iter().filter(|row| row["same"] == true).count();
    assert!(same > 10 && same < rows.len() - 10, "{same} of {}", rows.len());
}

#[test]
fn on_a_narrow_page_what_is_gone_stands_above_what_is_new() {
    let browser = narrow(PAGE);
    picture(&browser, "narrow");
    let rows = rows(&browser);
    let texts = |side: &str, group: &Value| -> Vec<i64> {
        let of_group = rows.iter().filter(|row| row["group"] == *group);
        of_group.filter_map(|row| row[side][1].as_i64()).collect()
    };
    let mut both = 0;
    for row in &rows {
        if row["same"] == true {
            assert_eq!(row["old"], Value::Null, "shown twice: {row}");
            assert_ne!(row["new"], Value::Null, "not shown: {row}");
            continue;
        }
        let (gone, added) = (texts("old", &row["group"]), texts("new", &row["group"]));
        if let (Some(last), Some(first)) = (gone.iter().max(), added.iter().min()) {
            assert!(last < first, "{gone:?} and {added:?}");
            both += 1;
        }
        let sides = ["old", "new"].map(|side| row[side][0].as_i64());
        for left in sides.into_iter().flatten() {
            assert_eq!(left, rows[0]["new"][0].as_i64().unwrap(), "one column: {row}");
        }
    }
    assert!(both > 10, "{both}");
}

/// Returns the visible numbers, item by item, from top to bottom.
const NUMBERS: &str = "
    document.querySelectorAll('.step details').forEach(it => it.open = true);
    const numbers = item => [...item.querySelectorAll('th.number a')]
        .map(it => [it.getBoundingClientRect(), Number(it.textContent)])
        .filter(([box]) => box.height > 0)
        .sort(([one], [other]) => one.top - other.top)
        .map(([, number]) => number);
    return [...document.querySelectorAll('.step-item')].map(numbers);
";

#[test]
fn on_a_narrow_page_the_numbers_rise() {
    let browser = narrow(PAGE);
    let items = browser.run(NUMBERS);
    let numbers: Vec<_> =
        items.as_array().unwrap().iter().flat_map(|it| it.as_array().unwrap()).collect();
    let numbers: Vec<_> = numbers.into_iter().map(|number| number.as_u64().unwrap()).collect();
    assert!(numbers.len() > 100, "{numbers:?}");
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

#[test]
fn a_number_that_does_not_follow_is_marked_and_the_marks_are_explained() {
    let browser = open(PAGE);
    let skips = "
        const number = it => Number(it.textContent);
        const follows = (it, before) => number(it) === number(before) + 1;
        const notFollowing = (item, side) => [...item.querySelectorAll(`th.number.${side}`)]
            .filter((it, at, column) => at > 0 && !follows(it, column[at - 1]));
        const items = [...document.querySelectorAll('.step-item')];
        const due = ['old', 'new'].flatMap(side => items.flatMap(it => notFollowing(it, side)));
        const skips = [...document.querySelectorAll('.step th.skip')];
        const shown = it => getComputedStyle(it).backgroundImage !== 'none';
        const sorted = all => all.map(number).sort((one, other) => one - other);
        return [sorted(due), sorted(skips), skips.every(shown),
                [...document.querySelectorAll('.step-legend')].length,
                document.querySelector('.step-legend').textContent]";
    let found = browser.run(skips);
    assert!(found[0].as_array().unwrap().len() > 3, "too few to be asked: {found}");
    assert_eq!(found[0], found[1], "{found}");
    assert_eq!((&found[2], &found[3]), (&json!(true), &json!(1)), "{found}");
    for word in ["gone", "new", "deeper", "paler", "left out"] {
        assert!(found[4].as_str().unwrap().contains(word), "{word}: {found}");
    }
}

/// Finds words of code that are broken into two lines.
const TORN: &str = "
    document.querySelectorAll('.step details').forEach(it => it.open = true);
    // What is seen for the first time may be in letters that are not there yet.
    document.body.getBoundingClientRect();
    const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return document.fonts.ready.then(drawn).then(() => {
    document.getAnimations().forEach(it => it.finish());
    const torn = [];
    let seen = 0;
    const texts = document.createTreeWalker(document.querySelector('.step'), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode;
        if (!text.parentElement.closest('td') || text.parentElement.closest('.said, .indent')) continue;
        for (const word of text.data.matchAll(/\\w+/g)) {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            seen += 1;
            // At the beginning of a line, some browsers add an empty box at the end of the last.
            const boxes = [...range.getClientRects()].filter(box => box.width > 0);
            if (new Set(boxes.map(box => box.top)).size > 1) torn.push(word[0]);
        }
    }
    return [seen, torn];
    });
";

#[test]
fn no_word_of_the_code_is_torn() {
    let browser = open(PAGE);
    for page in ["mixed.html", "bottom-up.html", "tasks.html", "fully-async.html"] {
        browser.open(&crate::book().join(page));
        for width in [1280, 390] {
            browser.viewport(width, 900);
            let found = browser.run(TORN);
            assert!(found[0].as_u64().unwrap() > 300, "{page}: {found}");
            assert_eq!(found[1], json!([]), "{page} at {width}");
        }
    }
}

#[test]
fn what_is_the_same_opens_and_closes_by_mouse_and_by_key() {
    let browser = open(PAGE);
    let shown = || {
        let text = "const fold = document.querySelector('.step details');
                    return [fold.open, fold.querySelector('table').checkVisibility()
                        && fold.querySelector('td').getBoundingClientRect().height > 0]";
        browser.run(text)
    };
    assert_eq!(shown(), json!([false, false]));
    let place = browser.run(
        "const summary = document.querySelector('.step summary');
         summary.scrollIntoView({ block: 'center' });
         const box = summary.getBoundingClientRect();
         return [box.x + box.width / 2, box.y + box.height / 2]",
    );
    let click = || {
        for kind in ["mousePressed", "mouseReleased"] {
            let at = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            browser.command("Input.dispatchMouseEvent", at);
        }
    };
    click();
    assert_eq!(shown(), json!([true, true]));
    click();
    assert_eq!(shown(), json!([false, false]));

    browser.run("document.querySelector('.step summary').focus()");
    browser.press("Enter");
    assert_eq!(shown(), json!([true, true]));
}

#[test]
fn a_line_number_leads_to_its_line() {
    let browser = open(PAGE);
    let address = browser.run(
        "const row = document.querySelector('.step tbody.changed tr:has(th.new)');
         window.text = row.querySelector('td.new').lastChild.parentElement.textContent;
         return row.querySelector('th.new a').href",
    );
    let text = browser.run("return window.text");
    let text = text.as_str().unwrap().trim_start_matches("added: ").to_owned();
    browser.goto(address.as_str().unwrap());
    let there = "document.querySelector('tr:target td').textContent";
    browser.wait("document.querySelector('tr:target')");
    assert_eq!(browser.run(&format!("return {there}")), text);
    // The line is in view, and not under the bar at the top.
    let top = browser.run("return document.querySelector('tr:target').getBoundingClientRect().top");
    assert!((50.0..900.0).contains(&top.as_f64().unwrap()), "{top}");
}

#[test]
fn who_does_not_see_the_colours_is_told_what_is_gone_and_what_is_new() {
    let browser = open(PAGE);
    let tree = browser.command("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let is = |node: &&Value, role: &str| node["role"]["value"] == role;
    let names = |role: &str| -> Vec<&str> {
        let of_role = nodes.iter().filter(|node| is(node, role));
        of_role.filter_map(|node| node["name"]["value"].as_str()).collect()
    };
    let cells = names("cell");
    assert!(cells.iter().any(|name| name.starts_with("removed: use parking_lot")), "{cells:?}");
    assert!(cells.iter().any(|name| name.starts_with("added: use tokio::sync")), "{cells:?}");
    let numbers = names("rowheader");
    assert!(numbers.iter().any(|name| name.parse::<u64>().is_ok()), "{numbers:?}");
    assert!(names("group").contains(&"The step from stage1-threads to stage2-mixed"));
}
