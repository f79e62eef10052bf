//! A picture of any camera or program in, files that a browser shows out: cropped, upright, in sRGB, in three sizes as AVIF,
//! WebP and JPEG, with no metadata at all.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`preset`] | what pictures are for: their shapes and sizes; data |
//! | [`crop`] | which part is shown, and which sizes it has pixels for; pure |
//! | `decode` | from a hostile file to pixels, within [`Limits`] |
//! | `color` | from the colours of an ICC profile to sRGB |
//! | `encode` | from pixels to files |
//! | [`variants`](mod@variants) | all of it |
//! | [`router`] | images of an academy's uploads, and the files that everybody sees |
//!
//! JPEG, PNG, WebP and GIF are read; SVG, which is a program, is not, and neither are AVIF and HEIC.

mod color;
pub mod crop;
mod decode;
mod encode;
mod error;
mod limits;
pub mod preset;
mod routes;
pub mod variants;

pub use crop::Crop;
pub use encode::Format;
pub use error::ImageError;
pub use limits::Limits;
pub use preset::Preset;
pub use routes::{ApiDoc, Images, router};
pub use variants::{Variant, variants};
