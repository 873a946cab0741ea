//! Two stages with the same picture: that they look alike is what is to be seen,
//! and what differs is in the figures.

use crate::{Comparison, StageLanes};

use super::words;
use crate::theme;

/// Says of a stage that its picture is that of the stage from which it was made,
/// and what differs in the figures; nothing where the pictures differ.
pub(super) fn said(stage: &StageLanes, comparison: &Comparison) -> Option<String> {
    // Stage 3 is made of stage 1, and changes nothing that a lane shows.
    let other = match theme::number(&stage.stage)? {
        3 => comparison.lanes.iter().find(|it| theme::number(&it.stage) == Some(1))?,
        _ => return None,
    };
    let roles = |it: &StageLanes| {
        let mut roles: Vec<u8> = it.lanes.iter().map(|lane| lane.role as u8).collect();
        roles.sort_unstable();
        roles
    };
    if words::shape(stage) != words::shape(other) || roles(stage) != roles(other) {
        return None;
    }
    let mut says = format!(
        "The picture is that of stage {}, and that is the point: its callers and its threads \
         change in nothing. What is new is inside of each thread, a runtime for its source",
        theme::told(&other.stage)
    );
    let bill = comparison.workloads.iter().filter_map(|workload| {
        let table = &workload.table;
        let cell = |name: &str, key| {
            let row = table.rows.iter().find(|row| row.name == name)?;
            table.number(row, key).and_then(|_| table.cell(row, key))
        };
        let both = |key, what: &str| {
            let (mine, its) = (cell(&stage.stage, key)?, cell(&other.stage, key)?);
            Some(format!("{mine} of {what} where stage {} has {its}", theme::told(&other.stage)))
        };
        Some((table, both("peak_memory_bytes", "memory")?))
    });
    // The one with the most sources has the most runtimes.
    let threads = |table: &crate::Table| {
        let row = table.rows.iter().find(|row| row.name == stage.stage);
        row.and_then(|row| table.number(row, "peak_threads")).unwrap_or(0.0)
    };
    match bill.max_by(|(a, _), (b, _)| threads(a).total_cmp(&threads(b))) {
        Some((table, bill)) => says += &format!("; on {}, it has {bill}.", table.name),
        None => says += ".",
    }
    Some(says)
}
