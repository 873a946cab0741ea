//! The colours, by name, for light and for dark; and the style sheet that
//! gives them to the page and to each picture.
//!
//! A picture names an ink, never a colour: so the same drawing is right in both
//! themes, and on paper. The inks of the stages differ for colour-blind eyes as
//! well (after Okabe and Ito), and where ink alone would tell two things apart,
//! a label, a place or a hatching does so, too.

use std::fmt::Write as _;

use plotters::style::RGBColor;
use stages::{Said, Stage};

/// A colour that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What all is drawn on.
    Paper,
    /// A box on the paper.
    Card,
    /// Text.
    Text,
    /// Text of the second rank.
    Muted,
    /// Lines that only lead the eye.
    Rule,
    /// What is wrong, and a loop that stands still.
    Alarm,
    /// The time for which a write does not return.
    Blocked,
    /// `cat`, and what else is not a stage.
    Floor,
    /// A stage, by its place in the palette, from 0.
    Stage(u8),
    /// What a thread does; and a wait, whatever for: the hatchings differ.
    Read,
    Write,
    Wait,
}

/// How many stages have a colour and a mark of their own.
pub(crate) const PALETTE: u32 = 8;

/// Every ink: its name in the style sheet, light, dark.
const INKS: &[(Ink, &str, &str, &str)] = &[
    (Ink::Paper, "paper", "#ffffff", "#14181d"),
    (Ink::Card, "card", "#f4f6f8", "#1d232a"),
    (Ink::Text, "text", "#1a1d21", "#e8eaed"),
    (Ink::Muted, "muted", "#555c65", "#a8b0ba"),
    (Ink::Rule, "rule", "#d3d8de", "#3a424c"),
    (Ink::Alarm, "alarm", "#b80c2c", "#ff8090"),
    (Ink::Blocked, "blocked", "#e9ebee", "#2a3139"),
    (Ink::Floor, "floor", "#5f6770", "#a3abb5"),
    (Ink::Stage(0), "stage1", "#00639c", "#5cb8ee"),
    (Ink::Stage(1), "stage2", "#a84700", "#ffa257"),
    (Ink::Stage(2), "stage3", "#6d5a00", "#e3cf45"),
    (Ink::Stage(3), "stage4", "#a02875", "#f091c6"),
    (Ink::Stage(4), "stage5", "#00694d", "#46d3a5"),
    (Ink::Stage(5), "stage6", "#5b46c0", "#b0a2ff"),
    (Ink::Stage(6), "stage7", "#7b4b2a", "#d9a585"),
    (Ink::Stage(7), "stage8", "#006b78", "#5fd0dd"),
    (Ink::Read, "read", "#3f9bdc", "#4ba6e6"),
    (Ink::Write, "write", "#1d3666", "#c3d4f7"),
    (Ink::Wait, "wait", "#c25500", "#ffa04d"),
];

impl Ink {
    /// Returns the name of the ink in the style sheet.
    pub(crate) fn name(self) -> &'static str {
        INKS[self.place()].1
    }

    fn place(self) -> usize {
        INKS.iter().position(|ink| ink.0 == self).expect("every ink is in the list")
    }

    /// Returns a colour that stands for this ink in a drawing of plotters, until
    /// [`inked`] puts the name in its place.
    pub(crate) fn colour(self) -> RGBColor {
        RGBColor(1, 2, self.place() as u8)
    }

    /// Returns the ink of a contender.
    pub(crate) fn of(name: &str) -> Ink {
        place(name).map_or(Ink::Floor, |place| Ink::Stage(place as u8))
    }
}

/// Returns the number of a stage, from its name.
pub(crate) fn number(name: &str) -> Option<u32> {
    name.strip_prefix("stage")?.split_once('-')?.0.parse().ok()
}

/// Returns the place of a stage in the palette of colours and of marks.
pub(crate) fn place(name: &str) -> Option<u32> {
    Some(number(name)?.checked_sub(1)? % PALETTE)
}

/// Returns what a stage says of itself; nothing of one that is not in the list.
pub(crate) fn said(name: &str) -> Option<Said> {
    stages::find(name).ok().map(Stage::said)
}

/// Says whether all tails of a contender share one loop; nothing of a stage that is
/// not in the list.
pub(crate) fn has_loop(name: &str) -> Option<bool> {
    match number(name) {
        None => Some(false),
        Some(_) => said(name).map(|said| said.has_loop),
    }
}

/// Returns the name of a stage as it stands beside its ink: `4 tasks`. Other
/// names stay as they are.
pub(crate) fn short(name: &str) -> String {
    match (number(name), name.split_once('-')) {
        (Some(number), Some((_, rest))) => format!("{number} {rest}"),
        _ => name.to_owned(),
    }
}

/// Returns the name of a stage as it stands in a sentence: `4 (tasks)`.
pub(crate) fn told(name: &str) -> String {
    match (number(name), name.split_once('-')) {
        (Some(number), Some((_, rest))) => format!("{number} ({rest})"),
        _ => name.to_owned(),
    }
}

/// Returns the names of stages as they stand in a sentence: `stage 4 (tasks)`,
/// `stages 1 (threads), 2 (mixed) and 3 (bottom-up)`.
pub(crate) fn listed(names: &[&str]) -> String {
    let told: Vec<String> = names.iter().map(|name| self::told(name)).collect();
    match &told[..] {
        [] => String::new(),
        [one] => format!("stage {one}"),
        [first @ .., last] => format!("stages {} and {last}", first.join(", ")),
    }
}

/// Puts the names of the inks in place of the colours that stood for them.
pub(crate) fn inked(svg: &str) -> String {
    let mut svg = svg.replace(" opacity=\"1\"", "");
    for &(ink, name, ..) in INKS {
        let RGBColor(r, g, b) = ink.colour();
        let colour = format!("#{r:02X}{g:02X}{b:02X}");
        svg = svg.replace(&format!("fill=\"{colour}\""), &format!("class=\"f-{name}\""));
        svg = svg.replace(&format!("stroke=\"{colour}\""), &format!("class=\"l-{name}\""));
    }
    svg
}

/// The classes of the pictures: an ink to fill with, to draw with.
pub(crate) fn classes() -> String {
    let mut css = String::new();
    for (ink, name, ..) in INKS {
        let _ = write!(css, ".f-{name}{{fill:var(--{name})}}.l-{name}{{stroke:var(--{name})}}");
        if matches!(ink, Ink::Stage(_) | Ink::Floor) {
            let _ = write!(css, ".{name}{{color:var(--{name})}}");
        }
    }
    // Hatchings, so that a wait is no mere colour. What is filled with one is
    // outlined as well. The waits are one family: one ink, and only they.
    let hatchings = [
        ("lock", "wait"),
        ("loop", "wait"),
        ("answer", "wait"),
        ("alarm", "alarm"),
        ("still", "alarm"),
    ];
    for (name, ink) in hatchings {
        let _ = write!(css, ".h-{name}{{fill:url(#h-{name});stroke:var(--{ink})}}");
    }
    // Letters over a hatching stand on the paper.
    css += ".haloed{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}";
    css
}

/// The inks of the page, for light, for dark, and always light on paper.
///
/// The theme is chosen by two radio buttons that `:has` looks at: no script.
pub(crate) fn of_page() -> String {
    let (light, dark) = (variables(|ink| ink.2), variables(|ink| ink.3));
    format!(
        ":root{{color-scheme:light;{light}}}\
         @media screen and (prefers-color-scheme:dark){{\
         :root:not(:has(#theme-light:checked)){{color-scheme:dark;{dark}}}}}\
         @media screen{{:root:has(#theme-dark:checked){{color-scheme:dark;{dark}}}}}"
    )
}

/// The inks of a picture that stands alone, for what its reader prefers.
pub(crate) fn of_picture() -> String {
    let (light, dark) = (variables(|ink| ink.2), variables(|ink| ink.3));
    format!(
        "svg{{{light}font-family:system-ui,sans-serif}}\
         @media screen and (prefers-color-scheme:dark){{svg{{{dark}}}}}"
    )
}

fn variables(colour: impl Fn(&(Ink, &str, &'static str, &'static str)) -> &'static str) -> String {
    INKS.iter().fold(String::new(), |mut css, ink| {
        let _ = write!(css, "--{}:{};", ink.1, colour(ink));
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
    fn every_place_of_the_palette_has_an_ink_of_its_own() {
        let inks: Vec<_> =
            (1..=PALETTE).map(|it| Ink::of(&format!("stage{it}-x")).name()).collect();
        let named: Vec<_> = (1..=PALETTE).map(|it| format!("stage{it}")).collect();
        assert_eq!(inks, named);
        assert_eq!(Ink::of("stage9-more"), Ink::Stage(0), "there it begins again");
    }

    #[test]
    fn what_is_text_can_be_read_on_paper_and_on_a_card_in_both_themes() {
        let (paper, card) = (INKS[0], INKS[1]);
        let text = [Ink::Text, Ink::Muted, Ink::Alarm, Ink::Floor];
        let stages = (0..PALETTE).map(|place| Ink::Stage(place as u8));
        for ink in text.into_iter().chain(stages) {
            let (_, name, light, dark) = INKS[ink.place()];
            for (_, _, light_ground, dark_ground) in [paper, card] {
                for (text, ground) in [(light, light_ground), (dark, dark_ground)] {
                    let contrast = contrast(text, ground);
                    assert!(contrast >= 4.5, "{name}, {text} on {ground}: {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn an_ink_takes_the_place_of_the_colour_that_stood_for_it() {
        let drawn = r##"<rect opacity="1" fill="#010205" stroke="none"/>"##;
        assert_eq!(inked(drawn), r#"<rect class="f-alarm" stroke="none"/>"#);
    }

    #[test]
    fn a_stage_is_known_by_its_number_and_others_by_their_name() {
        assert_eq!(short("stage5-fully-async"), "5 fully-async");
        assert_eq!(Ink::of("stage5-fully-async"), Ink::Stage(4));
        for other in ["cat", "stage", "stagex-y", "stage0-none"] {
            assert_eq!(Ink::of(other), Ink::Floor, "{other}");
        }
        assert_eq!(short("cat"), "cat");
        let all = ["stage1-threads", "stage2-mixed", "stage3-bottom-up"];
        assert_eq!(listed(&all), "stages 1 (threads), 2 (mixed) and 3 (bottom-up)");
        assert_eq!(listed(&all[2..]), "stage 3 (bottom-up)");
    }
}
