//! Writes the page and the sentences of the tests' run: to look at them, and to see in
//! a diff what a change of words changes.
//!
//! `just refresh-report` runs this.

use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let comparison = serde_json::from_str(&fs::read_to_string(tests.join("comparison.json"))?)?;
    fs::write(tests.join("seen.txt"), report::seen(&comparison).join("\n") + "\n")?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/report.html");
    fs::create_dir_all(page.parent().expect("it is in a folder"))?;
    fs::write(page, report::render(&comparison))?;
    Ok(())
}
