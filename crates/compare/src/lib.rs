//! The command behind `cargo compare`: every stage on the same workloads, each in a
//! process of its own, checked and measured. The subcommands of the lesson are those of
//! `teacher`.
//!
//! Four rooms, each of which may use those before it: `asking` (what was asked for),
//! `running` (a stage in a child, measured), `telling` (the results as tables and
//! words), `keeping` (the comparison as it grows, on the disk). `run` goes through them
//! from start to end; `protocol` is what parent and child say to each other.

mod asking;
mod keeping;
mod protocol;
mod run;
mod running;
mod telling;

pub use run::main;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn a_room_uses_only_those_before_it() {
        let rooms = ["asking", "running", "telling", "keeping"];
        for (at, room) in rooms.iter().enumerate() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
            for file in fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                for later in &rooms[at + 1..] {
                    let uses = text.contains(&format!("crate::{later}::"));
                    assert!(!uses, "{} uses {later}", path.display());
                }
            }
        }
    }
}
