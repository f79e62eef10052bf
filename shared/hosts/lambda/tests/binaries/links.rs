//! What a link to a folder's or a bucket's file permits, and that nothing else gets in or out.

use akademi_lambda_store::{
    links::{Access, Link},
    objects::Announced,
};
use bytes::Bytes;
use http::{Method, header};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::storage::{Storage, key, on_both, put, request};

on_both! {
    a_parts_link_takes_the_announced_bytes_and_nothing_else
    an_uploads_link_takes_its_length_and_type
    a_lost_connection_leaves_nothing_and_the_link_takes_the_part_again
    parts_are_sent_at_once
    a_link_expires
    a_file_comes_with_the_type_and_the_name_of_its_link
    a_page_runs_no_script_where_files_are
    a_link_with_anything_changed_opens_nothing
}

fn announced(content: &[u8]) -> Announced {
    Announced { bytes: content.len() as u64, sha256: Sha256::digest(content).into() }
}

fn download(content_type: &str, file_name: Option<&str>) -> Access {
    Access::Download { content_type: content_type.parse().unwrap(), file_name: file_name.map(str::to_owned) }
}

/// Refused for what was sent, not for what storage cannot do.
fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status)
}

async fn a_parts_link_takes_the_announced_bytes_and_nothing_else(storage: Storage) {
    let (part, other) = (key(1, &["uploads", "u", "1"]), key(1, &["uploads", "u", "2"]));
    let content = vec![7; 1000];
    let link = storage.link(&part, Access::UploadPart(announced(&content)));
    let mut changed = content.clone();
    changed[999] = 8;
    for (name, body) in [
        ("one byte less", &content[..999]),
        ("one byte more", &[7; 1001][..]),
        ("nothing", &[]),
        ("another byte", &changed),
    ] {
        let status = put(&link, body).await;
        assert!(is_refusal(status), "{name}: {status}");
        assert!(!storage.is_there(&part).await, "{name}");
    }
    // Whoever announces these bytes has a link for these, not for others.
    let others = storage.link(&part, Access::UploadPart(announced(&changed)));
    let mixed = Link { url: link.url.clone(), headers: others.headers };
    assert!(is_refusal(put(&mixed, &changed).await));
    let moved = Link { url: link.url.replace("/u/1?", "/u/2?"), ..link.clone() };
    assert!(is_refusal(put(&moved, &content).await));
    assert!(is_refusal(request(Method::GET, &link, &[], &[]).await.status().as_u16()));
    assert!(is_refusal(request(Method::DELETE, &link, &[], &[]).await.status().as_u16()));
    assert!(!storage.is_there(&part).await && !storage.is_there(&other).await);
    for _ in 0..2 {
        assert_eq!(put(&link, &content).await, 200);
    }
    assert_eq!(storage.objects.read(&part, 1000).await.unwrap(), content);
    assert!(is_refusal(put(&link, &changed).await));
    assert_eq!(storage.objects.read(&part, 1000).await.unwrap(), content, "what is there stays");
}

async fn an_uploads_link_takes_its_length_and_type(storage: Storage) {
    let archive = key(1, &["imports", "i", "archive"]);
    let access = Access::Upload { bytes: 1000, content_type: "application/gzip".parse().unwrap() };
    let link = storage.link(&archive, access);
    assert_eq!(link.headers["content-type"], "application/gzip");
    let html = Link { headers: [("content-type", "text/html".to_owned())].into(), ..link.clone() };
    let bare = Link { headers: [].into(), ..link.clone() };
    for (name, link, bytes) in
        [("shorter", &link, 999), ("longer", &link, 1001), ("a page", &html, 1000), ("no type", &bare, 1000)]
    {
        let status = put(link, &vec![7; bytes]).await;
        assert!(is_refusal(status), "{name}: {status}");
    }
    assert!(!storage.is_there(&archive).await);
    assert_eq!(put(&link, &[7; 1000]).await, 200);
    assert_eq!(storage.objects.head(&archive).await.unwrap().size, 1000);
}

async fn a_lost_connection_leaves_nothing_and_the_link_takes_the_part_again(storage: Storage) {
    let part = key(1, &["uploads", "u", "1"]);
    let content = vec![7; 3 << 20];
    let link = storage.link(&part, Access::UploadPart(announced(&content)));
    let uri: http::Uri = link.url.parse().unwrap();
    let host = uri.authority().unwrap().as_str();
    let mut head = format!("PUT {} HTTP/1.1\r\nhost: {host}\r\n", uri.path_and_query().unwrap());
    head.push_str(&format!("content-length: {}\r\n", content.len()));
    for (name, value) in &link.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    connection.write_all(&content[..2 << 20]).await.unwrap();
    connection.shutdown().await.unwrap();
    // Until storage has seen it.
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200") && !answer.starts_with(b"HTTP/1.0 200"));
    assert!(!storage.is_there(&part).await);
    assert_eq!(put(&link, &content).await, 200);
    assert_eq!(storage.objects.read(&part, 3 << 20).await.unwrap(), content);
}

async fn parts_are_sent_at_once(storage: Storage) {
    let folder = key(1, &["uploads", "u"]);
    let mut links = Vec::new();
    for number in 1..=8_u8 {
        let (part, content) = (folder.join(&number.to_string()).unwrap(), vec![number; 1 << 20]);
        links.push((storage.link(&part, Access::UploadPart(announced(&content))), content));
    }
    let sent = links.iter().map(|(link, content)| put(link, content));
    assert_eq!(futures::future::join_all(sent).await, [200; 8]);
    for number in 1..=8_u8 {
        let part = folder.join(&number.to_string()).unwrap();
        assert_eq!(storage.objects.read(&part, 1 << 20).await.unwrap(), vec![number; 1 << 20]);
    }
}

async fn a_link_expires(storage: Storage) {
    let part = key(1, &["uploads", "u", "1"]);
    let up = storage.link(&part, Access::UploadPart(announced(b"part")));
    let down = storage.link(&part, download("video/mp4", None));
    assert_eq!(put(&up, b"part").await, 200);
    assert_eq!(request(Method::GET, &down, &[], &[]).await.status(), 200);
    storage.pass_seconds(62);
    assert_eq!(put(&up, b"part").await, 403);
    let late = request(Method::GET, &down, &[], &[]).await;
    assert_eq!(late.status(), 403);
    assert!(!late.body().windows(4).any(|bytes| bytes == b"part"));
}

async fn a_file_comes_with_the_type_and_the_name_of_its_link(storage: Storage) {
    let file = key(1, &["uploads", "u", "1"]);
    // Sent by somebody who said something else of it.
    let up = storage.link(&file, Access::UploadPart(announced(b"0123456789")));
    let lying = [("content-type", "text/html")];
    assert_eq!(request(Method::PUT, &up, &lying, b"0123456789").await.status(), 200);
    let link = storage.link(&file, download("application/pdf", Some("Işık \"notları\"; x.pdf")));
    let found = request(Method::GET, &link, &[], &[]).await;
    assert_eq!((found.status().as_u16(), &found.body()[..]), (200, &b"0123456789"[..]));
    assert_eq!(found.headers()[header::CONTENT_TYPE], "application/pdf");
    // RFC 8187 §3.2.3
    let named = "inline; filename*=UTF-8''I%C5%9F%C4%B1k%20%22notlar%C4%B1%22%3B%20x%2Epdf";
    assert_eq!(found.headers()[header::CONTENT_DISPOSITION], named);
    assert!(found.headers()[header::CACHE_CONTROL].to_str().unwrap().starts_with("private, max-age="));
    let part = request(Method::GET, &link, &[("range", "bytes=2-4")], &[]).await;
    assert_eq!((part.status().as_u16(), part.body()), (206, &Bytes::from_static(b"234")));
    assert_eq!(part.headers()[header::CONTENT_RANGE], "bytes 2-4/10");
    let missing = storage.link(&key(1, &["uploads", "u", "2"]), download("application/pdf", None));
    // Whoever may not list a bucket does not learn from S3 that there is nothing.
    assert!(is_refusal(request(Method::GET, &missing, &[], &[]).await.status().as_u16()));
}

async fn a_page_runs_no_script_where_files_are(storage: Storage) {
    let file = key(1, &["imports", "i", "page"]);
    storage.objects.put(&file, &"text/html".parse().unwrap(), Bytes::from_static(b"<p>")).await.unwrap();
    for (content_type, name, is_active) in [
        ("text/html; charset=utf-8", None, true),
        ("image/svg+xml", Some("a.svg"), true),
        ("image/png", None, false),
    ] {
        let link = storage.link(&file, download(content_type, name));
        let found = request(Method::GET, &link, &[], &[]).await;
        let header = |name| found.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let is_harmless = header(header::CONTENT_SECURITY_POLICY) == "sandbox"
            || header(header::CONTENT_DISPOSITION).starts_with("attachment");
        assert_eq!(is_harmless, is_active, "{content_type}");
    }
}

async fn a_link_with_anything_changed_opens_nothing(storage: Storage) {
    let file = key(1, &["uploads", "u", "1"]);
    storage.objects.put(&file, &"text/plain".parse().unwrap(), Bytes::from_static(b"own")).await.unwrap();
    let other = key(2, &["uploads", "u", "1"]);
    storage.objects.put(&other, &"text/plain".parse().unwrap(), Bytes::from_static(b"not")).await.unwrap();
    let link = storage.link(&file, download("text/plain", Some("a.txt")));
    let (path, query) = link.url.split_once('?').unwrap();
    let fields: Vec<&str> = query.split('&').collect();
    let mut urls: Vec<String> = (0..fields.len())
        .map(|left_out| {
            let kept = fields.iter().enumerate().filter(|(place, _)| *place != left_out);
            let kept: Vec<&str> = kept.map(|(_, field)| *field).collect();
            format!("{path}?{}", kept.join("&"))
        })
        .collect();
    urls.push(link.url.replace(file.as_str(), other.as_str()));
    urls.push(link.url.replace("text%2Fplain", "text%2Fhtml"));
    urls.push(link.url.replace("a.txt", "b.txt").replace("a%252Etxt", "b%252Etxt"));
    urls.push(path.to_owned());
    for url in urls {
        assert_ne!(url, link.url);
        let found = request(Method::GET, &Link { url: url.clone(), headers: [].into() }, &[], &[]).await;
        assert!(is_refusal(found.status().as_u16()), "{url}: {}", found.status());
    }
    assert_eq!(request(Method::GET, &link, &[], &[]).await.status(), 200);
}
