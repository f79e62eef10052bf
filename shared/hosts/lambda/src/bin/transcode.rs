//! The Lambda function `transcode`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Videos are transcoded by this program itself, in a process of their own.
    akademi_transcode::child::main_if_child();
    akademi_lambda::host::run(akademi_lambda::functions::transcode::function)
}
