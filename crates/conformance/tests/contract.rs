//! The merge that the contract brings along, held to the laws, but for the one
//! that it breaks by design.

conformance::suite!(
    tributary::merge,
    r#"
    [package.metadata.tributary.limits]
    an_idle_source_is_looked_at_while_the_output_blocks = "it looks and writes in one thread"
    "#
);
