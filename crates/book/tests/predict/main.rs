//! What a reader of the book is asked to predict: three questions a stage, and
//! what happens in fact.
//!
//! Nothing here waits for a time to pass: a test waits for what it can see,
//! through the probe of a plan or a channel, and [`scene::within`] ends it if
//! that does not come.

mod scene;
mod stage1;
mod stage2;
mod stage3;
mod stage4;
mod stage5;
