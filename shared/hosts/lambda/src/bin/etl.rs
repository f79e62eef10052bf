//! The Lambda function `etl`.

use std::process::ExitCode;

fn main() -> ExitCode {
    akademi_lambda::host::run(akademi_lambda::functions::etl::function)
}
