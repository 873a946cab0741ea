//! Stage 1, held to the laws that every merge keeps.

conformance::suite!(stage1_threads::merge);
