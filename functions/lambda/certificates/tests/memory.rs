#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Typst remembers every layout; the renderer makes it forget.

use akademi_certificates::render::{Certificate, Locale, Renderer};

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn certificate(number: usize) -> Certificate {
    let serial = format!("{number:032x}");
    Certificate {
        learner_name: format!("Learner {number} Çağlayangöl"),
        course_title: format!("Course {number}"),
        academy_name: "Kadıköy Akademi".to_owned(),
        brand_colour: "#7a1f3d".parse().unwrap(),
        logo: None,
        verify_url: format!("https://kadikoy.example/verify/{serial}").parse().unwrap(),
        serial: serial.parse().unwrap(),
        issued_on: jiff::civil::date(2026, 1, 31),
        locale: Locale::Tr,
    }
}

#[test]
fn memory_stays_where_it_is_over_many_different_certificates() {
    let renderer = Renderer::new().unwrap();
    let render = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            renderer.render(&certificate(number)).unwrap();
        }
        resident_kib()
    };
    let warm = render(0..100);
    let after = render(100..400);
    println!("resident: {warm} KiB after 100 certificates, {after} KiB after 400");
    // Without forgetting, 300 certificates keep some 220 MiB.
    assert!(after < warm + 40 * 1024, "grew from {warm} to {after} KiB");
}
