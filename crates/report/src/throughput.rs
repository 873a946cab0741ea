//! How much each contender merged in a second, as a share of what `cat` did.

use crate::{Cell, Row, Spread, Table};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::{self, Area, Drawn, Width};
use crate::picture::{Drawing, Picture};
use crate::theme::{self, Ink};

/// How high the band of one contender is, in pixels.
const BAND: u32 = 34;

/// One contender: its name, and its share of `cat`'s throughput in each round;
/// or what is wrong with it.
type Share<'a> = (&'a str, Result<Spread, &'a str>);

/// Returns the picture of one workload, if its times were set against `cat`'s.
pub(crate) fn picture(table: &Table) -> Option<Picture<'_>> {
    let shares: Vec<Share<'_>> = table.rows.iter().filter_map(|row| share(table, row)).collect();
    shares.iter().find(|(name, share)| *name != "cat" && share.is_ok())?;
    let says = headline(table)?;
    Some(Picture {
        name: format!("throughput-{}", table.name),
        title: format!("Throughput on {}, as a share of cat's", table.name),
        says,
        parts: false,
        legend: None,
        draw: Box::new(move |width| draw(&shares, width)),
    })
}

/// The throughput is to `cat`'s as `cat`'s time is to the time.
fn share<'a>(table: &Table, row: &'a Row) -> Option<Share<'a>> {
    let share = match &row.cells {
        Err(wrong) => Err(&**wrong),
        Ok(_) => match table.cell(row, "ratio_to_cat")? {
            Cell::Ratio(ratio) => {
                Ok(Spread::new(ratio.values().iter().map(|ratio| 1.0 / ratio).collect()))
            }
            _ => return None,
        },
    };
    Some((&row.name, share))
}

/// Says who comes nearest to `cat` and who stays furthest behind.
pub(crate) fn headline(table: &Table) -> Option<String> {
    let mut stages: Vec<(&str, Spread)> = table
        .rows
        .iter()
        .filter(|row| theme::number(&row.name).is_some())
        .filter_map(|row| share(table, row))
        .filter_map(|(name, share)| Some((name, share.ok()?)))
        .collect();
    stages.sort_by(|(_, a), (_, b)| b.median().total_cmp(&a.median()));
    let percent = |spread: &Spread| format!("{:.0}%", spread.median() * 100.0);
    let on = &table.name;
    Some(match &stages[..] {
        [] => return None,
        [(only, share)] => {
            format!(
                "On {on}, stage {} merges at {} of cat's throughput.",
                theme::told(only),
                percent(share)
            )
        }
        [(most, high), .., (least, low)] => {
            let once = [high, low].iter().any(|spread| spread.values().len() < 2);
            let told_apart = bounds(high).0 > bounds(low).1;
            format!(
                "On {on}, stage {} merges at {} of cat's throughput, the most, and stage {} at {}, \
                 the least; {}.",
                theme::told(most),
                percent(high),
                theme::told(least),
                percent(low),
                match told_apart {
                    _ if once => "each ran once, so this order may be chance",
                    true => "their spreads do not meet",
                    false => "but their spreads overlap, so this order may be chance",
                }
            )
        }
    })
}

/// The least and the largest value.
fn bounds(spread: &Spread) -> (f64, f64) {
    let values = spread.values().iter();
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
        (least.min(*value), most.max(*value))
    })
}

fn draw(shares: &[Share<'_>], width: Width) -> Drawing {
    let (w, axis) = (width.pixels(), 42);
    let height = shares.len() as u32 * BAND + axis + 8;
    let inside = canvas::draw((w, height), |area| chart(area, shares, width));
    Drawing { width: w, height, inside }
}

fn chart(area: &Area<'_>, shares: &[Share<'_>], width: Width) -> Drawn {
    let names = canvas::column(area, shares.iter().map(|(name, _)| *name));
    let most = shares.iter().filter_map(|(_, share)| Some(bounds(share.as_ref().ok()?).1));
    let most = most.fold(1.0, f64::max) * 1.04;
    // The numbers stand in a column of their own: no whisker runs into them.
    let numbers = if width == Width::Narrow { 44 } else { 200 };

    let mut chart = ChartBuilder::on(area)
        .margin_top(4)
        .margin_right(numbers)
        .x_label_area_size(42)
        .y_label_area_size(names)
        .build_cartesian_2d(0.0..most, -(shares.len() as f64)..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(if width == Width::Narrow { 4 } else { 8 })
        .x_max_light_lines(0)
        .bold_line_style(Ink::Rule.colour())
        .axis_style(Ink::Rule.colour())
        .x_label_style(canvas::text(Ink::Muted, HPos::Center, VPos::Top))
        .axis_desc_style(canvas::text(Ink::Muted, HPos::Center, VPos::Bottom))
        .x_label_formatter(&|share| format!("{:.0}%", share * 100.0))
        .x_desc("throughput, cat's is 100%: longer is better")
        .draw()?;

    for (at, (name, share)) in shares.iter().enumerate() {
        let middle = -(at as f64) - 0.5;
        let ink = Ink::of(name);
        let (left, y) = chart.backend_coord(&(0.0, middle));
        let style = canvas::text(ink, HPos::Right, VPos::Center);
        area.draw(&Text::new(canvas::fitted(name, names), (left - 8, y), style))?;
        let share = match share {
            Ok(share) => share,
            Err(wrong) => {
                let style = canvas::text(Ink::Alarm, HPos::Left, VPos::Center);
                let room = f64::from(area.dim_in_pixel().0 - names) - 8.0;
                let wrong = canvas::cut(&format!("wrong: {wrong}"), room);
                area.draw(&Text::new(wrong, (left + 4, y), style))?;
                continue;
            }
        };
        let (least, most) = bounds(share);
        let bar = Rectangle::new(
            [(0.0, middle - 0.3), (share.median(), middle + 0.3)],
            ink.colour().filled(),
        );
        chart.draw_series([bar])?;
        if share.values().len() > 1 {
            // On the ground of the paper, so that it is seen on every ink.
            for (ink, width) in [(Ink::Paper, 6), (Ink::Text, 2)] {
                let line = ink.colour().stroke_width(width);
                let ends = [(least, middle), (most, middle)];
                chart.draw_series([PathElement::new(ends, line)])?;
                for at in [least, share.median(), most] {
                    let (x, y) = chart.backend_coord(&(at, middle));
                    let (high, out) =
                        (if at == share.median() { 9 } else { 5 }, (width as i32 - 2) / 2);
                    area.draw(&PathElement::new([(x, y - high - out), (x, y + high + out)], line))?;
                }
            }
        }
        let mut says = format!("{:.0}%", share.median() * 100.0);
        if width != Width::Narrow && share.values().len() > 1 {
            says += &format!(", from {:.0}% to {:.0}%", least * 100.0, most * 100.0);
        }
        let (right, _) = chart.backend_coord(&(chart.x_range().end, middle));
        let style = canvas::text(Ink::Text, HPos::Left, VPos::Center);
        area.draw(&Text::new(says, (right + 8, y), style))?;
    }
    Ok(())
}
