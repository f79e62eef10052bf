//! The process that transcodes for a deployment within a test, whose own program is the test.

fn main() {
    akademi_transcode::child::main_if_child();
}
