//! `GET /data-deletion/{code}`: what became of a wish to be deleted, as a page for a person, without scripts.

use akademi_api::{Academy, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::time::Timestamp;
use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use http::{StatusCode, header};

use crate::{Federation, store};

const PAGE: &str = include_str!("deletion.html");
/// Of the page's one style block, by its SHA-256.
const POLICY: &str = "default-src 'none'; style-src 'sha256-iMueeECjYGO39JL3jk53uMA18IO4gwSlItbuGxWbBUY='; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What became of a wish to be deleted
///
/// A page in the academy's language for whoever has the confirmation code.
#[utoipa::path(get, path = "/data-deletion/{code}", tag = "auth",
    params(("code" = String, Path, description = "The confirmation code", max_length = 64)),
    responses((status = 200, description = "It is done", body = String, content_type = "text/html"),
              (status = 404, description = "A page that says that there is no such wish; a problem where no academy \
                answers on this host", content((String = "text/html"), (ProblemDocument = "application/problem+json")))))]
pub async fn show(
    State(federation): State<Federation>,
    academy: Academy,
    PathParam(code): PathParam<String>,
) -> Result<Response, Problem> {
    let deleted_at = store::find_deletion(&federation.edge.tenant(academy.id), &code).await?;
    let status = if deleted_at.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, "no-referrer")];
    let page = page(academy.profile.locale == "en", deleted_at);
    Ok((status, headers, Html(page)).into_response())
}

fn page(is_english: bool, deleted_at: Option<Timestamp>) -> String {
    let (title, text) = match (is_english, deleted_at) {
        (false, Some(_)) => (
            "Bağlantınız silindi",
            "Sağlayıcınızdaki kimliğinizin bu akademideki hesabınızla bağlantısı {day} tarihinde silindi; kimliğinizden \
             burada bir şey kalmadı. Akademideki hesabınız duruyor: onu hesabınızdan silebilirsiniz.",
        ),
        (false, None) => (
            "Böyle bir silme isteği yok",
            "Kodu size verildiği gibi yazdığınızdan emin olun. Üç yıldan eski isteklerin kaydı tutulmaz.",
        ),
        (true, Some(_)) => (
            "Your link was deleted",
            "The link between your identity at the provider and your account at this academy was deleted on {day}; nothing \
             of that identity is kept here. Your account at the academy stays: you can erase it in your account.",
        ),
        (true, None) => (
            "There is no such request",
            "Check that you typed the code as you were given it. Requests older than three years are not kept.",
        ),
    };
    let day = deleted_at.map(|at| at.day_in_istanbul().to_string()).unwrap_or_default();
    PAGE.replace("{language}", if is_english { "en" } else { "tr" })
        .replace("{title}", title)
        .replace("{text}", text)
        .replace("{day}", &day)
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
    fn a_page_says_when_in_the_academys_language_and_fills_every_gap() {
        let at = Some(Timestamp::from_millis(1_790_000_000_000));
        for (is_english, language, done) in
            [(false, "tr", "2026-09-21 tarihinde silindi"), (true, "en", "deleted on 2026-09-21")]
        {
            let page = page(is_english, at);
            assert!(page.contains(done) && page.contains(&format!("<html lang=\"{language}\"")), "{page}");
            assert!(!page.split("</style>").nth(1).unwrap().contains('{'), "{page}");
        }
    }
}
