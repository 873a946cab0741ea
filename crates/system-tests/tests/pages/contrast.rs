//! Whether texts stand out from the ground that they stand on.

use system_tests::Browser;

/// Opens all that is folded; returns the texts within the elements of a selector whose
/// colour is too near to that of their ground. The least contrast is that of WCAG for
/// text, 4.5, which is what half of all readers over sixty need.
#[track_caller]
pub(crate) fn texts_too_faint(browser: &Browser, within: &str) -> Vec<String> {
    browser.run("document.querySelectorAll('details').forEach(it => it.open = true)");
    let found = browser.run(&format!("const within = '{within}';{FAINT}"));
    assert!(found[0].as_u64().unwrap() > 50, "{found}");
    let faint = found[1].as_array().unwrap().iter();
    faint.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Finds such texts. A canvas reads the colours, since it knows all ways to write them.
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
    // In a picture, a text may stand on a shape of it: the one under its middle.
    const shapes = text => {
        const box = text.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        const under = [...text.ownerSVGElement.querySelectorAll('rect.f-blocked')].filter(shape => {
            const at = shape.getBoundingClientRect();
            return at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
        });
        return under.slice(0, 1).map(shape => getComputedStyle(shape).fill);
    };
    // Only for who listens: no eye sees it.
    const isCut = at => at && (getComputedStyle(at).clipPath !== 'none' || isCut(at.parentElement));
    const faint = new Set();
    let seen = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
        if (!element.closest(within) || element.closest('script, style, title, desc')) continue;
        if (isCut(element)) continue;
        seen += 1;
        const drawn = element instanceof SVGElement;
        const ground = [...grounds(element), ...(drawn ? shapes(element) : [])];
        const style = getComputedStyle(element);
        const [a, b] = [light(parts(ground)), light(parts([...ground, drawn ? style.fill : style.color]))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) {
            faint.add(`${contrast.toFixed(2)}: ${element.tagName} in ${element.parentElement.className}: ` + texts.currentNode.data.trim().slice(0, 30));
        }
    }
    return [seen, [...faint]];
";
