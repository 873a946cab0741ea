//! The results of a comparison of the stages, as data.
//!
//! `compare` fills a [`Comparison`] while it runs. Terminal, JSON and page show it, and
//! none of them knows how a figure was taken. The fields are the keys of the JSON:
//! `crates/compare/schema.md` says what each is.

#![allow(missing_docs, reason = "schema.md says what each field is")]

use serde::{Deserialize, Serialize};

use crate::table::Table;

/// All results of one comparison.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Comparison {
    pub head: Head,
    pub command: String,
    pub interrupted: bool,
    pub workloads: Vec<Table>,
    pub lanes: Vec<StageLanes>,
    pub growth: Vec<Growth>,
    pub verdicts: Vec<Verdicts>,
    pub wrong: Vec<String>,
    pub warnings: Vec<String>,
}

/// What the figures depend on besides the stages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Head {
    pub seed: u64,
    pub commit: Option<String>,
    pub rustc: String,
    pub cores: usize,
    pub profile: String,
    pub kernel: String,
    pub date: String,
}

/// Which laws one stage keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    pub stage: String,
    pub laws: Vec<Verdict>,
}

/// The result of one law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub theme: String,
    pub law: String,
    pub sentence: String,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Whether a stage keeps a law. `Wrong` is also a law that hangs, or that is kept
/// although the stage declares to break it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Held,
    BrokenAsDeclared { reason: String },
    Wrong { seen: String },
}

/// What each thread of a stage did in one short run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageLanes {
    pub stage: String,
    pub what: String,
    pub seconds: f64,
    pub lanes: Vec<recorder::Lane>,
    pub left_out: u64,
}

/// The time and the threads of one stage with this number of sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    pub stage: String,
    pub sources: u64,
    pub seconds: Vec<f64>,
    pub threads: Option<u64>,
}
