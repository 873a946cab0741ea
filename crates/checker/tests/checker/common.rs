//! Sources of a few lines and merges of them that are wrong on purpose.

use std::path::PathBuf;

use checker::{Finding, Kind, Verdict, tag};
use tempfile::TempDir;

/// Sources in a folder of their own.
pub(crate) struct Sources {
    pub(crate) folder: TempDir,
    pub(crate) paths: Vec<PathBuf>,
}

impl Sources {
    /// Writes one file for each of these contents.
    pub(crate) fn of(contents: &[impl AsRef<[u8]>]) -> Sources {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..contents.len())
            .map(|index| folder.path().join(format!("source-{index:04}.log")))
            .collect();
        for (path, content) in paths.iter().zip(contents) {
            std::fs::write(path, content).unwrap();
        }
        Sources { folder, paths }
    }

    pub(crate) fn check_tagged(&self, merged: &[u8]) -> Verdict {
        checker::check_tagged(&self.paths, &self.merged(merged)).unwrap()
    }

    pub(crate) fn check_untagged(&self, merged: &[u8]) -> Verdict {
        checker::check_untagged(&self.paths, &self.merged(merged)).unwrap()
    }

    /// What both checkers say, the one for tagged lines first.
    pub(crate) fn check_both(&self, merged: &[u8]) -> [Verdict; 2] {
        [self.check_tagged(merged), self.check_untagged(merged)]
    }

    pub(crate) fn merged(&self, merged: &[u8]) -> PathBuf {
        let path = self.folder.path().join("merged.log");
        std::fs::write(&path, merged).unwrap();
        path
    }
}

/// One tagged line, with its newline.
pub(crate) fn tagged(source: usize, number: u64) -> Vec<u8> {
    let mut line = Vec::new();
    let payload = format!("payload {} of {}", number * 7919 % 1000, source);
    tag::write(&mut line, source, number, None, payload.as_bytes());
    line
}

/// Asserts that these findings, and no others, are what is wrong.
#[track_caller]
pub(crate) fn assert_findings(verdict: &Verdict, expected: &[(Kind, Option<usize>, Option<u64>)]) {
    let of = |finding: &Finding| (finding.kind, finding.source, finding.number);
    let found: Vec<_> = verdict.findings().iter().map(of).collect();
    assert_eq!(found, expected, "{verdict}");
    assert_eq!(verdict.wrong(), expected.len() as u64, "{verdict}");
    assert!(!verdict.is_right());
}

/// Tells what is wrong, without the folder of the sources.
pub(crate) fn told(verdict: &Verdict) -> String {
    let mut told = verdict.to_string();
    for path in verdict.findings().iter().filter_map(|finding| finding.path.as_ref()) {
        told = told.replace(&format!("{}/", path.parent().unwrap().display()), "");
    }
    told
}
