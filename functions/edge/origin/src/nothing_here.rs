//! What is said where no function answers: a problem to programs, a page to people.

use akademi_api::{Problem, gate::Directory, host_name::host_of};
use axum::{
    extract::{Request, State},
    response::{Html, IntoResponse, Response},
};
use http::{Method, StatusCode, header};

use crate::Origin;

const PAGE: &str = include_str!("nothing.html");
/// Of the page's one style block, by its SHA-256.
const POLICY: &str = "default-src 'none'; style-src 'sha256-iMueeECjYGO39JL3jk53uMA18IO4gwSlItbuGxWbBUY='; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A title and a sentence, in Turkish and in English.
type Words = [(&'static str, &'static str); 2];

const NO_ACADEMY: Words = [
    (
        "Bu adreste bir akademi yok",
        "Adresi doğru yazdığınızdan emin olun. Akademiniz daha önce buradaysa size yeni adresini o söyleyebilir.",
    ),
    (
        "There is no academy at this address",
        "Check that you typed it as you were given it. If your academy was here before, it can tell you where it is now.",
    ),
];

const NO_PAGE: Words = [
    (
        "Burada bir şey yok",
        "Sayfa taşınmış ya da hiç olmamış olabilir. Adresi akademinizden yeniden isteyin.",
    ),
    ("There is nothing here", "The page may have moved, or never was. Ask your academy for its address."),
];

pub async fn nothing_here(State(origin): State<Origin>, request: Request) -> Result<Response, Problem> {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || !accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        return Err(Problem::not_found());
    }
    let academy = match host_of(&request) {
        Some(host) => origin.edge.directory().academy(&host).await?,
        None => None,
    };
    let is_english = academy.as_ref().is_some_and(|academy| academy.profile.locale == "en");
    let words = if academy.is_some() { NO_PAGE } else { NO_ACADEMY };
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY)];
    Ok((StatusCode::NOT_FOUND, headers, Html(page(words, is_english))).into_response())
}

fn page([turkish, english]: Words, is_english: bool) -> String {
    let ((language, first), (other, second)) =
        if is_english { (("en", english), ("tr", turkish)) } else { (("tr", turkish), ("en", english)) };
    PAGE.replace("{language}", language)
        .replace("{other_language}", other)
        .replace("{first_title}", first.0)
        .replace("{first_text}", first.1)
        .replace("{second_title}", second.0)
        .replace("{second_text}", second.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_names_the_pages_own_style() {
        let style = PAGE.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(style));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
    }

    #[test]
    fn a_page_begins_in_the_academys_language_and_fills_every_gap() {
        for (is_english, language, title) in
            [(false, "tr", "<title>Burada bir şey yok"), (true, "en", "<title>There is nothing here")]
        {
            let page = page(NO_PAGE, is_english);
            assert!(page.contains(title) && page.contains(&format!("<html lang=\"{language}\"")), "{page}");
            assert!(!page.split("</style>").nth(1).unwrap().contains('{'), "{page}");
        }
    }
}
