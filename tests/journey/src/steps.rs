//! The steps.

use akademi_local::api_client::{ApiClient, JsonExt};
use anyhow::{Context, ensure};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;

use crate::report::Report;

const PASSWORD: &str = "bir yolculuk parolası";
/// The whole name of somebody whom careless software cannot spell.
const LEARNER: &str = "Şükrü Iğdır Çağlayangöl";

/// The academy that is walked through, and who works there.
pub struct Academy {
    /// The academy's own address, nobody signed in.
    pub api: ApiClient,
    /// An academy of the same deployment that must see nothing of it.
    pub other: ApiClient,
    pub administrator: (String, String),
    pub instructor: (String, String),
}

/// Walks the whole way; a step that fails ends it, since the next ones stand on it.
pub async fn walk(academy: &Academy) -> Report {
    let mut report = Report::default();
    // Which step it ended at stands in the report.
    let _ = walk_steps(academy, &mut report).await;
    report
}

async fn walk_steps(academy: &Academy, report: &mut Report) -> Option<()> {
    let api = &academy.api;
    report.step("the deployment is ready", ready(api)).await?;
    let run = report.step("a run has a name of its own", async { run_name() }).await?;
    let instructor = report.step("the instructor signs in", sign_in(api, &academy.instructor)).await?;
    let administrator =
        report.step("the administrator signs in", sign_in(api, &academy.administrator)).await?;
    let course = report.step("the instructor writes a course", write_course(&instructor, &run)).await?;
    report.step("a learner cannot see the draft", is_hidden(api, &course)).await?;
    report.step("the instructor publishes it", publish(&instructor, &course)).await?;
    let page = report.step("it shows up at the edge through the feed", appears(api, &course)).await?;
    report.step("its public page holds no lesson and no answer", async { holds_no_secret(&page) }).await?;
    report.step("another academy answers 404 for it", is_hidden(&academy.other, &course)).await?;
    report.step("it is found by isik, IŞIK, iklim and a word in a lesson", finds(api, &course, &run)).await?;
    let learner = report.step("a learner registers and signs in", join(api, &run)).await?;
    report.step("without access its lessons are not there", has_no_access(&learner, &course)).await?;
    report
        .step("the instructor sets a price with VAT and a coupon", set_price(&instructor, &course, &run))
        .await?;
    let quote = report.step("the coupon is quoted", quote(&learner, &course, &run)).await?;
    let order = report.step("an order is made, once for one key", place_order(&learner, &quote)).await?;
    report.step("the provider's page takes the payment", pay(api, &order)).await?;
    report.step("the paid course is there within a second", is_usable(&learner, &course)).await?;
    report.step("one payment, whatever the provider repeats", is_paid_once(&learner, &order)).await?;
    report.step("staff cannot enrol twice", give_access(&administrator, &learner, &course)).await?;
    report.step("heartbeats fill the video, in any order and twice", watch(&learner, &course)).await?;
    report.step("more seconds than have passed are not believed", overclaim(&learner, &course)).await?;
    report.step("the text is opened", open_text(&learner, &course)).await?;
    report
        .step("the quiz is scored on the server and completes the course", answer(&learner, &course))
        .await?;
    report.step("progress says so", is_complete(&learner, &course)).await?;
    report.step("signing out ends the session", sign_out(&learner)).await
}

/// A course of this run, by what the API calls it.
struct Course {
    id: String,
    slug: String,
    video: String,
    long_video: String,
    text: String,
    quiz: String,
}

impl Course {
    fn lesson(&self, lesson: &str) -> String {
        format!("/api/v1/learning/courses/{}/lessons/{lesson}", self.id)
    }
}

async fn ready(api: &ApiClient) -> anyhow::Result<()> {
    api.get("/health/live").await?.expect(StatusCode::OK)?;
    api.get("/health/ready").await?.expect(StatusCode::OK).map(drop)
}

/// Letters that make this run's course and people its own, also as a word to search for.
fn run_name() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect())
}

async fn sign_in(api: &ApiClient, (email, password): &(String, String)) -> anyhow::Result<ApiClient> {
    api.sign_in(email, password).await
}

async fn write_course(instructor: &ApiClient, run: &str) -> anyhow::Result<Course> {
    let courses = "/api/v1/authoring/courses";
    let title = format!("İklim ve Işık: Açık Ders {run}");
    let summary = "Güneş, hava ve ışık üzerine açık bir ders.";
    let draft =
        instructor.post(courses, &json!({ "title": title, "summary": summary, "language": "tr" })).await?;
    let draft = draft.expect(StatusCode::CREATED)?;
    let id = draft.text("id")?;
    let content = content(draft.get("revision").cloned().unwrap_or_default(), run);
    let put = instructor.send_json(Method::PUT, &format!("{courses}/{id}/content"), &content).await?;
    put.expect(StatusCode::OK)?;
    let draft = instructor.get(&format!("{courses}/{id}")).await?.expect(StatusCode::OK)?;
    let lessons = draft.pointer("/modules/0/sections/0/lessons").and_then(Value::as_array);
    let ids: Vec<String> = lessons
        .context("the draft has no lessons")?
        .iter()
        .map(|lesson| lesson.text("id"))
        .collect::<Result<_, _>>()?;
    let [video, long_video, text, quiz] =
        <[String; 4]>::try_from(ids).map_err(|_| anyhow::anyhow!("not four lessons"))?;
    Ok(Course { slug: draft.text("slug")?, id, video, long_video, text, quiz })
}

fn content(revision: Value, run: &str) -> Value {
    let video = |title: &str, seconds: u32, requirement: Value| {
        json!({ "title": title, "duration_seconds": seconds, "requirement": requirement, "body": {
            "kind": "video", "source": { "from": "youtube", "id": "aqz-KE-bpKQ" }, "subtitles": [] } })
    };
    let question = json!({ "id": "q1", "prompt": "<p>Işığı hangisi büker?</p>", "points": 2,
        "form": { "kind": "single_choice", "choices": [{ "id": "a", "label": "Tahta" }, { "id": "b", "label": "Prizma" }] } });
    let key = json!({ "question": "q1", "points": 2, "rule": { "kind": "one_of", "correct": ["b"] } });
    json!({ "revision": revision, "modules": [{ "title": "İklim", "sections": [{ "title": "Giriş", "lessons": [
        video("Bulutlar", 20, json!({ "rule": "coverage", "percent": 90 })),
        video("Uzun kayıt", 3600, Value::Null),
        { "title": "Okuma", "requirement": { "rule": "opened" }, "body": { "kind": "html",
            "html": format!("<p>Atmosferde <em>fotosentez{run}</em> üzerine kısa bir not.</p><script>alert(1)</script>") } },
        { "title": "Sınav", "requirement": { "rule": "score", "percent": 50 },
          "body": { "kind": "quiz", "quiz": { "introduction": "", "questions": [question] } },
          "answers": { "explanation": "<p>Prizma.</p>", "questions": [key] } },
    ] }] }] })
}

async fn is_hidden(api: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let answer = api.get(&format!("/api/v1/catalog/courses/{}", course.slug)).await?;
    answer.expect(StatusCode::NOT_FOUND).map(drop)
}

async fn publish(instructor: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let path = format!("/api/v1/authoring/courses/{}/publish", course.id);
    instructor.post(&path, &json!({})).await?.expect(StatusCode::OK).map(drop)
}

/// Waits for what the feed brings.
async fn appears(api: &ApiClient, course: &Course) -> anyhow::Result<Value> {
    for _ in 0..200 {
        let answer = api.get(&format!("/api/v1/catalog/courses/{}", course.slug)).await?;
        if answer.status == StatusCode::OK {
            return answer.json();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the course did not show up within 10 s")
}

fn holds_no_secret(page: &Value) -> anyhow::Result<()> {
    let text = page.to_string();
    for secret in ["fotosentez", "correct", "Prizma", "aqz-KE-bpKQ", "\"body\""] {
        ensure!(!text.contains(secret), "the public page holds {secret:?}");
    }
    ensure!(text.contains("Bulutlar"), "the public page lacks its outline");
    Ok(())
}

async fn finds(api: &ApiClient, course: &Course, run: &str) -> anyhow::Result<()> {
    let in_lesson = format!("fotosentez{run}");
    for query in ["isik", "I%C5%9EIK", "iklim", &in_lesson] {
        // The run's name keeps the hits of other runs out of the first page.
        let path = format!("/api/v1/catalog/search?q={query}+{run}&limit=100");
        let path = if query == in_lesson { format!("/api/v1/catalog/search?q={query}") } else { path };
        let hits = api.get(&path).await?.expect(StatusCode::OK)?;
        let is_hit = |hit: &Value| hit.text("slug").is_ok_and(|slug| slug == course.slug);
        let found = hits.get("data").and_then(Value::as_array).is_some_and(|hits| hits.iter().any(is_hit));
        ensure!(found, "searching for {query} does not find the course");
    }
    Ok(())
}

async fn join(api: &ApiClient, run: &str) -> anyhow::Result<ApiClient> {
    let email = format!("yolcu-{run}@example.org");
    api.register(LEARNER, &email, PASSWORD).await?;
    let learner = api.sign_in(&email, PASSWORD).await?;
    let account = learner.get("/api/v1/users/me").await?.expect(StatusCode::OK)?;
    ensure!(account.text("name")? == LEARNER, "the name came back as another");
    Ok(learner)
}

async fn has_no_access(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    learner.get(&course.lesson(&course.text)).await?.expect(StatusCode::NOT_FOUND).map(drop)
}

/// The price of the course in kuruş, VAT inside.
const PRICE: i64 = 14_990;

async fn set_price(instructor: &ApiClient, course: &Course, run: &str) -> anyhow::Result<()> {
    let price = json!({ "amount": PRICE, "currency": "TRY", "vat_basis_points": 2000 });
    let path = format!("/api/v1/commerce/courses/{}/price", course.id);
    instructor.send_json(Method::PUT, &path, &price).await?.expect(StatusCode::OK)?;
    let coupon = json!({ "code": format!("indirim{run}"), "discount": { "kind": "percent", "share": 1000 },
        "scope": { "kind": "courses", "courses": [course.id] }, "use_limit": 5 });
    instructor.post("/api/v1/commerce/coupons", &coupon).await?.expect(StatusCode::CREATED).map(drop)
}

/// Waits until the price and the coupon have come to the edge, then asks what the course costs.
async fn quote(learner: &ApiClient, course: &Course, run: &str) -> anyhow::Result<String> {
    // As a Turkish keyboard writes it in capitals.
    let basket = json!({ "courses": [course.id], "coupon": format!("İNDİRİM{}", run.to_uppercase()) });
    let mut last = Value::Null;
    for _ in 0..200 {
        let answer = learner.post("/api/v1/coupons/quote", &basket).await?;
        last = answer.json()?;
        if last.pointer("/total/amount") == Some(&json!(PRICE - PRICE / 10)) {
            return last.text("quote");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the quote is not what it should be: {last}")
}

async fn place_order(learner: &ApiClient, quote: &str) -> anyhow::Result<Value> {
    let order =
        json!({ "quote": quote, "buyer": { "phone": "05551112233", "address": "Atatürk Cad. 1, Ümraniye" } });
    let key = [
        (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("journey-order")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    let body = bytes::Bytes::from(order.to_string());
    // Until the feed has brought the learner to the Lambda plane, the answer says when to come again.
    let mut answer = learner.send(Method::POST, "/api/v1/orders", &key, body.clone()).await?;
    for _ in 0..50 {
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        answer = learner.send(Method::POST, "/api/v1/orders", &key, body.clone()).await?;
    }
    let made = answer.expect(StatusCode::CREATED)?;
    let again = learner.send(Method::POST, "/api/v1/orders", &key, body).await?;
    ensure!(again.headers.contains_key("idempotent-replayed"), "the same key made another order");
    ensure!(again.expect(StatusCode::CREATED)? == made, "the replay answers otherwise");
    Ok(made)
}

/// Presses the button on the provider's page, as a browser does without scripts.
async fn pay(api: &ApiClient, order: &Value) -> anyhow::Result<()> {
    let page =
        order.pointer("/checkout/page").and_then(Value::as_str).context("the order has no page to pay on")?;
    let shown = api.visit(Method::GET, page, "").await?;
    ensure!(shown.status == StatusCode::OK, "the provider's page answers {}", shown.status);
    let pressed = api.visit(Method::POST, page, "sonuc=ode&taksit=0").await?;
    ensure!(pressed.status == StatusCode::SEE_OTHER, "the provider's button answers {}", pressed.status);
    Ok(())
}

async fn is_usable(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    for _ in 0..50 {
        let answer = learner.get(&course.lesson(&course.text)).await?;
        if answer.status == StatusCode::OK {
            let html = answer.json()?.to_string();
            ensure!(
                html.contains("fotosentez") && !html.contains("<script"),
                "the lesson is not there, or not sanitised"
            );
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the course is not usable a second after it was paid")
}

async fn is_paid_once(learner: &ApiClient, order: &Value) -> anyhow::Result<()> {
    // The provider sends its callback three times, two of them after the browser is back.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let path = format!("/api/v1/orders/{}", order.text("id")?);
    let order = learner.get(&path).await?.expect(StatusCode::OK)?;
    ensure!(order.text("state")? == "paid", "{order}");
    Ok(())
}

async fn give_access(administrator: &ApiClient, learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let person = learner.get("/api/v1/users/me").await?.expect(StatusCode::OK)?.text("id")?;
    let grant = json!({ "person": person, "course": course.id });
    administrator.post("/api/v1/enrolments", &grant).await?.expect(StatusCode::OK).map(drop)
}

/// A player's report on a lesson.
async fn beat(
    learner: &ApiClient,
    course: &Course,
    lesson: &str,
    playback: u8,
    seconds: &[(u32, u32)],
    late: f64,
) -> anyhow::Result<Value> {
    let position = seconds.last().map_or(0, |(_, to)| *to);
    let heartbeat = json!({ "course": course.id, "lesson": lesson,
        "playback": format!("01890000-0000-7000-8000-{playback:012}"),
        "intervals": seconds, "position": position, "rate": 1.0, "late_seconds": late });
    learner.post("/api/v1/progress/heartbeats", &heartbeat).await?.expect(StatusCode::OK)
}

fn number(answer: &Value, key: &str) -> u64 {
    answer.get(key).and_then(Value::as_u64).unwrap_or(u64::MAX)
}

async fn watch(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let lesson = course.video.clone();
    beat(learner, course, &lesson, 1, &[], 0.0).await?;
    beat(learner, course, &lesson, 1, &[(10, 20)], 0.0).await?;
    let twice = beat(learner, course, &lesson, 1, &[(10, 20)], 0.0).await?;
    ensure!(number(&twice, "gained_seconds") == 0, "the same heartbeat counted twice");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let late = beat(learner, course, &lesson, 1, &[(0, 6)], 1.0).await?;
    ensure!(number(&late, "watched_seconds") == 16, "a late heartbeat is lost: {late}");
    let overlapping = beat(learner, course, &lesson, 1, &[(4, 12)], 0.0).await?;
    ensure!(number(&overlapping, "watched_seconds") == 20, "an overlap is counted wrongly: {overlapping}");
    ensure!(overlapping.get("lesson_completed") == Some(&Value::Bool(true)), "the video is not done");
    Ok(())
}

async fn overclaim(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let lesson = course.long_video.clone();
    beat(learner, course, &lesson, 2, &[], 0.0).await?;
    let claim = beat(learner, course, &lesson, 2, &[(0, 3600)], 0.0).await?;
    ensure!(number(&claim, "gained_seconds") < 60, "an hour passed in a moment: {claim}");
    ensure!(number(&claim, "refused_seconds") > 3500, "refused seconds are not told: {claim}");
    Ok(())
}

async fn open_text(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let path = format!("{}/opening", course.lesson(&course.text));
    let standing = learner.post(&path, &json!({})).await?.expect(StatusCode::OK)?;
    ensure!(standing.get("completed_at").is_some_and(Value::is_string), "opening does not complete the text");
    Ok(())
}

async fn answer(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let lesson = learner.get(&course.lesson(&course.quiz)).await?.expect(StatusCode::OK)?.to_string();
    ensure!(!lesson.contains("correct"), "the quiz tells its answers");
    let path = format!("{}/attempts", course.lesson(&course.quiz));
    let choose =
        |choice: &str| json!({ "answers": [{ "question": "q1", "answer": { "choices": [choice] } }] });
    let wrong = learner.post(&path, &choose("a")).await?.expect(StatusCode::OK)?;
    ensure!(wrong.pointer("/score/points") == Some(&json!(0)), "a wrong answer scored");
    ensure!(wrong.get("course_completed") == Some(&Value::Bool(false)), "the course completed too early");
    let right = learner.post(&path, &choose("b")).await?.expect(StatusCode::OK)?;
    ensure!(right.pointer("/score/points") == Some(&json!(2)), "the right answer did not score");
    ensure!(right.get("course_completed") == Some(&Value::Bool(true)), "the course did not complete");
    Ok(())
}

async fn is_complete(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let path = format!("/api/v1/progress/courses/{}", course.id);
    let progress = learner.get(&path).await?.expect(StatusCode::OK)?;
    ensure!(progress.pointer("/completion/percent") == Some(&json!(100)), "{progress}");
    ensure!(progress.get("completed_at").is_some_and(Value::is_string), "{progress}");
    Ok(())
}

async fn sign_out(learner: &ApiClient) -> anyhow::Result<()> {
    learner.post("/api/v1/auth/logout", &json!({})).await?.expect(StatusCode::NO_CONTENT)?;
    let change = json!({ "name": "Geç Kalan" });
    let answer = learner.send_json(Method::PATCH, "/api/v1/users/me", &change).await?;
    answer.expect(StatusCode::UNAUTHORIZED).map(drop)
}
