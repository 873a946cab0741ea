//! What the teacher says of a step.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use conformance::Limit;
use exercises::{Asked, EXERCISES, Exercise, PANICKED, helps_with_panic};
use jiff::Zoned;
use runner::workspace;

use crate::args::{self, End, Wanted, limits};
use crate::tries::{Diagnostic, Known};

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
/// How many columns a text has at most.
pub(crate) const WIDTH: usize = 92;
/// How many lines of the compiler's message are shown.
const ERROR: usize = 16;
/// How many lines of what a law has seen are shown.
const WITNESS: usize = 6;
/// The words of a law about a merge, and about a service, that hangs.
const HANGS: [&str; 2] = ["in vain for this: the merge ends", "in vain for this: the service ends"];
/// The subject of a help with a panic, whatever the law.
const PANIC: &str = "panic";
/// The learner's file, as the compiler and panics name it.
const FILE: &str = "src/lib.rs:";

/// Says what to do in an exercise that was begun.
pub(crate) fn begun(exercise: &Exercise, file: &str) -> String {
    let (from, to) = (End::of(&exercise.from), End::of(&exercise.to));
    let mut text = head(exercise);
    let all = exercise.todos.len();
    let _ = writeln!(
        text,
        "{file}\n  is {}, with what is to be written in comments, TODO 1 to {all}.\n",
        from.name()
    );
    if let Some(new) = to.what_is_new() {
        text += &paragraph("", &format!("{}.\n", new.trim_end_matches('.')));
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "  cargo compare check-mine            how far you are; asked again, it says more\n  \
         cargo compare check-mine --watch    whenever you save"
    );
    text
}

/// Says that the file was saved, and when.
pub(crate) fn saved(file: &str) -> String {
    format!("\n{BOLD}{}: {file} was saved{BOLD:#}\n\n", Zoned::now().strftime("%H:%M:%S"))
}

/// Says how many errors the compiler has, the first of them, and what helps in this
/// step.
pub(crate) fn refused(exercise: &Exercise, errors: &[Diagnostic], file: &str) -> String {
    let mut text = head(exercise);
    let count =
        if errors.len() == 1 { "one error".into() } else { format!("{} errors", errors.len()) };
    let _ = writeln!(text, "{RED}It does not compile{RED:#}: {count}, the first is this.\n");
    let first = &errors[0];
    let said = first.rendered.as_deref().unwrap_or_default();
    text += &shortened(ERROR, &placed(said, file));
    text.push('\n');
    text += &paragraph("In this step: ", exercise.helps(first.code(), said));
    text
}

/// Says the first warning of the compiler, if there is one.
pub(crate) fn warned(warnings: &[Diagnostic], file: &str) -> String {
    let Some(first) = warnings.first() else { return String::new() };
    let said = shortened(ERROR, &placed(first.rendered.as_deref().unwrap_or_default(), file));
    format!("{YELLOW}It compiles, and the compiler warns:{YELLOW:#}\n\n{said}\n")
}

/// Says which laws hold and, of the first that does not, what was seen and what helps.
/// `times` is how often in a row that was told.
pub(crate) fn held(
    exercise: &'static Exercise,
    wanted: &[Wanted],
    known: &[Known],
    times: u32,
    file: &str,
) -> String {
    let (mut text, to) = (head(exercise), End::of(&exercise.to).name());
    text += &counts(wanted, known);
    for Limit { law, reason, .. } in limits(exercise) {
        let said = format!("Not asked: {law}. {to} breaks it by design: {reason}.");
        text += &paragraph("", &said);
    }
    text.push('\n');
    let all = args::wanted(exercise).len();
    match first_broken(known) {
        Some((at, seen)) => text += &broken(exercise, wanted[at], seen, times, file),
        None if wanted.len() < all => {
            let _ = writeln!(
                text,
                "{GREEN}What was asked holds.{GREEN:#} {all} laws and checks are what is asked \
                 without --only."
            );
        }
        None => text += &taken(exercise),
    }
    text
}

/// Finds the first law or check that does not hold, and what was seen.
pub(crate) fn first_broken(known: &[Known]) -> Option<(usize, &str)> {
    known.iter().enumerate().find_map(|(at, known)| match known {
        Known::Broken(seen) => Some((at, &**seen)),
        Known::NotTried | Known::Holds => None,
    })
}

fn head(exercise: &Exercise) -> String {
    let (from, to) = (End::of(&exercise.from), End::of(&exercise.to));
    format!("{BOLD}Your turn: {} → {}{BOLD:#}\n", from.name(), to.name())
}

/// Says how many laws and checks of each theme hold.
fn counts(wanted: &[Wanted], known: &[Known]) -> String {
    let mut text = String::new();
    let mut rest = known;
    for of_theme in wanted.chunk_by(|a, b| a.theme() == b.theme()) {
        let (known, after) = rest.split_at(of_theme.len());
        rest = after;
        let tried = known.iter().filter(|it| **it != Known::NotTried).count();
        let (all, held) = (known.len(), known.iter().filter(|it| **it == Known::Holds).count());
        let theme = of_theme[0].theme();
        let _ = match (tried, held) {
            (0, _) => writeln!(text, "  {theme:<10} {FAINT}not tried{FAINT:#}"),
            _ if held < tried && tried < all => writeln!(
                text,
                "  {theme:<10} {RED}{held} of {all} hold, {} not, {} not tried{RED:#}",
                tried - held,
                all - tried
            ),
            _ if held < tried => writeln!(text, "  {theme:<10} {RED}{held} of {all} hold{RED:#}"),
            _ if tried < all => {
                writeln!(text, "  {theme:<10} {held} of {all} hold, the others not tried")
            }
            _ => writeln!(text, "  {theme:<10} {GREEN}{held} of {all} hold{GREEN:#}"),
        };
    }
    text
}

/// What helps with a law or a check that does not hold.
pub(crate) struct Help<'a> {
    /// The subject: a law, a check, a merge that hangs, or a panic.
    pub(crate) of: &'a str,
    means: &'a str,
    page: &'a str,
    first: &'a str,
    second: &'a str,
}

/// Returns the help with a law or a check that does not hold, by what was seen of it.
pub(crate) fn helps<'a>(exercise: &'a Exercise, wanted: Wanted, seen: &str) -> Help<'a> {
    let of_asked = |asked: &'a Asked| {
        let Asked { name, means, page, first, second, .. } = asked;
        Help { of: name, means, page, first, second }
    };
    let hangs = HANGS.iter().any(|hangs| seen.contains(hangs));
    match wanted {
        _ if seen.starts_with(PANICKED) => {
            Help { of: PANIC, means: helps_with_panic(seen), page: "", first: "", second: "" }
        }
        // In a merge that hangs, lost, torn or late lines only follow from that.
        Wanted::Law(law) if hangs && !exercise.knows(law) => of_asked(&exercise.hangs),
        Wanted::Check(_) if hangs => of_asked(&exercise.hangs),
        Wanted::Law(law) => {
            let (hints, means) = (law.hints(), exercise.means(law));
            Help { of: law.name, means, page: hints.page, first: hints.first, second: hints.second }
        }
        Wanted::Check(asked) => of_asked(asked),
    }
}

fn broken(exercise: &Exercise, wanted: Wanted, seen: &str, times: u32, file: &str) -> String {
    let mut text = String::new();
    let _ =
        writeln!(text, "{RED}The first that does not hold:{RED:#} {BOLD}{}{BOLD:#}", wanted.name());
    if let Wanted::Law(law) = wanted {
        text += &paragraph("", law.sentence);
    }
    text += "\nWhat was seen:\n";
    let said = placed(&seen.replace(&format!("{}/", workspace().display()), ""), file);
    text += &shortened(WITNESS, &said);
    text.push('\n');
    let Help { of, means, page, first, second } = helps(exercise, wanted, seen);
    if of == PANIC {
        return text + &paragraph("First of all: ", means);
    }
    text += &paragraph("In this step: ", means);
    text += &paragraph("In the book: ", &format!("docs/src/{page}"));
    text += &paragraph("A hint: ", first);
    match times {
        0 | 1 => {
            let _ = writeln!(text, "\n{FAINT}Asked again, I say more.{FAINT:#}");
        }
        _ => {
            text += &paragraph("And more: ", second);
            let (word, to) = (End::of(&exercise.to).word(), End::of(&exercise.to).name());
            let _ = writeln!(
                text,
                "\n{FAINT}`cargo compare solution {word}` shows how {to} does it.{FAINT:#}"
            );
        }
    }
    text
}

fn taken(exercise: &Exercise) -> String {
    let to = End::of(&exercise.to);
    let mut text = format!("{GREEN}All holds: you have taken the step.{GREEN:#}\n");
    text += &paragraph("", &exercise.unseen);
    let _ = writeln!(
        text,
        "\n  cargo compare solution {:<8} how {} does it, as a diff to yours",
        to.word(),
        to.name()
    );
    let follows = EXERCISES.iter().filter(|it| it.from == exercise.to).map(|it| End::of(&it.to));
    for next in follows {
        let _ = writeln!(
            text,
            "  cargo compare your-turn {:<7} the next step: {}",
            next.word(),
            next.name()
        );
    }
    text
}

/// Returns a message with the learner's file by its path from the workspace.
fn placed(said: &str, file: &str) -> String {
    let mut text = String::new();
    for (at, piece) in said.split(FILE).enumerate() {
        if at > 0 {
            // The same file of another crate has a folder before it.
            let is_mine = !text.ends_with('/');
            text += if is_mine { file } else { FILE.trim_end_matches(':') };
            text.push(':');
        }
        text += piece;
    }
    text
}

/// Returns the first lines of a message, and the number of the others.
fn shortened(lines: usize, said: &str) -> String {
    let mut text = String::new();
    for line in said.trim_end().lines().take(lines) {
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    let more = said.trim_end().lines().count().saturating_sub(lines);
    if more > 0 {
        let _ = writeln!(text, "  {FAINT}… and more ({more}){FAINT:#}");
    }
    text
}

/// Breaks a text into lines, after a bold word that says what it is.
fn paragraph(word: &str, said: &str) -> String {
    let lines = wrapped(&format!("{word}{said}"), WIDTH - 2).join("\n  ");
    format!("  {BOLD}{word}{BOLD:#}{}\n", &lines[word.len()..])
}

/// Breaks a text into lines of at most `width` columns.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            *line += &format!(" {word}");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::{LAWS, Law};

    use crate::args::wanted;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    /// Joins the lines of a text.
    fn flat(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_first_that_does_not_hold_is_told_with_a_hint_and_asked_again_with_two() {
        let exercise = Exercise::to("3", None).unwrap();
        let wanted = wanted(exercise);
        let mut known = vec![Known::Holds; wanted.len()];
        let at = wanted.iter().position(|it| it.name() == "waiting_costs_nothing").unwrap();
        known[at] = Known::Broken("expected no look".to_owned());
        known[at + 2..].fill(Known::NotTried);
        let law = &LAWS[at];
        let mut first = vec![Known::NotTried; wanted.len()];
        first[0] = Known::Broken("expected a line".to_owned());
        let first = plain(&held(exercise, &wanted, &first, 1, "my.rs"));
        assert!(first.contains("lines      0 of 10 hold, 1 not, 9 not tried\n"), "{first}");
        let once = plain(&held(exercise, &wanted, &known, 1, "my.rs"));
        for said in
            ["  lines      10 of 10 hold\n", "  stop       6 of 7 hold\n", "expected no look"]
        {
            assert!(once.contains(said), "{said} in {once}");
        }
        assert!(once.contains("scale      1 of 2 hold, the others not tried\n"), "{once}");
        assert!(once.contains("  report     not tried\n"), "{once}");
        assert!(flat(&once).contains(exercise.means(law)), "{once}");
        assert!(flat(&once).contains(law.hints().first), "{once}");
        assert!(!flat(&once).contains(law.hints().second), "{once}");
        let twice = plain(&held(exercise, &wanted, &known, 2, "my.rs"));
        assert!(flat(&twice).contains(law.hints().second), "{twice}");
        assert!(twice.lines().all(|line| line.chars().count() <= WIDTH), "{twice}");
    }

    #[test]
    fn a_merge_that_hangs_where_half_a_line_waits_is_told_of_the_wait_and_not_of_the_end() {
        let hangs = format!("notified\n  waited 10s {}", HANGS[0]);
        for to in ["3", "4", "5"] {
            let exercise = Exercise::to(to, None).unwrap();
            let law = Law::named("a_line_written_in_pieces_appears_whole").unwrap();
            assert_eq!(helps(exercise, Wanted::Law(law), &hangs).first, law.hints().first);
            let all = Wanted::Law(&LAWS[0]);
            assert_eq!(helps(exercise, all, &hangs).first, exercise.hangs.first);
        }
    }

    #[test]
    fn whoever_holds_all_is_told_the_next_step() {
        let exercise = Exercise::to("4", None).unwrap();
        let wanted = wanted(exercise);
        let said = plain(&held(exercise, &wanted, &vec![Known::Holds; wanted.len()], 0, ""));
        assert!(said.contains("you have taken the step"), "{said}");
        assert!(said.contains("your-turn 5       the next step: stage5-fully-async"), "{said}");
        assert!(flat(&said).contains("stage4-tasks breaks it by design: append runs"), "{said}");
    }

    #[test]
    fn a_place_in_the_learners_file_is_one_from_the_root_and_another_one_stays() {
        let said = "--> src/lib.rs:7:1, and /rustc/src/lib.rs:8:1";
        assert_eq!(placed(said, "a/lib.rs"), "--> a/lib.rs:7:1, and /rustc/src/lib.rs:8:1");
    }
}
