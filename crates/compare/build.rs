//! Tells the crate the compiler and the profile that it is built with.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("-V").output();
    let version = said.ok().and_then(|said| String::from_utf8(said.stdout).ok());
    let version = version.unwrap_or_default();
    println!("cargo::rustc-env=COMPARE_RUSTC={}", version.trim());
    let profile = env::var("PROFILE").unwrap_or_default();
    println!("cargo::rustc-env=COMPARE_PROFILE={profile}");
    println!("cargo::rerun-if-changed=build.rs");
}
