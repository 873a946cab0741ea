//! What a reader of the book is asked to predict: three questions a stage, and
//! what happens in fact.
//!
//! A test waits for what it can see, through the probe of a plan or a channel,
//! and [`testkit::within`] ends it if that does not come. A time has to pass only
//! where something is *not* to be seen, and a slow machine makes no such test
//! fail.

mod scene;
mod stage1;
mod stage2;
mod stage3;
mod stage4;
mod stage5;
