//! The page that plays a lesson's video, in a real Chromium: what it played is what counts.

use akademi_browser::Browser;
use akademi_local::{
    api_client::{ApiClient, JsonExt},
    demo::{ACADEMIES, PASSWORD},
};
use akademi_sync::Trigger;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    course_in::real_file,
    deployment::{Deployment, INSTRUCTOR, LEARNER, ended},
    upload_in::{ADMINISTRATOR, post, sent},
};

/// Signs the browser in, which keeps the tokens.
const SIGN_IN: &str = "
    return fetch('/api/v1/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'akademi-tokens': 'cookies' },
        body: JSON.stringify({ email: arguments[0], password: arguments[1] }),
    }).then(answer => answer.status);";

/// Plays from one moment up to another, then pauses.
const PLAY: &str = "
    const [from, to] = arguments, video = document.querySelector('video');
    video.muted = true;
    const ready = video.readyState >= 1 ? Promise.resolve()
        : new Promise(go => video.addEventListener('loadedmetadata', go, { once: true }));
    return ready.then(() => {
        if (from !== null) video.currentTime = from;
        return video.play();
    }).then(() => new Promise((done, broken) => {
        const over = new AbortController(), until = { signal: over.signal };
        const pause = () => { over.abort(); video.pause(); done(video.currentTime); };
        video.addEventListener('error', () => broken(video.error), until);
        video.addEventListener('ended', pause, until);
        video.addEventListener('timeupdate', () => { if (video.currentTime >= to) pause(); }, until);
    }));";

/// What the browser says was played, and what the page says counts.
const PLAYED: &str = "
    const { played } = document.querySelector('video');
    const ranges = Array.from({ length: played.length }, (_, i) => [played.start(i), played.end(i)]);
    return { ranges, bar: document.getElementById('counted').value,
             told: document.getElementById('told').textContent };";

struct Course {
    id: String,
    film: String,
    bound: String,
}

/// A course of one real film in two lessons, of which one is delivery-bound; the learner is enrolled and it plays.
async fn course(deployment: &Deployment, learner: &ApiClient) -> Course {
    let instructor = deployment.sign_in(INSTRUCTOR).await;
    let courses = "/api/v1/authoring/courses";
    let draft = post(&instructor, courses, &json!({ "title": "Bisiklet" }), StatusCode::CREATED).await;
    let (id, revision) = (draft.text("id").unwrap(), &draft["revision"]);
    let upload = sent(&instructor, "bisiklet.mp4", "video", &real_file("bikes.mp4")).await;
    let assets = format!("{courses}/{id}/assets");
    let video = post(&instructor, &assets, &json!({ "upload": upload }), StatusCode::CREATED).await;
    let (transcoded, _) = ended(&instructor, &video.text("job").unwrap()).await;
    assert_eq!(transcoded["state"], "done", "{}", transcoded["message"]);
    let lesson = |title: &str, delivery_bound: bool| {
        json!({ "title": title, "body": { "kind": "video", "source": { "from": "asset", "asset": video["id"] },
            "start_seconds": null, "end_seconds": null, "subtitles": [], "delivery_bound": delivery_bound } })
    };
    let lessons = json!([lesson("İzle", false), lesson("Kanıtla", true)]);
    let modules = json!([{ "title": "Bir", "sections": [{ "title": "Giriş", "lessons": lessons }] }]);
    let content = json!({ "revision": revision, "modules": modules });
    let put = instructor.send_json(Method::PUT, &format!("{courses}/{id}/content"), &content).await.unwrap();
    let draft = put.expect(StatusCode::OK).unwrap();
    post(&instructor, &format!("{courses}/{id}/publish"), &json!({}), StatusCode::OK).await;
    let lesson = |number: usize| draft["modules"][0]["sections"][0]["lessons"][number].text("id").unwrap();
    let course = Course { film: lesson(0), bound: lesson(1), id };

    let administrator = deployment.sign_in(ADMINISTRATOR).await;
    let me = learner.get("/api/v1/users/me").await.unwrap().expect(StatusCode::OK).unwrap();
    let grant = json!({ "person": me["id"], "course": course.id });
    let playback = format!("/api/v1/learning/courses/{}/lessons/{}/playback", course.id, course.film);
    for _ in 0..1000 {
        deployment.local.lambda.sync.handle(Trigger::Wake).await.unwrap();
        administrator.post("/api/v1/enrolments", &grant).await.unwrap();
        if learner.get(&playback).await.unwrap().status == StatusCode::OK {
            return course;
        }
    }
    panic!("the film does not play");
}

/// How many whole seconds these ranges cover.
fn whole_seconds(ranges: &Value) -> f64 {
    let ranges = ranges.as_array().unwrap().iter();
    let whole =
        ranges.map(|range| (range[1].as_f64().unwrap().floor() - range[0].as_f64().unwrap().ceil()).max(0.0));
    whole.sum()
}

/// Waits until the page says that as much counts as it has played.
fn counts_what_was_played(browser: &Browser) -> Value {
    let mut played = Value::Null;
    for _ in 0..600 {
        played = browser.run(PLAYED, &[]).unwrap();
        if played["bar"].as_f64() == Some(whole_seconds(&played["ranges"])) {
            return played;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{played}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_real_browser_plays_is_what_counts() {
    let deployment = Deployment::start().await;
    let learner = deployment.sign_in(LEARNER).await;
    let course = course(&deployment, &learner).await;
    let browser = Browser::start().unwrap();
    let page = |lesson: &str| {
        let origin = format!("http://{}:{}", ACADEMIES[0].host(), deployment.local.address.port());
        browser.open(&format!("{origin}/courses/{}/lessons/{lesson}", course.id)).unwrap();
    };
    let standing = async |lesson: &str| {
        let path = format!("/api/v1/learning/courses/{}/lessons/{lesson}", course.id);
        learner.get(&path).await.unwrap().expect(StatusCode::OK).unwrap()["standing"].clone()
    };

    page(&course.film);
    let (email, password) = (json!(LEARNER), json!(PASSWORD));
    assert_eq!(browser.run(SIGN_IN, &[&email, &password]).unwrap(), 200);

    page(&course.film);
    browser.run(PLAY, &[&Value::Null, &json!(2.6)]).unwrap();
    let first = counts_what_was_played(&browser);
    assert!(whole_seconds(&first["ranges"]) >= 2.0, "{first}");
    // With a hole, up to the end.
    browser.run(PLAY, &[&json!(6.0), &json!(60)]).unwrap();
    let all = counts_what_was_played(&browser);
    let watched = whole_seconds(&all["ranges"]);
    assert!((5.0..9.0).contains(&watched), "{all}");
    let known = standing(&course.film).await;
    assert_eq!((known["watched_seconds"].as_f64(), &known["refused_seconds"]), (Some(watched), &json!(0)));

    // Where nothing but what this session fetched counts.
    page(&course.bound);
    browser.run(PLAY, &[&Value::Null, &json!(3.4)]).unwrap();
    let bound = counts_what_was_played(&browser);
    let known = standing(&course.bound).await;
    let watched = whole_seconds(&bound["ranges"]);
    assert_eq!((known["watched_seconds"].as_f64(), &known["refused_seconds"]), (Some(watched), &json!(0)));
    assert!(watched >= 3.0, "{bound}");
    // The page goes on where the learner was.
    page(&course.bound);
    let resumed = browser.run(
        "const video = document.querySelector('video');
         return new Promise(done => {
             const look = () => video.currentTime >= 3 ? done(video.currentTime) : setTimeout(look, 50);
             look();
         });",
        &[],
    );
    assert!(resumed.unwrap().as_f64().unwrap() < 5.0);
    deployment.local.stop().await;
}
