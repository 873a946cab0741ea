use serde::Serialize;

/// What came of a law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The program keeps it.
    Held,
    /// The program breaks it.
    Broken {
        /// What shows that, in plain words.
        witness: String,
    },
    /// It says nothing of this program.
    NotAsked {
        /// Why not.
        why: String,
    },
}

/// A law, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The name of the law.
    pub law: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What was found out about a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Its words, with the places for files.
    pub command: Vec<String>,
    /// Its words, without them.
    pub name: String,
    /// Whether it goes on until it is asked to stop.
    pub follows: bool,
    /// The laws that were tried, in the order in which they were named.
    pub laws: Vec<Answer>,
}

impl Judged {
    /// Returns the laws that the program breaks, each with what shows it.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.laws.iter().filter_map(|answer| match &answer.outcome {
            Outcome::Broken { witness } => Some((answer.law, &**witness)),
            _ => None,
        })
    }

    /// Says whether it keeps every law that was asked.
    pub fn is_right(&self) -> bool {
        self.broken().next().is_none()
    }
}
