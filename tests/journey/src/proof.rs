//! The certificate: issued, printed, checked by a stranger, revoked.

use akademi_local::api_client::{Answer, ApiClient, JsonExt};
use anyhow::{Context, ensure};
use http::{StatusCode, header};
use serde_json::{Value, json};
use std::{path::Path, process::Command};

use crate::{
    authoring::Course,
    steps::{LEARNER, until},
};

/// A certificate by the addresses that lead to it.
pub struct Certificate {
    pub serial: String,
    /// The page for a person, as an absolute URL.
    verify_url: String,
}

impl Certificate {
    fn json(&self) -> String {
        format!("/api/v1/certificates/{}", self.serial)
    }

    fn page(&self) -> String {
        format!("/verify/{}", self.serial)
    }

    fn pdf(&self) -> String {
        format!("{}/pdf", self.json())
    }
}

/// Waits for the certificate that the feed brings to the learner's list.
pub async fn issued(learner: &ApiClient, course: &Course) -> anyhow::Result<Certificate> {
    let serial = until("no certificate was issued", 10_000, async || {
        let mine = learner.get("/api/v1/users/me/certificates").await?.expect(StatusCode::OK)?;
        let first = mine.pointer("/data/0");
        first.map(|first| first.text("serial")).transpose()
    })
    .await?;
    let base = learner.base();
    let certificate = Certificate { verify_url: format!("{base}/verify/{serial}"), serial };
    let checked = learner.get(&certificate.json()).await?.expect(StatusCode::OK)?;
    ensure!(
        checked.pointer("/course/title") == Some(&json!(course.title)),
        "it is for another course: {checked}"
    );
    Ok(certificate)
}

pub async fn prints(learner: &ApiClient, certificate: &Certificate) -> anyhow::Result<()> {
    let pdf = learner.get(&certificate.pdf()).await?;
    ensure!(pdf.status == StatusCode::OK, "the PDF answers {}", pdf.status);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("certificate.pdf");
    std::fs::write(&file, &pdf.body)?;
    let text = tool("pdftotext", &["-enc", "UTF-8"], &file, &["-"])?.replace('\u{200b}', "");
    ensure!(text.contains(LEARNER), "the name cannot be read: {text}");
    let fonts = tool("pdffonts", &[], &file, &[])?;
    let is_embedded = |font: &str| font.split_ascii_whitespace().rev().nth(4) == Some("yes");
    ensure!(fonts.lines().skip(2).all(is_embedded), "a font is not embedded: {fonts}");
    let picture = folder.path().join("page");
    let name = picture.to_str().context("the temporary folder has no name")?;
    tool("pdftoppm", &["-gray", "-r", "200", "-singlefile"], &file, &[name])?;
    let codes = qr_codes(&std::fs::read(picture.with_extension("pgm"))?)?;
    ensure!(codes == [certificate.verify_url.as_str()], "the QR code says {codes:?}");
    Ok(())
}

/// What a program of poppler says about a PDF.
fn tool(program: &str, before: &[&str], pdf: &Path, after: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(before).arg(pdf).args(after).output();
    let output = output.with_context(|| format!("running {program} of poppler-utils"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What the QR codes of a picture say (binary PGM).
fn qr_codes(pgm: &[u8]) -> anyhow::Result<Vec<String>> {
    let header = String::from_utf8_lossy(pgm.get(..40).unwrap_or_default()).into_owned();
    let mut fields = header.split_ascii_whitespace().skip(1);
    let mut size = || fields.next().and_then(|field| field.parse::<usize>().ok()).context("no PGM");
    let (width, height) = (size()?, size()?);
    let start = pgm.len().checked_sub(width * height).context("no PGM")?;
    let dots = pgm.get(start..).context("no PGM")?;
    let dot = |x: usize, y: usize| dots.get(y * width + x).copied().unwrap_or(u8::MAX);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, dot);
    picture.detect_grids().iter().map(|grid| Ok(grid.decode()?.1)).collect()
}

/// What a stranger's browser shows.
async fn page(api: &ApiClient, certificate: &Certificate) -> anyhow::Result<String> {
    let shown: Answer = api.get(&certificate.page()).await?;
    ensure!(shown.status == StatusCode::OK, "the page answers {}", shown.status);
    let kind = shown.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    ensure!(kind.is_some_and(|kind| kind.starts_with("text/html")), "the page is {kind:?}");
    let html = String::from_utf8(shown.body.to_vec())?;
    ensure!(!html.contains("<script"), "the page has a script");
    ensure!(html.contains(LEARNER), "the page does not name the holder");
    Ok(html)
}

pub async fn is_valid(
    api: &ApiClient,
    other: &ApiClient,
    certificate: &Certificate,
    course: &Course,
) -> anyhow::Result<()> {
    let checked = api.get(&certificate.json()).await?.expect(StatusCode::OK)?;
    ensure!(checked.text("status")? == "valid" && checked.text("holder")? == LEARNER, "{checked}");
    ensure!(page(api, certificate).await?.contains(&course.title), "the page does not name the course");
    let unknown = api.get(&format!("/api/v1/certificates/{}", "0".repeat(32))).await?;
    unknown.expect(StatusCode::NOT_FOUND)?;
    other.get(&certificate.json()).await?.expect(StatusCode::NOT_FOUND)?;
    let elsewhere = other.get(&certificate.page()).await?;
    ensure!(elsewhere.status == StatusCode::NOT_FOUND, "another academy's page answers {}", elsewhere.status);
    Ok(())
}

pub async fn revoke(
    administrator: &ApiClient,
    api: &ApiClient,
    learner: &ApiClient,
    certificate: &Certificate,
) -> anyhow::Result<()> {
    let before = page(api, certificate).await?;
    let path = format!("{}/revocation", certificate.json());
    let reason = json!({ "reason": "Başkası adına tamamlandı." });
    learner.post(&path, &reason).await?.expect(StatusCode::FORBIDDEN)?;
    let revoked = administrator.post(&path, &reason).await?.expect(StatusCode::OK)?.text("revoked_at")?;
    let told = until("the revocation was not told", 10_000, async || {
        let checked = api.get(&certificate.json()).await?.expect(StatusCode::OK)?;
        Ok((checked.get("status") == Some(&json!("revoked"))).then_some(checked))
    })
    .await?;
    ensure!(told.text("revoked_at")? == revoked, "another date is told: {told}");
    let after = page(api, certificate).await?;
    ensure!(after != before, "the page says what it said before");
    let year = revoked.get(..4).context("no date")?;
    ensure!(after.matches(year).count() > before.matches(year).count(), "the page lacks the date");
    let again = administrator.post(&path, &reason).await?.expect(StatusCode::OK)?;
    ensure!(again.get("revoked_at") == Some(&Value::from(revoked)), "revoking twice moved the date");
    let pdf = learner.get(&certificate.pdf()).await?;
    ensure!(pdf.status == StatusCode::GONE, "a revoked certificate is printed: {}", pdf.status);
    Ok(())
}
