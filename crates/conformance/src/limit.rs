//! The laws that a merger breaks by design, as its manifest declares them.

use toml::Table;

use crate::Law;

/// A law that a merger breaks by design.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// The name of the law.
    pub law: &'static str,
    /// Why the merger breaks it.
    pub reason: String,
}

impl Limit {
    /// Reads the limits that a manifest declares: a name of a law and a reason
    /// for each, in `[package.metadata.tributary.limits]`. A manifest without
    /// that table declares none.
    ///
    /// # Panics
    ///
    /// Panics if `manifest` is not TOML, or a limit names no law or gives no
    /// reason.
    ///
    /// # Examples
    ///
    /// ```
    /// let limits = conformance::Limit::declared(
    ///     "[package.metadata.tributary.limits]\n\
    ///      no_source_is_starved = \"the first source is the one that matters\"",
    /// );
    /// assert_eq!(limits[0].law, "no_source_is_starved");
    /// assert_eq!(conformance::Limit::declared("[package]"), []);
    /// ```
    pub fn declared(manifest: &str) -> Vec<Limit> {
        let manifest: Table =
            manifest.parse().unwrap_or_else(|error| panic!("the manifest: {error}"));
        let path = ["package", "metadata", "tributary", "limits"];
        let (last, tables) = path.split_last().expect("the path has four names");
        let table = tables.iter().try_fold(&manifest, |table, name| table.get(*name)?.as_table());
        let Some(limits) = table.and_then(|table| table.get(*last)) else { return Vec::new() };
        let limits = limits.as_table().expect("the limits of the manifest are a table");
        let limits = limits.iter().map(|(name, reason)| {
            let law = Law::named(name).unwrap_or_else(|| {
                panic!("the manifest declares a limit, {name}, and no law has that name")
            });
            let reason = reason.as_str().map(str::trim).filter(|reason| !reason.is_empty());
            let reason =
                reason.unwrap_or_else(|| panic!("the manifest gives no reason for {name}"));
            Limit { law: law.name, reason: reason.to_owned() }
        });
        limits.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(
        expected = "the manifest declares a limit, no_such_law, and no law has that name"
    )]
    fn a_limit_that_names_no_law_is_refused() {
        Limit::declared("[package.metadata.tributary.limits]\nno_such_law = \"there is none\"");
    }

    #[test]
    #[should_panic(expected = "the manifest gives no reason for waiting_costs_nothing")]
    fn a_limit_without_a_reason_is_refused() {
        Limit::declared("[package.metadata.tributary]\nlimits.waiting_costs_nothing = ' '");
    }
}
