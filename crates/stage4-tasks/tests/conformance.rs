//! Stage 4, held to the laws that every merge keeps, but for what its manifest
//! declares.

conformance::suite!(stage4_tasks::merge);
