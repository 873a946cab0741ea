//! The named colours, for light and for dark; and the style sheet that gives them to
//! the page and to each picture.
//!
//! A picture names an ink, never a colour: so the same drawing is right in both themes,
//! and on paper. The inks of the stages also differ for colour-blind eyes (after Okabe
//! and Ito). Where ink alone would tell two things apart, a label, a place or a
//! hatching does so too.

use std::fmt::Write as _;

use plotters::style::RGBColor;

use crate::table::stage_number;

/// A named colour, as an index into [`INKS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ink(usize);

/// Every ink: its name in the style sheet, its colour in light, and in dark. The last
/// are for the stages, in order.
const INKS: [(&str, &str, &str); 19] = [
    ("paper", "#ffffff", "#14181d"),
    ("card", "#f4f6f8", "#1d232a"),
    ("text", "#1a1d21", "#e8eaed"),
    ("muted", "#555c65", "#a8b0ba"),
    ("rule", "#d3d8de", "#3a424c"),
    ("alarm", "#b80c2c", "#ff8090"),
    ("blocked", "#e9ebee", "#2a3139"),
    ("floor", "#5f6770", "#a3abb5"),
    ("read", "#3f9bdc", "#4ba6e6"),
    ("write", "#1d3666", "#c3d4f7"),
    ("wait", "#c25500", "#ffa04d"),
    ("stage1", "#00639c", "#5cb8ee"),
    ("stage2", "#a84700", "#ffa257"),
    ("stage3", "#6d5a00", "#e3cf45"),
    ("stage4", "#a02875", "#f091c6"),
    ("stage5", "#00694d", "#46d3a5"),
    ("stage6", "#5b46c0", "#b0a2ff"),
    ("stage7", "#7b4b2a", "#d9a585"),
    ("stage8", "#006b78", "#5fd0dd"),
];

/// The index of the first ink of a stage.
const STAGE1: usize = 11;

impl Ink {
    /// The ground of everything.
    pub(crate) const PAPER: Ink = Ink(0);
    /// Text, and less important text.
    pub(crate) const TEXT: Ink = Ink(2);
    pub(crate) const MUTED: Ink = Ink(3);
    /// Lines that only lead the eye.
    pub(crate) const RULE: Ink = Ink(4);
    /// Wrong results, and a loop that stands still.
    pub(crate) const ALARM: Ink = Ink(5);
    /// `cat`, and all others that are no stages.
    const FLOOR: Ink = Ink(7);

    /// Returns the ink of a contender.
    pub(crate) fn of(name: &str) -> Ink {
        let place = stage_number(name).and_then(|number| number.checked_sub(1));
        place.map_or(Ink::FLOOR, |place| Ink(STAGE1 + place % (INKS.len() - STAGE1)))
    }

    /// Returns the name of the ink in the style sheet.
    pub(crate) fn name(self) -> &'static str {
        INKS[self.0].0
    }

    /// Returns the colour that stands for this ink in a drawing of plotters, until
    /// [`inked`] replaces it by the name.
    pub(crate) fn colour(self) -> RGBColor {
        RGBColor(1, 2, self.0 as u8)
    }
}

/// Returns the name of a stage as it stands beside its ink: `4 tasks`. Other names stay
/// as they are.
pub(crate) fn short(name: &str) -> String {
    match (stage_number(name), name.split_once('-')) {
        (Some(number), Some((_, rest))) => format!("{number} {rest}"),
        _ => name.to_owned(),
    }
}

/// Replaces the colours that stand for inks by the inks' names.
pub(crate) fn inked(svg: &str) -> String {
    let mut svg = svg.replace(" opacity=\"1\"", "");
    for (place, (name, ..)) in INKS.iter().enumerate() {
        let RGBColor(r, g, b) = Ink(place).colour();
        let colour = format!("#{r:02X}{g:02X}{b:02X}");
        svg = svg.replace(&format!("fill=\"{colour}\""), &format!("class=\"f-{name}\""));
        svg = svg.replace(&format!("stroke=\"{colour}\""), &format!("class=\"l-{name}\""));
    }
    svg
}

/// Returns the classes of page and pictures: an ink to fill with, to draw with, to
/// write with.
pub(crate) fn classes() -> String {
    let mut css = String::new();
    for (name, ..) in INKS {
        let _ = write!(css, ".f-{name}{{fill:var(--{name})}}.l-{name}{{stroke:var(--{name})}}");
    }
    for (name, ..) in INKS[STAGE1..].iter().chain([&INKS[Ink::FLOOR.0]]) {
        let _ = write!(css, ".{name}{{color:var(--{name})}}");
    }
    // With hatchings, a wait is no mere colour. Whatever has a hatching also has an
    // outline. All waits have one ink, and nothing else has it.
    let waits = ["lock", "loop", "answer"].map(|name| (name, "wait"));
    for (name, ink) in waits.into_iter().chain([("alarm", "alarm"), ("still", "alarm")]) {
        let _ = write!(css, ".h-{name}{{fill:url(#h-{name});stroke:var(--{ink})}}");
    }
    // Letters over a hatching are outlined in paper.
    css += ".haloed{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}";
    css
}

/// Returns the inks of the page for light and for dark; on paper always for light.
///
/// `:has` reads the theme from the radio buttons: no script.
pub(crate) fn of_page() -> String {
    let (light, dark) = (variables(|ink| ink.1), variables(|ink| ink.2));
    format!(
        ":root{{color-scheme:light;{light}}}\
         @media screen and (prefers-color-scheme:dark){{\
         :root:not(:has(#theme-light:checked)){{color-scheme:dark;{dark}}}}}\
         @media screen{{:root:has(#theme-dark:checked){{color-scheme:dark;{dark}}}}}"
    )
}

/// Returns the inks of a picture that stands alone, for the theme that its reader
/// prefers.
pub(crate) fn of_picture() -> String {
    let (light, dark) = (variables(|ink| ink.1), variables(|ink| ink.2));
    format!(
        "svg{{{light}font-family:system-ui,sans-serif}}\
         @media screen and (prefers-color-scheme:dark){{svg{{{dark}}}}}"
    )
}

fn variables(colour: impl Fn(&(&str, &'static str, &'static str)) -> &'static str) -> String {
    INKS.iter().fold(String::new(), |mut css, ink| {
        let _ = write!(css, "--{}:{};", ink.0, colour(ink));
        css
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two colours, after WCAG 2.
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |colour: &str| {
            let part = |at: usize| {
                let part = u8::from_str_radix(&colour[at..at + 2], 16).unwrap();
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn what_is_text_can_be_read_on_paper_and_on_a_card_in_both_themes() {
        let named = [Ink::TEXT, Ink::MUTED, Ink::ALARM, Ink::FLOOR].map(|ink| INKS[ink.0]);
        for (name, light, dark) in named.iter().chain(&INKS[STAGE1..]) {
            for (_, light_ground, dark_ground) in &INKS[..2] {
                for (text, ground) in [(light, light_ground), (dark, dark_ground)] {
                    let contrast = contrast(text, ground);
                    assert!(contrast >= 4.5, "{name}, {text} on {ground}: {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn a_stage_has_the_ink_and_the_name_of_its_place_and_others_the_floor_s() {
        for (number, name) in [(1, "stage1-a"), (5, "stage5-fully-async"), (1, "stage9-b")] {
            assert_eq!(Ink::of(name).name(), format!("stage{number}"));
        }
        for other in ["cat", "stage", "stagex-y", "stage0-a"] {
            assert_eq!(Ink::of(other).name(), "floor", "{other}");
        }
        assert_eq!(short("stage5-fully-async"), "5 fully-async");
        assert_eq!(short("cat"), "cat");
        assert_eq!(inked(r##"<rect opacity="1" fill="#010205"/>"##), r#"<rect class="f-alarm"/>"#);
    }
}
