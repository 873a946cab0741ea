//! The `tributary` command; the library beside this file has all of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    tributary_cli::main()
}
