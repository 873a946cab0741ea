//! The command that mdBook runs: it reads a book and writes it back, with the
//! steps in it. `docs/book.toml` names it.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use mdbook_preprocessor::{Preprocessor, parse_input};
use side_by_side::Files;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        // One line, also if the environment asks for the frames of errors.
        let told = format!("{error:#}").replace('\n', " ");
        // Nobody is left to tell that stderr is gone.
        let _ = writeln!(io::stderr(), "error: {told}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &*arguments {
        [] => {
            let (context, book) = parse_input(io::stdin())?;
            let book = Files.run(&context, book)?;
            serde_json::to_writer(io::stdout().lock(), &book)
                .context("the book cannot be handed back")?;
            Ok(ExitCode::SUCCESS)
        }
        [supports, renderer] if supports == "supports" => {
            Ok(if Files.supports_renderer(renderer)? {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        _ => anyhow::bail!("mdBook runs this, with a book to read or with `supports RENDERER`"),
    }
}
