//! Hints for authors whose merger breaks a law.

use std::sync::LazyLock;

use toml::Table;

use crate::Law;

static HINTS: LazyLock<Table> = LazyLock::new(|| {
    let hints = include_str!("laws/hints.toml").parse();
    hints.unwrap_or_else(|error| panic!("the hints: {error}"))
});

/// Two hints on how to keep a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hints {
    /// The page of the book that speaks of it.
    pub page: &'static str,
    /// Where to look.
    pub first: &'static str,
    /// What to write: for whoever asks again.
    pub second: &'static str,
}

impl Law {
    /// Returns the hints on how to keep this law.
    ///
    /// # Panics
    ///
    /// Panics if the law has no hints, which a test of this crate does not allow.
    pub fn hints(&self) -> Hints {
        let of_law = HINTS.get(self.name).and_then(|of_law| of_law.as_table());
        let text = |key: &str| -> &'static str {
            let text = of_law.and_then(|of_law| of_law.get(key)?.as_str());
            text.unwrap_or_else(|| panic!("the hints of {} have no {key}", self.name))
        };
        Hints { page: text("page"), first: text("first"), second: text("second") }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::LAWS;

    #[test]
    fn every_law_has_two_hints_and_every_hint_a_law() {
        for law in LAWS.iter() {
            let Hints { first, second, .. } = law.hints();
            assert!(first.len() > 20 && second.len() > 20 && first != second, "{}", law.name);
        }
        let names: BTreeSet<_> = LAWS.iter().map(|law| law.name).collect();
        assert_eq!(HINTS.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
    }
}
