//! The pictures of a course.

use serde::{Deserialize, Serialize};

use super::VideoSource;
use crate::picture::PictureFile;

/// What everybody sees of a course beside its words. Each picture is a list of its files, the smallest size first, each size as
/// AVIF, WebP and JPEG; without files there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoursePictures {
    /// In lists of courses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub card: Vec<PictureFile>,
    /// Over the whole width of the course's page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banner: Vec<PictureFile>,
    /// At most [`CoursePictures::MAX_GALLERY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gallery: Vec<Vec<PictureFile>>,
    /// Of the gallery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoSource>,
}

impl CoursePictures {
    /// How many pictures the gallery has at most.
    pub const MAX_GALLERY: usize = 5;

    pub fn is_empty(&self) -> bool {
        self.card.is_empty() && self.banner.is_empty() && self.gallery.is_empty() && self.video.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_without_pictures_is_written_as_before_and_read_so() {
        let none: CoursePictures = serde_json::from_str("{}").unwrap();
        assert!(none.is_empty());
        assert_eq!(serde_json::to_string(&none).unwrap(), "{}");
        let video: CoursePictures =
            serde_json::from_str(r#"{"video":{"from":"youtube","id":"dQw4w9WgXcQ"}}"#).unwrap();
        assert!(!video.is_empty());
    }
}
