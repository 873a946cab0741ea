//! The merge that the contract brings along, held to the laws, but for those
//! that only a second thread could keep.

conformance::suite!(
    tributary::merge,
    r#"
    [package.metadata.tributary.limits]
    an_idle_source_is_looked_at_while_the_output_blocks = "it looks and writes in one thread"
    a_source_that_hangs_delays_no_other = "one thread looks at all sources"
    "#
);
