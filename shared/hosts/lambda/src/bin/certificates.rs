//! The Lambda function `certificates`.

use std::process::ExitCode;

fn main() -> ExitCode {
    akademi_lambda::host::run(akademi_lambda::functions::certificates::function)
}

// Typst measures with these two of the C library, which since glibc 2.35 are other symbols: a program that is linked
// against a newer one would not start on Amazon Linux 2023 (glibc 2.34).

#[unsafe(no_mangle)]
extern "C" fn hypot(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

#[unsafe(no_mangle)]
extern "C" fn hypotf(x: f32, y: f32) -> f32 {
    libm::hypotf(x, y)
}
