//! Stage 2, held to the laws that every merge keeps.

conformance::suite!(stage2_mixed::merge);
