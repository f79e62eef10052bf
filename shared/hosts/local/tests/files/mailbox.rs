//! Mail that stays on this machine.

use akademi_api::caller::ClientAddress;
use akademi_domain::{ids::MailId, time::Timestamp};
use akademi_local::{
    mailbox::{Mailbox, router},
    ports::{WriteLog, ports},
};
use akademi_mail::{Mailer as _, Message};
use axum::body::Body;
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use tower::ServiceExt as _;

fn id(n: u16) -> MailId {
    MailId::new(Timestamp::from_millis(1_790_000_000_000 + i64::from(n)), [1; 10])
}

/// A message in two parts, as `mail` makes them.
fn message(n: u16, to: &str) -> Message {
    let text = format!(
        "From: =?utf-8?b?w5xtcmFuaXll?= <posta@akademi.example>\r\nTo: =?utf-8?q?=C5=9E=C3=BCkr=C3=BC?= <{to}>\r\n\
         Subject: Konu {n}\r\nDate: Mon, 21 Sep 2026 14:13:20 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Merhaba Şükrü\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <p onclick=\"x\">Merhaba</p><script>alert(1)</script>\r\n--b--\r\n"
    );
    let envelope = lettre::address::Envelope::new(None, vec![to.parse().unwrap()]).unwrap();
    Message { id: id(n), envelope, bytes: text.into_bytes() }
}

async fn ask(folder: &Path, host: &str, peer: &str, target: &str) -> (u16, HeaderMap, String) {
    let mailbox = Arc::new(Mailbox::open(folder.to_owned()).unwrap());
    let mut request = Request::get(target).header(header::HOST, host).body(Body::empty()).unwrap();
    request.extensions_mut().insert(ClientAddress(peer.to_owned()));
    let pages = router(mailbox, ports(Arc::new(WriteLog::new(std::io::sink()))));
    let (parts, body) = pages.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn kept_mail_is_listed_newest_first_and_by_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::open(folder.path().to_owned()).unwrap();
    for (n, to) in [(2, "b@example.com"), (1, "a@example.com"), (3, "a@example.com"), (3, "a@example.com")] {
        mailbox.send(&message(n, to)).await.unwrap();
    }
    let read = async |query: &str| {
        let target = format!("/dev/mail.json{query}");
        let (status, _, body) = ask(folder.path(), "kadikoy.localhost:3000", "127.0.0.1", &target).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Vec<Value>>(&body).unwrap()
    };
    let all = read("").await;
    assert_eq!(
        all.iter().map(|mail| &mail["id"]).collect::<Vec<_>>(),
        [3, 2, 1].map(|n| json!(id(n))).each_ref()
    );
    let to_a = read("?to=A%40example.com").await;
    assert_eq!(to_a.len(), 2);
    assert_eq!(
        to_a[0],
        json!({
            "id": id(3), "to": "a@example.com", "subject": "Konu 3", "at": "2026-09-21T14:13:20Z",
            "text": "Merhaba Şükrü", "html": "<p onclick=\"x\">Merhaba</p><script>alert(1)</script>",
        })
    );
}

#[tokio::test]
async fn a_page_shows_both_parts_and_runs_nothing_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::open(folder.path().to_owned()).unwrap();
    mailbox.send(&message(1, "a@example.com")).await.unwrap();
    let (status, _, list) = ask(folder.path(), "127.0.0.1:3000", "127.0.0.1", "/dev/mail").await;
    let target = format!("/dev/mail/{}", id(1));
    assert!(status == 200 && list.contains(&format!("href=\"{target}\"")), "{list}");
    let (status, headers, page) = ask(folder.path(), "127.0.0.1:3000", "127.0.0.1", &target).await;
    assert!(status == 200 && page.contains("Merhaba Şükrü") && page.contains("srcdoc=\""), "{page}");
    assert!(!page.contains("<script") && page.contains("sandbox=\"allow-popups "), "{page}");
    assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
    for nothing in [format!("/dev/mail/{}", id(9)), "/dev/mail/..%2F..%2Fsecrets".into()] {
        let (status, headers, _) = ask(folder.path(), "localhost", "127.0.0.1", &nothing).await;
        assert_eq!(
            (status, headers[header::CONTENT_TYPE].to_str().unwrap()),
            (404, "application/problem+json")
        );
    }
}

#[tokio::test]
async fn nobody_but_this_machine_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    for (host, peer, status) in [
        ("localhost:3000", "127.0.0.1", 200),
        ("[::1]:3000", "::1", 200),
        ("localhost", "203.0.113.9", 404),
        ("akademi.example", "127.0.0.1", 404),
    ] {
        for target in ["/dev/mail", "/dev/mail.json"] {
            assert_eq!(ask(folder.path(), host, peer, target).await.0, status, "{host} from {peer}");
        }
    }
}

#[tokio::test]
async fn the_newest_five_hundred_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::open(folder.path().to_owned()).unwrap();
    for n in 0..503 {
        mailbox.send(&message(n, "a@example.com")).await.unwrap();
    }
    let kept = mailbox.mails(None).unwrap();
    assert_eq!((kept.len(), kept[499].id.clone()), (500, id(3).to_string()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 500);
}
