//! How long the lines took from their write to their sight: a ridge a stage.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use results::{Bucket, Distribution, Time, Workload};

use crate::canvas::{self, Area, Drawn, Width};
use crate::picture::{Drawing, Picture};
use crate::theme::{self, Ink};

/// How high the band of one stage is, in pixels.
const BAND: u32 = 54;

/// What is marked on each ridge, and the share of the lines that is not later.
const MARKS: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("max", 1.0)];

/// Returns the picture of one workload, if its lines were stamped.
pub(crate) fn picture(workload: &Workload) -> Option<Picture<'_>> {
    let name = &workload.table.name;
    let shown: Vec<&Distribution> =
        workload.distributions.iter().filter(|stage| span(stage).is_some()).collect();
    let says = headline(workload)?;
    Some(Picture {
        name: format!("latency-{name}"),
        title: format!("Latency of the lines on {name}, on a log axis"),
        says,
        parts: false,
        legend: None,
        draw: Box::new(move |width| draw(&shown, width)),
    })
}

/// Says between what the middle of the stages lies, and which line was last.
pub(crate) fn headline(workload: &Workload) -> Option<String> {
    let stages = workload.distributions.iter();
    let at = |part| {
        let mut all: Vec<(&str, f64)> =
            stages.clone().filter_map(|it| Some((&*it.stage, quantile(it, part)?))).collect();
        all.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        all
    };
    let on = &workload.table.name;
    let (middle, last) = (at(0.5), at(1.0));
    let (&(first, least), &(second, most)) = (middle.first()?, middle.last()?);
    let (slowest, latest) = *last.last()?;
    let half = match middle.len() {
        1 => format!(
            "half of the lines are seen within {} in stage {}",
            Time(least),
            theme::told(first)
        ),
        _ => format!(
            "half of the lines are seen within {} in stage {} to {} in stage {}",
            Time(least),
            theme::told(first),
            Time(most),
            theme::told(second)
        ),
    };
    Some(format!(
        "On {on}, {half}; the latest line took up to {}, in stage {}.",
        Time(latest),
        theme::told(slowest)
    ))
}

/// Returns the bound that this part of the lines has not reached.
fn quantile(distribution: &Distribution, part: f64) -> Option<f64> {
    let all: u64 = distribution.buckets.iter().map(|bucket| bucket.lines).sum();
    let wanted = (all as f64 * part).ceil().max(1.0);
    let mut so_far = 0;
    distribution.buckets.iter().find_map(|bucket| {
        so_far += bucket.lines;
        (so_far as f64 >= wanted).then_some(bucket.below)
    })
}

/// Returns from where to where there are lines. A log axis has no zero, so a
/// bucket that begins there begins at half of its bound.
fn span(distribution: &Distribution) -> Option<(f64, f64)> {
    let mut filled = distribution.buckets.iter().filter(|bucket| bucket.lines > 0);
    let first = filled.next()?;
    Some((from(first), filled.next_back().unwrap_or(first).below))
}

fn from(bucket: &Bucket) -> f64 {
    if bucket.from > 0.0 { bucket.from } else { bucket.below / 2.0 }
}

fn draw(stages: &[&Distribution], width: Width) -> Drawing {
    let w = width.pixels();
    let height = stages.len() as u32 * BAND + 54;
    let inside = canvas::draw((w, height), |area| chart(area, stages));
    Drawing { width: w, height, inside }
}

fn chart(area: &Area<'_>, stages: &[&Distribution]) -> Drawn {
    let spans = stages.iter().filter_map(|stage| span(stage));
    let (least, most) = spans.fold((f64::INFINITY, 0.0_f64), |(least, most), (from, to)| {
        (least.min(from), most.max(to))
    });
    let (least, most) = (least / 1.3, most * 1.3);
    let longest = stages.iter().map(|stage| canvas::width_of(&theme::short(&stage.stage)));
    let names = longest.fold(40.0, f64::max) as u32 + 12;

    let mut chart = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(28)
        .x_label_area_size(42)
        .y_label_area_size(names)
        .build_cartesian_2d(
            (least..most).log_scale().with_key_points(canvas::decades(least, most)),
            -(stages.len() as f64)..0.0,
        )?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_max_light_lines(0)
        .bold_line_style(Ink::Rule.colour())
        .axis_style(Ink::Rule.colour())
        .x_label_style(canvas::text(Ink::Muted, HPos::Center, VPos::Top))
        .axis_desc_style(canvas::text(Ink::Muted, HPos::Center, VPos::Bottom))
        .x_label_formatter(&|seconds| {
            Time(*seconds).to_string().replace(".00", "").replace(".0 ", " ")
        })
        .x_desc("from write to sight: each step is ten times as long")
        .draw()?;

    for (at, stage) in stages.iter().enumerate() {
        let ground = -(at as f64) - 0.88;
        let ink = Ink::of(&stage.stage);
        let ridge = ridge(stage, ground);
        let area_of = AreaSeries::new(ridge, ground, ink.colour().filled());
        chart.draw_series(area_of)?;
        let line = PathElement::new([(least, ground), (most, ground)], Ink::Rule.colour());
        chart.draw_series([line])?;

        let name = theme::short(&stage.stage);
        let (left, y) = chart.backend_coord(&(least, ground + 0.3));
        let style = canvas::text(ink, HPos::Right, VPos::Center);
        area.draw(&Text::new(name, (left - 8, y), style))?;

        for (name, part) in MARKS {
            let Some(value) = quantile(stage, part) else { continue };
            let (x, y) = chart.backend_coord(&(value, ground));
            let tick = Ink::Text.colour().stroke_width(2);
            area.draw(&PathElement::new([(x, y - 9), (x, y + 3)], tick))?;
            // Above the ridge's foot, to the right: where its tail has thinned.
            let style = canvas::text(Ink::Text, HPos::Left, VPos::Bottom);
            if part > 0.5 {
                area.draw(&Text::new(name, (x + 3, y - 2), style))?;
            }
        }
    }
    Ok(())
}

/// The outline of a ridge: the share of the lines by the width of their bucket
/// on the axis, as high as the band at its own peak.
fn ridge(stage: &Distribution, ground: f64) -> Vec<(f64, f64)> {
    let filled = stage.buckets.iter().filter(|bucket| bucket.below > from(bucket));
    let dense = |bucket: &Bucket| bucket.lines as f64 / (bucket.below / from(bucket)).ln();
    let peak = filled.clone().map(dense).fold(0.0, f64::max);
    let mut outline: Vec<(f64, f64)> = Vec::new();
    for bucket in filled {
        let (from, height) = (from(bucket), ground + 0.8 * dense(bucket) / peak);
        // Between two buckets with none between them the ridge is on the ground.
        if let Some(&(last, _)) = outline.last().filter(|(last, _)| from > last * 1.000_001) {
            outline.extend([(last, ground), (from, ground)]);
        }
        outline.extend([(from, height), (bucket.below, height)]);
    }
    outline
}
