//! `tributary`; the library beside this file says how.

use std::process::ExitCode;

fn main() -> ExitCode {
    tributary_cli::main()
}
