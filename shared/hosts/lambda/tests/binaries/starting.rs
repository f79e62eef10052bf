//! A start that is refused, and one that waits for no database.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_without_a_variable_refuses_to_start_and_names_it() {
    for (program, variable) in [
        (env!("CARGO_BIN_EXE_audit"), "lambda_master_key"),
        (env!("CARGO_BIN_EXE_authoring"), "storage_bucket"),
        (env!("CARGO_BIN_EXE_certificates"), "sync_queue_url"),
        (env!("CARGO_BIN_EXE_etl"), "database_url"),
        (env!("CARGO_BIN_EXE_identity"), "sync_queue_url"),
        (env!("CARGO_BIN_EXE_images"), "storage_bucket"),
        (env!("CARGO_BIN_EXE_invoices"), "storage_bucket"),
        (env!("CARGO_BIN_EXE_mail"), "mail_url"),
        (env!("CARGO_BIN_EXE_payments"), "lambda_master_key"),
        (env!("CARGO_BIN_EXE_sync"), "edge_url"),
        (env!("CARGO_BIN_EXE_transcode"), "transcode_queue_url"),
    ] {
        let mut world = World::new().await;
        world.variables.remove(variable);
        let mut running = world.start(program).await;
        assert!(!running.binary.end().await.unwrap().success(), "{program}");
        let errors = running.api.init_errors();
        let [error] = errors.as_slice() else { panic!("{program}: {errors:?}") };
        assert_eq!(error.error_type, "Runtime.InitError");
        let message = error.error["errorMessage"].as_str().unwrap();
        assert!(message.starts_with(&format!("variable {variable}: is not set")), "{message}");
        running.binary.log_with(variable).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_begins_without_its_database() {
    let mut world = World::new().await;
    world.variables.insert("database_url".into(), "postgres://akademi_login@127.0.0.1:9/none".into());
    let running = world.start(env!("CARGO_BIN_EXE_payments")).await;
    running.api.first_poll().await.unwrap();
}
