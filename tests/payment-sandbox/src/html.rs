//! Pages for the buyer: plain, in Turkish.

use axum::response::{Html, IntoResponse as _, Response};
use http::{StatusCode, header};

pub(crate) fn unknown() -> Response {
    let page = document("Ödeme bulunamadı", "<h1>Ödeme bulunamadı</h1><p>Bu bağlantı geçersiz.</p>");
    (StatusCode::NOT_FOUND, page).into_response()
}

pub(crate) fn invalid() -> Response {
    let page = document("Geçersiz istek", "<h1>Geçersiz istek</h1><p>Lütfen sayfayı yeniden açın.</p>");
    (StatusCode::BAD_REQUEST, page).into_response()
}

pub(crate) fn document(title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"tr\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head>\
         <body><main>{body}</main></body></html>"
    );
    ([(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
