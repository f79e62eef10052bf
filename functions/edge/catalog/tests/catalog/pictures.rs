//! What a course shows beside its words.

use akademi_domain::{
    course::{VideoSource, pictures::CoursePictures},
    picture::{PictureFile, PictureName},
};

use super::*;

fn files(letter: &str, sizes: &[(u32, u32)]) -> Vec<PictureFile> {
    let name: PictureName = format!("{}.webp", letter.repeat(64)).parse().unwrap();
    sizes.iter().map(|size| PictureFile::new(&name, *size, 1000)).collect()
}

#[test]
fn a_list_shows_the_card_and_the_course_page_all_pictures() {
    let mut academies = Academies::new();
    let pictures = CoursePictures {
        card: files("a", &[(320, 180), (640, 360)]),
        banner: files("b", &[(640, 213)]),
        gallery: vec![files("c", &[(320, 320)]), files("d", &[(320, 320)])],
        video: Some(VideoSource::Youtube { id: "dQw4w9WgXcQ".parse().unwrap() }),
    };
    let mut shown = published_as(1, "isik", "Işık", 1);
    if let LambdaEvent::CoursePublished { outline, .. } = &mut shown {
        outline.pictures = pictures.clone();
    }
    academies.apply(1, &shown);
    academies.apply(1, &published_as(2, "iklim", "İklim", 1));
    let card = serde_json::to_value(&pictures.card).unwrap();
    assert_eq!(card[0]["url"], format!("/api/v1/pictures/{}.webp", "a".repeat(64)));

    for path in ["/api/v1/catalog/courses", "/api/v1/catalog/courses?sort=rating"] {
        let list = academies.get("one.localhost", path).2;
        let of = |number| {
            let id = serde_json::json!(course(number));
            list["data"].as_array().unwrap().iter().find(|card| card["id"] == id).unwrap()["picture"].clone()
        };
        assert_eq!((of(1), of(2)), (card.clone(), Value::Null), "{path}");
        assert!(!list.to_string().contains(&"b".repeat(64)), "{path}");
    }
    let page = academies.get("one.localhost", "/api/v1/catalog/courses/isik").2;
    assert_eq!((&page["picture"], &page["outline"]["pictures"]), (&card, &serde_json::json!(pictures)));
    let plain = academies.get("one.localhost", "/api/v1/catalog/courses/iklim").2;
    assert_eq!((&plain["picture"], plain["outline"].get("pictures")), (&Value::Null, None));
}
