//! What a comparison of the stages has shown, as data.
//!
//! `compare` fills a [`Comparison`] while it runs; terminal, JSON and page show it,
//! and none of them knows how a figure was taken.

use serde::{Deserialize, Serialize};

use crate::table::Table;

/// All that one comparison has shown.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// The machine, the versions, the seed.
    pub head: Head,
    /// What was typed, as it can be typed again in a shell.
    pub command: String,
    /// Whether it was interrupted: then this is what there was until then.
    pub interrupted: bool,
    /// The workloads, in the order in which they were run.
    pub workloads: Vec<Table>,
    /// Who did what when, in one short run of each stage; empty if that was not
    /// run.
    pub lanes: Vec<StageLanes>,
    /// How the cost grows as the work grows; empty if that was not run.
    pub growth: Vec<Growth>,
    /// Which laws each stage keeps; empty if the laws were not tried.
    pub verdicts: Vec<Verdicts>,
    /// What was wrong besides the rows and the verdicts, a sentence each: a
    /// stage that failed where only its lanes or its growth were asked for.
    pub wrong: Vec<String>,
    /// What may have spoilt the figures, a sentence each.
    pub warnings: Vec<String>,
}

/// What the figures depend on besides the stages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Head {
    /// What the workloads are made from.
    pub seed: u64,
    /// The commit, with `-dirty` behind it if files differ from it; `None`
    /// where there is no git.
    pub commit: Option<String>,
    /// The compiler and its date.
    pub rustc: String,
    /// How many threads the machine runs at once.
    pub cores: usize,
    /// The cargo profile.
    pub profile: String,
    /// The operating system, its release and the machine.
    pub kernel: String,
    /// The day of the run, as `2026-11-22`.
    pub date: String,
}

/// Which laws one stage keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// The name of the stage.
    pub stage: String,
    /// A verdict for each law, in the order of the list of the laws.
    pub laws: Vec<Verdict>,
}

/// What came of one law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The theme of the law.
    pub theme: String,
    /// Its name.
    pub law: String,
    /// The law in one sentence.
    pub sentence: String,
    /// Whether the stage keeps it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Whether a stage keeps a law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It does.
    Held,
    /// It breaks it by design, and did.
    BrokenAsDeclared {
        /// Why it does.
        reason: String,
    },
    /// It breaks it, hangs, or keeps what it says it breaks: a defect.
    Wrong {
        /// What was seen.
        seen: String,
    },
}

/// What each thread of a stage did in one short run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageLanes {
    /// The name of the stage.
    pub stage: String,
    /// What was merged, in words.
    pub what: String,
    /// How long the run took, in seconds: where every lane ends.
    pub seconds: f64,
    /// A lane for each thread.
    pub lanes: Vec<recorder::Lane>,
    /// How many operations were too many to be kept.
    pub left_out: u64,
}

/// What one merge of so many sources cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The name of the stage.
    pub stage: String,
    /// How many sources were merged.
    pub sources: u64,
    /// How long it took, in seconds, each run.
    pub seconds: Vec<f64>,
    /// The most threads at once, where they were seen.
    pub threads: Option<u64>,
}
