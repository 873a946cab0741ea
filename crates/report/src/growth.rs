//! How the cost grows as the work grows: a line for each stage, on log axes.

use maud::{Markup, html};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::{self, Area, Drawn};
use crate::comparison::Growth;
use crate::picture::Picture;
use crate::sentences;
use crate::table::{Spread, stage_number};
use crate::theme::Ink;
use crate::units::{Grouped, Time};

const HEIGHT: u32 = 300;

/// A point of a line: the number of sources, and the least, the median and the most of
/// the figure.
pub(crate) type Point = (f64, [f64; 3]);
/// A stage and its points, in the order of the sources.
pub(crate) type Line<'a> = (&'a str, Vec<Point>);

pub(crate) fn section(growth: &[Growth]) -> Markup {
    let pictures = pictures(growth);
    html! {
        section id="growth" {
            h2 { "How it grows" }
            @if pictures.is_empty() {
                p class="none" { "The stages were not run with more and more sources." }
            } @else {
                @for picture in &pictures {
                    p class="headline" { (picture.says) }
                    (picture.on_page())
                }
                p class="quiet" {
                    "Both axes are logarithmic: a straight line upwards grows as the work does, a \
                     flat one does not grow. Upright lines are the spread of the runs."
                }
            }
        }
    }
}

/// Returns the pictures: time, and threads where they were seen.
pub(crate) fn pictures(growth: &[Growth]) -> Vec<Picture> {
    let [times, threads] = lines(growth);
    let time = |seconds: f64| Time(seconds).to_string();
    let count = |threads: f64| Grouped(threads.round() as u64).to_string();
    let all = [
        ("time", "Time", times, time as fn(f64) -> String),
        ("threads", "Threads", threads, count),
    ];
    let said = all.into_iter().zip(sentences::of_growth(growth));
    let drawn = said.filter_map(|((of, title, lines, say), says)| {
        let (name, title) =
            (format!("growth-{of}"), format!("{title} against the number of sources"));
        Some(Picture::chart(name, title, says?, HEIGHT, |area| chart(area, of, &lines, say)))
    });
    drawn.collect()
}

/// Returns the lines of the times, and of the threads where they were seen.
pub(crate) fn lines(growth: &[Growth]) -> [Vec<Line<'_>>; 2] {
    let times = |it: &Growth| {
        let seconds: Vec<f64> = it.seconds.iter().copied().filter(|it| *it > 0.0).collect();
        let spread = (!seconds.is_empty()).then(|| Spread::new(seconds))?;
        let (least, most) = spread.bounds();
        Some([least, spread.median, most])
    };
    let threads = |it: &Growth| it.threads.filter(|it| *it > 0).map(|it| [it as f64; 3]);
    [lines_of(growth, times), lines_of(growth, threads)]
}

fn lines_of(growth: &[Growth], figure: impl Fn(&Growth) -> Option<[f64; 3]>) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for it in growth.iter().filter(|it| it.sources > 0) {
        let Some(values) = figure(it) else { continue };
        let point = (it.sources as f64, values);
        match lines.iter_mut().find(|(stage, _)| *stage == it.stage) {
            Some((_, points)) => points.push(point),
            None => lines.push((&it.stage, vec![point])),
        }
    }
    for (_, points) in &mut lines {
        points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    }
    lines
}

fn chart(area: &Area<'_>, of: &str, lines: &[Line<'_>], say: fn(f64) -> String) -> Drawn {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let mut sources: Vec<f64> = points().map(|(sources, _)| *sources).collect();
    sources.sort_by(f64::total_cmp);
    sources.dedup();
    let (from, to) = (sources[0] / 1.15, sources[sources.len() - 1] * 1.15);
    let least = points().map(|(_, [least, ..])| *least).fold(f64::INFINITY, f64::min) / 1.3;
    let most = points().map(|(_, [.., most])| *most).fold(0.0, f64::max) * 1.3;
    let names = canvas::column(lines.iter().map(|(stage, _)| *stage));

    let mut chart = ChartBuilder::on(area)
        .margin_top(26)
        .margin_right(names + 2)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(
            (from..to).log_scale().with_key_points(sources),
            (least..most).log_scale().with_key_points(canvas::decades(least, most)),
        )?;
    let trim = |text: String| text.replace(".00", "").replace(".0 ", " ");
    canvas::axes!(chart)
        .x_label_formatter(&|sources| Grouped(*sources as u64).to_string())
        .y_label_formatter(&|value| trim(say(*value)))
        .x_desc("sources")
        .draw()?;
    area.draw(&Text::new(of, (4, 4), canvas::text(Ink::TEXT, HPos::Left, VPos::Top)))?;

    for (stage, points) in lines {
        let ink = Ink::of(stage);
        let line = points.iter().map(|(sources, [_, middle, _])| (*sources, *middle));
        chart.draw_series(LineSeries::new(line.clone(), ink.colour().stroke_width(2)))?;
        for (sources, [least, middle, most]) in points {
            if least < most {
                let spread =
                    PathElement::new([(*sources, *least), (*sources, *most)], ink.colour());
                chart.draw_series([spread])?;
            }
            let at = (*sources, *middle);
            // Each stage has a mark of its own, for readers who see no colours.
            let (full, line) = (ink.colour().filled(), ink.colour().stroke_width(2));
            let (x, y) = chart.backend_coord(&at);
            match stage_number(stage).map_or(0, |number| number % 8) {
                1 => area.draw(&Circle::new((x, y), 4, full))?,
                2 => area.draw(&TriangleMarker::new((x, y), 6, full))?,
                3 => area.draw(&Cross::new((x, y), 4, line))?,
                4 => area.draw(&Circle::new((x, y), 4, line))?,
                6 => area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], line))?,
                7 => area.draw(&TriangleMarker::new((x, y), 6, line))?,
                0 => area.draw(&Circle::new((x, y), 2, full))?,
                _ => area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], full))?,
            }
        }
    }

    let ends: Vec<(&str, (i32, i32))> = lines
        .iter()
        .filter_map(|(stage, points)| {
            let (sources, [_, middle, _]) = points.last()?;
            Some((*stage, chart.backend_coord(&(*sources, *middle))))
        })
        .collect();
    let places: Vec<i32> = ends.iter().map(|(_, (_, y))| *y).collect();
    for ((stage, (x, _)), y) in ends.iter().zip(canvas::apart(&places, 15)) {
        let style = canvas::text(Ink::of(stage), HPos::Left, VPos::Center);
        area.draw(&Text::new(canvas::fitted(stage, names), (x + 12, y), style))?;
    }
    Ok(())
}
