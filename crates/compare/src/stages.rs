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
}

/// All stages, in order.
pub static STAGES: [Stage; 5] = [
    Stage { number: 1, name: "stage1-threads", merge: stage1_threads::merge },
    Stage { number: 2, name: "stage2-mixed", merge: stage2_mixed::merge },
    Stage { number: 3, name: "stage3-bottom-up", merge: stage3_bottom_up::merge },
    Stage { number: 4, name: "stage4-tasks", merge: stage4_tasks::merge },
    Stage { number: 5, name: "stage5-fully-async", merge: stage5_fully_async::merge },
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
