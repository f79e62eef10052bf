//! What pictures are for: the shape of each and its three sizes.

use serde::{Deserialize, Serialize};

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImagePreset)]
pub enum Preset {
    /// Of a course in a list.
    CourseCard,
    /// Over the whole width of a page.
    Banner,
    /// Of a person.
    Avatar,
    /// On a certificate; as a whole, whatever its shape.
    CertificateLogo,
    /// In the gallery of a product.
    ProductGallery,
}

/// Width to height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AspectRatio {
    pub width: u32,
    pub height: u32,
}

impl Preset {
    pub const ALL: [Self; 5] =
        [Self::CourseCard, Self::Banner, Self::Avatar, Self::CertificateLogo, Self::ProductGallery];

    pub const fn name(self) -> &'static str {
        match self {
            Self::CourseCard => "course_card",
            Self::Banner => "banner",
            Self::Avatar => "avatar",
            Self::CertificateLogo => "certificate_logo",
            Self::ProductGallery => "product_gallery",
        }
    }

    /// None keeps the shape of what is cropped.
    pub const fn aspect_ratio(self) -> Option<AspectRatio> {
        let (width, height) = match self {
            Self::CourseCard => (16, 9),
            Self::Banner => (3, 1),
            Self::Avatar | Self::ProductGallery => (1, 1),
            Self::CertificateLogo => return None,
        };
        Some(AspectRatio { width, height })
    }

    /// In pixels, the smallest first. Where the shape is kept, the longer side is meant.
    pub const fn widths(self) -> [u32; 3] {
        match self {
            Self::CourseCard | Self::ProductGallery => [320, 640, 1280],
            Self::Banner => [640, 1280, 1920],
            Self::Avatar => [64, 128, 256],
            Self::CertificateLogo => [160, 320, 640],
        }
    }
}
