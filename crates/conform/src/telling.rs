//! What was found out, as text.

use std::fmt::{self, Write};

use crate::{Answer, Judged, LAWS, Outcome};

/// Tells of each program what is wrong with it, and then all in a [`table`].
pub fn text(programs: &[Judged]) -> String {
    let mut text = String::new();
    for (at, program) in programs.iter().enumerate() {
        tell(at + 1, program, &mut text).expect("a string takes everything");
    }
    text + "\n" + &table(programs)
}

/// A row a law and a column a program. The same laws were tried on each.
pub fn table(programs: &[Judged]) -> String {
    let mut text = String::new();
    draw(programs, &mut text).expect("a string takes everything");
    text
}

/// The same for programs: the laws that there are, and what came of each.
pub fn json(programs: &[Judged]) -> String {
    format!("{:#}\n", serde_json::json!({ "laws": LAWS, "programs": programs }))
}

fn tell(number: usize, program: &Judged, text: &mut String) -> fmt::Result {
    let broken = program.broken().count();
    let asked = |answer: &&Answer| !matches!(answer.outcome, Outcome::NotAsked { .. });
    let asked = program.laws.iter().filter(asked).count();
    let follows = if program.follows {
        "follows its files"
    } else {
        "ends by itself, so it is not asked about files that grow"
    };
    let held = asked - broken;
    let shown = if broken == 0 { "" } else { ", each on logs made for it:" };
    writeln!(text, "{number}. {}", program.command.join(" "))?;
    writeln!(text, "   {follows}; {held} of {asked} laws hold, {broken} broken{shown}")?;
    program.broken().try_for_each(|(law, witness)| writeln!(text, "   {law}:\n     {witness}"))
}

fn draw(programs: &[Judged], text: &mut String) -> fmt::Result {
    let Some(first) = programs.first() else { return Ok(()) };
    let width = first.laws.iter().map(|answer| answer.law.len()).max().unwrap_or_default();
    write!(text, "{:width$}", "")?;
    (1..=programs.len()).try_for_each(|number| write!(text, "{number:>5}"))?;
    writeln!(text)?;
    for (at, answer) in first.laws.iter().enumerate() {
        write!(text, "{:width$}", answer.law)?;
        for program in programs {
            let cell = match program.laws[at].outcome {
                Outcome::Held => "yes",
                Outcome::Broken { .. } => "NO",
                Outcome::NotAsked { .. } => "-",
            };
            write!(text, "{cell:>5}")?;
        }
        writeln!(text)?;
    }
    writeln!(text, "\n-: not asked, which does not count as kept.")
}
