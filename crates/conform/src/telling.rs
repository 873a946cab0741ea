//! What was found out, as text.

use std::fmt::{self, Write};

use crate::{Answer, Judged, LAWS, Outcome};

/// Tells of each program what is wrong with it, and then all in a table, a row a law and
/// a column a program. The same laws were tried on each.
pub fn text(programs: &[Judged]) -> String {
    let mut text = String::new();
    tell(programs, &mut text).expect("a string takes everything");
    text
}

/// The same for programs: the laws that there are, and what came of each.
pub fn json(programs: &[Judged]) -> String {
    format!("{:#}\n", serde_json::json!({ "laws": LAWS, "programs": programs }))
}

fn tell(programs: &[Judged], text: &mut String) -> fmt::Result {
    for (at, program) in programs.iter().enumerate() {
        let broken = program.broken().count();
        let asked = |answer: &&Answer| !matches!(answer.outcome, Outcome::NotAsked { .. });
        let asked = program.laws.iter().filter(asked).count();
        let follows = if program.follows { "follows its files" } else { "ends by itself" };
        writeln!(
            text,
            "{}. {}\n   {follows}; {} of {asked} laws hold, {broken} broken",
            at + 1,
            program.command.join(" "),
            asked - broken,
        )?;
        for (law, witness) in program.broken() {
            writeln!(text, "   {law}:\n     {witness}")?;
        }
    }
    let Some(first) = programs.first() else { return Ok(()) };
    let width = first.laws.iter().map(|answer| answer.law.len()).max().unwrap_or_default();
    write!(text, "\n{:<width$}", "law")?;
    (1..=programs.len()).try_for_each(|number| write!(text, "  {number:<6}"))?;
    text.truncate(text.trim_end().len());
    writeln!(text)?;
    for (at, answer) in first.laws.iter().enumerate() {
        write!(text, "{:<width$}", answer.law)?;
        for program in programs {
            let cell = match program.laws[at].outcome {
                Outcome::Held => "holds",
                Outcome::Broken { .. } => "BROKEN",
                Outcome::NotAsked { .. } => "-",
            };
            write!(text, "  {cell:<6}")?;
        }
        // No blanks at the end of a line.
        text.truncate(text.trim_end().len());
        writeln!(text)?;
    }
    writeln!(text, "\n-: not asked. A law that is not asked does not count as kept.")
}
