use std::time::Instant;
#[test]
fn times() {
    let bytes = std::fs::read(std::env::var("AKADEMI_DATA").unwrap() + "/openedx-demo-course.tar.gz").unwrap();
    for _ in 0..4 {
        let t = Instant::now();
        let r = akademi_olx::import(&bytes[..], &akademi_olx::Limits::default()).unwrap();
        println!("import {:?} {}", t.elapsed(), r.assets.len());
    }
    let f: String = (0..12).map(|i| format!("<b id={i}>")).collect();
    let s = format!("<p>{f}{}", "<p>a".repeat(70_000));
    let t = Instant::now();
    let _ = akademi_olx::sanitise(&s);
    println!("worst html {:?}", t.elapsed());
}
