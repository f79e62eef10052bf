use akademi_certificates::render::*;
fn main() {
    let r = Renderer::new().unwrap();
    let serial = "9f86d081884c7d659a2feaa0c55ad015";
    for (file, locale, brand, name, course, academy) in [
        ("tr", Locale::Tr, "#0b6e4f", "Şükrü Iğdır Çağlayangöl".to_string(), "İklim ve Işık: Açık Ders".to_string(), "Ümraniye Belediyesi Akademisi".to_string()),
        ("en", Locale::En, "#1d4e89", "Şükrü Iğdır Çağlayangöl".into(), "İklim ve Işık: Açık Ders".into(), "Kadıköy Akademi".into()),
        ("long", Locale::En, "#ffcc00", "Çağ ".repeat(1000), "W".repeat(4000), "Maria de los Ángeles Fernández-Villaverde Gutiérrez Academy of Science and the Arts".into()),
        ("mid", Locale::Tr, "#7a1f3d", "Maria de los Ángeles Fernández-Villaverde y Gutiérrez de la Concha".into(), "Sürdürülebilir Kentler için İklim Değişikliğine Uyum: Planlama, Uygulama ve İzleme Üzerine İleri Düzey Bir Giriş".into(), "Ada 🎓 العربية".into()),
    ] {
        let c = Certificate { learner_name: name, course_title: course, academy_name: academy, brand_colour: brand.parse().unwrap(), serial: serial.parse().unwrap(),
            issued_on: jiff::civil::date(2026, 11, 21), verify_url: format!("https://umraniye.akademi.example/verify/{serial}").parse().unwrap(), locale };
        std::fs::write(format!("/tmp/cert-{file}.pdf"), r.render(&c).unwrap()).unwrap();
    }
}
