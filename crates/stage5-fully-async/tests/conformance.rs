//! Stage 5, held to the laws that every merge keeps.

conformance::suite!(stage5_fully_async::merge);
