//! Files that staff send in parts.

use akademi_domain::{permission::Permissions, upload::PART_BYTES};
use akademi_lambda_store::{
    links::Access,
    objects::ObjectError,
    uploads::{PartedFile, folder},
};
use bytes::Bytes;
use futures::stream;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::convert::Infallible;

use crate::{
    academy::{Answer, Person, World, administrator, instructor},
    attaching::attach,
    import_world::{opened, stored},
    storage_use::limit_storage,
};

const UPLOADS: &str = "/api/v1/uploads";
const STORAGE: &str = "/api/v1/academy/storage";
const DAY: u64 = 24 * 60 * 60;

/// A picture of so many bytes, as far as its beginning tells.
pub fn picture(bytes: usize) -> Vec<u8> {
    let mut content = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    content.extend((content.len()..bytes).map(|at| (at / 7) as u8));
    content
}

pub async fn ask(world: &World, person: Person, key: &str, kind: &str, bytes: u64) -> Answer {
    let request = json!({ "file_name": "Işık.png", "bytes": bytes, "kind": kind });
    world.post_once(person, UPLOADS, Some(key), &request).await
}

pub fn path(upload: &Value) -> String {
    format!("{UPLOADS}/{}", upload["id"].as_str().unwrap())
}

/// The parts of a file, with their numbers.
fn cut(content: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..).zip(content.chunks(usize::try_from(PART_BYTES).unwrap()))
}

pub async fn links(world: &World, person: Person, upload: &Value, parts: &[(u64, &[u8])]) -> Answer {
    let announced = parts.iter().map(|(number, bytes)| announced(*number, bytes)).collect::<Vec<_>>();
    let body = json!({ "parts": announced });
    world.call(person, Method::POST, &format!("{}/parts", path(upload)), Some(&body)).await
}

fn announced(number: u64, bytes: &[u8]) -> Value {
    let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "number": number, "sha256": sha256 })
}

/// Sends to a link as storage takes it.
pub async fn send(world: &World, link: &Value, bytes: &[u8]) -> Result<(), ObjectError> {
    let (key, access) = opened(world, "PUT", link["upload"]["url"].as_str().unwrap()).unwrap();
    let Access::UploadPart(announced) = access else { panic!("{access:?}") };
    let body = stream::iter([Ok::<_, Infallible>(Bytes::copy_from_slice(bytes))]);
    world.storage.objects.put_announced(&key, &announced, body).await
}

pub async fn complete(world: &World, person: Person, upload: &Value) -> Answer {
    world.call(person, Method::POST, &format!("{}/complete", path(upload)), None).await
}

/// Asks for a small file and sends all of it.
pub async fn sent(world: &World, key: &str, kind: &str, content: &[u8]) -> Value {
    let upload = ask(world, instructor(1), key, kind, content.len() as u64).await.expect(201);
    let links = links(world, instructor(1), &upload, &[(1, content)]).await.expect(200);
    send(world, &links["parts"][0], content).await.unwrap();
    upload
}

pub async fn reserved(world: &World) -> Value {
    world.get(administrator(1), STORAGE).await.expect(200)["by_kind"]["uploads"].clone()
}

pub async fn actions(world: &World) -> Vec<String> {
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query_scalar("SELECT action FROM audit_entry ORDER BY number")
        .fetch_all(&mut superuser)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_file_is_sent_in_parts_in_any_order_and_complete_twice_is_the_same() {
    let world = World::new().await;
    let (author, content) = (instructor(1), picture(17 << 20));
    let size = content.len() as u64;
    let made = ask(&world, author, "k", "image", size).await;
    assert_eq!(made.headers["location"].to_str().unwrap(), path(&made.body));
    let upload = made.expect(201);
    assert_eq!(
        (&upload["parts"], &upload["part_bytes"], &upload["present"]),
        (&json!(2), &json!(PART_BYTES), &json!([]))
    );
    assert_eq!(ask(&world, author, "k", "image", size).await.expect(201), upload, "replayed");
    assert_eq!(reserved(&world).await, size);

    let parts: Vec<_> = cut(&content).collect();
    let first = links(&world, author, &upload, &[parts[1], parts[0]]).await.expect(200);
    assert_eq!((&first["parts"][0]["number"], &first["parts"][0]["bytes"]), (&json!(2), &json!(1 << 20)));
    send(&world, &first["parts"][0], parts[1].1).await.unwrap();
    assert_eq!(world.get(author, &path(&upload)).await.expect(200)["present"], json!([2]));
    let early = complete(&world, author, &upload).await;
    assert_eq!((early.status.as_u16(), early.problem().0), (409, "upload-missing"));

    // The page comes back after a restart, an hour later.
    world.pass_seconds(3601);
    assert!(opened(&world, "PUT", first["parts"][1]["upload"]["url"].as_str().unwrap()).is_none());
    let again = links(&world, author, &upload, &parts[..1]).await.expect(200);
    send(&world, &again["parts"][0], parts[0].1).await.unwrap();
    let whole = complete(&world, author, &upload).await.expect(200);
    assert_eq!((&whole["content_type"], &whole["present"]), (&json!("image/png"), &json!([1, 2])));
    assert_eq!(complete(&world, author, &upload).await.expect(200), whole);
    assert_eq!(world.get(author, &path(&upload)).await.expect(200), whole);
    assert_eq!(reserved(&world).await, size);
    assert_eq!(
        actions(&world).await,
        ["upload.requested", "upload.parts_announced", "upload.completed"],
        "what changed nothing leaves no entry"
    );

    let id = upload["id"].as_str().unwrap().parse().unwrap();
    let cut = akademi_domain::upload::Parts::new(size, PART_BYTES);
    let file = PartedFile::new(world.storage.objects.clone(), folder(author.tenant, id).unwrap(), cut);
    let middle = PART_BYTES as usize - 3..PART_BYTES as usize + 4;
    let read = file.read_range(middle.start as u64..middle.end as u64).await.unwrap();
    assert_eq!(&read[..], &content[middle]);
    let more = links(&world, author, &upload, &parts[..1]).await;
    assert_eq!((more.status.as_u16(), more.problem().0), (409, "upload-complete"));
    assert_eq!(world.call(author, Method::DELETE, &path(&upload), None).await.status, 204);
    assert_eq!((reserved(&world).await, stored(&world, author.tenant)), (json!(0), vec![]));
}

#[tokio::test]
async fn an_upload_that_cannot_be_is_refused_and_nothing_is_kept() {
    let world = World::new().await;
    let author = instructor(1);
    for (kind, bytes, field) in [
        ("document", 0, "bytes"),
        ("document", (5 << 20) + 1, "bytes"),
        ("image", (20 << 20) + 1, "bytes"),
        ("audio", (512 << 20) + 1, "bytes"),
        ("video", (20 << 30) + 1, "bytes"),
    ] {
        let answer = ask(&world, author, "k", kind, bytes).await;
        assert_eq!((answer.status.as_u16(), answer.problem().1), (422, vec![field]), "{kind} of {bytes}");
    }
    assert_eq!(ask(&world, author, "k", "folder", 1).await.status, 422);
    let request = json!({ "file_name": " ", "bytes": 1, "kind": "image" });
    let answer = world.post_once(author, UPLOADS, Some("k"), &request).await;
    assert_eq!(answer.problem(), ("invalid-request", vec!["file_name"]));
    let request = json!({ "file_name": "a", "bytes": 1, "kind": "image" });
    assert_eq!(world.post_once(author, UPLOADS, None, &request).await.status, 400);
    let stranger = Person { permissions: Permissions::NONE, ..author };
    assert_eq!(world.post_once(stranger, UPLOADS, Some("k"), &request).await.status, 403);
    assert_eq!(reserved(&world).await, 0);
    assert_eq!(actions(&world).await, Vec::<String>::new());
    world.post_once(author, UPLOADS, Some("k"), &request).await.expect(201);
    assert_eq!(ask(&world, author, "k", "image", 1).await.problem().0, "idempotency-key-reused");
}

#[tokio::test]
async fn a_part_is_announced_once_and_takes_nothing_else() {
    let world = World::new().await;
    let (author, content) = (instructor(1), picture(1000));
    let upload = ask(&world, author, "k", "image", 1000).await.expect(201);
    let refused = async |parts: Value| {
        let body = json!({ "parts": parts });
        let answer = world.call(author, Method::POST, &format!("{}/parts", path(&upload)), Some(&body)).await;
        let (kind, fields) = answer.problem();
        (answer.status.as_u16(), kind.to_owned(), fields.join(","))
    };
    let invalid = |field: &str| (422, "invalid-request".to_owned(), field.to_owned());
    let good = announced(1, &content);
    for (parts, field) in [
        (json!([]), "parts"),
        (json!(vec![good.clone(); 101]), "parts"),
        (json!([good, good]), "parts[1].number"),
        (json!([announced(0, &content)]), "parts[0].number"),
        (json!([good, announced(2, &content)]), "parts[1].number"),
        (json!([{ "number": 1, "sha256": "00" }]), "parts[0].sha256"),
        (json!([{ "number": 1, "sha256": "A".repeat(64) }]), "parts[0].sha256"),
    ] {
        assert_eq!(refused(parts.clone()).await, invalid(field), "{parts}");
    }
    let links = links(&world, author, &upload, &[(1, &content)]).await.expect(200);
    for wrong in [&content[1..], &[content.as_slice(), b"x"].concat(), &vec![0; 1000]] {
        assert!(send(&world, &links["parts"][0], wrong).await.is_err());
        assert_eq!(stored(&world, author.tenant), Vec::<String>::new());
    }
    let other = refused(json!([announced(1, b"another file")])).await;
    assert_eq!((other.0, other.1.as_str()), (409, "another-part"));
    send(&world, &links["parts"][0], &content).await.unwrap();
    assert_eq!(complete(&world, author, &upload).await.status, 200);
}

#[tokio::test]
async fn the_content_says_what_a_file_is_and_what_is_deleted_leaves_nothing() {
    let world = World::new().await;
    let (author, content) = (instructor(1), picture(500));
    let upload = sent(&world, "k", "document", &content).await;
    let refused = complete(&world, author, &upload).await;
    assert_eq!((refused.status.as_u16(), refused.problem().0), (422, "wrong-content"));
    assert_eq!(reserved(&world).await, 500);
    assert_eq!(world.call(author, Method::DELETE, &path(&upload), None).await.status, 204);
    assert_eq!((reserved(&world).await, stored(&world, author.tenant)), (json!(0), vec![]));
    assert_eq!(world.call(author, Method::DELETE, &path(&upload), None).await.status, 404);
    assert_eq!(complete(&world, author, &upload).await.status, 404);
    let document = sent(&world, "l", "document", b"%PDF-1.7\n%%EOF\n").await;
    let whole = complete(&world, author, &document).await.expect(200);
    assert_eq!(whole["content_type"], "application/pdf");
}

#[tokio::test]
async fn a_page_finds_the_uploads_again_that_are_no_files_yet() {
    let world = World::new().await;
    let author = instructor(1);
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(sent(&world, &format!("k{n}"), "document", b"%PDF-1.7\n%%EOF\n").await);
        // Some in one moment.
        world.pass_seconds(n % 2);
    }
    let (course, _) = world.create(author, "Işık").await;
    for upload in [&made[1], &made[3]] {
        complete(&world, author, upload).await.expect(200);
    }
    attach(&world, author, &course, &made[1]).await.expect(201);
    assert_eq!(world.call(author, Method::DELETE, &path(&made[2]), None).await.status, 204);
    let colleague = Person { user: instructor(3).user, ..instructor(1) };
    for stranger in [colleague, instructor(2)] {
        assert_eq!(world.get(stranger, UPLOADS).await.expect(200)["data"], json!([]));
    }
    let mut found = Vec::new();
    let mut target = format!("{UPLOADS}?limit=1");
    loop {
        let page = world.get(author, &target).await.expect(200);
        found.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        target = format!("{UPLOADS}?limit=1&cursor={cursor}");
    }
    let told: Vec<_> =
        found.iter().map(|upload| (&upload["id"], upload["state"].as_str().unwrap())).collect();
    let expected = [(&made[4]["id"], "open"), (&made[3]["id"], "complete"), (&made[0]["id"], "open")];
    assert_eq!(told, expected);
    let mut whole = world.get(author, &path(&made[4])).await.expect(200);
    assert_eq!(whole.as_object_mut().unwrap().remove("present"), Some(json!([1])));
    assert_eq!(found[0], whole);
    assert_eq!(world.get(author, &format!("{UPLOADS}?cursor=x")).await.status, 422);
}

#[tokio::test]
async fn nobody_else_finds_an_upload() {
    let world = World::new().await;
    let upload = sent(&world, "k", "image", &picture(100)).await;
    let colleague = Person { user: instructor(3).user, ..administrator(1) };
    for stranger in [colleague, instructor(2)] {
        let path = path(&upload);
        assert_eq!(world.get(stranger, &path).await.status, 404);
        assert_eq!(links(&world, stranger, &upload, &[(1, b"x")]).await.status, 404);
        assert_eq!(complete(&world, stranger, &upload).await.status, 404);
        assert_eq!(world.call(stranger, Method::DELETE, &path, None).await.status, 404);
    }
    assert_eq!(complete(&world, instructor(1), &upload).await.status, 200);
}

#[tokio::test]
async fn of_many_at_once_so_many_are_taken_as_the_academy_has_room_for() {
    let world = World::new().await;
    limit_storage(&world, 1, Some(1000)).await;
    let keys: Vec<String> = (0..8).map(|n| format!("k{n}")).collect();
    let asked = keys.iter().map(|key| ask(&world, instructor(1), key, "image", 300));
    let answers = futures::future::join_all(asked).await;
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    let full = answers.iter().filter(|answer| answer.problem().0 == "storage-full").count();
    assert_eq!((taken, full), (3, 5));
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 201 | 409)));
    assert_eq!(reserved(&world).await, 900);
    // Room again lets the refused one in, under its own key.
    let first = answers.iter().find(|answer| answer.status == 201).unwrap();
    assert_eq!(world.call(instructor(1), Method::DELETE, &path(&first.body), None).await.status, 204);
    let place = answers.iter().position(|answer| answer.status == 409).unwrap();
    ask(&world, instructor(1), &keys[place], "image", 300).await.expect(201);
}

#[tokio::test]
async fn an_upload_is_open_for_23_hours_and_no_link_for_longer() {
    let world = World::new().await;
    let (author, content) = (instructor(1), picture(100));
    let upload = sent(&world, "k", "image", &content).await;
    world.pass_seconds(DAY - 3600 - 60);
    let links_late = links(&world, author, &upload, &[(1, &content)]).await.expect(200);
    assert_eq!(links_late["parts"][0]["upload"]["expires_at"], upload["until"]);
    world.pass_seconds(61);
    for answer in
        [links(&world, author, &upload, &[(1, &content)]).await, complete(&world, author, &upload).await]
    {
        assert_eq!((answer.status.as_u16(), answer.problem().0), (409, "upload-expired"));
    }
    assert!(opened(&world, "PUT", links_late["parts"][0]["upload"]["url"].as_str().unwrap()).is_none());
    assert_eq!(world.call(author, Method::DELETE, &path(&upload), None).await.status, 204);
}
