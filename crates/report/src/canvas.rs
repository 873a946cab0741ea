//! What the charts share: a drawing of plotters, with inks for colours.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::theme::{self, Ink};

/// Where plotters draws.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What drawing answers.
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The size of the letters of a chart, in pixels.
pub(crate) const LETTERS: f64 = 12.5;

/// How wide a picture is drawn. What is seen on a telephone is a drawing of its
/// own: a wide one made smaller has letters that nobody can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// For a screen and for paper.
    Wide,
    /// Half of it: two stand side by side.
    Half,
    /// For a telephone.
    Narrow,
}

impl Width {
    pub(crate) fn pixels(self) -> u32 {
        match self {
            Width::Wide => 860,
            Width::Half => 420,
            Width::Narrow => 350,
        }
    }
}

/// Draws with plotters, and returns what is inside of the `svg` element.
///
/// # Panics
///
/// Panics if plotters fails, which it does not: it writes to memory, and every
/// range that it is given has a beginning and an end.
pub(crate) fn draw(size: (u32, u32), drawing: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = drawing(&area).and_then(|()| area.present());
        drawn.expect("memory takes what is drawn");
    }
    let inside = svg.split_once('>').map_or("", |(_, inside)| inside);
    let inside = inside.trim_end().trim_end_matches("</svg>");
    // The font is the page's, not the picture's.
    theme::inked(inside).replace(" font-family=\"sans-serif\"", "")
}

/// Returns the style of a text: its ink, and where its anchor is.
pub(crate) fn text(ink: Ink, h: HPos, v: VPos) -> TextStyle<'static> {
    // plotters makes letters smaller by this.
    let font = ("sans-serif", LETTERS * 1.24).into_font();
    font.color(&ink.colour()).pos(Pos::new(h, v))
}

/// Returns about how wide a text is, in pixels.
pub(crate) fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * LETTERS * 0.53
}

/// Returns how wide a column for these names is: at most a third of the picture.
pub(crate) fn column<'a>(area: &Area<'_>, names: impl Iterator<Item = &'a str>) -> u32 {
    let longest = names.map(|name| width_of(&theme::short(name))).fold(40.0, f64::max);
    (longest.ceil() as u32 + 12).min(area.dim_in_pixel().0 / 3)
}

/// Returns a name as it fits its column.
pub(crate) fn fitted(name: &str, column: u32) -> String {
    cut(&theme::short(name), f64::from(column.saturating_sub(12)))
}

/// Cuts what would need more than `room` pixels; the tables have the whole of it.
pub(crate) fn cut(text: &str, room: f64) -> String {
    if width_of(text) <= room {
        return text.to_owned();
    }
    let letters = (room / width_of("m")) as usize;
    text.chars().take(letters.saturating_sub(1)).collect::<String>() + "…"
}

/// Breaks a text into lines of at most `room` pixels, where it has blanks.
pub(crate) fn wrapped(text: &str, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(line) + width_of(word) + width_of(" ") <= room => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Moves what is too near to its neighbour, so that every label has `room`, and
/// none further than it must; returns the new places in the order of the old.
pub(crate) fn apart(places: &[i32], room: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&at| places[at]);
    // Blocks of labels that touch: how many, and the sum of where each would
    // have the first of its block. Each block lies at the mean of those.
    let mut blocks: Vec<(usize, f64)> = Vec::new();
    for &at in &order {
        let mut block = (1, f64::from(places[at]));
        while let Some(&(count, sum)) = blocks.last() {
            let above = sum / count as f64 + f64::from(room) * count as f64;
            if above <= block.1 / block.0 as f64 {
                break;
            }
            let offset = block.0 as f64 * count as f64 * f64::from(room);
            block = (count + block.0, sum + block.1 - offset);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut moved = places.to_vec();
    let mut left = order.into_iter();
    for (count, sum) in blocks {
        let first = (sum / count as f64).round() as i32;
        for (step, at) in (0..).zip(left.by_ref().take(count)) {
            moved[at] = first + step * room;
        }
    }
    moved
}

/// Returns the powers of ten from `from` to `to`, both included if they are one;
/// at least two ticks, with the halves and fifths between if need be.
pub(crate) fn decades(from: f64, to: f64) -> Vec<f64> {
    let exponents = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let within = |value: &f64| (from * 0.999..=to * 1.001).contains(value);
    let tens: Vec<f64> =
        exponents.clone().map(|exponent| 10f64.powi(exponent)).filter(within).collect();
    if tens.len() >= 2 {
        return tens;
    }
    let all = exponents.flat_map(|e| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(e)));
    all.filter(within).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moved_apart_and_keep_their_order() {
        assert_eq!(apart(&[10, 50, 90], 14), [10, 50, 90]);
        for places in [vec![50, 50, 50], vec![90, 10, 12, 11], vec![7, 7, 30, 30, 31]] {
            let moved = apart(&places, 14);
            let mut order: Vec<usize> = (0..places.len()).collect();
            order.sort_by_key(|&at| places[at]);
            for pair in order.windows(2) {
                assert!(moved[pair[1]] - moved[pair[0]] >= 14, "{places:?} became {moved:?}");
            }
        }
        assert!(apart(&[], 14).is_empty());
    }

    #[test]
    fn a_text_is_broken_where_it_has_blanks() {
        assert_eq!(wrapped("one two three", width_of("one two")), ["one two", "three"]);
        assert_eq!(wrapped("one two three", width_of("o")), ["one", "two", "three"]);
        assert!(wrapped("", 10.0).is_empty());
    }

    #[test]
    fn a_log_axis_has_the_powers_of_ten_or_what_is_between() {
        assert_eq!(decades(0.001, 1.0), [0.001, 0.01, 0.1, 1.0]);
        assert_eq!(decades(2.0, 60.0), [2.0, 5.0, 10.0, 20.0, 50.0]);
    }
}
