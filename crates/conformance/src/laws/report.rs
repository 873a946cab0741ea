//! What the report says.

use checker::tag;
use tributary::MergeFn;

use crate::broken::{Verdict, require};
use crate::scene::Scene;

/// The report counts the lines and bytes of the output, in all and by source.
///
/// Four sources: of several chunks, empty, of one line, and without a last
/// newline (the output has one there, and the report counts it).
pub fn the_report_counts_what_is_in_the_output(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(4);
    for (log, lines) in logs.iter().zip([10_000, 0, 1, 777]) {
        let bytes = log.lines(1..=lines);
        let cut = if log.index == 3 { bytes.len() - 1 } else { bytes.len() };
        log.append_bytes(&bytes[..cut]).expect("a log can be written");
    }
    let report = scene.merging(&logs).run(merge).report()?;

    let merged = scene.merged();
    let mut counted = vec![(0, 0); logs.len()];
    for line in merged.split_inclusive(|&byte| byte == b'\n') {
        if let Some(tag) = tag::parse(line) {
            counted[tag.source].0 += 1;
            counted[tag.source].1 += line.len() as u64;
        }
    }
    let lines = counted.iter().map(|(lines, _)| lines).sum::<u64>();
    require((report.lines, report.bytes) == (lines, merged.len() as u64), || {
        format!(
            "the output has {lines} lines and {} bytes, the report says {} and {}",
            merged.len(),
            report.lines,
            report.bytes
        )
    })?;
    require(report.sources.len() == logs.len(), || {
        format!("expected a report on {} sources, found {}", logs.len(), report.sources.len())
    })?;
    for ((log, source), (lines, bytes)) in logs.iter().zip(&report.sources).zip(counted) {
        let said = (&source.path, source.lines, source.bytes);
        require(said == (&log.path, lines, bytes), || {
            format!(
                "source {}: expected {}, {lines} lines and {bytes} bytes, found {}, {} and {}",
                log.index,
                log.path.display(),
                source.path.display(),
                source.lines,
                source.bytes
            )
        })?;
    }
    Ok(())
}
