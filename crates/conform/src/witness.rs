//! What is wrong with an output, in plain words.

use std::time::Duration;

use checker::{Finding, Kind, Verdict};

use crate::Why;

/// How many bytes of a line are shown.
const SHOWN: usize = 48;

/// Asks that nothing of these kinds was found. What breaks that is the first finding
/// that is about a line of a file, or the first of all.
pub(crate) fn none_of(kinds: &[Kind], verdict: &Verdict) -> Result<(), Why> {
    let count: u64 = kinds.iter().map(|&kind| verdict.count(kind)).sum();
    if count == 0 {
        return Ok(());
    }
    let found = verdict.findings().iter().filter(|finding| kinds.contains(&finding.kind));
    let Some(finding) = found.min_by_key(|finding| finding.kind == Kind::Foreign) else {
        // Behind hundreds of lines that are wrong in another way, lines are only counted.
        return Err(Why::Broken(format!("{count} lines of the output are lines of no file")));
    };
    let more = count - 1;
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    Err(Why::Broken(tell(finding) + &more))
}

fn tell(finding: &Finding) -> String {
    let line = match (finding.number, &finding.path) {
        (Some(number), Some(path)) => {
            format!("line {number} of {}", path.file_name().unwrap_or_default().display())
        }
        (None, Some(path)) => {
            format!("a line of {}", path.file_name().unwrap_or_default().display())
        }
        _ => "a line".to_owned(),
    };
    let place = format!("line {}, byte {} of the output", finding.place.line, finding.place.offset);
    let expected = finding.expected.as_deref().map(excerpt).unwrap_or_default();
    let found = finding.found.as_deref().map(excerpt).unwrap_or_default();
    match finding.kind {
        Kind::Lost => format!("{line} is missing, from {place} on: {expected}"),
        Kind::Doubled => format!("{line} is in the output twice, again at {place}: {found}"),
        Kind::Torn => format!("{line} is torn: at {place} stands {found} of {expected}"),
        Kind::Glued => {
            let seam = seam(finding).unwrap_or_else(|| format!("stands {found}"));
            format!("{line} is glued to other bytes: at {place} {seam}")
        }
        Kind::Changed => format!("{line} is changed: at {place} stands {found}, not {expected}"),
        Kind::Foreign => format!("{place} is a line of no file: {found}"),
        Kind::OutOfOrder => {
            format!("{line} is out of order: it stands behind a later one, at {place}")
        }
        Kind::Unfinished => format!("the last line has no newline: {place}, {found}"),
    }
}

/// What stands before or behind a line that shares a line of the output.
fn seam(finding: &Finding) -> Option<String> {
    let (found, line) = (finding.found.as_deref()?, finding.expected.as_deref()?);
    let at = found.windows(line.len().max(1)).position(|part| part == line)?;
    let (before, behind) = (&found[..at], &found[at + line.len()..]);
    Some(if before.is_empty() {
        format!("it stands before {}", excerpt(behind))
    } else {
        let last = &before[before.len().saturating_sub(SHOWN)..];
        format!(
            "it stands behind {}{}",
            if last.len() < before.len() { "…" } else { "" },
            excerpt(last)
        )
    })
}

/// The beginning of a line, printable whatever bytes it has.
fn excerpt(line: &[u8]) -> String {
    let shown = line[..line.len().min(SHOWN)].escape_ascii();
    let more =
        if line.len() > SHOWN { format!("… ({} bytes)", line.len()) } else { String::new() };
    format!("\"{shown}\"{more}")
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_counted_and_not_shown_breaks_the_law_too() {
        let folder = tempfile::tempdir().unwrap();
        let [log, merged] = ["log", "merged"].map(|name| folder.path().join(name));
        let (mut lines, mut changed) = (Vec::new(), Vec::new());
        for number in 1..=600 {
            checker::tag::write(&mut lines, 0, number, None, b"a line");
            checker::tag::write(&mut changed, 0, number, None, b"b");
        }
        fs::write(&log, lines).unwrap();
        fs::write(&merged, [&changed[..], b"in no file\n"].concat()).unwrap();
        let verdict = checker::check_tagged(&[log], &merged).unwrap();
        assert_eq!((verdict.count(Kind::Changed), verdict.count(Kind::Foreign)), (500, 101));
        let Err(Why::Broken(told)) = none_of(&[Kind::Foreign], &verdict) else {
            panic!("{verdict}");
        };
        assert_eq!(told, "101 lines of the output are lines of no file");
    }
}
