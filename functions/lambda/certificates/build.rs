//! Takes the two fonts that certificates are set in out of Typst's seventeen, so that the program carries no other.

#[cfg(feature = "routes")]
const FONTS: [&str; 2] = ["LibertinusSerif-Semibold", "LibertinusSerif-Italic"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "routes")]
    take_fonts();
}

#[cfg(feature = "routes")]
fn take_fonts() {
    use std::{env, fs, path::Path};

    let Some(folder) = env::var_os("OUT_DIR") else { return };
    for data in typst_assets::fonts() {
        let Ok(face) = ttf_parser::Face::parse(data, 0) else { continue };
        let mut names =
            face.names().into_iter().filter(|name| name.name_id == ttf_parser::name_id::POST_SCRIPT_NAME);
        let Some(name) = names.find_map(|name| name.to_string()) else { continue };
        if FONTS.contains(&name.as_str())
            && let Err(problem) = fs::write(Path::new(&folder).join(format!("{name}.otf")), data)
        {
            println!("cargo::error={name} cannot be written: {problem}");
        }
    }
}
