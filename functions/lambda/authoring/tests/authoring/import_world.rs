//! Imports as a person and a worker do them.

use akademi_domain::ids::TenantId;
use akademi_lambda_store::{links::Access, object_key::ObjectKey};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::Method;
use serde_json::{Value, json};
use std::{io::Write, path::PathBuf};
use tar::{EntryType, Header};

use crate::academy::{Person, STORAGE, World};

pub const IMPORTS: &str = "/api/v1/authoring/imports";

/// A file that nobody on this project made; its absence is a failure.
pub fn real_file(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("AKADEMI_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; set AKADEMI_DATA", path.display()))
}

/// The key that a link is for, if it opens it this way now.
pub fn opened(world: &World, method: &str, link: &str) -> Option<(ObjectKey, Access)> {
    let (key, query) =
        link.strip_prefix(STORAGE).unwrap().strip_prefix('/').unwrap().split_once('?').unwrap();
    let grant = world.links.verify(method, key, query, world.ports.now()).ok()?;
    Some((grant.key, grant.access))
}

pub fn job_path(job: &Value) -> String {
    format!("/api/v1/authoring/jobs/{}", job.as_str().unwrap())
}

/// Asks for an import and sends the archive where the answer says; the answer.
pub async fn uploaded(world: &World, person: Person, key: &str, archive: &[u8]) -> Value {
    let new = json!({ "file_name": "course.tar.gz", "bytes": archive.len() });
    let made = world.post_once(person, IMPORTS, Some(key), &new).await.expect(201);
    let (key, access) = opened(world, "PUT", made["upload"]["url"].as_str().unwrap()).unwrap();
    let Access::Upload { content_type, .. } = access else { panic!("{access:?}") };
    world.storage.objects.put(&key, &content_type, Bytes::copy_from_slice(archive)).await.unwrap();
    made
}

pub async fn start(world: &World, person: Person, job: &Value) -> Value {
    let target = format!("{IMPORTS}/{}/start", job.as_str().unwrap());
    world.call(person, Method::POST, &target, None).await.expect(202)
}

/// Uploads and starts; the job's id.
pub async fn started(world: &World, person: Person, key: &str, archive: &[u8]) -> Value {
    let made = uploaded(world, person, key, archive).await;
    start(world, person, &made["job"]).await;
    made["job"].clone()
}

pub async fn job(world: &World, person: Person, id: &Value) -> Value {
    world.get(person, &job_path(id)).await.expect(200)
}

/// All files in storage below an academy's folder, sorted.
pub fn stored(world: &World, tenant: TenantId) -> Vec<String> {
    fn walk(folder: PathBuf, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(path, found) } else { found.push(path.display().to_string()) }
        }
    }
    let root = world.files.path();
    let mut found = Vec::new();
    walk(root.join(format!("tenants/{tenant}")), &mut found);
    found.sort();
    found.into_iter().map(|path| path.strip_prefix(root.to_str().unwrap()).unwrap().to_owned()).collect()
}

/// A `.tar.gz` of these entries; paths are written as they are given.
pub fn archive(entries: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (kind, path, content) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&tar.into_inner().unwrap()).unwrap();
    gzip.finish().unwrap()
}

pub const COURSE_FILES: [(EntryType, &str, &[u8]); 8] = [
    (EntryType::Regular, "course.xml", br#"<course url_name="run" org="o" course="c"/>"#),
    (
        EntryType::Regular,
        "course/run.xml",
        "<course display_name=\"Işık\"><chapter url_name=\"c1\"/></course>".as_bytes(),
    ),
    (
        EntryType::Regular,
        "chapter/c1.xml",
        br#"<chapter display_name="Bir"><sequential url_name="s1"/></chapter>"#,
    ),
    (
        EntryType::Regular,
        "sequential/s1.xml",
        br#"<sequential display_name="Giris"><vertical url_name="v1"/></sequential>"#,
    ),
    (
        EntryType::Regular,
        "vertical/v1.xml",
        br#"<vertical display_name="Oku"><html url_name="h1"/><poll url_name="p1" question="?"/></vertical>"#,
    ),
    (EntryType::Regular, "html/h1.xml", br#"<html filename="h1" display_name="Oku"/>"#),
    (
        EntryType::Regular,
        "html/h1.html",
        br#"<p>Merhaba</p><img src="/static/gunes a.png"><a href="/jump_to_id/h1">bura</a>"#,
    ),
    (EntryType::Regular, "static/gunes a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
];

/// A course of one html lesson with one image, one link to itself and one poll.
pub fn small_course() -> Vec<u8> {
    archive(&COURSE_FILES)
}

/// The small course with one more entry.
pub fn course_with(kind: EntryType, path: &str, content: &[u8]) -> Vec<u8> {
    let mut entries = COURSE_FILES.to_vec();
    entries.push((kind, path, content));
    archive(&entries)
}
