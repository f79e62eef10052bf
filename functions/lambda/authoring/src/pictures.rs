//! The pictures of a course: its card, its banner and its gallery.
//!
//! A draft names images of the academy, each made by the preset of its place. Publishing copies where their files are into the
//! outline. An image that stands in a draft or in what is published cannot be deleted.

mod store;

use akademi_api::{
    Body, Caller, PathParam, problem::FieldError, problem::ProblemDocument, signed::CallContext,
};
use akademi_domain::{
    course::{VideoSource, pictures::CoursePictures},
    ids::{CourseId, ImageId},
    picture::PictureFile,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    error::StoreError,
    pictures::files_of,
    postgres::TenantTransaction,
};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

use crate::{Authoring, AuthoringError, audit, courses::expect_revision, store as courses};

/// What a draft shows.
#[derive(Debug, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct ChosenPictures {
    card: Option<ImageId>,
    banner: Option<ImageId>,
    gallery: Vec<ImageId>,
    video: Option<VideoSource>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PicturesChange {
    /// The revision of the draft that the change was made from.
    revision: i64,
    /// An image of the preset `course_card`.
    card: Option<ImageId>,
    /// An image of the preset `banner`.
    banner: Option<ImageId>,
    /// Images of the preset `product_gallery`.
    #[serde(default)]
    #[schema(max_items = 5)]
    gallery: Vec<ImageId>,
    /// Of the gallery: a video at YouTube.
    video: Option<VideoSource>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PicturesAnswer {
    /// Of the draft; a change names it.
    revision: i64,
    #[serde(flatten)]
    chosen: ChosenPictures,
    /// The files of each of these images, the smallest size first.
    #[schema(value_type = BTreeMap<String, Vec<PictureFile>>)]
    files: BTreeMap<ImageId, Vec<PictureFile>>,
}

/// Where an image stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Card,
    Banner,
    /// In the gallery, from 0.
    Gallery(usize),
}

impl Place {
    /// As the schema has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Banner => "banner",
            Self::Gallery(_) => "gallery",
        }
    }

    pub const fn position(self) -> usize {
        match self {
            Self::Card | Self::Banner => 0,
            Self::Gallery(position) => position,
        }
    }

    /// What images are made by that may stand there.
    const fn preset(self) -> &'static str {
        match self {
            Self::Card => "course_card",
            Self::Banner => "banner",
            Self::Gallery(_) => "product_gallery",
        }
    }

    /// Its field in a request.
    fn field(self) -> String {
        match self {
            Self::Card | Self::Banner => self.name().to_owned(),
            Self::Gallery(position) => format!("gallery[{position}]"),
        }
    }
}

impl ChosenPictures {
    fn images(&self) -> impl Iterator<Item = (Place, ImageId)> {
        let gallery =
            self.gallery.iter().enumerate().map(|(position, image)| (Place::Gallery(position), *image));
        let card = self.card.map(|image| (Place::Card, image));
        card.into_iter().chain(self.banner.map(|image| (Place::Banner, image))).chain(gallery)
    }

    /// What is wrong with them, where `presets` are those of the academy's images.
    fn check(&self, presets: &BTreeMap<ImageId, String>) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut refuse = |field: String, message: String| errors.push(FieldError { field, message });
        if self.gallery.len() > CoursePictures::MAX_GALLERY {
            refuse("gallery".into(), format!("has more than {} images", CoursePictures::MAX_GALLERY));
        }
        for (place, image) in self.images() {
            if presets.get(&image).is_none_or(|preset| preset != place.preset()) {
                refuse(place.field(), format!("is no image of the preset {}", place.preset()));
            }
            if let Place::Gallery(position) = place
                && self.gallery.iter().take(position).any(|before| *before == image)
            {
                refuse(place.field(), "stands in the gallery already".into());
            }
        }
        if matches!(self.video, Some(VideoSource::Asset { .. })) {
            refuse("video".into(), "plays for those enrolled alone: name a video at YouTube".into());
        }
        errors
    }
}

/// The pictures of a draft
#[utoipa::path(get, path = "/api/v1/authoring/courses/{course_id}/pictures", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 200, description = "What the draft shows", body = PicturesAnswer)))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
) -> Result<Body<PicturesAnswer>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    courses::see_one_moment(&mut tx).await?;
    let found = courses::find_course(&mut tx, course, caller.courses_of()).await?;
    let (head, _) = found.ok_or(AuthoringError::NotFound)?;
    let chosen = store::find_chosen(&mut tx, course).await?;
    let files = files(&mut tx, &chosen).await?;
    tx.commit().await?;
    Ok(Body(PicturesAnswer { revision: head.revision, chosen, files }))
}

/// Choose the pictures of a draft
///
/// All of them: what is not sent is taken away. Learners see them with the next publication.
#[utoipa::path(put, path = "/api/v1/authoring/courses/{course_id}/pictures", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course")), request_body = PicturesChange,
    responses((status = 200, description = "What the draft shows now", body = PicturesAnswer),
              (status = 409, description = "The draft has moved on", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn choose(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
    Body(change): Body<PicturesChange>,
) -> Result<Body<PicturesAnswer>, AuthoringError> {
    let PicturesChange { revision, card, banner, gallery, video } = change;
    let chosen = ChosenPictures { card, banner, gallery, video };
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = courses::lock_course(&mut tx, course, caller.courses_of()).await?;
    let (head, _) = found.ok_or(AuthoringError::NotFound)?;
    expect_revision(&head, revision)?;
    let images: Vec<ImageId> = chosen.images().map(|(_, image)| image).collect();
    let errors = chosen.check(&store::hold_images(&mut tx, &images).await?);
    if !errors.is_empty() {
        return Err(AuthoringError::Invalid(errors));
    }
    let before = store::find_chosen(&mut tx, course).await?;
    store::clear(&mut tx, course, false).await?;
    store::insert(&mut tx, course, chosen.images()).await?;
    let revision = store::save_video(&mut tx, course, chosen.video.as_ref(), authoring.ports.now()).await?;
    let files = files(&mut tx, &chosen).await?;
    let changed = Write {
        action: Action::CoursePicturesChosen,
        target: audit::target(course),
        before: json!(before),
        after: json!(chosen),
    };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), changed).await?;
    tx.commit().await?;
    Ok(Body(PicturesAnswer { revision, chosen, files }))
}

async fn files(
    tx: &mut TenantTransaction,
    chosen: &ChosenPictures,
) -> Result<BTreeMap<ImageId, Vec<PictureFile>>, StoreError> {
    files_of(tx, &chosen.images().map(|(_, image)| image).collect::<Vec<_>>()).await
}

/// Publishes what the draft shows; where its files are.
pub async fn publish(tx: &mut TenantTransaction, course: CourseId) -> Result<CoursePictures, StoreError> {
    let chosen = store::find_chosen(tx, course).await?;
    let files = files(tx, &chosen).await?;
    store::clear(tx, course, true).await?;
    store::copy_to_publication(tx, course).await?;
    let of = |image: &ImageId| files.get(image).cloned().unwrap_or_default();
    Ok(CoursePictures {
        card: chosen.card.as_ref().map(of).unwrap_or_default(),
        banner: chosen.banner.as_ref().map(of).unwrap_or_default(),
        gallery: chosen.gallery.iter().map(of).collect(),
        video: chosen.video,
    })
}
