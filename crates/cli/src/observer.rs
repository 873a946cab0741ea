//! How far a merge is at one moment, for all that tell of it.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use tributary::Progress;

use crate::stalls::Stalls;

/// How many marks a source may have; with more, every second one is dropped.
const MARKS: usize = 64;

/// Observes a merge while it runs, from any thread.
pub(crate) struct Observer {
    progress: Progress,
    /// `None` if there is no loop, or nobody watches it.
    stalls: Option<Stalls>,
    checkpoint: Option<PathBuf>,
    began: SystemTime,
    behind: Mutex<HashMap<PathBuf, Behind>>,
}

/// How far a merge is; as JSON it is one line of `--stats=json`.
#[derive(Debug, Serialize)]
pub(crate) struct Observed {
    pub(crate) time: String,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) cut_lines: u64,
    pub(crate) lag_bytes: u64,
    /// How many files are followed.
    pub(crate) files: usize,
    /// How many descriptors the process has open; `None` where there is no `/proc`.
    pub(crate) open_fds: Option<usize>,
    pub(crate) stalls: Option<u64>,
    pub(crate) stall_seconds_max: Option<f64>,
    /// When the run began.
    #[serde(skip)]
    pub(crate) began: SystemTime,
    /// When the checkpoint was saved last.
    #[serde(skip)]
    pub(crate) saved: Option<SystemTime>,
    pub(crate) sources: Vec<Source>,
}

/// How far a source is; or, with `gone`, the sum of the sources of a pattern that are gone.
#[derive(Debug, Serialize)]
pub(crate) struct Source {
    #[serde(skip)]
    pub(crate) path: PathBuf,
    #[serde(flatten)]
    name: Name,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) cut_lines: u64,
    pub(crate) lag_bytes: Option<u64>,
    pub(crate) lag_seconds: f64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gone: bool,
}

/// The path of a source, as `--json` names it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Source(String),
    SourceBase64(String),
}

impl Observer {
    pub(crate) fn new(
        progress: Progress,
        stalls: Option<Stalls>,
        checkpoint: Option<PathBuf>,
    ) -> Observer {
        let began = SystemTime::now();
        Observer { progress, stalls, checkpoint, began, behind: Mutex::default() }
    }

    /// Asks how far the merge is.
    ///
    /// # Blocking
    ///
    /// Asks the file system for the size of each file, so it may hang where that does.
    pub(crate) fn observe(&self) -> Observed {
        let sources = self.progress.sources();
        let saved = self.checkpoint.as_ref().and_then(|path| fs::metadata(path).ok());
        let open_fds = fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count() - 1);
        let now = Instant::now();
        let mut before = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        let mut behind = HashMap::new();
        let sources = sources.into_iter().map(|source| {
            let mut lag_seconds = 0.0;
            // A source that is gone has no marks: a new one may have its path.
            if !source.gone {
                let mut marks = before.remove(&source.path).unwrap_or_default();
                let lag = source.lag.unwrap_or_default();
                lag_seconds = marks.note(source.bytes, lag, now).as_secs_f64();
                behind.insert(source.path.clone(), marks);
            }
            Source {
                name: match source.path.to_str() {
                    Some(path) => Name::Source(path.to_owned()),
                    None => {
                        let bytes = source.path.as_os_str().as_encoded_bytes();
                        Name::SourceBase64(BASE64_STANDARD.encode(bytes))
                    }
                },
                path: source.path,
                lines: source.lines,
                bytes: source.bytes,
                cut_lines: source.cut,
                lag_bytes: source.lag,
                lag_seconds,
                gone: source.gone,
            }
        });
        let sources: Vec<_> = sources.collect();
        *before = behind;
        drop(before);
        let stalls = self.stalls.as_ref().map(Stalls::counted);
        Observed {
            time: Timestamp::now().to_string(),
            lines: sources.iter().map(|source| source.lines).sum(),
            bytes: sources.iter().map(|source| source.bytes).sum(),
            cut_lines: sources.iter().map(|source| source.cut_lines).sum(),
            lag_bytes: sources.iter().filter_map(|source| source.lag_bytes).sum(),
            files: self.progress.files(),
            open_fds,
            stalls: stalls.map(|(count, _)| count),
            stall_seconds_max: stalls.map(|(_, longest)| longest.as_secs_f64()),
            began: self.began,
            saved: saved.and_then(|it| it.modified().ok()),
            sources,
        }
    }
}

/// The marks of a source: how many bytes it had, merged or not, at each observation
/// whose bytes are not all merged yet, and when that was. The oldest comes first.
#[derive(Debug, Default)]
struct Behind(VecDeque<(u64, Instant)>);

impl Behind {
    /// Notes how far a source is, in bytes; returns for how long the oldest of the
    /// bytes to go has been known.
    fn note(&mut self, merged: u64, lag: u64, now: Instant) -> Duration {
        let marks = &mut self.0;
        let end = merged + lag;
        // Bytes that were truncated away will never come.
        marks.iter_mut().for_each(|(mark, _)| *mark = end.min(*mark));
        while marks.front().is_some_and(|(mark, _)| *mark <= merged) {
            marks.pop_front();
        }
        if lag > 0 && marks.back().is_none_or(|(mark, _)| *mark < end) {
            marks.push_back((end, now));
        }
        if marks.len() > MARKS {
            let mut number = 0;
            marks.retain(|_| {
                number += 1;
                number % 2 == 1
            });
        }
        marks.front().map_or(Duration::ZERO, |(_, since)| now - *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_lasts_since_the_oldest_byte_was_noticed_that_is_not_merged() {
        let begin = Instant::now();
        let mut behind = Behind::default();
        let mut after = |seconds, merged, lag| {
            behind.note(merged, lag, begin + Duration::from_secs(seconds)).as_secs()
        };
        assert_eq!(after(0, 100, 0), 0);
        assert_eq!(after(10, 100, 50), 0);
        assert_eq!(after(20, 100, 70), 10);
        // The bytes that were noticed first are merged, those that came then are not.
        assert_eq!(after(30, 150, 40), 10);
        assert_eq!(after(40, 170, 20), 10);
        // Truncated: three bytes are to go, and then none.
        assert_eq!(after(50, 175, 3), 20);
        assert_eq!(after(60, 178, 0), 0);
        assert_eq!(after(70, 178, 1), 0);
    }

    #[test]
    fn a_source_that_is_behind_for_a_day_fills_no_memory() {
        let begin = Instant::now();
        let mut behind = Behind::default();
        for number in 0..8640 {
            let now = begin + Duration::from_secs(10 * number);
            assert_eq!(behind.note(0, number + 1, now), now - begin);
            assert!(behind.0.len() <= MARKS);
        }
    }
}
