//! How long the lines took from write to sight: a ridge for each stage.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::canvas::{self, Area, Drawn, WIDTH};
use crate::picture::Picture;
use crate::sentences;
use crate::table::{Bucket, Column, Distribution, Table};
use crate::theme::Ink;
use crate::units::Time;

/// The height of the band of one stage, in pixels.
const BAND: u32 = 60;

/// The part of a band below its ridge, with the labels of the marks.
const BELOW: f64 = 0.27;

/// The room right of the axis for the label of the latest line, in pixels.
const END: u32 = 30;

/// The least height of a ridge where there are lines, as a part of its peak.
const SEEN: f64 = 0.05;

/// The columns that are marked on each ridge.
const MARKS: [Column; 3] = [Column::P50, Column::P99, Column::Max];

/// The latencies of one stage, and its marks in seconds.
struct Ridge<'a> {
    stage: &'a str,
    buckets: &'a [Bucket],
    marks: Vec<(Column, f64)>,
}

fn ridge<'a>(of: &'a Distribution, table: &Table) -> Option<Ridge<'a>> {
    of.buckets.first()?;
    let row = table.rows.iter().find(|row| row.name == of.stage);
    let mark = |column| Some((column, row?.number(column)?));
    let marks = MARKS.into_iter().filter_map(mark).collect();
    Some(Ridge { stage: &of.stage, buckets: &of.buckets, marks })
}

/// Returns the picture of one workload, if its lines were stamped.
pub(crate) fn picture(table: &Table) -> Option<Picture> {
    let ridges: Vec<Ridge<'_>> = table.latencies.iter().filter_map(|of| ridge(of, table)).collect();
    let height = ridges.len() as u32 * BAND + 54;
    let (name, says) = (&table.name, sentences::of_table(table).join(" "));
    let title = format!("Latency of the lines on {name}, on a log axis");
    (!ridges.is_empty()).then(|| {
        Picture::chart(format!("latency-{name}"), title, says, height, |area| chart(area, &ridges))
    })
}

fn chart(area: &Area<'_>, stages: &[Ridge<'_>]) -> Drawn {
    let buckets = || stages.iter().flat_map(|ridge| ridge.buckets);
    let least = buckets().map(|bucket| bucket.from).fold(f64::INFINITY, f64::min) / 1.3;
    let most = buckets().map(|bucket| bucket.below).fold(0.0, f64::max) * 1.3;
    let names = canvas::column(stages.iter().map(|stage| stage.stage));

    let mut chart = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(END)
        .x_label_area_size(42)
        .y_label_area_size(names)
        .build_cartesian_2d(
            (least..most).log_scale().with_key_points(canvas::decades(least, most)),
            -(stages.len() as f64)..0.0,
        )?;
    canvas::axes!(chart)
        .disable_y_mesh()
        .disable_y_axis()
        .x_label_formatter(&|seconds| {
            Time(*seconds).to_string().replace(".00", "").replace(".0 ", " ")
        })
        .x_desc("from write to sight, on a log axis")
        .draw()?;

    for (at, stage) in stages.iter().enumerate() {
        let ground = -(at as f64) - 1.0 + BELOW;
        let ink = Ink::of(stage.stage);
        let ridge = outline(stage.buckets, ground);
        let area_of = AreaSeries::new(ridge, ground, ink.colour().filled());
        chart.draw_series(area_of)?;
        let line = PathElement::new([(least, ground), (most, ground)], Ink::RULE.colour());
        chart.draw_series([line])?;

        let name = canvas::fitted(stage.stage, names);
        let (left, y) = chart.backend_coord(&(least, ground + 0.3));
        let style = canvas::text(ink, HPos::Right, VPos::Center);
        area.draw(&Text::new(name, (left - 8, y), style))?;

        let place = |seconds: f64| chart.backend_coord(&(seconds.clamp(least, most), ground)).0;
        let (_, y) = chart.backend_coord(&(least, ground));
        let marks = stage.marks.iter().map(|(_, it)| [(place(*it), y - 9), (place(*it), y + 4)]);
        canvas::mark(area, &marks.collect::<Vec<_>>())?;
        // Below the line, where no ridge is. Marks that are too near share a label.
        let mut labels: Vec<(i32, String)> = Vec::new();
        for (column, seconds) in &stage.marks {
            let (x, name) = (place(*seconds), column.head());
            match labels.last_mut().filter(|(last, _)| x - *last < 32) {
                Some((last, label)) => {
                    *last = i32::midpoint(*last, x);
                    *label += &format!(", {name}");
                }
                None => labels.push((x, name.to_owned())),
            }
        }
        for (x, label) in labels {
            let x = x.min(WIDTH as i32 - (canvas::width_of(&label) / 2.0) as i32 - 2);
            let style = canvas::text(Ink::TEXT, HPos::Center, VPos::Top);
            area.draw(&Text::new(label, (x, y + 4), style))?;
        }
    }
    Ok(())
}

/// Returns the outline of a ridge through the middle of each bucket. Its height is the
/// density of lines on the log axis, and at the peak 0.68 of the band.
fn outline(buckets: &[Bucket], ground: f64) -> Vec<(f64, f64)> {
    let filled = buckets.iter().filter(|bucket| bucket.lines > 0);
    let dense = |bucket: &Bucket| bucket.lines as f64 / (bucket.below / bucket.from).ln();
    let peak = filled.clone().map(dense).fold(0.0, f64::max);
    let mut outline: Vec<(f64, f64)> = Vec::new();
    let mut end: Option<f64> = None;
    for bucket in filled {
        let (begin, middle) = (bucket.from, (bucket.from * bucket.below).sqrt());
        // Between two buckets with a gap, the outline is on the ground.
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
    fn a_single_line_is_seen_and_a_gap_is_on_the_ground() {
        let bucket = |from: f64, lines| Bucket { from, below: from * 2.0, lines };
        let ridge = outline(&[bucket(1.0, 1_000), bucket(2.0, 0), bucket(4.0, 1)], 0.0);
        let heights: Vec<f64> = ridge.iter().map(|(_, height)| *height).collect();
        assert_eq!(heights, [0.0, 0.68, 0.0, 0.0, 0.68 * SEEN, 0.0]);
    }
}
