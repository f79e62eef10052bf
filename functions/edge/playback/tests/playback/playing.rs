//! Who may watch, and what playlists name.

use serde_json::{Value, json};

use crate::world::{FILM, LATER, MASTER, TEXT, World, YOUTUBE, film, folder, instructor, learner, playback};

fn links(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("https://")).collect()
}

#[test]
fn one_statement_decides_who_watches_and_all_links_share_one_policy() {
    let mut world = World::new();
    world.transcoded(1);
    let answer = world.get(learner(1), &playback(FILM));
    assert_eq!((answer.status.as_u16(), answer.queries), (200, 1));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let playing = answer.json();
    let poster = playing["poster"].as_str().unwrap();
    assert_eq!(world.opened(poster), Some(format!("{}/poster.jpg", folder(1))));
    let (_, policy) = poster.split_once('?').unwrap();
    assert_eq!(
        playing,
        json!({ "from": "asset", "playlist": format!("{}/master.m3u8", playback(FILM)),
            "thumbnails": format!("{}/thumbnails.vtt", playback(FILM)), "poster": poster,
            "links_end_at": playing["links_end_at"], "duration_ms": 12_500, "start_seconds": Value::Null,
            "end_seconds": Value::Null, "delivery_bound": false })
    );

    let master = world.get(learner(1), playing["playlist"].as_str().unwrap());
    assert_eq!((master.status.as_u16(), master.queries), (200, 1));
    assert_eq!(master.headers["content-type"], "application/vnd.apple.mpegurl");
    assert_eq!(master.text, MASTER, "playlists stand beside it");
    let media = world.get(learner(1), &format!("{}/720p/index.m3u8", playback(FILM)));
    assert_eq!((media.status.as_u16(), media.queries), (200, 1));
    let init = media.text.split("URI=\"").nth(1).unwrap().split('"').next().unwrap();
    let named: Vec<_> =
        [init].into_iter().chain(links(&media.text)).map(|link| world.opened(link).unwrap()).collect();
    let wanted = ["720p/init.mp4", "720p/segment-00000.m4s", "1-1/720p/segment-00001.m4s"];
    assert_eq!(named, wanted.map(|path| format!("{}/{path}", folder(1))));
    assert!(links(&media.text).iter().all(|link| link.ends_with(policy)), "one policy for all");
    assert!(media.text.contains(&format!("URI=\"/api/v1/media/{}/hls/key\"", film())));
    let pictures = world.get(learner(1), playing["thumbnails"].as_str().unwrap());
    assert_eq!(pictures.headers["content-type"], "text/vtt");
    assert!(pictures.text.contains("#xywh=0,0,160,90"));
}

#[test]
fn links_are_the_sessions_own_and_end_after_a_pause() {
    let mut world = World::new();
    world.transcoded(1);
    let list = format!("{}/720p/index.m3u8", playback(FILM));
    let text = world.get(learner(1), &list).text;
    let link = links(&text)[0];
    let other = world.get(learner(2), &list).text;
    assert_ne!(links(&other)[0], link);
    let stolen = link.replace(&learner(1).session().to_string(), &learner(2).session().to_string());
    assert_eq!(world.opened(&stolen), None);
    world.pass(30 * 60);
    assert!(world.opened(link).is_some());
    world.pass(10 * 60 + 13);
    assert_eq!(world.opened(link), None);
    let again = world.get(learner(1), &list).text;
    assert!(world.opened(links(&again)[0]).is_some());
}

#[test]
fn nobody_watches_what_is_not_theirs_or_not_open_or_not_there() {
    let mut world = World::new();
    let refused = world.get(learner(1), &playback(FILM));
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "video-not-ready"));
    assert_eq!(refused.headers["retry-after"], "30");
    world.transcoded(1);
    for path in [playback(FILM), format!("{}/master.m3u8", playback(FILM))] {
        assert_eq!(world.get(learner(3), &path).status, 404, "not enrolled");
        assert_eq!(world.get(instructor(2), &path).status, 404, "another academy");
    }
    for path in [playback(LATER), format!("{}/master.m3u8", playback(LATER))] {
        let refused = world.get(learner(1), &path);
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (403, "lesson-closed"));
    }
    for path in [playback(TEXT), format!("{}/master.m3u8", playback(TEXT))] {
        let refused = world.get(learner(1), &path);
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "nothing-to-play"));
    }
    for path in
        ["x", "480p/index.m3u8", "720p/segment-00000.m4s", "720p/segments/0", "../1/master.m3u8", "720p"]
    {
        assert_eq!(world.get(learner(1), &format!("{}/{path}", playback(FILM))).status, 404, "{path}");
    }
    world.pass(86_400);
    assert_eq!(world.get(learner(1), &playback(LATER)).status, 200);
}

#[test]
fn a_video_at_youtube_is_embedded_without_cookies() {
    let world = World::new();
    let answer = world.get(learner(1), &playback(YOUTUBE));
    assert_eq!(
        answer.json(),
        json!({ "from": "youtube", "start_seconds": 5, "end_seconds": 65,
            "embed_url": "https://www.youtube-nocookie.com/embed/aaaaaaaaaaa?enablejsapi=1&rel=0&start=5&end=65" })
    );
    let refused = world.get(learner(1), &format!("{}/master.m3u8", playback(YOUTUBE)));
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "nothing-to-play"));
}

#[test]
fn what_was_transcoded_again_takes_the_place_of_what_was_there() {
    let mut world = World::new();
    world.transcoded(1);
    world.transcoded(2);
    let text = world.get(learner(1), &format!("{}/720p/index.m3u8", playback(FILM))).text;
    assert_eq!(world.opened(links(&text)[0]), Some(format!("{}/720p/segment-00000.m4s", folder(2))));
    assert_eq!(world.count("SELECT count(*) FROM playlist"), 4, "the older ones are gone");
    assert_eq!(
        world.count("SELECT count(*) FROM lesson WHERE duration_seconds = 12"),
        3,
        "lessons know its length"
    );
}

#[test]
fn staff_watch_any_video_of_their_academy() {
    let mut world = World::new();
    world.transcoded(1);
    let address = format!("/api/v1/authoring/videos/{}/playback", film());
    assert_eq!(world.get(instructor(1), &format!("{address}/master.m3u8")).text, MASTER);
    let text = world.get(instructor(1), &format!("{address}/720p/index.m3u8")).text;
    assert!(links(&text).iter().all(|link| world.opened(link).is_some()));
    assert_eq!(world.get(learner(1), &format!("{address}/master.m3u8")).status, 403);
    assert_eq!(world.get(instructor(2), &format!("{address}/master.m3u8")).status, 404);
    assert_eq!(world.get(instructor(1), &format!("{address}/none.m3u8")).status, 404);
}
