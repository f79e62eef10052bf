//! Courses of a usual size: four modules of three sections of three lessons, the first of them a video.

use akademi_domain::{
    course::{
        CourseOutline, Html, LessonBody, LessonKind, LessonOutline, ModuleOutline, Requirement,
        SectionOutline, Slug, Title, VideoSource,
    },
    ids::{CourseId, LessonId, ModuleId, SectionId},
    money::{Currency, Money},
    pricing::BasisPoints,
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use anyhow::Context;

use crate::academy::random;

const MODULES: u32 = 4;
const SECTIONS: u32 = 3;
const LESSONS: u32 = 3;
/// The length of the video: three hours, so that no learner reaches its end while heartbeats are measured.
const VIDEO_SECONDS: u32 = 3 * 3600;

/// The course's video, which learners watch.
pub fn video(made: Timestamp) -> LessonId {
    LessonId::new(made, random(0))
}

fn title(number: u32) -> anyhow::Result<Title> {
    Ok(format!("Işığın Yolculuğu {number}: Güneşten Gözümüze").parse()?)
}

/// The part of a course's address that names it.
///
/// # Errors
/// When its title has no letter.
pub fn slug(number: u32) -> anyhow::Result<Slug> {
    Slug::of(&title(number)?).context("a title without a letter")
}

/// The events of a course's publication and of its price.
///
/// # Errors
/// When a title or a number is not as the domain asks.
pub fn publication(id: CourseId, number: u32, made: Timestamp) -> anyhow::Result<Vec<LambdaEvent>> {
    let outline = outline(id, number, made)?;
    let mut events = Vec::new();
    for lesson in outline.lessons() {
        events.push(LambdaEvent::LessonPublished {
            course: id,
            version: 1,
            lesson: lesson.id,
            title: lesson.title.as_str().to_owned(),
            duration_seconds: lesson.duration_seconds,
            requirement: lesson.requirement,
            opens: None,
            body: body(lesson.kind)?,
            answers: None,
            words: "Beyaz ışık bir prizmadan geçince kırmızıdan mora bütün renklere ayrılır.".into(),
        });
    }
    let summary = "Işık nedir, nasıl yol alır, renkler nereden gelir? Deneyler ve kısa sınavlarla.";
    events.push(LambdaEvent::CoursePublished {
        version: 1,
        summary: summary.into(),
        outline,
        owner: None,
        at: made,
    });
    events.push(LambdaEvent::PriceSet {
        course: id,
        price: Money { amount: 14_990 + i64::from(number), currency: Currency::TRY },
        vat_rate: BasisPoints::new(2_000)?,
        sale: None,
        categories: Vec::new(),
        at: made,
    });
    Ok(events)
}

fn outline(id: CourseId, number: u32, made: Timestamp) -> anyhow::Result<CourseOutline> {
    let modules = (0..MODULES).map(|module| {
        let sections = (0..SECTIONS).map(|section| {
            let section = module * SECTIONS + section;
            let lessons = (0..LESSONS).map(|lesson| lesson_outline(section * LESSONS + lesson, made));
            Ok(SectionOutline {
                id: SectionId::new(made, random(section)),
                title: format!("Bölüm {section}").parse()?,
                lessons: lessons.collect::<anyhow::Result<_>>()?,
            })
        });
        Ok(ModuleOutline {
            id: ModuleId::new(made, random(module)),
            title: format!("Modül {module}").parse()?,
            at_least: None,
            opens: None,
            sections: sections.collect::<anyhow::Result<_>>()?,
        })
    });
    Ok(CourseOutline {
        id,
        slug: slug(number)?,
        title: title(number)?,
        language: Some("tr".parse()?),
        minimum_score: None,
        pictures: Default::default(),
        modules: modules.collect::<anyhow::Result<_>>()?,
    })
}

fn lesson_outline(number: u32, made: Timestamp) -> anyhow::Result<LessonOutline> {
    let kind = if number == 0 { LessonKind::Video } else { LessonKind::Html };
    Ok(LessonOutline {
        id: LessonId::new(made, random(number)),
        title: format!("Ders {number}: Renkler ve dalgalar").parse()?,
        kind,
        duration_seconds: (kind == LessonKind::Video).then_some(VIDEO_SECONDS),
        requirement: Some(Requirement::usual(kind)),
    })
}

fn body(kind: LessonKind) -> anyhow::Result<LessonBody> {
    Ok(match kind {
        LessonKind::Video => LessonBody::Video {
            source: VideoSource::Youtube { id: "aaaaaaaaaaa".parse()? },
            start_seconds: None,
            end_seconds: None,
            delivery_bound: false,
            subtitles: Vec::new(),
        },
        _ => LessonBody::Html { html: Html::sanitised("<p>Beyaz ışık renklere ayrılır.</p>".into()) },
    })
}
