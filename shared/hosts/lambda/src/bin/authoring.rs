//! The Lambda function `authoring`.

use std::process::ExitCode;

fn main() -> ExitCode {
    akademi_lambda::host::run(akademi_lambda::functions::authoring::function)
}
