//! Everything that is stored and logged, searched for somebody who has lived here.

use akademi_domain::text::fold;
use akademi_edge_store::Value;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use sqlx::AssertSqlSafe;

use crate::world::{EMAIL, NAME, PHONE, STREET, TAX_NUMBER, World};

/// The edge's tables, each with its rows as text: bytes in hexadecimal.
pub async fn edge_tables(world: &World) -> Vec<(String, String)> {
    let tables = world.edge_rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").await;
    let mut dump = Vec::new();
    for table in tables {
        let table = table.text(0).unwrap().to_owned();
        let mut text = String::new();
        for row in world.edge_rows(format!("SELECT * FROM \"{table}\"")).await {
            for value in row.0 {
                text += &match value {
                    Value::Null => "\n".to_owned(),
                    Value::Integer(number) => format!("{number}\n"),
                    Value::Text(text) => format!("{text}\n"),
                    Value::Blob(bytes) => format!("{}\n", hex::encode(bytes)),
                };
            }
        }
        dump.push((table, text));
    }
    dump
}

/// PostgreSQL's tables, in the same way.
pub async fn books_tables(world: &World) -> Vec<(String, String)> {
    let mut superuser = world.database.superuser().await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            .fetch_all(&mut superuser)
            .await
            .unwrap();
    let mut dump = Vec::new();
    for table in tables {
        let sql = format!("SELECT COALESCE(string_agg(row::text, E'\\n'), '') FROM {table} AS row");
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut superuser).await.unwrap();
        dump.push((table, rows));
    }
    dump
}

/// All that is kept anywhere, by where.
async fn everything(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let named = |plane: &str, tables: Vec<(String, String)>| {
        tables
            .into_iter()
            .map(|(table, rows)| (format!("{plane}: {table}"), rows.into_bytes()))
            .collect::<Vec<_>>()
    };
    all.extend(named("edge", edge_tables(world).await));
    all.extend(named("books", books_tables(world).await));
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // The developer's mailbox, which is where mail arrives, is no part of what is kept.
        if name.starts_with("edge.sqlite") {
            all.push((name, std::fs::read(path).unwrap()));
        }
    }
    all.push(("log".into(), world.logged()));
    all
}

/// The ways in which a text may be written down.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut plain = vec![text.to_owned(), text.to_lowercase(), text.to_uppercase(), fold(text)];
    let escaped = text.encode_utf16().map(|unit| match char::from_u32(u32::from(unit)) {
        Some(letter) if letter.is_ascii() => letter.to_string(),
        _ => format!("\\u{unit:04x}"),
    });
    plain.push(escaped.collect());
    plain.push(
        plain[0]
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }
            })
            .collect(),
    );
    plain.sort();
    plain.dedup();
    let mut forms = Vec::new();
    for text in plain {
        forms.push(hex::encode(&text).into_bytes());
        forms.push(hex::encode_upper(&text).into_bytes());
        // Wherever it stands in what was encoded: the letters that depend on its neighbours are left out.
        for offset in 0..3 {
            let shifted = [vec![0; offset], text.clone().into_bytes()].concat();
            for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
                let end = shifted.len() / 3 * 4;
                forms.push(encoded.as_bytes()[[0, 2, 3][offset]..end].to_vec());
            }
        }
        forms.push(text.into_bytes());
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Where any of it is found.
fn found(everything: &[(String, Vec<u8>)], needles: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for needle in needles {
        for form in forms(needle) {
            for (place, bytes) in everything {
                if bytes.windows(form.len()).any(|window| window == form) {
                    found.push(format!("{place} holds {needle:?} as {:?}", String::from_utf8_lossy(&form)));
                }
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_everything_names_nobody() {
    let world = World::new().await;
    let life = world.live().await;
    life.client.get("/api/v1/users/me/export").await.unwrap().expect(http::StatusCode::OK).unwrap();
    world.night().await;
    let needles = [NAME, "Çağlayangöl", EMAIL, "caglayangol", PHONE, STREET, TAX_NUMBER];
    let all = everything(&world).await;
    let bytes: usize = all.iter().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "{} places, {bytes} bytes, {} forms",
        all.len(),
        needles.iter().map(|needle| forms(needle).len()).sum::<usize>()
    );
    assert!(all.len() > 60 && bytes > 500_000);
    assert_eq!(found(&all, &needles), Vec::<String>::new());

    // What is written unsealed is found: in either plane, as text or as bytes, folded or encoded.
    world.edge_execute(format!("UPDATE session SET device = '{EMAIL}'")).await;
    world
        .edge_execute(format!("UPDATE person SET profile = CAST('{NAME}' AS BLOB) WHERE id = '{}'", life.id))
        .await;
    world
        .books_execute(format!("UPDATE person SET email_lookup = convert_to('{}', 'UTF8')", fold(NAME)))
        .await;
    let encoded = STANDARD_NO_PAD.encode(format!("x{PHONE}"));
    world
        .books_execute(format!("UPDATE mail SET reason = '{encoded}', state = 'failed', sent_at = NULL"))
        .await;
    let found = found(&everything(&world).await, &needles).join("\n");
    for place in ["edge: session", "edge: person holds", "books: person holds", "books: mail", "edge.sqlite"]
    {
        assert!(found.contains(place), "nothing was found in {place}:\n{found}");
    }
    world.local.stop().await;
}
