//! The list of the stages, and what each says of itself in its manifest.
//!
//! Everything that runs, measures, draws or explains stages takes them from [`STAGES`].
//! A new stage is its folder, one line in the list with a dependency in `Cargo.toml`,
//! and, if it is taught, a chapter of the book.

use std::collections::BTreeMap;

use serde::Deserialize;
use tributary::MergeFn;

macro_rules! stage {
    ($number:literal, $name:literal, $merge:path, taught: $taught:literal) => {
        Stage {
            number: $number,
            name: $name,
            merge: $merge,
            taught: $taught,
            manifest: include_str!(concat!("../../", $name, "/Cargo.toml")),
            source: include_str!(concat!("../../", $name, "/src/lib.rs")),
        }
    };
}

/// All stages, in order.
pub static STAGES: &[Stage] = &[
    stage!(1, "stage1-threads", stage1_threads::merge, taught: true),
    stage!(2, "stage2-mixed", stage2_mixed::merge, taught: true),
    stage!(3, "stage3-bottom-up", stage3_bottom_up::merge, taught: true),
    stage!(4, "stage4-tasks", stage4_tasks::merge, taught: true),
    stage!(5, "stage5-fully-async", stage5_fully_async::merge, taught: true),
    stage!(6, "stage6-tuned", stage6_tuned::merge, taught: false),
];

/// One stage.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// Its number, from 1.
    pub number: usize,
    /// The name of its crate and of its folder.
    pub name: &'static str,
    /// Its entry point.
    pub merge: MergeFn,
    /// Whether it is a step of the lesson. If so, the guards hold its size and its
    /// shape.
    pub taught: bool,
    /// The text of its manifest.
    pub manifest: &'static str,
    /// The text of its `src/lib.rs`.
    pub source: &'static str,
}

impl Stage {
    /// Returns the name without the number: `fully-async`.
    pub fn short_name(&self) -> &'static str {
        self.name.split_once('-').expect("a stage's name has two halves").1
    }

    /// Returns the four words that [`find`] takes for it.
    pub fn words(&self) -> [String; 4] {
        let number = self.number.to_string();
        let stage = format!("stage{number}");
        [number, stage, self.short_name().to_owned(), self.name.to_owned()]
    }

    /// Returns what the manifest says of the stage, under
    /// `[package.metadata.tributary]`.
    ///
    /// # Panics
    ///
    /// Panics if the manifest is not complete.
    pub fn said(&self) -> Said {
        self.package().metadata.tributary
    }

    /// Returns the description in its manifest, one sentence.
    ///
    /// # Panics
    ///
    /// As [`Stage::said`].
    pub fn description(&self) -> String {
        self.package().description
    }

    /// Returns the dependencies of the crate, each by its name and with the features
    /// that its manifest asks for.
    ///
    /// # Panics
    ///
    /// As [`Stage::said`].
    pub fn dependencies(&self) -> Vec<(String, Vec<String>)> {
        let dependencies = self.read_manifest().dependencies.into_iter();
        dependencies.map(|(name, dependency)| (name, dependency.features)).collect()
    }

    fn package(&self) -> Package {
        self.read_manifest().package
    }

    fn read_manifest(&self) -> Manifest {
        let manifest = toml::from_str(self.manifest);
        manifest.unwrap_or_else(|error| panic!("the manifest of {}: {error}", self.name))
    }
}

/// What a stage says of itself. Its manifest also has the laws that it breaks by
/// design: `conformance` reads those.
#[derive(Debug, Clone, Deserialize)]
pub struct Said {
    /// The names of the stages that it was made from.
    pub follows: Vec<String>,
    /// What is new in it, in one sentence.
    pub new: String,
    /// Whether all its tails share one event loop.
    #[serde(rename = "loop")]
    pub has_loop: bool,
    /// Which program may stop at this stage, if one may.
    pub stop_here: Option<StopHere>,
}

/// Which program needs no later stage, and why.
#[derive(Debug, Clone, Deserialize)]
pub struct StopHere {
    /// What the program is like: the end of a sentence that begins with "your program".
    pub who: String,
    /// Why it may stop.
    pub why: String,
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
    dependencies: BTreeMap<String, Dependency>,
}

/// Every dependency of a stage is one of the workspace.
#[derive(Deserialize)]
struct Dependency {
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    description: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    tributary: Said,
}

/// Finds a stage by its number (`5`), its name (`stage5-fully-async`) or either
/// half of the name (`stage5`, `fully-async`).
///
/// # Errors
///
/// A sentence that names the stages, if there is none of this word.
pub fn find(word: &str) -> Result<&'static Stage, String> {
    let is_meant = |stage: &&Stage| stage.words().iter().any(|it| it == word);
    STAGES.iter().find(is_meant).ok_or_else(|| {
        let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
        format!("the stages are 1 to {}: {}", STAGES.len(), names.join(", "))
    })
}

/// Returns the stages of the lesson, in order.
pub fn taught() -> impl DoubleEndedIterator<Item = &'static Stage> {
    STAGES.iter().filter(|stage| stage.taught)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_found_by_number_by_name_and_by_either_half() {
        for word in ["3", "stage3", "bottom-up", "stage3-bottom-up"] {
            assert_eq!(find(word).unwrap().number, 3, "{word}");
        }
        let after = (STAGES.len() + 1).to_string();
        for word in ["0", &after, "", "stage", "three"] {
            assert!(find(word).unwrap_err().contains(STAGES[0].name), "{word}");
        }
    }

    #[test]
    fn a_stage_stands_at_its_number_and_says_from_which_it_was_made() {
        for (number, stage) in (1..).zip(STAGES) {
            assert_eq!(stage.number, number, "{}", stage.name);
            assert!(stage.name.starts_with(&format!("stage{number}-")), "{}", stage.name);
            for name in stage.said().follows {
                let from = find(&name).unwrap_or_else(|names| panic!("{}: {names}", stage.name));
                assert!(from.number < number, "{} follows {name}", stage.name);
            }
        }
    }
}
