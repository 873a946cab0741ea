//! What is written can be read, by day and by night.

use crate::open;

/// Finds texts whose colour is too near to that of their ground: the contrast
/// of WCAG, 4.5 for text, which is what half of all readers over sixty need.
/// Colours are asked of a canvas, which knows all ways to write them.
const FAINT: &str = "
    const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
        .getContext('2d', { willReadFrequently: true });
    const parts = colours => {
        pen.clearRect(0, 0, 1, 1);
        for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = rgb => {
        const [r, g, b] = rgb.map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const grounds = element => {
        const found = [];
        for (let at = element; at; at = at.parentElement) found.unshift(getComputedStyle(at).backgroundColor);
        return ['white', ...found];
    };
    // Only for who listens: no eye sees it.
    const isCut = at => at && (getComputedStyle(at).clipPath !== 'none' || isCut(at.parentElement));
    const faint = new Set();
    let seen = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
        if (!element.closest('main, #mdbook-sidebar, .menu-title')) continue;
        if (isCut(element)) continue;
        seen += 1;
        const ground = grounds(element);
        const [a, b] = [light(parts(ground)), light(parts([...ground, getComputedStyle(element).color]))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) {
            faint.add(`${contrast.toFixed(2)}: ${element.tagName}.${element.className} in ${element.parentElement.className}: ` + texts.currentNode.data.trim().slice(0, 30));
        }
    }
    return [seen, [...faint]];
";

#[test]
fn every_text_stands_out_from_its_ground_in_every_theme() {
    let browser = open("mixed.html");
    let mut faint = Vec::new();
    for theme in ["light", "rust", "coal", "navy", "ayu"] {
        browser.run(&format!("localStorage.setItem('mdbook-theme', '{theme}')"));
        for page in [
            "index.html",
            "mixed.html",
            "never-block.html",
            "threads-predict.html",
            "files/stage5-fully-async.html",
        ] {
            browser.open(&crate::book().join(page));
            assert_eq!(
                browser
                    .run(&format!("return document.documentElement.classList.contains('{theme}')")),
                true
            );
            browser.run("document.querySelectorAll('details').forEach(it => it.open = true)");
            let found = browser.run(FAINT);
            assert!(found[0].as_u64().unwrap() > 50, "{found}");
            let found = found[1].as_array().unwrap().iter();
            faint.extend(found.map(|text| format!("{theme}, {page}: {}", text.as_str().unwrap())));
        }
    }
    assert!(faint.is_empty(), "these are faint:\n{}", faint.join("\n"));
}

#[test]
fn who_prefers_the_dark_gets_it() {
    let browser = open("index.html");
    let is_dark = "return document.documentElement.classList.contains('navy')";
    assert_eq!(browser.run(is_dark), false);
    browser.media("screen", &[("prefers-color-scheme", "dark")]);
    browser.open(&crate::book().join("mixed.html"));
    assert_eq!(browser.run(is_dark), true);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    browser.screenshot(&folder.join("dark.png"));
}
