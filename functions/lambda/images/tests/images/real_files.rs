//! Pictures that people made with whatever they had.

use akademi_images::{Crop, ImageError, Limits, Preset, variants};
use flate2::read::GzDecoder;
use std::{
    env,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::oracle::pixels;

/// All pictures of a course; what is refused is too small.
#[test]
fn every_picture_of_a_real_course_is_taken() {
    let data = env::var_os("AKADEMI_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(4).unwrap().join("shared/data"),
        PathBuf::from,
    );
    let course = File::open(data.join("openedx-demo-course.tar.gz")).unwrap();
    let (mut taken, mut kinds) = (0, Vec::new());
    for entry in tar::Archive::new(GzDecoder::new(course)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if !matches!(extension.as_str(), "jpg" | "jpeg" | "png" | "gif" | "webp") {
            continue;
        }
        let mut file = Vec::new();
        entry.read_to_end(&mut file).unwrap();
        match variants(&file, Preset::Avatar, Crop::default(), &Limits::default()) {
            Ok(made) => {
                pixels(made.last().unwrap());
                taken += 1;
                kinds.push(extension);
            }
            Err(ImageError::TooSmall { .. }) => (),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert!(taken >= 10 && kinds.len() >= 3, "{taken} of {kinds:?}");
}
