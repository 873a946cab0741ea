//! How the cost grows as the work grows: a line a stage, on log axes.

use crate::{Grouped, Growth, Spread, Time};
use maud::{Markup, html};
use plotters::coord::CoordTranslate;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::{self, Area, Drawn, Width};
use crate::picture::{Drawing, Picture};
use crate::theme::{self, Ink};

/// What a line goes through: sources, least, middle, most.
type Point = (f64, [f64; 3]);
/// A stage and its points.
type Line<'a> = (&'a str, Vec<Point>);

pub(crate) fn section(growth: &[Growth]) -> Markup {
    let pictures = pictures(growth);
    html! {
        section id="growth" {
            h2 { "How it grows" }
            @if pictures.is_empty() {
                p class="none" { "The stages were not run with more and more sources." }
            } @else {
                div class="halves" {
                    @for picture in &pictures {
                        figure {
                            p class="headline" { (picture.says) }
                            (picture.half())
                        }
                    }
                }
                p class="quiet" {
                    "Both axes are logarithmic: a straight line upwards grows as the work does, a \
                     flat one does not grow. Upright lines are the spread of the runs. Threads \
                     are all of the process: the main thread, the notifier and the loop's watch \
                     are among them."
                }
            }
        }
    }
}

/// Returns the pictures: time, and threads where they were seen.
pub(crate) fn pictures(growth: &[Growth]) -> Vec<Picture<'_>> {
    let times = lines(growth, |it| {
        let seconds: Vec<f64> = it.seconds.iter().copied().filter(|it| *it > 0.0).collect();
        if seconds.is_empty() {
            return None;
        }
        let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = seconds.iter().copied().fold(0.0, f64::max);
        Some([least, Spread::new(seconds).median(), most])
    });
    let threads = lines(growth, |it| it.threads.filter(|it| *it > 0).map(|it| [it as f64; 3]));
    let time = |seconds: f64| Time(seconds).to_string();
    let count = |threads: f64| Grouped(threads.round() as u64).to_string();
    let all = [("time", times, time as fn(f64) -> String), ("threads", threads, count)];
    let drawn = all.into_iter().filter_map(|(of, lines, say)| {
        let says = headline(of, &lines, say)?;
        Some(Picture {
            name: format!("growth-{of}"),
            title: match of {
                "time" => "Time against the number of sources".to_owned(),
                _ => "Threads against the number of sources".to_owned(),
            },
            says,
            parts: false,
            legend: None,
            draw: Box::new(move |width| draw(of, &lines, say, width)),
        })
    });
    drawn.collect()
}

fn lines(growth: &[Growth], figure: impl Fn(&Growth) -> Option<[f64; 3]>) -> Vec<Line<'_>> {
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

/// Says how each stage's figure grew from the fewest sources to the most.
pub(crate) fn headline(of: &str, lines: &[Line<'_>], say: fn(f64) -> String) -> Option<String> {
    let grown = lines.iter().filter_map(|(stage, points)| {
        let (&(from, [_, first, _]), &(to, [_, last, _])) = (points.first()?, points.last()?);
        (from < to).then_some((*stage, from, to, first, last))
    });
    let mut grown: Vec<_> = grown.collect();
    grown.sort_by(|a, b| a.4.total_cmp(&b.4));
    let &(_, from, to, ..) = grown.first()?;
    if of == "threads" {
        return threads(&grown);
    }
    // Those whose figures read the same are told together.
    let mut ways: Vec<((String, String), Vec<&str>)> = Vec::new();
    for (stage, _, _, first, last) in grown {
        let way = (say(first), say(last));
        match ways.iter_mut().find(|(other, _)| *other == way) {
            Some((_, stages)) => stages.push(stage),
            None => ways.push((way, vec![stage])),
        }
    }
    let tell = |((first, last), stages): &((String, String), Vec<&str>)| {
        let who = theme::listed(stages);
        match (first == last, stages.len()) {
            (true, 1) => format!("{who} stays at {first}"),
            (true, _) => format!("{who} stay at {first}"),
            (false, 1) => format!("{who} goes from {first} to {last}"),
            (false, _) => format!("{who} go from {first} to {last}"),
        }
    };
    let ends = match &ways[..] {
        [only] => tell(only),
        [least, .., most] => format!("{}, the least, and {}, the most", tell(least), tell(most)),
        [] => return None,
    };
    Some(format!(
        "{}: from {} to {} sources, {ends}.",
        "Time",
        Grouped(from as u64),
        Grouped(to as u64)
    ))
}

/// A stage: from how many sources to how many, and its figure there.
type Grown<'a> = (&'a str, f64, f64, f64, f64);

/// Says which stages have about a thread for each source that is added, and which
/// have as many whatever the sources: those are two ways, though the figures of
/// stages that go the same way differ by one or two.
fn threads(grown: &[Grown<'_>]) -> Option<String> {
    let &(_, from, to, ..) = grown.first()?;
    let a_source = |it: &&Grown<'_>| {
        let slope = (it.4 - it.3) / (it.2 - it.1);
        (0.95..=1.05).contains(&slope)
    };
    let stays = |it: &&Grown<'_>| it.4 <= it.3 * 1.05;
    let neither = |it: &&Grown<'_>| !a_source(it) && !stays(it);
    let mut parts: Vec<String> = Vec::new();
    let of = |those: &dyn Fn(&&Grown<'_>) -> bool| {
        let those: Vec<&Grown<'_>> = grown.iter().filter(those).collect();
        let (least, most) = (those.first()?.4, those.last()?.4);
        let count = |it: f64| Grouped(it.round() as u64).to_string();
        let range = match count(least) == count(most) {
            true => count(least),
            false => format!("{} to {}", count(least), count(most)),
        };
        let mut names: Vec<&str> = those.iter().map(|it| it.0).collect();
        names.sort_unstable();
        Some((theme::listed(&names), names.len() == 1, range))
    };
    if let Some((who, one, range)) = of(&stays) {
        parts.push(format!("{who} {} at {range}", if one { "stays" } else { "stay" }));
    }
    if let Some((who, one, range)) = of(&a_source) {
        let has = if one { "has" } else { "have" };
        parts.push(format!("{who} {has} about one a source, {range} in the end"));
    }
    if let Some((who, one, range)) = of(&neither) {
        parts.push(format!("{who} {} to {range}", if one { "comes" } else { "come" }));
    }
    Some(format!(
        "Threads: from {} to {} sources, {}.",
        Grouped(from as u64),
        Grouped(to as u64),
        parts.join("; ")
    ))
}

fn draw(of: &str, lines: &[Line<'_>], say: fn(f64) -> String, width: Width) -> Drawing {
    let size = (width.pixels(), 300);
    let inside = canvas::draw(size, |area| chart(area, of, lines, say));
    Drawing { width: size.0, height: size.1, inside }
}

fn chart(area: &Area<'_>, of: &str, lines: &[Line<'_>], say: fn(f64) -> String) -> Drawn {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let mut sources: Vec<f64> = points().map(|(sources, _)| *sources).collect();
    sources.sort_by(f64::total_cmp);
    sources.dedup();
    let (from, to) = (sources[0] / 1.15, sources[sources.len() - 1] * 1.15);
    let least = points().map(|(_, [least, ..])| *least).fold(f64::INFINITY, f64::min) / 1.3;
    let most = points().map(|(_, [.., most])| *most).fold(0.0, f64::max) * 1.3;
    let names = canvas::column(area, lines.iter().map(|(stage, _)| *stage));

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
    chart
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(Ink::Rule.colour())
        .axis_style(Ink::Rule.colour())
        .x_label_style(canvas::text(Ink::Muted, HPos::Center, VPos::Top))
        .y_label_style(canvas::text(Ink::Muted, HPos::Right, VPos::Center))
        .axis_desc_style(canvas::text(Ink::Muted, HPos::Center, VPos::Bottom))
        .x_label_formatter(&|sources| Grouped(*sources as u64).to_string())
        .y_label_formatter(&|value| trim(say(*value)))
        .x_desc("sources")
        .draw()?;
    area.draw(&Text::new(of, (4, 4), canvas::text(Ink::Text, HPos::Left, VPos::Top)))?;

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
            // Each stage has a mark of its own, for who sees no colours.
            mark(&mut chart, theme::place(stage), at, ink)?;
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

/// Draws the mark of a stage, by its place in the palette.
fn mark<C: CoordTranslate<From = (f64, f64)>>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, C>,
    place: Option<u32>,
    at: (f64, f64),
    ink: Ink,
) -> Drawn {
    let (filled, open) = (ink.colour().filled(), ink.colour().stroke_width(2));
    let square = |style| EmptyElement::at(at) + Rectangle::new([(-4, -4), (4, 4)], style);
    match place {
        Some(0) => chart.draw_series([Circle::new(at, 4, filled)])?,
        Some(1) => chart.draw_series([TriangleMarker::new(at, 6, filled)])?,
        Some(2) => chart.draw_series([Cross::new(at, 4, open)])?,
        Some(3) => chart.draw_series([Circle::new(at, 4, open)])?,
        Some(5) => chart.draw_series([square(open)])?,
        Some(6) => chart.draw_series([TriangleMarker::new(at, 6, open)])?,
        Some(7) => chart.draw_series([Circle::new(at, 2, filled)])?,
        _ => chart.draw_series([square(filled)])?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(threads: &[(&str, u64, u64)]) -> String {
        let growth: Vec<Growth> = threads
            .iter()
            .flat_map(|&(stage, few, many)| {
                [(8, few), (2_000, many)].map(|(sources, threads)| Growth {
                    stage: stage.into(),
                    sources,
                    seconds: vec![0.1],
                    threads: Some(threads),
                })
            })
            .collect();
        let pictures = pictures(&growth);
        pictures.into_iter().find(|it| it.name == "growth-threads").expect("it is drawn").says
    }

    #[test]
    fn stages_that_differ_by_a_thread_or_two_go_the_same_way() {
        let says = told(&[
            ("stage1-threads", 10, 2_002),
            ("stage2-mixed", 11, 2_003),
            ("stage3-bottom-up", 10, 2_002),
            ("stage4-tasks", 7, 7),
            ("stage5-fully-async", 8, 8),
        ]);
        assert_eq!(
            says,
            "Threads: from 8 to 2,000 sources, stages 4 (tasks) and 5 (fully-async) stay at 7 to 8; \
             stages 1 (threads), 2 (mixed) and 3 (bottom-up) have about one a source, 2,002 to \
             2,003 in the end."
        );
    }

    #[test]
    fn a_stage_that_goes_another_way_is_told_by_itself() {
        let says = told(&[("stage1-threads", 10, 2_002), ("stage4-tasks", 7, 40)]);
        assert_eq!(
            says,
            "Threads: from 8 to 2,000 sources, stage 1 (threads) has about one a source, 2,002 in \
             the end; stage 4 (tasks) comes to 40."
        );
    }
}
