//! How much each contender merged in a second, as a share of `cat`'s throughput.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::{self, Area, Drawn, WIDTH};
use crate::picture::Picture;
use crate::sentences;
use crate::table::{Column, Row, Spread, Table};
use crate::theme::Ink;

/// The height of the band of one contender, in pixels.
const BAND: u32 = 30;

/// The room right of the bars for the numbers, in pixels: no mark runs into them.
const NUMBERS: u32 = 190;

/// A contender: its name, and its share of `cat`'s throughput in each round, or what is
/// wrong with it.
type Share<'a> = (&'a str, Result<Spread, &'a str>);

/// Returns the picture of one workload, if its times were set against `cat`'s.
pub(crate) fn picture(table: &Table) -> Option<Picture> {
    let shares: Vec<Share<'_>> = table.rows.iter().filter_map(share).collect();
    shares.iter().find(|(name, share)| *name != "cat" && share.is_ok())?;
    let height = shares.len() as u32 * BAND + 50;
    let (name, says) = (&table.name, sentences::of_table(table).join(" "));
    let (title, name) =
        (format!("Throughput on {name}, as a share of cat's"), format!("throughput-{name}"));
    Some(Picture::chart(name, title, says, height, |area| chart(area, &shares)))
}

/// A share of `cat`'s throughput is one divided by the ratio to its time.
fn share(row: &Row) -> Option<Share<'_>> {
    let share = match &row.wrong {
        Some(wrong) => Err(&**wrong),
        None => {
            let ratios = &row.spread(Column::Ratio)?.runs;
            Ok(Spread::new(ratios.iter().map(|ratio| 1.0 / ratio).collect()))
        }
    };
    Some((&row.name, share))
}

fn chart(area: &Area<'_>, shares: &[Share<'_>]) -> Drawn {
    let names = canvas::column(shares.iter().map(|(name, _)| *name));
    let most = shares.iter().filter_map(|(_, share)| Some(share.as_ref().ok()?.bounds().1));
    let most = most.fold(1.0, f64::max) * 1.04;

    let mut chart = ChartBuilder::on(area)
        .margin_top(4)
        .margin_right(NUMBERS)
        .x_label_area_size(42)
        .y_label_area_size(names)
        .build_cartesian_2d(0.0..most, -(shares.len() as f64)..0.0)?;
    canvas::axes!(chart)
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(8)
        .x_label_formatter(&|share| format!("{:.0}%", share * 100.0))
        .x_desc("throughput, cat's is 100%: longer is better")
        .draw()?;

    for (at, (name, share)) in shares.iter().enumerate() {
        let middle = -(at as f64) - 0.5;
        let ink = Ink::of(name);
        let (left, y) = chart.backend_coord(&(0.0, middle));
        let (right, _) = chart.backend_coord(&(most, middle));
        let text = |says: String, x: i32, ink, side| {
            area.draw(&Text::new(says, (x, y), canvas::text(ink, side, VPos::Center)))
        };
        text(canvas::fitted(name, names), left - 8, ink, HPos::Right)?;
        let share = match share {
            Ok(share) => share,
            Err(wrong) => {
                let room = f64::from(WIDTH - names) - 8.0;
                let wrong = canvas::cut(&format!("wrong: {wrong}"), room);
                text(wrong, left + 4, Ink::ALARM, HPos::Left)?;
                continue;
            }
        };
        let (least, largest) = share.bounds();
        let ends = [(0.0, middle - 0.3), (share.median, middle + 0.3)];
        chart.draw_series([Rectangle::new(ends, ink.colour().filled())])?;
        let mut says = format!("{:.0}%", share.median * 100.0);
        if share.runs.len() > 1 {
            let x = |share: f64| chart.backend_coord(&(share, middle)).0;
            let mark = |at: f64, high: i32| [(x(at), y - high), (x(at), y + high)];
            let whisker = [(x(least), y), (x(largest), y)];
            canvas::mark(
                area,
                &[whisker, mark(least, 5), mark(share.median, 9), mark(largest, 5)],
            )?;
            says += &format!(", from {:.0}% to {:.0}%", least * 100.0, largest * 100.0);
        }
        text(says, right + 8, Ink::TEXT, HPos::Left)?;
    }
    Ok(())
}
