//! The book on a telephone: nothing is cut, nothing is torn, all can be tapped.

use serde_json::{Value, json};

use crate::{book, narrow, picture};

#[test]
fn the_two_roads_are_seen_whole_and_can_be_read() {
    let browser = narrow("index.html");
    picture(&browser, "narrow-index");
    let roads = "const roads = document.querySelector('code.roads');";
    for width in [390, 320] {
        browser.viewport(width, 844);
        let cut = browser.run(&format!("{roads} return roads.scrollWidth - roads.clientWidth"));
        assert_eq!(cut, 0, "cut at a width of {width}");
        let size =
            browser.run(&format!("{roads} return parseFloat(getComputedStyle(roads).fontSize)"));
        assert!(size.as_f64().unwrap() >= 10.0, "letters of {size} at a width of {width}");
    }
}

#[test]
fn the_name_of_the_book_is_not_cut() {
    let browser = narrow("index.html");
    let cut = browser.run(
        "const title = document.querySelector('.menu-title');
         return [title.scrollWidth - title.clientWidth, title.scrollHeight - title.clientHeight,
                 title.getBoundingClientRect().height <= 50]",
    );
    assert_eq!(cut, json!([0, 0, true]));
}

/// Finds long names that are broken in the middle of a word: a part between two places
/// to break then has more than one box.
const SPLIT: &str = "
    const names = [...document.querySelectorAll('main code.long')].filter(it => it.checkVisibility());
    const parts = names.flatMap(it => [...it.childNodes])
        .filter(it => it.nodeType === Node.TEXT_NODE && it.data.trim());
    const boxes = part => {
        const range = document.createRange();
        range.selectNodeContents(part);
        return range.getClientRects().length;
    };
    return [parts.length, parts.filter(part => boxes(part) > 1).map(part => part.data)];
";

#[test]
fn a_long_name_is_broken_behind_its_words_and_is_still_itself() {
    let browser = narrow("writer-thread.html");
    for page in ["writer-thread.html", "asked.html", "asyncio.html", "promises.html"] {
        browser.open(&book().join(page));
        browser.run("document.querySelectorAll('details').forEach(it => it.open = true)");
        let found = browser.run(SPLIT);
        assert!(found[0].as_u64().unwrap() > 30, "{page}: {found}");
        assert_eq!(found[1], json!([]), "{page}");
    }
    browser.open(&book().join("writer-thread.html"));
    let names =
        browser.run("return [...document.querySelectorAll('code.long')].map(it => it.textContent)");
    assert!(
        names.as_array().unwrap().contains(&json!("a_join_in_drop_blocks_the_loop")),
        "{names}"
    );
}

#[test]
fn a_wide_table_is_scrolled_and_its_first_column_stays() {
    let browser = narrow("review.html");
    let left = "const table = [...document.querySelectorAll('.table-wrapper')].at(-1);
         const left = cell => Math.round(cell.getBoundingClientRect().left);
         const cells = () => [...table.querySelector('tbody tr').children].map(left);
         const before = cells();
         table.scrollLeft = 200;
         return [left(table), before, cells(), getComputedStyle(table).backgroundAttachment]";
    let found = browser.run(left);
    let (before, after) = (&found[1], &found[2]);
    assert_eq!((&before[0], &after[0]), (&found[0], &found[0]), "the first column: {found}");
    assert_ne!(before[5], after[5], "the last column is scrolled to: {found}");
    assert_eq!(found[3], "local, scroll", "a shadow tells of it");
}

#[test]
fn a_picture_is_as_wide_as_the_text_and_leads_to_itself() {
    let browser = narrow("mixed.html");
    let found = browser.run(
        "const picture = document.querySelector('figure img');
         const sides = it => [it.getBoundingClientRect().left, it.getBoundingClientRect().right].map(Math.round);
         return [sides(picture), sides(document.querySelector('main')),
                 picture.closest('a').href === picture.src]",
    );
    assert_eq!((&found[0], &found[2]), (&found[1], &Value::Bool(true)));
}

#[test]
fn a_prediction_says_what_it_is_about_and_its_answer_can_be_tapped() {
    let browser = narrow("tasks-predict.html");
    let found = browser.run(
        "return [...document.querySelectorAll('main details')].map(it => [
             it.previousElementSibling.textContent.trim().length,
             Math.round(it.querySelector('summary').getBoundingClientRect().height)])",
    );
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    for answer in found {
        assert!(answer[0].as_u64().unwrap() > 10, "a reader is not asked anything: {answer}");
        assert!(answer[1].as_u64().unwrap() >= 44, "{answer}");
    }
}
