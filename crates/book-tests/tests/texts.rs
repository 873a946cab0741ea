//! What the texts name is there, what they show is so, and the project has the
//! form that they tell of.

mod asked;
mod includes;
mod names;
mod outputs;
mod refused;
mod tidy;

use std::path::PathBuf;

/// The folder of the project.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
