//! Any merge at all: the right ones are right, and one change is seen.

use crate::common::{Sources, tagged};
use checker::{Kind, Verdict};
use proptest::prelude::*;

/// Sources of these numbers of lines, and an order in which they take turns.
fn turns() -> impl Strategy<Value = (Vec<u64>, Vec<usize>)> {
    prop::collection::vec(0_u64..12, 1..5).prop_flat_map(|lines| {
        let turns: Vec<_> = lines
            .iter()
            .enumerate()
            .flat_map(|(source, &lines)| vec![source; lines as usize])
            .collect();
        (Just(lines), Just(turns).prop_shuffle())
    })
}

/// The tagged sources and their merge in these turns.
fn tagged_merge(lines: &[u64], turns: &[usize]) -> (Sources, Vec<(usize, u64)>) {
    let contents: Vec<Vec<u8>> = lines
        .iter()
        .enumerate()
        .map(|(source, &lines)| (1..=lines).flat_map(|number| tagged(source, number)).collect())
        .collect();
    let mut next = vec![0; lines.len()];
    let merged = turns.iter().map(|&source| {
        next[source] += 1;
        (source, next[source])
    });
    (Sources::of(&contents), merged.collect())
}

fn bytes(merged: &[(usize, u64)]) -> Vec<u8> {
    merged.iter().flat_map(|&(source, number)| tagged(source, number)).collect()
}

/// Merges untagged sources in these turns.
fn merge_in_turns(sources: &[Vec<String>], turns: &[usize]) -> Vec<String> {
    let mut next: Vec<_> = sources.iter().map(|lines| lines.iter()).collect();
    turns.iter().map(|&source| next[source].next().unwrap().clone()).collect()
}

/// Says, by trying every way to share the lines out, whether this is a merge of
/// the sources: what the linear checker cannot afford.
fn is_a_merge(sources: &[Vec<String>], merged: &[String]) -> bool {
    let mut states = std::collections::HashSet::from([vec![0; sources.len()]]);
    for line in merged {
        let mut after = std::collections::HashSet::new();
        for state in &states {
            for source in 0..sources.len() {
                if sources[source].get(state[source]) == Some(line) {
                    let mut state = state.clone();
                    state[source] += 1;
                    after.insert(state);
                }
            }
        }
        states = after;
    }
    let ends: Vec<_> = sources.iter().map(Vec::len).collect();
    states.contains(&ends)
}

/// Sources with few different lines, some of them shared, and turns.
fn untagged() -> impl Strategy<Value = (Vec<Vec<String>>, Vec<usize>)> {
    turns().prop_flat_map(|(lines, turns)| {
        let sources: Vec<_> = lines
            .iter()
            .enumerate()
            .map(|(source, &lines)| {
                let line = prop_oneof![
                    Just(String::new()),
                    Just("---".to_string()),
                    (0..4).prop_map(move |word| format!("word {word} of {source}")),
                ];
                prop::collection::vec(line, lines as usize)
            })
            .collect();
        (sources, Just(turns))
    })
}

fn text(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

fn untagged_sources(sources: &[Vec<String>]) -> Sources {
    Sources::of(&sources.iter().map(|lines| text(lines)).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn any_lines_lost_doubled_and_moved_are_counted_exactly(
        (lines, turns) in turns(),
        changes in prop::collection::vec((0..3, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
    ) {
        let (sources, mut merged) = tagged_merge(&lines, &turns);
        prop_assert!(sources.check_both(&bytes(&merged)).iter().all(Verdict::is_right));
        for (change, one, other) in changes {
            if merged.is_empty() {
                break;
            }
            let (one, other) = (one.index(merged.len()), other.index(merged.len()));
            match change {
                0 => drop(merged.remove(one)),
                1 => merged.insert(other, merged[one]),
                _ => merged.swap(one, other),
            }
        }
        // What the findings must be, by their definitions.
        let all: usize = turns.len();
        let mut came = std::collections::HashSet::new();
        let mut highest = vec![0; lines.len()];
        let (mut doubled, mut late) = (0, 0);
        for &(source, number) in &merged {
            if !came.insert((source, number)) {
                doubled += 1;
            } else if number < highest[source] {
                late += 1;
            } else {
                highest[source] = number;
            }
        }
        let verdict = sources.check_tagged(&bytes(&merged));
        prop_assert_eq!(verdict.count(Kind::Lost), (all - came.len()) as u64, "{}", verdict);
        prop_assert_eq!(verdict.count(Kind::Doubled), doubled, "{}", verdict);
        prop_assert_eq!(verdict.count(Kind::OutOfOrder), late, "{}", verdict);
        prop_assert_eq!(verdict.wrong(), (all - came.len()) as u64 + doubled + late, "{}", verdict);
    }

    #[test]
    fn any_changed_byte_is_seen(
        (lines, turns) in turns(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (sources, merged) = tagged_merge(&lines, &turns);
        let mut merged = bytes(&merged);
        prop_assume!(!merged.is_empty());
        let at = at.index(merged.len());
        prop_assume!(merged[at] != byte);
        merged[at] = byte;
        prop_assert!(!sources.check_both(&merged).iter().any(Verdict::is_right));
    }

    #[test]
    fn no_untagged_merge_is_called_wrong_for_nothing(
        (sources, turns) in untagged(),
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
    ) {
        let mut merged = merge_in_turns(&sources, &turns);
        let files = untagged_sources(&sources);
        let verdict = files.check_untagged(&text(&merged));
        prop_assert!(verdict.is_right(), "{verdict}");
        prop_assume!(!merged.is_empty());
        merged.swap(one.index(turns.len()), other.index(turns.len()));
        let verdict = files.check_untagged(&text(&merged));
        if is_a_merge(&sources, &merged) {
            prop_assert!(verdict.is_right(), "{verdict}");
        } else if verdict.shared() == 0 {
            prop_assert!(!verdict.is_right(), "every line is some source's own");
        }
    }

    #[test]
    fn any_untagged_line_too_few_or_too_many_is_counted(
        (sources, turns) in untagged(),
        at in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let merged = merge_in_turns(&sources, &turns);
        prop_assume!(!merged.is_empty());
        let files = untagged_sources(&sources);
        let (mut fewer, mut more) = (merged.clone(), merged);
        let line = fewer.remove(at.index(turns.len()));
        more.insert(to.index(turns.len()), line);
        let verdict = files.check_untagged(&text(&fewer));
        prop_assert_eq!((verdict.count(Kind::Lost), verdict.wrong()), (1, 1), "{}", verdict);
        prop_assert_eq!(files.check_untagged(&text(&more)).count(Kind::Doubled), 1);
    }
}
