//! The page "What people ask": a table, made from a list of questions and from marks in
//! the pages that answer them.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::Page;

/// What the page says before its table.
const HEAD: &str = "\
# What people ask

Questions that people have asked in public on their way from threads to async, in
short words; the number leads to where each was asked, and the case behind it is
worth more than the sentence. A number that leads nowhere is a question about the stages
themselves, or one that is asked everywhere. The answer is a paragraph of this book, and
what it says is shown by the test.

## By the message

What a panic or the compiler has said, and where it is explained:

| it says | it means |
|---|---|
| Cannot start a runtime from within a runtime | `block_on` in async code: [the wrapper](wrong-wrapper.md) |
| Cannot drop a runtime in a context where blocking is not allowed | its last owner is a task: [where a runtime lives](cannot-await.md#where-a-runtime-lives) |
| Cannot block the current thread from within a runtime | a `blocking_…` call of tokio in async code: [all channels](thread-to-task.md#which-channel-has-an-end-in-which-world), [locks](ending.md#locks) |
| can call blocking only when running on the multi-threaded runtime | `block_in_place` on one thread: [in your tests](in-tests.md#one-thread) |
| there is no reactor running | a future of tokio outside of tokio: [where a runtime lives](cannot-await.md#where-a-runtime-lives) |
| timers are disabled | `enable_all` is missing: [what tokio needs](service-roads.md#what-tokio-needs) |
| Registering a blocking socket with the tokio runtime is unsupported | [a socket of std](service-roads.md#a-socket-of-std-becomes-one-of-tokio) |
| future cannot be sent between threads safely | [what goes over an `.await`](service-many.md#what-goes-over-an-await-is-send) |

## The questions

| asked | question | answer | shown by |
|---|---|---|---|
";

/// What somebody has asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What the marks call it by.
    pub number: i64,
    /// The question, in short words.
    pub words: String,
    /// Where it was asked, if that was in public.
    pub asked: Option<String>,
}

/// A mark in a page: the paragraph below answers a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The question.
    pub number: i64,
    /// The file of the page.
    pub page: String,
    /// The heading above the paragraph.
    pub heading: String,
    /// The tests that the answer rests on.
    pub tests: Vec<String>,
}

/// Returns the questions, in the order of their numbers.
///
/// # Errors
///
/// The list is not as it should be.
pub fn questions() -> Result<Vec<Question>> {
    let list: toml::Table = include_str!("asked.toml").parse()?;
    let list = list["question"].as_array().context("a list of questions")?;
    let question = |entry: &toml::Value| {
        let text = |key| Some(entry.get(key)?.as_str()?.to_owned());
        let number = entry.get("number")?.as_integer()?;
        Some(Question { number, words: text("words")?, asked: text("asked") })
    };
    list.iter().map(|entry| question(entry).with_context(|| entry.to_string())).collect()
}

/// Finds the marks of a page, `<!-- question 7: a_test_that_shows_it -->`, each right
/// before its paragraph. Where a mark names no test, those that the paragraph names
/// count.
///
/// # Errors
///
/// A mark that cannot be read, or that no heading or no test stands by.
pub fn marks(page: &Page) -> Result<Vec<Mark>> {
    let file = Path::new(&page.path).file_name().unwrap_or_default().to_string_lossy();
    let (mut marks, mut heading, mut in_listing) = (Vec::new(), "", false);
    let lines: Vec<_> = page.text.lines().collect();
    for (place, line) in lines.iter().enumerate() {
        if line.starts_with("```") {
            in_listing = !in_listing;
        } else if let (false, Some(text)) = (in_listing, line.strip_prefix('#')) {
            heading = text.trim_start_matches('#').trim();
        } else if let Some(mark) = line.strip_prefix("<!-- question ") {
            let said = || format!("{file}: {line}");
            let mark = mark.strip_suffix(" -->").with_context(said)?;
            let (number, tests) = mark.split_once(": ").unwrap_or((mark, ""));
            let mut tests: Vec<_> = tests.split(", ").filter(|it| !it.is_empty()).collect();
            let below = || lines[place + 1..].iter().take_while(|line| !line.is_empty());
            if tests.is_empty() {
                tests = below().flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
                tests.retain(|name| name.split('_').count() >= 4);
            }
            ensure!(below().count() > 0, "{}: no paragraph follows", said());
            ensure!(!heading.is_empty() && !tests.is_empty(), "{}: no heading, or no test", said());
            marks.push(Mark {
                number: number.parse().with_context(said)?,
                page: file.clone().into_owned(),
                heading: heading.to_owned(),
                tests: tests.into_iter().map(str::to_owned).collect(),
            });
        }
    }
    Ok(marks)
}

/// Makes the page "What people ask".
///
/// # Errors
///
/// A mark whose question is not in the list.
pub fn page(questions: &[Question], marks: &[Mark]) -> Result<String> {
    let mut page = HEAD.to_owned();
    for mark in marks {
        if questions.iter().all(|question| question.number != mark.number) {
            bail!("{}: nobody has asked question {}", mark.page, mark.number);
        }
    }
    for Question { number, words, asked } in questions {
        let answers: Vec<&Mark> = marks.iter().filter(|mark| mark.number == *number).collect();
        // The preprocessor of the book puts an address where the mark is.
        let link = |mark: &&Mark| format!("[{}]({}#question-{number})", mark.heading, mark.page);
        let links: Vec<_> = answers.iter().map(link).collect();
        let tests = answers.iter().flat_map(|mark| &mark.tests).map(|test| format!("`{test}`"));
        let tests = tests.collect::<Vec<_>>().join(", ");
        let number =
            asked.as_ref().map_or_else(|| number.to_string(), |at| format!("[{number}]({at})"));
        writeln!(page, "| {number} | {words} | {} | {tests} |", links.join("; "))?;
    }
    Ok(page)
}
