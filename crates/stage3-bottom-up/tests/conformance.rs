//! Stage 3, held to the laws that every merge keeps.

conformance::suite!(stage3_bottom_up::merge);
