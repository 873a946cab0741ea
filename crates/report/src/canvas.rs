//! What the charts share: drawing with plotters, in inks instead of colours.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::theme::{self, Ink};

/// Where plotters draws.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The result of drawing.
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The size of the letters of a chart, in pixels.
pub(crate) const LETTERS: f64 = 12.5;

/// The width of every picture, in pixels. The page stretches it on a large screen, and
/// scrolls it on a telephone, where smaller letters could not be read.
pub(crate) const WIDTH: u32 = 720;

/// Draws with plotters, and returns what is inside the `svg` element.
///
/// # Panics
///
/// Panics if plotters fails, which it does not: it writes to memory, and every range
/// has a beginning and an end.
pub(crate) fn draw(height: u32, drawing: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let drawn = drawing(&area).and_then(|()| area.present());
        drawn.expect("memory takes what is drawn");
    }
    let inside = svg.split_once('>').map_or("", |(_, inside)| inside);
    let inside = inside.trim_end().trim_end_matches("</svg>");
    // The page says the font, not the picture.
    theme::inked(inside).replace(" font-family=\"sans-serif\"", "")
}

/// Returns the style of a text: its ink, and where its anchor is.
pub(crate) fn text(ink: Ink, h: HPos, v: VPos) -> TextStyle<'static> {
    // plotters divides the size of letters by this.
    let font = ("sans-serif", LETTERS * 1.24).into_font();
    font.color(&ink.colour()).pos(Pos::new(h, v))
}

/// Draws lines in the ink of text on a wider line of paper, so that they are seen on
/// every ink.
pub(crate) fn mark(area: &Area<'_>, lines: &[[(i32, i32); 2]]) -> Drawn {
    for (ink, width) in [(Ink::PAPER, 6), (Ink::TEXT, 2)] {
        for line in lines {
            area.draw(&PathElement::new(*line, ink.colour().stroke_width(width)))?;
        }
    }
    Ok(())
}

/// The axes of a chart, in the inks of the page. The caller adds what they say.
macro_rules! axes {
    ($chart:expr) => {
        $chart
            .configure_mesh()
            .max_light_lines(0)
            .bold_line_style(Ink::RULE.colour())
            .axis_style(Ink::RULE.colour())
            .x_label_style(canvas::text(Ink::MUTED, HPos::Center, VPos::Top))
            .y_label_style(canvas::text(Ink::MUTED, HPos::Right, VPos::Center))
            .axis_desc_style(canvas::text(Ink::MUTED, HPos::Center, VPos::Bottom))
    };
}
pub(crate) use axes;

/// Returns about how wide a text is, in pixels.
pub(crate) fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * LETTERS * 0.53
}

/// Returns the width of a column for these names, in pixels: at most a third of the
/// picture.
pub(crate) fn column<'a>(names: impl Iterator<Item = &'a str>) -> u32 {
    let longest = names.map(|name| width_of(&theme::short(name))).fold(40.0, f64::max);
    (longest.ceil() as u32 + 12).min(WIDTH / 3)
}

/// Returns a name, cut to fit its column.
pub(crate) fn fitted(name: &str, column: u32) -> String {
    cut(&theme::short(name), f64::from(column.saturating_sub(12)))
}

/// Cuts a text that is wider than `room` pixels; the tables have the whole of it.
pub(crate) fn cut(text: &str, room: f64) -> String {
    if width_of(text) <= room {
        return text.to_owned();
    }
    let letters = (room / width_of("m")) as usize;
    text.chars().take(letters.saturating_sub(1)).collect::<String>() + "…"
}

/// Moves apart places that are nearer than `room`, in pixels. Returns the new places in
/// the order of the old.
pub(crate) fn apart(places: &[i32], room: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&at| places[at]);
    let mut moved = places.to_vec();
    // Both places of a pair give way by half. A few labels come to rest long before the
    // hundredth pass.
    for pair in std::iter::repeat_n(order.windows(2), 100).flatten() {
        let lack = (room - (moved[pair[1]] - moved[pair[0]])).max(0);
        moved[pair[0]] -= lack / 2;
        moved[pair[1]] += lack - lack / 2;
    }
    moved
}

/// Returns the powers of ten between `from` and `to`. If they are fewer than two, also
/// their multiples by 2 and 5; if those are fewer, by all digits.
pub(crate) fn decades(from: f64, to: f64) -> Vec<f64> {
    let exponents = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let ticks = |digits: &[f64]| -> Vec<f64> {
        let all = exponents.clone().flat_map(|e| digits.iter().map(move |it| it * 10f64.powi(e)));
        all.filter(|value| (from * 0.999..=to * 1.001).contains(value)).collect()
    };
    let few = [&[1.0][..], &[1.0, 2.0, 5.0]].into_iter().map(&ticks).find(|it| it.len() > 1);
    few.unwrap_or_else(|| ticks(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moved_apart_and_keep_their_order() {
        assert_eq!(apart(&[10, 50, 90], 14), [10, 50, 90]);
        for places in [vec![50, 50, 50], vec![90, 10, 12, 11], vec![7, 7, 30, 30, 31]] {
            let mut moved: Vec<_> = places.iter().zip(apart(&places, 14)).collect();
            moved.sort_by_key(|(_, new)| *new);
            assert!(moved.is_sorted_by_key(|(old, _)| *old), "{moved:?}");
            assert!(moved.windows(2).all(|pair| pair[1].1 - pair[0].1 >= 14), "{moved:?}");
        }
        assert!(apart(&[], 14).is_empty());
    }

    #[test]
    fn a_log_axis_has_the_powers_of_ten_or_what_is_between() {
        assert_eq!(decades(0.001, 1.0), [0.001, 0.01, 0.1, 1.0]);
        assert_eq!(decades(2.0, 60.0), [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(decades(21.0, 81.0), [30.0, 40.0, 50.0, 60.0, 70.0, 80.0]);
    }
}
