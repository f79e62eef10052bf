//! `GET /verify/{serial}`.

use crate::setup::{Answer, KADIKOY, NOW, Setup, UMRANIYE, issued, revoked, serial};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

const NAME: &str = "Şükrü Iğdır Çağlayangöl";

/// The texts that stand between the tags of the page's body.
fn texts(answer: &Answer) -> Vec<&str> {
    let (_, body) = answer.body.split_once("<body>").unwrap();
    let parts = body.split('<').filter_map(|part| Some(part.split_once('>')?.1.trim()));
    parts.filter(|text| !text.is_empty()).collect()
}

#[test]
fn a_valid_certificate_is_a_page_in_the_academys_language() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "İklim ve Işık: Açık Ders")]);
    let answer = setup.page(1);
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(answer.body.starts_with("<!doctype html>\n<html lang=\"tr\">"));
    let wanted = [
        "Ümraniye Açık Akademi",
        "Sertifika geçerli",
        "Elinizdeki belgeyi aşağıdaki bilgilerle karşılaştırın.",
        "Kime verildi",
        NAME,
        "Eğitim",
        "İklim ve Işık: Açık Ders",
        "Veren",
        "Ümraniye Açık Akademi",
        "Tamamlanma tarihi",
        "21 Kasım 2026",
        "Veriliş tarihi",
        "22 Kasım 2026",
        "Seri no",
        "01010101010101010101010101010101",
    ];
    assert_eq!(texts(&answer), wanted);
    assert!(answer.body.contains("<time datetime=\"2026-11-22\">"), "the day that it was in Istanbul");
}

#[test]
fn a_revoked_certificate_says_so_before_all_else_with_the_day() {
    let setup = Setup::new();
    setup.give_key(2, 1);
    let events = [issued(1, NAME, "Ders"), revoked(1, NOW.plus_seconds(86_400))];
    setup.feed(&events);
    setup.feed_to(2, &events);
    let answer = setup.page(1);
    assert_eq!(answer.status, 200);
    assert_eq!(
        texts(&answer)[1..5],
        [
            "Sertifika iptal edildi",
            "Akademi bu sertifikayı",
            "23 Kasım 2026",
            "tarihinde geri aldı; artık geçerli değil.",
        ]
    );
    let english = setup.get(KADIKOY, &format!("/verify/{}", serial(1)));
    assert!(english.body.contains("<html lang=\"en\">"));
    assert_eq!(texts(&english)[1], "This certificate was revoked");
    assert_eq!(texts(&english)[3], "23 November 2026");
    for answer in [answer, english] {
        assert!(!answer.body.contains("class=\"status valid\""), "{}", answer.body);
    }
}

#[test]
fn an_erased_holder_has_no_name_on_the_page() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "Ders")]);
    setup.erase(1);
    let answer = setup.page(1);
    assert_eq!(answer.status, 200);
    assert_eq!(texts(&answer)[3..5], ["Kime verildi", "Kişisel verileri silindi"]);
}

#[test]
fn what_this_academy_did_not_issue_is_a_page_too() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "Ders")]);
    let known = serial(1).to_string();
    for (host, serial) in
        [(KADIKOY, known.as_str()), (UMRANIYE, &serial(2).to_string()), (UMRANIYE, "1"), (UMRANIYE, "%ff")]
    {
        let answer = setup.get(host, &format!("/verify/{serial}"));
        assert_eq!((answer.status, answer.header("content-type")), (404, "text/html; charset=utf-8"));
        let title = if host == UMRANIYE { "Sertifika bulunamadı" } else { "Certificate not found" };
        assert_eq!(texts(&answer)[1], title, "{serial}");
        assert!(!answer.body.contains(NAME) && !answer.body.contains("Ders"));
    }
    let nowhere = setup.get("nobody.localhost", "/verify/1");
    assert_eq!(nowhere.json()["type"], "/problems/unknown-academy");
}

#[test]
fn markup_in_any_text_is_text() {
    let academy = "Akademi</title><script>alert(1)</script>";
    let setup = Setup::with_academy(academy, "red}</style><script>alert(2)</script>");
    setup.feed(&[issued(1, "<img src=x onerror=alert(3)>", "\"><b>Ders</b> & 'ders'</dd>")]);
    let answer = setup.page(1);
    assert_eq!(answer.status, 200);
    let body = &answer.body;
    for tag in ["<script", "<img", "<b>"] {
        assert!(!body.contains(tag), "{tag}: {body}");
    }
    assert_eq!((body.matches("</style>").count(), body.matches("</title>").count()), (2, 1));
    assert_eq!(texts(&answer)[4], "&#60;img src=x onerror=alert(3)&#62;");
    assert_eq!(texts(&answer)[6], "&#34;&#62;&#60;b&#62;Ders&#60;/b&#62; &#38; &#39;ders&#39;&#60;/dd&#62;");
    assert!(body.contains(":root{--brand:#000000;--on-brand:#ffffff}"), "no colour is black");
}

#[test]
fn the_page_may_load_nothing_and_only_its_own_styles_count() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "Ders")]);
    let mut policies = Vec::new();
    for path in [format!("/verify/{}", serial(1)), "/verify/1".to_owned()] {
        for host in [UMRANIYE, KADIKOY] {
            let answer = setup.get(host, &path);
            let styles =
                answer.body.split("<style>").skip(1).map(|rest| rest.split_once("</style>").unwrap().0);
            let hashes: Vec<_> =
                styles.map(|style| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))).collect();
            assert_eq!(hashes.len(), 2);
            let wanted = format!(
                "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                hashes.join(" ")
            );
            assert_eq!(answer.header("content-security-policy"), wanted);
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.header("x-robots-tag"), "noindex");
            assert_eq!(answer.header("cache-control"), "no-store");
            let loads = ["<script", "<link", "<img", " src=", " href=", " style=", "url(", "@import"];
            assert!(loads.iter().all(|load| !answer.body.contains(load)), "{}", answer.body);
            policies.push(wanted);
        }
    }
    assert_ne!(policies[0], policies[1], "each academy has its colours");
    assert!(setup.page(1).body.contains(":root{--brand:#0b6e4f;--on-brand:#ffffff}"));
    let bright = setup.get(KADIKOY, "/verify/1").body;
    assert!(bright.contains(":root{--brand:#ffe600;--on-brand:#000000}"), "dark text on a bright colour");
}
