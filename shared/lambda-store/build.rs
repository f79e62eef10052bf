//! `sqlx::migrate!` reads the folder while compiling; Cargo must hear of a new file in it.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
