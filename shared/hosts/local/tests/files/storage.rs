//! What a signed link permits, and that nothing else gets in or out.

use akademi_domain::ids::TenantId;
use akademi_lambda_store::{
    content_type::ContentType,
    links::{Access, Grant},
    object_key::ObjectKey,
    objects::Announced,
};
use akademi_local::demo;
use bytes::Bytes;
use http::{HeaderName, Method, header};
use sha2::{Digest, Sha256};

use crate::deployment::{Deployment, INSTRUCTOR, ask, get, send, upload};

const GZIP: (HeaderName, &str) = (header::CONTENT_TYPE, "application/gzip");

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_the_link_does_not_permit_are_refused_and_store_nothing() {
    let deployment = Deployment::start().await;
    let instructor = deployment.sign_in(INSTRUCTOR).await;
    let made = ask(&instructor, "k", 1000).await;
    let link = made["upload"]["url"].as_str().unwrap().to_owned();
    let base = format!("http://{}/storage/", deployment.local.address);
    assert!(link.starts_with(&base), "{link}");
    let fits = || Bytes::from(vec![7; 1000]);

    let storage = &deployment.local.lambda.storage;
    let key = link[base.len()..].split('?').next().unwrap().parse().unwrap();
    let access = Access::Upload { bytes: 1000, content_type: "application/gzip".parse().unwrap() };
    let expired = deployment.local.edge.ports.now().plus_seconds(-2);
    let expired = storage.links.link(&Grant { key, access, expires_at: expired });
    let last = link.chars().last().unwrap();
    let forged = format!("{}{}", &link[..link.len() - 1], if last == '0' { '1' } else { '0' });
    let academy =
        format!("http://{}:{}/storage/", demo::ACADEMIES[0].host(), deployment.local.address.port());
    for (name, url, headers, body, status) in [
        ("expired", expired, vec![GZIP], fits(), 403),
        ("forged", forged, vec![GZIP], fits(), 403),
        ("unsigned", link.split('?').next().unwrap().to_owned(), vec![GZIP], fits(), 403),
        ("for more", link.replace("bytes=1000", "bytes=9999"), vec![GZIP], fits(), 403),
        ("to elsewhere", link.replace("/archive?", "/other?"), vec![GZIP], fits(), 403),
        ("out of the folder", link.replace("/archive?", "/../../x?"), vec![GZIP], fits(), 403),
        ("of another type", link.clone(), vec![(header::CONTENT_TYPE, "text/html")], fits(), 403),
        ("of no type", link.clone(), vec![], fits(), 403),
        ("one byte more", link.clone(), vec![GZIP], Bytes::from(vec![7; 1001]), 422),
        ("one byte less", link.clone(), vec![GZIP], Bytes::from(vec![7; 999]), 422),
        ("on an academy's host", link.replace(&base, &academy), vec![GZIP], fits(), 404),
    ] {
        let answer = send(Method::PUT, &url, &headers, body).await;
        assert_eq!(answer.status().as_u16(), status, "{name}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{name}");
        assert_eq!(deployment.stored(), Vec::<std::path::PathBuf>::new(), "{name}");
    }
    for (method, status) in [(Method::GET, 403), (Method::DELETE, 405), (Method::POST, 405)] {
        assert_eq!(
            send(method.clone(), &link, &[], Bytes::new()).await.status().as_u16(),
            status,
            "{method}"
        );
    }
    // A page of the academy may send it (CORS).
    let preflight = send(Method::OPTIONS, &link, &[], Bytes::new()).await;
    assert_eq!(preflight.status(), 204);
    assert!(preflight.headers()[header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("PUT"));
    assert_eq!(upload(&made["upload"], fits()).await.status(), 200);
    assert_eq!(deployment.stored().len(), 1, "the archive");
    deployment.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_page_is_served_in_a_sandbox_and_only_by_its_link() {
    let deployment = Deployment::start().await;
    let storage = &deployment.local.lambda.storage;
    let now = deployment.local.edge.ports.now();
    let academy = TenantId::new(now, [1; 10]);
    for (name, content_type, is_active) in
        [("a", "text/html; charset=utf-8", true), ("b", "image/svg+xml", true), ("c", "image/png", false)]
    {
        let key = ObjectKey::new(academy, ["x", name]).unwrap();
        let kind: ContentType = content_type.parse().unwrap();
        storage.objects.put(&key, &kind, Bytes::from_static(b"0123456789")).await.unwrap();
        let access = Access::Download { content_type: kind, file_name: None };
        let grant = Grant { key, access, expires_at: now.plus_seconds(60) };
        let link = storage.links.link(&grant);
        let found = get(&link).await;
        assert_eq!((found.status().as_u16(), &found.body()[..]), (200, &b"0123456789"[..]));
        assert_eq!(found.headers()[header::CONTENT_TYPE], content_type);
        assert_eq!(found.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let policy =
            found.headers().get(header::CONTENT_SECURITY_POLICY).map(|value| value.to_str().unwrap());
        assert_eq!(policy, is_active.then_some("sandbox"), "{content_type}");
        let beyond = send(Method::GET, &link, &[(header::RANGE, "bytes=10-")], Bytes::new()).await;
        assert_eq!(
            (beyond.status().as_u16(), beyond.headers()[header::CONTENT_RANGE].to_str().unwrap()),
            (416, "bytes */10")
        );
        let expired = storage.links.link(&Grant { expires_at: now.plus_seconds(-2), ..grant });
        assert_eq!(get(&expired).await.status(), 403);
        assert_eq!(send(Method::PUT, &link, &[GZIP], Bytes::from_static(b"x")).await.status(), 403);
    }
    deployment.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_part_takes_the_announced_bytes_and_stores_nothing_else() {
    let deployment = Deployment::start().await;
    let storage = &deployment.local.lambda.storage;
    let now = deployment.local.edge.ports.now();
    let key = ObjectKey::new(TenantId::new(now, [1; 10]), ["uploads", "u", "1"]).unwrap();
    let announced = Announced { bytes: 1000, sha256: Sha256::digest([7; 1000]).into() };
    let grant =
        Grant { key: key.clone(), access: Access::UploadPart(announced), expires_at: now.plus_seconds(60) };
    let link = storage.links.link(&grant);
    let other = storage.links.link(&Grant { key: key.join("x").unwrap(), ..grant });
    let mut changed = vec![7; 1000];
    changed[999] = 8;
    for (name, url, body, status) in [
        ("one byte less", link.clone(), vec![7; 999], 422),
        ("one byte more", link.clone(), vec![7; 1001], 422),
        ("nothing", link.clone(), vec![], 422),
        ("another byte", link.clone(), changed, 422),
        ("for more", link.replace("bytes=1000", "bytes=1001"), vec![7; 1001], 403),
        ("to elsewhere", other.replace("/x?", "?"), vec![7; 1000], 403),
    ] {
        let answer = send(Method::PUT, &url, &[], Bytes::from(body)).await;
        assert_eq!(answer.status().as_u16(), status, "{name}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{name}");
        assert_eq!(deployment.stored(), Vec::<std::path::PathBuf>::new(), "{name}");
    }
    assert_eq!(get(&link).await.status(), 403);
    for _ in 0..2 {
        assert_eq!(send(Method::PUT, &link, &[], Bytes::from(vec![7; 1000])).await.status(), 200);
    }
    assert_eq!(storage.objects.read(&key, 1000).await.unwrap(), vec![7; 1000]);
    deployment.local.stop().await;
}
