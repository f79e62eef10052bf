//! Lessons whose segments are handed out one by one.

use crate::world::{BOUND, MASTER, World, folder, learner, playback};

#[test]
fn each_segment_is_asked_for_here_and_kept_for_the_session() {
    let mut world = World::new();
    world.transcoded(1);
    let address = playback(BOUND);
    assert_eq!(world.get(learner(1), &address).json()["delivery_bound"], true);
    assert_eq!(world.get(learner(1), &format!("{address}/master.m3u8")).text, MASTER);
    let media = world.get(learner(1), &format!("{address}/720p/index.m3u8")).text;
    let names: Vec<_> = media.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(names, ["segments/0", "segments/1"]);
    assert!(media.contains("URI=\"segments/init\"") && !media.contains("https://"), "{media}");
    for (name, file) in [
        ("720p/segments/init", "720p/init.mp4"),
        ("720p/segments/1", "1-1/720p/segment-00001.m4s"),
        ("audio/segments/0", "audio/segment-00000.m4s"),
    ] {
        let answer = world.get(learner(1), &format!("{address}/{name}"));
        assert_eq!((answer.status.as_u16(), answer.queries), (302, 1));
        assert_eq!(answer.headers["cache-control"], "no-store");
        let link = answer.headers["location"].to_str().unwrap();
        assert_eq!(world.opened(link), Some(format!("{}/{file}", folder(1))));
        world.pass(60);
        assert_eq!(world.opened(link), None, "it lives a minute");
    }
    // Neither the initialisation nor sound shows anything.
    let kept = "SELECT count(*) FROM delivery WHERE from_second = 6 AND to_second = 13";
    assert_eq!((world.count("SELECT count(*) FROM delivery"), world.count(kept)), (1, 1));
    // Once more changes nothing.
    world.get(learner(1), &format!("{address}/720p/segments/1"));
    assert_eq!(world.count("SELECT count(*) FROM delivery"), 1);
    world.get(learner(2), &format!("{address}/720p/segments/1"));
    assert_eq!(world.count("SELECT count(*) FROM delivery"), 2);
}

#[test]
fn what_is_no_segment_is_not_handed_out() {
    let mut world = World::new();
    world.transcoded(1);
    let address = playback(BOUND);
    for name in [
        "720p/segments/2",
        "720p/segments/-1",
        "720p/segments/x",
        "480p/segments/0",
        "segments/0",
        "720p/segments/",
    ] {
        assert_eq!(world.get(learner(1), &format!("{address}/{name}")).status, 404, "{name}");
    }
    assert_eq!(world.get(learner(3), &format!("{address}/720p/segments/0")).status, 404, "not enrolled");
    assert_eq!(world.count("SELECT count(*) FROM delivery"), 0);
}

#[test]
fn one_link_opens_no_other_segment() {
    let mut world = World::new();
    world.transcoded(1);
    let answer = world.get(learner(1), &format!("{}/720p/segments/0", playback(BOUND)));
    let link = answer.headers["location"].to_str().unwrap();
    assert!(world.opened(link).is_some());
    let other = link.replace("720p/segment-00000.m4s", "1-1/720p/segment-00001.m4s");
    assert_eq!(world.opened(&other), None);
}
