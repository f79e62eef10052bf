//! The Lambda function `sync`.

use std::process::ExitCode;

fn main() -> ExitCode {
    akademi_lambda::host::run(akademi_lambda::functions::sync::function)
}
