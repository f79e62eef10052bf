//! Two academies to look at: people, brands and courses of the project's own, made through the API.

mod course;

use akademi_domain::{
    course::{LessonKind, Requirement},
    ids::{JobId, TenantId, UserId},
    mail::LinkPurpose,
    permission::Role,
};
use akademi_edge_store::{
    Platform, PlatformSql,
    operations::{NewAcademy, create_academy, grant_role},
};
use anyhow::Context;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{
    api_client::{ApiClient, JsonExt},
    course_import::{import, lessons_mut},
    http_client::Network,
    local::Local,
    newcomers,
};

pub use course::DemoCourse;

/// The password of everybody in the demo.
pub const PASSWORD: &str = "akademi-demo-2026";

/// A demo academy.
pub struct DemoAcademy {
    pub slug: &'static str,
    pub name: &'static str,
    pub locale: &'static str,
    pub brand_colour: &'static str,
    /// Name, address and role.
    people: &'static [(&'static str, &'static str, Role)],
    /// None of the platform, where nobody learns.
    pub course: Option<DemoCourse>,
}

/// The platform, whose people administer the academies.
pub const PLATFORM: DemoAcademy = DemoAcademy {
    slug: "platform",
    name: "Akademi",
    locale: "en",
    brand_colour: "#374151",
    people: &[("Platform Operator", "operator@platform.example", Role::GlobalAdmin)],
    course: None,
};

pub const ACADEMIES: [DemoAcademy; 2] = [
    DemoAcademy {
        slug: "umraniye",
        name: "Ümraniye Açık Akademi",
        locale: "tr",
        brand_colour: "#0b6e4f",
        people: &[
            ("Gülşen Işıklı", "yonetici@umraniye.example", Role::TenantAdmin),
            ("İbrahim Çınar", "egitmen@umraniye.example", Role::Instructor),
            ("Şükrü Iğdır", "ogrenci@umraniye.example", Role::Student),
        ],
        course: Some(course::LIGHT),
    },
    DemoAcademy {
        slug: "kadikoy",
        name: "Kadıköy Learning Lab",
        locale: "en",
        brand_colour: "#1d4ed8",
        people: &[
            ("Deniz Admin", "admin@kadikoy.example", Role::TenantAdmin),
            ("Ömer Teacher", "teacher@kadikoy.example", Role::Instructor),
            ("Ayşe Learner", "learner@kadikoy.example", Role::Student),
        ],
        course: Some(course::FERRY),
    },
];

impl DemoAcademy {
    /// The academy's host without a port.
    pub fn host(&self) -> String {
        format!("{}.localhost", self.slug)
    }

    /// Role and address of everybody who can sign in.
    pub fn sign_ins(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.people.iter().map(|(_, email, role)| (role.name(), *email))
    }
}

/// Makes what of the demo academies is not there yet: academies, people, published courses. How many were not whole.
///
/// # Errors
/// When a store or the API refuses, or FFmpeg cannot make the film.
pub async fn seed(local: &Local, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<usize> {
    let mut made = 0;
    if find(local, &PLATFORM).await?.is_none() {
        make_people(local, &PLATFORM).await.context("making the platform")?;
    }
    for academy in &ACADEMIES {
        if !is_whole(local, academy).await? {
            say(&format!("making the demo academy {}", academy.name));
            make_people(local, academy).await.with_context(|| format!("making {}", academy.slug))?;
            make_course(local, academy, say).await.with_context(|| format!("making {}", academy.slug))?;
            made += 1;
        }
    }
    Ok(made)
}

/// What is made last is there.
async fn is_whole(local: &Local, academy: &DemoAcademy) -> anyhow::Result<bool> {
    const COURSE: PlatformSql = PlatformSql::new(
        "SELECT 1 AS found FROM tenant JOIN course ON course.tenant_id = tenant.id WHERE tenant.slug = ?1 LIMIT 1",
    );
    let platform = Platform::new(local.edge.database.as_ref());
    Ok(platform.row(COURSE.with([academy.slug.into()])).await?.is_some())
}

async fn find(local: &Local, academy: &DemoAcademy) -> anyhow::Result<Option<TenantId>> {
    const BY_SLUG: PlatformSql = PlatformSql::new("SELECT id FROM tenant WHERE slug = ?1");
    let platform = Platform::new(local.edge.database.as_ref());
    let row = platform.row(BY_SLUG.with([academy.slug.into()])).await?;
    Ok(row.map(|row| row.parse(0)).transpose()?)
}

fn api(local: &Local, academy: &DemoAcademy) -> ApiClient {
    ApiClient::new(Network::new(), format!("http://{}:{}", academy.host(), local.address.port()))
}

/// Makes the academy and its people, those that are missing.
///
/// # Errors
/// When a store or the API refuses.
pub async fn make_people(local: &Local, academy: &DemoAcademy) -> anyhow::Result<()> {
    let ports = &local.edge.ports;
    let platform = Platform::new(local.edge.database.as_ref());
    let id = match find(local, academy).await? {
        Some(id) => id,
        None => {
            let id = TenantId::new(ports.now(), ports.random());
            let new = NewAcademy {
                id,
                slug: academy.slug,
                name: academy.name,
                locale: academy.locale,
                brand_colour: academy.brand_colour,
                hosts: &[&academy.host()],
            };
            platform.batch(create_academy(&new, ports.now())).await?;
            id
        }
    };
    let api = api(local, academy);
    for &(name, email, role) in academy.people {
        // Somebody who can sign in was registered by a start that ended early.
        let login = api.post("/api/v1/auth/login", &json!({ "email": email, "password": PASSWORD })).await?;
        let person: UserId = if login.status == StatusCode::UNAUTHORIZED {
            api.register(name, email, PASSWORD).await?;
            confirm(local, &api, id).await?
        } else {
            let person = api.signed_in(login.expect(StatusCode::OK)?.text("access_token")?);
            person.get("/api/v1/users/me").await?.expect(StatusCode::OK)?.text("id")?.parse()?
        };
        platform.batch(vec![grant_role(id, person, role)]).await?;
    }
    Ok(())
}

/// Confirms the newest registration of an academy; whose it is. Nobody reads the mail of the demo's people.
///
/// # Errors
/// When nobody has registered, or the academy refuses.
pub async fn confirm(local: &Local, api: &ApiClient, academy: TenantId) -> anyhow::Result<UserId> {
    const NEWEST: PlatformSql = PlatformSql::new(
        "SELECT person_id, id FROM pending_person WHERE tenant_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 1",
    );
    let platform = Platform::new(local.edge.database.as_ref());
    let newest = platform.row(NEWEST.with([academy.into()])).await?.context("nobody has registered")?;
    let roots = local.variables.get("plane_root_keys").context("no keys")?;
    api.confirm(&newcomers::token(roots, LinkPurpose::ConfirmAddress, academy, newest.parse(1)?)?).await?;
    Ok(newest.parse(0)?)
}

/// Imports the academy's course, requires what a learner can fulfil, and publishes it.
async fn make_course(
    local: &Local,
    academy: &DemoAcademy,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let Some(demo) = academy.course else { return Ok(()) };
    let mut people = academy.people.iter();
    let (_, instructor, _) = people.find(|person| person.2 == Role::Instructor).context("nobody teaches")?;
    let instructor = api(local, academy).sign_in(instructor, PASSWORD).await?;
    let course = match find_draft(&instructor, demo.title).await? {
        Some((_, true)) => {
            // Published by a start that ended before the edge heard of it.
            local.lambda.sync.handle(akademi_sync::Trigger::Wake).await?;
            return Ok(());
        }
        Some((draft, false)) => draft,
        None => {
            let archive = archive(demo).await?;
            let key = JobId::new(local.edge.ports.now(), local.edge.ports.random()).to_string();
            let tell = |far: &str| say(&format!("  {}: {far}", demo.title));
            import(&instructor, &key, archive, &tell).await?.text("course")?
        }
    };
    let path = format!("/api/v1/authoring/courses/{course}");
    let mut draft = with_its_film(&instructor, &path).await?;
    lessons_mut(&mut draft).try_for_each(require)?;
    let content = json!({ "revision": draft.get("revision"), "modules": draft.get("modules") });
    let draft = instructor.send_json(Method::PUT, &format!("{path}/content"), &content).await?;
    let draft = draft.expect(StatusCode::OK)?;
    let summary = json!({ "revision": draft.get("revision"), "summary": demo.summary });
    instructor.send_json(Method::PATCH, &path, &summary).await?.expect(StatusCode::OK)?;
    instructor.post(&format!("{path}/publish"), &json!({})).await?.expect(StatusCode::OK)?;
    local.lambda.sync.handle(akademi_sync::Trigger::Wake).await?;
    Ok(())
}

/// The academy's course where a start that ended early left one, and whether it is published.
async fn find_draft(instructor: &ApiClient, title: &str) -> anyhow::Result<Option<(String, bool)>> {
    let drafts = instructor.get("/api/v1/authoring/courses").await?.expect(StatusCode::OK)?;
    let mut drafts = drafts.get("data").and_then(Value::as_array).into_iter().flatten();
    let draft = drafts.find(|draft| draft.get("title") == Some(&json!(title)));
    draft.map(|draft| Ok((draft.text("id")?, draft.get("version") != Some(&json!(0))))).transpose()
}

/// The draft once its film has been transcoded, which tells how long it is.
async fn with_its_film(instructor: &ApiClient, path: &str) -> anyhow::Result<Value> {
    for _ in 0..600 {
        let mut draft = instructor.get(path).await?.expect(StatusCode::OK)?;
        let waits = |lesson: &mut Value| {
            lesson.pointer("/body/source/asset").is_some()
                && !lesson.get("duration_seconds").is_some_and(Value::is_u64)
        };
        if !lessons_mut(&mut draft).any(waits) {
            return Ok(draft);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the film has not been transcoded")
}

/// The archive of a course, made on a thread that may wait for FFmpeg.
///
/// # Errors
/// When FFmpeg is not there, or cannot make the film.
pub async fn archive(course: DemoCourse) -> anyhow::Result<Bytes> {
    tokio::task::spawn_blocking(move || course.archive()).await?
}

/// Requires a lesson by the usual rule of its kind.
pub fn require(lesson: &mut Value) -> anyhow::Result<()> {
    let kind: LessonKind = serde_json::from_value(lesson.pointer("/body/kind").cloned().unwrap_or_default())?;
    let rule = serde_json::to_value(Requirement::usual(kind))?;
    lesson.as_object_mut().context("a lesson is no object")?.insert("requirement".into(), rule);
    Ok(())
}
