//! A strict reader of the text format of Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

/// The labels of a sample, and its value.
type Samples = BTreeMap<Vec<(String, String)>, f64>;

/// What a file of metrics says.
#[derive(Debug)]
pub(crate) struct Exposition {
    /// The label `merge`, which all samples have.
    pub(crate) merge: String,
    families: BTreeMap<String, Samples>,
}

impl Exposition {
    /// Reads a whole file; panics if something is not as the format asks.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Exposition {
        assert!(text.ends_with('\n'), "cut off: {text}");
        let mut families: BTreeMap<String, Samples> = BTreeMap::new();
        let mut merges = BTreeSet::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let help = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("a HELP: {line}"));
            let (name, help) = help.split_once(' ').unwrap();
            assert!(!help.is_empty() && !help.contains('\\'), "{line}");
            let line = lines.next().unwrap();
            let kind = line.strip_prefix(&format!("# TYPE {name} "));
            let kind = kind.unwrap_or_else(|| panic!("a TYPE of {name}: {line}"));
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            let mut samples = Samples::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                let rest = line.strip_prefix(name).unwrap_or_else(|| panic!("of {name}: {line}"));
                let (mut labels, value) = labels(rest);
                let (label, merge) = labels.remove(0);
                assert_eq!(label, "merge", "{line}");
                merges.insert(merge);
                let value: f64 = value.strip_prefix(' ').unwrap().parse().unwrap();
                assert!(kind == "gauge" || value >= 0.0, "{line}");
                assert!(samples.insert(labels, value).is_none(), "twice: {line}");
            }
            assert!(!samples.is_empty(), "{name} has no samples");
            assert!(families.insert(name.to_owned(), samples).is_none(), "twice: {name}");
        }
        assert_eq!(merges.len(), 1, "of one merge: {merges:?}");
        Exposition { merge: merges.pop_first().unwrap(), families }
    }

    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.families.keys().map(String::as_str).collect()
    }

    /// Returns the value of a metric without labels other than `merge`.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> f64 {
        let samples =
            self.families.get(name).unwrap_or_else(|| panic!("{name} in {:?}", self.names()));
        samples[&Vec::new()]
    }

    /// Returns the value of a metric for each source.
    pub(crate) fn sources(&self, name: &str) -> BTreeMap<&str, f64> {
        let samples = self.families.get(name).into_iter().flatten();
        let of_source = samples.map(|(labels, value)| match &labels[..] {
            [(label, source)] if label == "source" => (source.as_str(), *value),
            _ => panic!("a source, and not {labels:?}"),
        });
        of_source.collect()
    }
}

static LABEL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^[{,]([a-z_]+)="((?:[^"\\]|\\[n"\\])*)""#).unwrap());

/// Reads `{name="text",…}`, if there is one; returns what comes behind it.
fn labels(text: &str) -> (Vec<(String, String)>, &str) {
    let (mut labels, mut rest) = (Vec::new(), text);
    while let Some(found) = LABEL.captures(rest) {
        // An escaped backslash escapes nothing itself.
        let parts = found[2].split(r"\\").map(|it| it.replace(r#"\""#, "\"").replace(r"\n", "\n"));
        labels.push((found[1].to_owned(), parts.collect::<Vec<_>>().join("\\")));
        rest = &rest[found[0].len()..];
    }
    (labels, rest.strip_prefix('}').unwrap_or_else(|| panic!("no labels: {text}")))
}
