//! The `tributary` command, so that its tests here find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    tributary_cli::main()
}
