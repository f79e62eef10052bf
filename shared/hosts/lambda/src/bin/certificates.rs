//! The Lambda function `certificates`.

use std::process::ExitCode;

fn main() -> ExitCode {
    akademi_lambda::host::run(akademi_lambda::functions::certificates::function)
}
