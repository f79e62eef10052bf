//! Courses in the order of their rating.

use akademi_domain::review::StarCounts;
use akademi_edge_store::PlatformSql;
use proptest::prelude::*;

use super::*;

const LIST: &str = "/api/v1/catalog/courses?sort=rating";

/// As many reviews of a course as these say, and the list is made anew.
fn rate(academies: &Academies, academy: u8, number: u8, StarCounts(stars): StarCounts) {
    const RATE: PlatformSql = PlatformSql::new(
        "UPDATE course_figures SET stars_1 = ?3, stars_2 = ?4, stars_3 = ?5, stars_4 = ?6, stars_5 = ?7 \
         WHERE tenant_id = ?1 AND course_id = ?2",
    );
    const ANEW: PlatformSql = PlatformSql::new("UPDATE tenant SET generation = generation + 1 WHERE id = ?1");
    let mut params = vec![tenant(academy).into(), course(number).into()];
    params.extend(stars.map(Into::into));
    let platform = Platform::new(academies.edge.database.as_ref());
    let anew = ANEW.with([tenant(academy).into()]);
    block_on(platform.batch(vec![RATE.with(params), anew])).unwrap();
}

fn ask(academies: &Academies, path: &str) -> Value {
    let request = Request::get(path).header(header::HOST, "one.localhost").body(Body::empty()).unwrap();
    let (status, _, page) = academies.send(request);
    assert_eq!(status, StatusCode::OK, "{page}");
    page
}

/// The ids of all pages of so many courses.
fn walk(academies: &Academies, limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask(academies, &format!("{LIST}&limit={limit}{cursor}"));
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        found.extend(data.iter().map(|card| card["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// What the pages are to hold: by the mean as it is shown, then by how many reviews there are, then by id.
fn sorted(rated: &[StarCounts]) -> Vec<String> {
    let hundredths = |stars: &StarCounts| (stars.average().unwrap_or(0.0) * 100.0).round() as i64;
    let mut courses: Vec<_> = (1..)
        .zip(rated)
        .map(|(number, stars)| (hundredths(stars), stars.total(), course(number).to_string()))
        .collect();
    courses.sort_unstable();
    courses.into_iter().rev().map(|(_, _, id)| id).collect()
}

/// An academy with so many courses.
fn with_courses(count: u8) -> Academies {
    let mut academies = Academies::new();
    for number in 1..=count {
        academies.apply(1, &published_as(number, &format!("isik-{number}"), "Işık", 1));
    }
    academies
}

#[test]
fn the_best_stand_first_and_of_the_same_mean_those_with_more_reviews() {
    let mut academies = with_courses(6);
    academies.apply(2, &published_as(1, "isik-1", "Işık", 1));
    rate(&academies, 2, 1, StarCounts([0, 0, 0, 0, 9]));
    let rated = [
        StarCounts::default(),
        StarCounts([0, 0, 0, 1, 2]),
        StarCounts([0, 0, 0, 2, 4]),
        StarCounts([9, 0, 0, 0, 0]),
        StarCounts([0, 0, 0, 0, 1]),
        StarCounts::default(),
    ];
    for (number, stars) in (1..).zip(rated) {
        rate(&academies, 1, number, stars);
    }
    let order = [5, 3, 2, 4, 6, 1].map(|number| course(number).to_string());
    assert_eq!(sorted(&rated), order);
    for limit in [1, 2, 100] {
        assert_eq!(walk(&academies, limit), order, "{limit}");
    }
    let newest = ask(&academies, "/api/v1/catalog/courses?limit=1");
    assert_eq!(ask(&academies, "/api/v1/catalog/courses?sort=newest&limit=1"), newest);
    assert_eq!(newest["data"][0]["id"], serde_json::json!(course(6)));

    academies.apply(1, &LambdaEvent::CourseWithdrawn { course: course(5) });
    assert_eq!(walk(&academies, 2), order[1..]);
    // Another publication of a course is no other place.
    academies.apply(1, &published_as(3, "isik-3", "Işık ve Renk", 2));
    assert_eq!(walk(&academies, 2), order[1..]);
    for bad in ["sort=price", "sort=rating&limit=0", "sort=rating&cursor=x", "sort=rating&order=asc"] {
        let request = Request::get(format!("/api/v1/catalog/courses?{bad}"));
        let request = request.header(header::HOST, "one.localhost").body(Body::empty()).unwrap();
        assert_eq!(academies.send(request).0, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
}

#[test]
fn a_list_by_rating_is_kept_apart_from_the_newest() {
    let academies = with_courses(2);
    rate(&academies, 1, 1, StarCounts([0, 0, 0, 0, 1]));
    let (_, newest, _) = academies.get("one.localhost", "/api/v1/catalog/courses");
    let (_, best, page) = academies.get("one.localhost", LIST);
    assert_ne!(newest, best);
    assert_eq!(page["data"][0]["id"], serde_json::json!(course(1)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Few stars, so that many courses have the same rating.
    #[test]
    fn pages_hold_every_course_once_in_order(
        rated in prop::collection::vec(prop::array::uniform5(0_i64..3).prop_map(StarCounts), 1..12),
        limit in 1_usize..5,
    ) {
        let academies = with_courses(rated.len() as u8);
        for (number, stars) in (1..).zip(&rated) {
            rate(&academies, 1, number, *stars);
        }
        prop_assert_eq!(walk(&academies, limit), sorted(&rated));
    }
}
