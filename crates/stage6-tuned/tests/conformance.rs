//! Stage 6, held to the laws that every merge keeps.

conformance::suite!(stage6_tuned::merge);
