//! rusqlite, on a file.

use akademi_edge_store::rusqlite::SqliteFile;
use akademi_store_contract::{CASES, File, Outcome, answer, contract, reset};
use futures::executor::block_on;

use crate::engine::{Others, ask_all, hold};

async fn run(name: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contract.sqlite");
    let database = SqliteFile::open(&path).unwrap();
    reset(&database).await.unwrap();
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let _held = (case.file == File::Held).then(|| hold(&path));
    (case.run)(&database).await
}

macro_rules! tests {
    ($($file:ident { $($module:ident { $($case:ident)+ })+ })+) => {$($(
        mod $module {$(
            #[tokio::test]
            async fn $case() {
                let name = concat!(stringify!($module), "::", stringify!($case));
                super::run(name).await.unwrap_or_else(|failure| panic!("{failure}"));
            }
        )+}
    )+)+};
}

contract!(tests);

#[test]
fn the_rusqlite_adapter_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contract.sqlite");
    let database = SqliteFile::open(&path).unwrap();
    ask_all("rusqlite", Others::Open(&path), |name| block_on(answer(name, &database)));
}

#[test]
fn an_engine_that_fails_a_case_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contract.sqlite");
    block_on(reset(&SqliteFile::open(&path).unwrap())).unwrap();
    let told = std::panic::catch_unwind(|| {
        ask_all("forgetful", Others::Open(&path), |name| {
            let answer = if name == "values::null_is_null" { "found nothing" } else { "ok" };
            answer.to_owned()
        });
    });
    let message = *told.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "forgetful:\nvalues::null_is_null: found nothing");
}
