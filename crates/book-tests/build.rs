//! Takes the writer thread out of stage 5 as it stands there, for the tests
//! that look at it without the rest of a merge.

use std::path::Path;
use std::{env, fs};

fn main() {
    let stage = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stage5-fully-async/src/lib.rs");
    let text = fs::read_to_string(&stage).expect("stage 5 can be read");
    let part = text.split("// ANCHOR: writer\n").nth(1);
    let part = part.and_then(|part| part.split("// ANCHOR_END: writer\n").next());
    let folder = env::var_os("OUT_DIR").expect("cargo names the folder");
    fs::write(
        Path::new(&folder).join("write_thread.rs"),
        part.expect("stage 5 marks its writer with an anchor"),
    )
    .expect("the folder can be written");
    println!("cargo::rerun-if-changed={}", stage.display());
    println!("cargo::rerun-if-changed=build.rs");
}
