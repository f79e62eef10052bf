//! The Lambda function `payments`.

use std::process::ExitCode;

fn main() -> ExitCode {
    akademi_lambda::host::run(akademi_lambda::functions::payments::function)
}
