//! The child process alone, for hosts and tests whose own program cannot be executed again.

fn main() -> std::process::ExitCode {
    akademi_transcode::child::main_if_child();
    eprintln!("This program is started by akademi_transcode::child::run.");
    std::process::ExitCode::FAILURE
}
