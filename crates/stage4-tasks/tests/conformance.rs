//! Stage 4, held to the laws that every merge keeps, but for one.

conformance::suite!(
    stage4_tasks::merge,
    except {
        an_idle_source_is_looked_at_while_the_output_blocks: "append runs on the loop: while it blocks, no task gets its turn",
    }
);
