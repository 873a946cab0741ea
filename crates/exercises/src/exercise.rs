//! The exercises, and what is said in them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use conformance::Law;
use serde::Deserialize;

use crate::Check;

macro_rules! exercises {
    ($($file:literal)+) => { vec![$(Exercise::read(include_str!(concat!("../steps/", $file)))),+] };
}

/// All exercises, in the order of the lesson.
pub static EXERCISES: LazyLock<Vec<Exercise>> = LazyLock::new(
    || exercises!("1-2.toml" "1-3.toml" "2-4.toml" "3-4.toml" "4-5.toml" "service.toml"),
);

/// One step of the lesson, to be taken by the learner.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// With whose file it begins: the number of a stage, or a version of the service,
    /// `service/tasks`.
    pub from: String,
    /// What is to be written.
    pub to: String,
    /// What the step is about: the crate doc of the file.
    pub about: String,
    /// What is to be written, and where.
    #[serde(rename = "todo")]
    pub todos: Vec<Todo>,
    /// What can be seen of it once it is written.
    #[serde(rename = "check")]
    pub checks: Vec<Asked>,
    /// What is said of a merge or of a service that does not end, whichever law it hangs
    /// in.
    pub hangs: Asked,
    /// What no law and no check sees, and what to compare when all of them hold.
    pub unseen: String,
    /// What it means *in this step* that a law of the stages is broken, by the name of
    /// the law or of its theme.
    #[serde(default)]
    means: BTreeMap<String, String>,
    /// What helps with an error of the compiler, by its code or by a piece of what it says;
    /// `any`, with every other.
    compile: BTreeMap<String, String>,
}

/// A part of a step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Todo {
    /// The line of the file above which it stands.
    pub above: String,
    /// What is to be done there.
    pub say: String,
}

/// A check, as it is asked in an exercise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The name of the check, or of a law of the service.
    pub name: String,
    /// What it is about, where it is not what is new in the step.
    pub theme: Option<String>,
    /// What it means that it does not hold.
    pub means: String,
    /// The page of the book that speaks of it.
    pub page: String,
    /// A first hint.
    pub first: String,
    /// A second one, for whoever asks again.
    pub second: String,
}

/// What helps with a panic, whatever the step.
#[derive(Deserialize)]
struct Panics {
    panic: Vec<Panic>,
}

#[derive(Deserialize)]
struct Panic {
    says: String,
    help: String,
}

/// Returns what helps with a panic that says this.
///
/// # Panics
///
/// Panics if nothing does, which the last of `steps/panics.toml` does not allow.
pub fn helps_with_panic(said: &str) -> &'static str {
    static PANICS: LazyLock<Panics> = LazyLock::new(|| {
        let panics = toml::from_str(include_str!("../steps/panics.toml"));
        panics.unwrap_or_else(|error| panic!("the panics: {error}"))
    });
    let panic = PANICS.panic.iter().find(|panic| said.contains(&panic.says));
    &panic.expect("the last fits all").help
}

impl Exercise {
    fn read(text: &str) -> Exercise {
        toml::from_str(text).unwrap_or_else(|error| panic!("an exercise: {error}"))
    }

    /// Finds the exercise that leads there, from the first of its predecessors or from
    /// the one that is named.
    pub fn to(to: &str, from: Option<&str>) -> Option<&'static Exercise> {
        let is_meant = |it: &&Exercise| it.to == to && from.is_none_or(|from| it.from == from);
        EXERCISES.iter().find(is_meant)
    }

    /// Says whether something is said of this very law, and not of its theme alone.
    pub fn knows(&self, law: &Law) -> bool {
        self.means.contains_key(law.name)
    }

    /// Returns what it means in this step that a law is broken.
    ///
    /// # Panics
    ///
    /// Panics if nothing is said of the theme, which a test of this crate does not allow.
    pub fn means(&self, law: &Law) -> &str {
        let means = self.means.get(law.name).or_else(|| self.means.get(law.theme));
        means.unwrap_or_else(|| panic!("{} → {}: {} is not said", self.from, self.to, law.theme))
    }

    /// Returns what helps with an error of the compiler.
    ///
    /// # Panics
    ///
    /// Panics if there is no help with any, which a test of this crate does not allow.
    pub fn helps(&self, code: Option<&str>, said: &str) -> &str {
        let fits = |piece: &str| piece != "any" && said.contains(piece);
        // The longest piece says most, and more than a code, which many mistakes share.
        let pieces = self.compile.iter().filter(|(piece, _)| fits(piece));
        let by_piece = pieces.max_by_key(|(piece, _)| piece.len()).map(|(_, help)| help);
        let help = by_piece.or_else(|| code.and_then(|code| self.compile.get(code)));
        help.or_else(|| self.compile.get("any")).expect("there is help with any error")
    }

    /// Names the laws and themes, and the errors, of which something is said.
    #[doc(hidden)]
    pub fn said(&self) -> (impl Iterator<Item = &String>, impl Iterator<Item = &String>) {
        (self.means.keys(), self.compile.keys())
    }
}

impl Asked {
    /// Returns the check itself.
    ///
    /// # Panics
    ///
    /// Panics if no check has this name, which a test of this crate does not allow.
    pub fn check(&self) -> Check {
        Check::named(&self.name).unwrap_or_else(|| panic!("there is no check {}", self.name))
    }
}
