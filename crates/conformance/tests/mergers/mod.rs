//! A correct merger, and many that are wrong in one way each.
//!
//! They use what every merger has: the public parts of `tributary`, and the
//! paths of the files. Those that a person would write are programs by themselves, and
//! the book shows them, each with the way out beside it.

pub(crate) mod correct;
mod ends;
mod failures;
mod following;
mod half_line;
mod lines;
mod many;
mod sleep;
mod stop_after_the_read;
mod unbounded_channel;
mod waking;

pub(crate) use ends::*;
pub(crate) use failures::*;
pub(crate) use following::*;
pub(crate) use half_line::merge as writes_a_partial_line;
pub(crate) use lines::*;
pub(crate) use many::*;
pub(crate) use sleep::merge as waits_out_the_interval;
pub(crate) use stop_after_the_read::merge as leaves_before_all_is_read;
pub(crate) use unbounded_channel::merge as reads_everything_ahead;
pub(crate) use waking::*;
