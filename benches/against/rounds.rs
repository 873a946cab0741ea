//! Rounds in which the contenders take turns, and the table of their figures.

use std::collections::BTreeMap;

use crate::contender::Contender;

/// The figures of one run, by name. Of each, less is better.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

/// Runs each contender once a round, and prints a table: the median of each figure with
/// its quartiles, and of its ratio to the first contender in the same round.
pub(crate) fn take_turns(
    contenders: &[Contender],
    rounds: usize,
    mut run: impl FnMut(&Contender) -> anyhow::Result<Figures>,
) -> anyhow::Result<()> {
    let mut seen: Vec<Vec<Figures>> = vec![Vec::new(); contenders.len()];
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            seen[who].push(run(&contenders[who])?);
        }
    }
    print(contenders, &seen);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints")]
fn print(contenders: &[Contender], seen: &[Vec<Figures>]) {
    for (contender, runs) in contenders.iter().zip(seen) {
        println!("  {}", contender.name);
        let figures: Vec<_> =
            runs.first().into_iter().flatten().map(|(&figure, _)| figure).collect();
        for figure in figures {
            let values = runs.iter().map(|run| run[figure]).collect();
            let ratios = runs
                .iter()
                .zip(&seen[0])
                .filter_map(|(run, first)| first.get(figure).map(|first| run[figure] / first));
            let ratios: Vec<_> = ratios.filter(|ratio| ratio.is_finite()).collect();
            let ratio = Spread::of(ratios)
                .map_or(String::new(), |ratio| format!("{ratio} x {}", contenders[0].name));
            let value = Spread::of(values).expect("there is a round");
            println!("    {figure:<28} {:>28}   {ratio}", value.to_string());
        }
    }
}

/// The median and the two quartiles of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let at = |quarter: usize| {
            let place = (values.len().checked_sub(1)? * quarter) as f64 / 4.0;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            Some(below + (above - below) * place.fract())
        };
        Some(Spread { lower: at(1)?, median: at(2)?, upper: at(3)? })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} [{:.3} to {:.3}]", self.median, self.lower, self.upper)
    }
}
