//! Why there is no picture: one clear reason each.

/// Why nothing was made of a file. The texts are for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the file is not a picture that is supported (JPEG, PNG, WebP, GIF)")]
    NotPicture,
    #[error("the picture is cut off or damaged")]
    Damaged,
    #[error("the picture is {width}×{height} pixels, which is more than is taken")]
    TooManyPixels { width: u32, height: u32 },
    /// Nothing is enlarged. Of what is left of the picture once it is cropped.
    #[error("the picture is {width}×{height} pixels where it is cropped, and needs a width of {least_width}")]
    TooSmall { width: u32, height: u32, least_width: u32 },
    #[error("the crop is not a part of the picture: fractions of its width and height, from 0 to 1")]
    Crop,
    /// Not the file's fault.
    #[error("the picture could not be written")]
    Encoding { detail: String },
}

impl ImageError {
    /// Whether the file or the crop is at fault, so that the same ends the same way again.
    pub const fn is_fault_of_source(&self) -> bool {
        !matches!(self, Self::Encoding { .. })
    }

    pub(crate) fn encoding(format: &str, error: impl std::fmt::Display) -> Self {
        Self::Encoding { detail: format!("{format}: {error}") }
    }
}
