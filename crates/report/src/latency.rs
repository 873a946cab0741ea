//! How long the lines took from their write to their sight: a ridge a stage.

use crate::{Bucket, Distribution, Grouped, Table, Time, Workload};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::{self, Area, Drawn, Width};
use crate::picture::{Drawing, Picture};
use crate::theme::{self, Ink};

/// How high the band of one stage is, in pixels.
const BAND: u32 = 64;

/// The part of a band that is below its ridge: there stand the labels of the marks.
const BELOW: f64 = 0.27;

/// Right of the axis, for the label of the latest line, in pixels.
const END: u32 = 30;

/// How high a ridge is where a single line is, as a part of its height.
const SEEN: f64 = 0.05;

/// What is marked on each ridge: the share of the lines that is not later, and
/// the column of the table that has it to the last digit.
const MARKS: [(&str, f64, &str); 3] =
    [("p50", 0.5, "p50_seconds"), ("p99", 0.99, "p99_seconds"), ("max", 1.0, "max_seconds")];

/// A stage: how its lines are spread, and where its marks are, in seconds.
struct Ridge<'a> {
    stage: &'a str,
    buckets: &'a [Bucket],
    marks: [f64; 3],
}

/// Returns the stages that have lines.
fn ridges(workload: &Workload) -> Vec<Ridge<'_>> {
    let stages = workload.distributions.iter();
    stages.filter_map(|stage| ridge(stage, &workload.table)).collect()
}

fn ridge<'a>(stage: &'a Distribution, table: &Table) -> Option<Ridge<'a>> {
    span(&stage.buckets)?;
    let row = table.rows.iter().find(|row| row.name == stage.stage);
    let marks = MARKS.map(|(_, part, column)| {
        let told = row.and_then(|row| table.number(row, column));
        told.unwrap_or_else(|| quantile(&stage.buckets, part))
    });
    Some(Ridge { stage: &stage.stage, buckets: &stage.buckets, marks })
}

/// Returns the picture of one workload, if its lines were stamped.
pub(crate) fn picture(workload: &Workload) -> Option<Picture<'_>> {
    let name = &workload.table.name;
    let shown = ridges(workload);
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

/// Says between what the middle of the stages lies, and how late the latest line
/// was.
pub(crate) fn headline(workload: &Workload) -> Option<String> {
    let ridges = ridges(workload);
    let at = |mark: usize| {
        let mut all: Vec<(&str, f64)> =
            ridges.iter().map(|ridge| (ridge.stage, ridge.marks[mark])).collect();
        all.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        all
    };
    // Figures that differ by less than a tenth do not set stages apart.
    let alike = |least: f64, most: f64| most <= least * 1.1;
    let (middle, last) = (at(0), at(2));
    let (&(first, least), &(second, most)) = (middle.first()?, middle.last()?);
    let half = match alike(least, most) {
        true => format!("within {}", Time(most)),
        false => format!(
            "within {} in stage {} to {} in stage {}",
            Time(least),
            theme::told(first),
            Time(most),
            theme::told(second)
        ),
    };
    let (&(_, earliest), &(slowest, latest)) = (last.first()?, last.last()?);
    let late = match (alike(earliest, latest), last.len()) {
        (true, 2..) => format!("{}, whatever the stage", Time(latest)),
        _ => format!("{}, in stage {}", Time(latest), theme::told(slowest)),
    };
    Some(format!(
        "On {}, half of the lines are seen {half}; the latest line took {late}.",
        workload.table.name
    ))
}

/// Returns the bound that this part of the lines has not reached.
fn quantile(buckets: &[Bucket], part: f64) -> f64 {
    let all: u64 = buckets.iter().map(|bucket| bucket.lines).sum();
    let wanted = (all as f64 * part).ceil().max(1.0);
    let mut so_far = 0;
    let reached = buckets.iter().find(|bucket| {
        so_far += bucket.lines;
        so_far as f64 >= wanted
    });
    reached.map_or(0.0, |bucket| bucket.below)
}

/// Returns from where to where there are lines. A log axis has no zero, so a
/// bucket that begins there begins at half of its bound.
fn span(buckets: &[Bucket]) -> Option<(f64, f64)> {
    let mut filled = buckets.iter().filter(|bucket| bucket.lines > 0);
    let first = filled.next()?;
    Some((from(first), filled.next_back().unwrap_or(first).below))
}

fn from(bucket: &Bucket) -> f64 {
    if bucket.from > 0.0 { bucket.from } else { bucket.below / 2.0 }
}

fn draw(stages: &[Ridge<'_>], width: Width) -> Drawing {
    let w = width.pixels();
    let height = stages.len() as u32 * BAND + 54;
    let inside = canvas::draw((w, height), |area| chart(area, stages));
    Drawing { width: w, height, inside }
}

fn chart(area: &Area<'_>, stages: &[Ridge<'_>]) -> Drawn {
    let spans = stages.iter().filter_map(|ridge| span(ridge.buckets));
    let (least, most) = spans.fold((f64::INFINITY, 0.0_f64), |(least, most), (from, to)| {
        (least.min(from), most.max(to))
    });
    let (least, most) = (least / 1.3, most * 1.3);
    let names = canvas::column(area, stages.iter().map(|stage| stage.stage));

    // Where the labels of the axis would touch, every other one is enough.
    let mut ticks = canvas::decades(least, most);
    let room = f64::from(area.dim_in_pixel().0 - names - END);
    if room / (ticks.len() as f64) < 55.0 {
        ticks = ticks.into_iter().step_by(2).collect();
    }

    let mut chart = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(END)
        .x_label_area_size(42)
        .y_label_area_size(names)
        .build_cartesian_2d(
            (least..most).log_scale().with_key_points(ticks.clone()),
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
        .x_desc(axis(&ticks))
        .draw()?;

    for (at, stage) in stages.iter().enumerate() {
        let ground = -(at as f64) - 1.0 + BELOW;
        let ink = Ink::of(stage.stage);
        let ridge = outline(stage.buckets, ground);
        let area_of = AreaSeries::new(ridge, ground, ink.colour().filled());
        chart.draw_series(area_of)?;
        let line = PathElement::new([(least, ground), (most, ground)], Ink::Rule.colour());
        chart.draw_series([line])?;

        let name = canvas::fitted(stage.stage, names);
        let (left, y) = chart.backend_coord(&(least, ground + 0.3));
        let style = canvas::text(ink, HPos::Right, VPos::Center);
        area.draw(&Text::new(name, (left - 8, y), style))?;

        let places = stage.marks.map(|it| chart.backend_coord(&(it.clamp(least, most), ground)));
        for (x, y) in places {
            // On the ground of the paper, so that it is seen on every ink.
            for (ink, width) in [(Ink::Paper, 6), (Ink::Text, 2)] {
                let (ends, line) = ([(x, y - 9), (x, y + 4)], ink.colour().stroke_width(width));
                area.draw(&PathElement::new(ends, line))?;
            }
        }
        // Under the line, where no ridge is; marks that are too near share a label.
        let mut labels: Vec<(i32, String)> = Vec::new();
        for ((name, ..), (x, _)) in MARKS.into_iter().zip(places) {
            match labels.last_mut().filter(|(last, _)| x - *last < 32) {
                Some((last, label)) => {
                    *last = i32::midpoint(*last, x);
                    *label += &format!(", {name}");
                }
                None => labels.push((x, name.to_owned())),
            }
        }
        let (_, y) = chart.backend_coord(&(least, ground));
        for (x, label) in labels {
            let half = (canvas::width_of(&label) / 2.0) as i32;
            let x = x.min(area.dim_in_pixel().0 as i32 - half - 2);
            area.draw(&Text::new(
                label,
                (x, y + 4),
                canvas::text(Ink::Text, HPos::Center, VPos::Top),
            ))?;
        }
    }
    Ok(())
}

/// What the axis is, as its ticks tell: each so many times as long as the last,
/// or of no one step.
fn axis(ticks: &[f64]) -> String {
    let mut steps = ticks.windows(2).map(|pair| pair[1] / pair[0]);
    let first = steps.next().filter(|first| steps.all(|it| (it / first - 1.0).abs() < 1e-6));
    match first {
        Some(times) => {
            format!("from write to sight, each step × {}", Grouped(times.round() as u64))
        }
        None => "from write to sight, on a log axis".to_owned(),
    }
}

/// The outline of a ridge, through the middle of each bucket: the share of the
/// lines by the width of their bucket on the axis, as high as the band at its own
/// peak. A single line is seen as well.
fn outline(buckets: &[Bucket], ground: f64) -> Vec<(f64, f64)> {
    let filled = buckets.iter().filter(|bucket| bucket.lines > 0 && bucket.below > from(bucket));
    let dense = |bucket: &Bucket| bucket.lines as f64 / (bucket.below / from(bucket)).ln();
    let peak = filled.clone().map(dense).fold(0.0, f64::max);
    let mut outline: Vec<(f64, f64)> = Vec::new();
    let mut end: Option<f64> = None;
    for bucket in filled {
        let (begin, middle) = (from(bucket), (from(bucket) * bucket.below).sqrt());
        // Where there is none between two of them, the ridge is on the ground.
        match end {
            Some(last) if begin <= last * 1.000_001 => {}
            last => outline.extend(last.into_iter().chain([begin]).map(|at| (at, ground))),
        }
        outline.push((middle, ground + 0.68 * (dense(bucket) / peak).max(SEEN)));
        end = Some(bucket.below);
    }
    outline.extend(end.map(|at| (at, ground)));
    outline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_is_told_by_its_ticks() {
        assert_eq!(axis(&[1e-4, 1e-3, 1e-2]), "from write to sight, each step × 10");
        // Where only every other power of ten has room.
        assert_eq!(axis(&[1e-4, 1e-2]), "from write to sight, each step × 100");
        for uneven in [&[1e-3, 2e-3, 5e-3][..], &[1e-3], &[]] {
            assert_eq!(axis(uneven), "from write to sight, on a log axis");
        }
    }

    #[test]
    fn a_single_line_is_seen_and_a_gap_is_on_the_ground() {
        let bucket = |from: f64, lines| Bucket { from, below: from * 2.0, lines };
        let ridge = outline(&[bucket(1.0, 1_000), bucket(2.0, 0), bucket(4.0, 1)], 0.0);
        let heights: Vec<f64> = ridge.iter().map(|(_, height)| *height).collect();
        assert_eq!(heights, [0.0, 0.68, 0.0, 0.0, 0.68 * SEEN, 0.0]);
    }
}
