//! The command line of a program, with places for the files.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::UsageError;

const OUTPUT: &str = "{output}";
const INPUTS: &str = "{inputs}";

/// How a merger is started: its words, with `{inputs}` where the sources stand and
/// `{output}` where the merged file does. Without `{output}` the lines are expected
/// on stdout.
#[derive(Debug, Clone)]
pub struct Template {
    words: Vec<String>,
}

impl Template {
    /// Takes the words of a command line.
    ///
    /// # Errors
    ///
    /// [`UsageError::NoProgram`] without a word, [`UsageError::NoInputs`] if no word
    /// is `{inputs}`: each source becomes a word of its own there.
    pub fn new(words: Vec<String>) -> Result<Template, UsageError> {
        let Some(program) = words.first().filter(|word| !word.is_empty()) else {
            return Err(UsageError::NoProgram);
        };
        if !words[1..].iter().any(|word| word == INPUTS) {
            return Err(UsageError::NoInputs { program: program.clone() });
        }
        Ok(Template { words })
    }

    /// Splits a line as a shell does, and takes its words.
    ///
    /// # Errors
    ///
    /// [`UsageError::Unquoted`] if a quote is left open, and those of
    /// [`new`](Template::new).
    pub fn parse(line: &str) -> Result<Template, UsageError> {
        let words = shlex::split(line);
        Template::new(words.ok_or_else(|| UsageError::Unquoted { line: line.to_owned() })?)
    }

    /// Returns the words, as they were typed.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Returns the words that are no place for a file, on one line.
    pub fn name(&self) -> String {
        let words = self.words.iter().filter(|word| *word != INPUTS && *word != OUTPUT);
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Returns the command for these files.
    pub(crate) fn command(&self, inputs: &[PathBuf], output: &Path) -> io::Result<Command> {
        let mut command = Command::new(&self.words[0]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut writes_to_stdout = true;
        for word in &self.words[1..] {
            if word == INPUTS {
                command.args(inputs);
            } else if let Some((before, after)) = word.split_once(OUTPUT) {
                let mut word = std::ffi::OsString::from(before);
                word.push(output);
                word.push(after);
                command.arg(word);
                writes_to_stdout = false;
            } else {
                command.arg(word);
            }
        }
        if writes_to_stdout {
            command.stdout(File::options().write(true).create(true).truncate(false).open(output)?);
        }
        Ok(command)
    }
}
