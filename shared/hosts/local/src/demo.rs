//! Two academies to look at: people, brands and courses of the project's own, made through the API.

use akademi_domain::{
    ids::{TenantId, UserId},
    permission::Role,
};
use akademi_edge_store::{
    Platform, PlatformSql,
    operations::{NewAcademy, create_academy, grant_role},
};
use anyhow::Context;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api_client::{ApiClient, JsonExt},
    http_client::Network,
    local::Local,
};

/// The password of everybody in the demo.
pub const PASSWORD: &str = "akademi-demo-2026";

/// A demo academy.
pub struct DemoAcademy {
    pub slug: &'static str,
    pub name: &'static str,
    pub locale: &'static str,
    pub brand_colour: &'static str,
    people: [(&'static str, &'static str, Role); 3],
    course: fn() -> (Value, Value),
}

pub const ACADEMIES: [DemoAcademy; 2] = [
    DemoAcademy {
        slug: "umraniye",
        name: "Ümraniye Açık Akademi",
        locale: "tr",
        brand_colour: "#0b6e4f",
        people: [
            ("Gülşen Işıklı", "yonetici@umraniye.example", Role::TenantAdmin),
            ("İbrahim Çınar", "egitmen@umraniye.example", Role::Instructor),
            ("Şükrü Iğdır", "ogrenci@umraniye.example", Role::Student),
        ],
        course: light_course,
    },
    DemoAcademy {
        slug: "kadikoy",
        name: "Kadıköy Learning Lab",
        locale: "en",
        brand_colour: "#1d4ed8",
        people: [
            ("Deniz Admin", "admin@kadikoy.example", Role::TenantAdmin),
            ("Ömer Teacher", "teacher@kadikoy.example", Role::Instructor),
            ("Ayşe Learner", "learner@kadikoy.example", Role::Student),
        ],
        course: ferry_course,
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

/// Makes the demo academies that are not there yet; how many that were.
///
/// # Errors
/// When a store or the API refuses.
pub async fn seed(local: &Local, say: &dyn Fn(&str)) -> anyhow::Result<usize> {
    let mut made = 0;
    for academy in &ACADEMIES {
        if !exists(local, academy).await? {
            say(&format!("making the demo academy {}", academy.name));
            make(local, academy).await.with_context(|| format!("making {}", academy.slug))?;
            made += 1;
        }
    }
    Ok(made)
}

async fn exists(local: &Local, academy: &DemoAcademy) -> anyhow::Result<bool> {
    const BY_SLUG: PlatformSql = PlatformSql::new("SELECT 1 AS found FROM tenant WHERE slug = ?1");
    let platform = Platform::new(local.edge.database.as_ref());
    Ok(platform.row(BY_SLUG.with([academy.slug.into()])).await?.is_some())
}

async fn make(local: &Local, academy: &DemoAcademy) -> anyhow::Result<()> {
    let ports = &local.edge.ports;
    let id = TenantId::new(ports.now(), ports.random());
    let host = academy.host();
    let new = NewAcademy {
        id,
        slug: academy.slug,
        name: academy.name,
        locale: academy.locale,
        brand_colour: academy.brand_colour,
        hosts: &[&host],
    };
    let platform = Platform::new(local.edge.database.as_ref());
    platform.batch(create_academy(&new, ports.now())).await?;

    let api = ApiClient::new(Network::new(), format!("http://{host}:{}", local.address.port()));
    for (name, email, role) in academy.people {
        let person: UserId = api.register(name, email, PASSWORD).await?.parse()?;
        platform.batch(vec![grant_role(id, person, role)]).await?;
    }
    let [_, (_, instructor, _), _] = academy.people;
    let instructor = api.sign_in(instructor, PASSWORD).await?;
    let (course, mut content) = (academy.course)();
    let draft = instructor.post("/api/v1/authoring/courses", &course).await?.expect(StatusCode::CREATED)?;
    if let Some(fields) = content.as_object_mut() {
        fields.insert("revision".into(), draft.get("revision").cloned().unwrap_or_default());
    }
    let path = format!("/api/v1/authoring/courses/{}", draft.text("id")?);
    instructor.send_json(Method::PUT, &format!("{path}/content"), &content).await?.expect(StatusCode::OK)?;
    instructor.post(&format!("{path}/publish"), &json!({})).await?.expect(StatusCode::OK)?;
    local.lambda.sync.handle(akademi_sync::Trigger::Wake).await?;
    Ok(())
}

fn html_lesson(title: &str, html: &str) -> Value {
    json!({
        "title": title,
        "requirement": { "rule": "opened" },
        "body": { "kind": "html", "html": html },
    })
}

fn quiz_lesson(title: &str, prompt: &str, choices: [&str; 3], correct: &str) -> Value {
    let choices: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .zip(choices)
        .map(|(id, label)| json!({ "id": id, "label": label }))
        .collect();
    json!({
        "title": title,
        "requirement": { "rule": "score", "percent": 50 },
        "body": { "kind": "quiz", "quiz": {
            "introduction": "",
            "questions": [{ "id": "q1", "prompt": prompt, "points": 1,
                "form": { "kind": "single_choice", "choices": choices } }],
        } },
        "answers": { "explanation": "", "questions": [
            { "question": "q1", "points": 1, "rule": { "kind": "one_of", "correct": [correct] } },
        ] },
    })
}

/// One module with one section of these lessons.
fn content(module: &str, section: &str, lessons: Vec<Value>) -> Value {
    json!({ "modules": [{ "title": module, "sections": [{ "title": section, "lessons": lessons }] }] })
}

fn light_course() -> (Value, Value) {
    let course = json!({
        "title": "Işığın Yolculuğu",
        "summary": "Güneşten gözümüze: ışık nedir, nasıl yol alır, renkler nereden gelir?",
        "language": "tr",
    });
    let lessons = vec![
        html_lesson(
            "Işık nedir?",
            "<p>Işık, gözümüzün görebildiği <strong>elektromanyetik dalgadır</strong>. Boşlukta saniyede \
             yaklaşık 299.792 kilometre yol alır; Güneş'ten çıkan ışık bize sekiz dakikada ulaşır.</p>",
        ),
        html_lesson(
            "Renkler",
            "<p>Beyaz ışık bir prizmadan geçince kırmızıdan mora bütün renklere ayrılır. Gökkuşağında prizma, \
             yağmur damlalarıdır.</p><ul><li>Uzun dalga: kırmızı</li><li>Kısa dalga: mor</li></ul>",
        ),
        quiz_lesson(
            "Kısa sınav",
            "<p>Güneş ışığı bize ne kadar sürede ulaşır?</p>",
            ["Sekiz saniyede", "Sekiz dakikada", "Sekiz saatte"],
            "b",
        ),
    ];
    (course, content("Işık", "İlk bakış", lessons))
}

fn ferry_course() -> (Value, Value) {
    let course = json!({
        "title": "How a Ferry Crosses the Bosphorus",
        "summary": "Currents, timetables and a little physics, seen from the upper deck.",
        "language": "en",
    });
    let lessons = vec![
        html_lesson(
            "Two currents",
            "<p>At the surface, water flows from the Black Sea to the Marmara; below it, saltier water flows \
             back. A captain steers <em>against</em> the drift, not at the pier.</p>",
        ),
        html_lesson(
            "Docking",
            "<p>The ferry comes in upstream of the pier and lets the current bring it alongside.</p>",
        ),
        quiz_lesson(
            "Check yourself",
            "<p>Which way does the surface current flow?</p>",
            ["Towards the Marmara", "Towards the Black Sea", "It stands still"],
            "a",
        ),
    ];
    (course, content("On the water", "Crossing", lessons))
}
