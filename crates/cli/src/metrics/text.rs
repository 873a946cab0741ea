//! The text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::{Arguments, Display, Write as _};
use std::time::SystemTime;

use rustix::process::{Resource, getrlimit};

use crate::observer::{Observed, Source};

/// Returns the metrics in the text format of Prometheus, each with the label
/// `merge`: node_exporter takes a metric from two files only if its labels differ.
pub(super) fn of(observed: &Observed, merge: &str) -> String {
    let mut text = Text { merge: format!("merge=\"{}\"", escaped(merge)), text: String::new() };
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    text.family("build_info", "The version that runs.", [(version, 1)]);
    text.one("start_time_seconds", "When this run began.", Some(since_1970(observed.began)));
    let lines = "Lines in the output, of all sources: also of those that are gone.";
    text.one("lines_total", lines, Some(observed.lines));
    text.one("bytes_total", "The bytes of these lines in the sources.", Some(observed.bytes));
    text.one("cut_lines_total", "Lines longer than --max-line.", Some(observed.cut_lines));
    sources(&mut text, observed);
    let files = "Files that are followed, with rotated ones that are still written to.";
    text.one("files", files, Some(observed.files));
    text.one("open_fds", "Open file descriptors.", observed.open_fds);
    let limit = getrlimit(Resource::Nofile).current.filter(|_| observed.open_fds.is_some());
    text.one("max_fds", "The most file descriptors that may be open.", limit);
    let stalls = "How often the event loop stood still for 100 ms or longer.";
    text.one("stalls_total", stalls, observed.stalls);
    let longest = observed.stall_seconds_max.map(seconds);
    text.one("stall_seconds_max", "The longest of these stalls.", longest);
    let saved = "When the checkpoint was saved last, which it is only if there is something new.";
    let name = "checkpoint_last_success_timestamp_seconds";
    text.one(name, saved, observed.saved.map(since_1970));
    text.text
}

/// Writes a series for each source. Sources that are gone have none.
fn sources(text: &mut Text, observed: &Observed) {
    // Two paths that are not UTF-8 may have the same label. A label may occur only
    // once, so their values are added up.
    let mut sources: BTreeMap<String, Vec<&Source>> = BTreeMap::new();
    for source in observed.sources.iter().filter(|source| !source.gone) {
        let label = format!("source=\"{}\"", escaped(&source.path.to_string_lossy()));
        sources.entry(label).or_default().push(source);
    }
    let mut counter = |name, help, of: fn(&Source) -> u64| {
        let sum = |all: &Vec<&Source>| all.iter().map(|source| of(source)).sum::<u64>();
        let samples = sources.iter().map(|(label, all)| (label.clone(), sum(all)));
        text.family(name, help, samples);
    };
    counter("source_lines_total", "Lines of a source in the output.", |it| it.lines);
    counter("source_bytes_total", "The bytes of these lines in the source.", |it| it.bytes);
    counter("source_cut_lines_total", "Its lines longer than --max-line.", |it| it.cut_lines);
    let lag = |(label, all): (&String, &Vec<&Source>)| {
        let known = all.iter().filter_map(|source| source.lag_bytes);
        known.reduce(|one, other| one + other).map(|lag| (label.clone(), lag))
    };
    text.family(
        "source_lag_bytes",
        "Bytes of the file of that name that are not in the output, but for an unfinished line.",
        sources.iter().filter_map(lag),
    );
    let longest = |all: &Vec<&Source>| all.iter().map(|it| it.lag_seconds).fold(0.0, f64::max);
    text.family(
        "source_lag_seconds",
        "For how long the oldest of these bytes is known and not in the output; looked at every \
         10 s.",
        sources.iter().map(|(label, all)| (label.clone(), seconds(longest(all)))),
    );
}

struct Text {
    merge: String,
    text: String,
}

impl Text {
    /// Writes a metric of one value, if there is one.
    fn one(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        self.family(name, help, value.map(|value| (String::new(), value)));
    }

    /// Writes a metric with all its samples, labels and value; nothing if there are
    /// none. A metric whose name ends in `_total` is a counter.
    fn family<V: Display>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, V)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let name = format!("tributary_{name}");
        let merge = self.merge.clone();
        let mut put = |text: Arguments<'_>| {
            self.text.write_fmt(text).expect("a string takes everything");
        };
        put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for (labels, value) in samples {
            let comma = if labels.is_empty() { "" } else { "," };
            put(format_args!("{name}{{{merge}{comma}{labels}}} {value}\n"));
        }
    }
}

/// Returns a text as it stands between the quotes of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn since_1970(time: SystemTime) -> String {
    seconds(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64())
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}
