//! `GET /verify/{serial}`: the check as a page for a person, without scripts.

use akademi_api::{Academy, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{certificate::CertificateSerial, colour::Colour, time::Timestamp};
use askama::Template;
use axum::{
    extract::State,
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

use crate::{Verify, certificate, phrases::Phrases};

/// What all academies' pages look like.
const STYLE: &str = include_str!("../templates/certificate.css");

/// The hash of [`STYLE`], by which a page's policy lets it in (Content Security Policy Level 3, §2.3.1).
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| hash(STYLE));

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A day for people and for programs.
struct PageDay {
    text: String,
    /// ISO 8601.
    iso: String,
}

/// What a certificate says.
struct Details {
    holder: Option<String>,
    title: String,
    completed: PageDay,
    issued: PageDay,
    revoked: Option<PageDay>,
    serial: CertificateSerial,
}

#[derive(Template)]
#[template(path = "certificate.html")]
struct Page<'a> {
    words: &'static Phrases,
    academy: &'a str,
    /// The academy's own colours.
    colours: &'a str,
    style: &'static str,
    found: Option<Details>,
}

/// Check a certificate on a page
///
/// A page in the academy's language, without scripts, that says whether the certificate holds.
#[utoipa::path(get, path = "/verify/{serial}", tag = "certificates",
    params(("serial" = CertificateSerial, Path, description = "The certificate's serial")),
    responses((status = 200, description = "The certificate", body = String, content_type = "text/html"),
              (status = 404, description = "A page that says that the academy has no such certificate; a problem where \
                no academy answers on this host", content((String = "text/html"), (ProblemDocument = "application/problem+json")))))]
pub async fn show(
    State(verify): State<Verify>,
    academy: Academy,
    serial: Result<PathParam<CertificateSerial>, Problem>,
) -> Result<Response, Problem> {
    let words = Phrases::of(&academy.profile.locale);
    // What can be no serial is one that nobody issued: a person reads of both on a page.
    let found = match serial {
        Ok(PathParam(serial)) => details(&verify, &academy, serial, words).await?,
        Err(_) => None,
    };
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let colours = colours(&academy.profile.brand_colour);
    let page = Page { words, academy: &academy.profile.name, colours: &colours, style: STYLE, found };
    let page = page.render().map_err(Problem::broken)?;
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy(&colours)?),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (ROBOTS, HeaderValue::from_static("noindex")),
    ];
    Ok((status, headers, Html(page)).into_response())
}

async fn details(
    verify: &Verify,
    academy: &Academy,
    serial: CertificateSerial,
    words: &Phrases,
) -> Result<Option<Details>, Problem> {
    let day = |moment: Timestamp| {
        let day = moment.day_in_istanbul();
        PageDay { text: words.day(day), iso: day.to_string() }
    };
    let found = certificate::find(verify, academy, serial).await?;
    Ok(found.map(|(certificate, holder)| Details {
        holder,
        title: certificate.title,
        completed: day(certificate.completed_at),
        issued: day(certificate.issued_at),
        revoked: certificate.revoked_at.map(day),
        serial,
    }))
}

/// The style that gives the page its academy's colour; black where the colour is none.
fn colours(brand: &str) -> String {
    let brand: Colour = brand.parse().unwrap_or(Colour::BLACK);
    format!(":root{{--brand:{brand};--on-brand:{}}}", brand.ink())
}

fn policy(colours: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(format!(
        "default-src 'none'; style-src 'sha256-{}' 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(colours),
        *STYLE_HASH
    ))
    .map_err(Problem::broken)
}

fn hash(style: &str) -> String {
    STANDARD.encode(Sha256::digest(style))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a custom property, light first and dark second.
    fn values(property: &str) -> Vec<Colour> {
        let name = format!("{property}: ");
        let starts = STYLE.match_indices(&name).map(|(at, _)| at + name.len());
        let colour = |at: usize| {
            let (value, _) = STYLE[at..].split_once(';').unwrap();
            let [hash, digits] = value.split_at(1).into();
            // `#abc` is `#aabbcc`.
            let digits = if digits.len() == 3 {
                digits.chars().flat_map(|c| [c, c]).collect()
            } else {
                digits.to_owned()
            };
            format!("{hash}{digits}").parse().unwrap()
        };
        starts.map(colour).collect()
    }

    #[test]
    fn text_reads_in_the_light_and_in_the_dark() {
        for (ink, paper) in [
            ("--ink", "--paper"),
            ("--soft", "--paper"),
            ("--valid", "--valid-paper"),
            ("--revoked", "--revoked-paper"),
            ("--unknown", "--unknown-paper"),
        ] {
            let pairs: Vec<_> = values(ink).into_iter().zip(values(paper)).collect();
            assert_eq!(pairs.len(), 2, "{ink}");
            for (ink, paper) in pairs {
                assert!(ink.contrast(paper) >= 4.5, "{ink} on {paper}");
            }
        }
    }
}
