//! The cases as a Spin component, on the component host or on a real Spin.

use akademi_component_host::{Options, serve};
use akademi_edge_store::rusqlite::SqliteFile;

use crate::{
    engine::{Others, ask_all, get},
    fixture::compile,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_spin_adapter_keeps_the_contract() {
    let component = compile("wasm32-wasip2", "component");
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("contract.db");
    // With the product's migrations, which make the guard.
    drop(SqliteFile::open(&database).unwrap());
    let manifest = folder.path().join("spin.toml");
    let text = format!(
        r#"
spin_manifest_version = 2
[application]
name = "store-contract"
[[trigger.http]]
route = "/..."
component = "contract"
[component.contract]
source = "{}"
sqlite_databases = ["default"]
"#,
        component.display()
    );
    std::fs::write(&manifest, text).unwrap();
    let sqlite = [("default".to_owned(), database.clone())].into();
    let running = serve(&manifest, Options { sqlite, ..Options::default() }).await.unwrap();
    let base_url = format!("http://{}", running.addr);
    let asked = tokio::task::spawn_blocking(move || {
        ask_all("spin", Others::Open(&database), |name| get(&base_url, name))
    })
    .await;
    let log = running.log().text();
    running.shutdown().await;
    assert!(asked.is_ok(), "{log}");
}
