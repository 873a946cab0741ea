//! The five stages, by number and by name.

use tributary::MergeFn;

/// One stage: its number, the name of its crate, and its entry point.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// Its number, from 1.
    pub number: usize,
    /// The name of its crate, which is also that of its folder.
    pub name: &'static str,
    /// Its entry point.
    pub merge: MergeFn,
    /// Its manifest, which declares the laws that it breaks by design.
    pub manifest: &'static str,
}

macro_rules! stage {
    ($number:literal, $name:literal, $merge:path) => {
        Stage {
            number: $number,
            name: $name,
            merge: $merge,
            manifest: include_str!(concat!("../../", $name, "/Cargo.toml")),
        }
    };
}

/// All stages, in order.
pub static STAGES: [Stage; 5] = [
    stage!(1, "stage1-threads", stage1_threads::merge),
    stage!(2, "stage2-mixed", stage2_mixed::merge),
    stage!(3, "stage3-bottom-up", stage3_bottom_up::merge),
    stage!(4, "stage4-tasks", stage4_tasks::merge),
    stage!(5, "stage5-fully-async", stage5_fully_async::merge),
];

/// Finds a stage by its number (`5`), its name (`stage5-fully-async`) or either
/// half of the name (`stage5`, `fully-async`).
///
/// # Errors
///
/// A sentence with the names that there are.
pub fn find(word: &str) -> Result<&'static Stage, String> {
    let is_meant = |stage: &&Stage| {
        let (short, rest) = stage.name.split_once('-').expect("a stage's name has two halves");
        word == stage.name || word == short || word == rest || word == stage.number.to_string()
    };
    STAGES.iter().find(is_meant).ok_or_else(|| {
        let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
        format!("the stages are 1 to {}: {}", STAGES.len(), names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_found_by_number_by_name_and_by_either_half() {
        for word in ["3", "stage3", "bottom-up", "stage3-bottom-up"] {
            assert_eq!(find(word).unwrap().number, 3, "{word}");
        }
        for word in ["0", "6", "", "stage", "three"] {
            assert!(find(word).unwrap_err().contains("stage5-fully-async"), "{word}");
        }
    }
}
