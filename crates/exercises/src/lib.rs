//! The steps of the lesson as exercises.
//!
//! An [`Exercise`] begins with the file of a stage, which keeps every law; what makes
//! it the next stage is to be written. The laws say whether a merge is right and not
//! how it is done, so each step has [checks](Check) besides: who reads, who writes, and
//! what a tail does while it waits, as the probe and the contract's spans show it. One
//! exercise is a step of the service: its checks are the laws of `service-laws`, and what
//! is new in the step.
//!
//! What is said to the learner is data: `steps/`, a file an exercise. The hints of the
//! laws lie beside the laws, in `conformance`.

mod checks;
mod child;
mod exercise;
mod noticed;
mod seen;

pub use checks::{CHECKS, Check, Mine};
pub use child::{PANICKED, at_the_end_of_stdin, main, stops_with_stdin, try_law};
pub use exercise::{Asked, EXERCISES, Exercise, Todo, helps_with_panic};
