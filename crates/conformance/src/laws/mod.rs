//! The laws, a file a theme.
//!
//! Each takes the merger and says whether it keeps the law. The first sentence
//! of its documentation is the law, and the rest says how it is tried.
//!
//! # Panics
//!
//! A law panics when it cannot be tried: the merge fails or panics where the
//! law is about something else, or the system refuses a file or a thread.

pub mod failures;
pub mod fairness;
pub mod following;
pub mod lines;
pub mod report;
pub mod scale;
pub mod stop;
pub mod waking;

// `suite!` names a law without its theme.
#[doc(hidden)]
pub use self::{
    failures::*, fairness::*, following::*, lines::*, report::*, scale::*, stop::*, waking::*,
};
