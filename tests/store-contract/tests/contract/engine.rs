//! One engine after the other: each case on fresh tables, and what came of it.

use akademi_store_contract::{CASES, File};
use rusqlite::Connection;
use std::{path::Path, time::Duration};

/// Who else can write to an engine's file.
#[derive(Debug, Clone, Copy)]
pub enum Others<'a> {
    /// Whoever opens it.
    Open(&'a Path),
    /// Nobody: each database of D1 is one object's own, and a lock on its file ends the object.
    None,
}

/// Another program in the midst of a write, until it is dropped.
pub fn hold(database: &Path) -> Connection {
    let connection = Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM contract_value").unwrap();
    connection
}

/// Asks for every case, prints what was answered, and fails if one did not answer `ok`. Cases that need
/// another writer are left out, and counted, where there is none.
pub fn ask_all(adapter: &str, others: Others<'_>, ask: impl Fn(&str) -> String) {
    let mut failures = Vec::new();
    let mut left_out = 0;
    for case in CASES {
        let mut ready = ask("reset");
        if ready != "ok" {
            // An emulator may lose a request on its way to the Worker; no case is asked twice.
            println!("{adapter:<9} {:<70} {ready}, and once more", "reset");
            ready = ask("reset");
        }
        assert_eq!(ready, "ok", "{adapter}: the tables cannot be made");
        let held = match (case.file, others) {
            (File::Free, _) => None,
            (File::Held, Others::Open(database)) => Some(hold(database)),
            (File::Held, Others::None) => {
                println!("{adapter:<9} {:<70} left out", case.name);
                left_out += 1;
                continue;
            }
        };
        let answer = ask(case.name);
        drop(held);
        println!("{adapter:<9} {:<70} {answer}", case.name);
        if answer != "ok" {
            failures.push(format!("{}: {answer}", case.name));
        }
    }
    let passed = CASES.len() - failures.len() - left_out;
    println!("{adapter}: {passed} passed, {} failed, {left_out} left out", failures.len());
    assert!(failures.is_empty(), "{adapter}:\n{}", failures.join("\n"));
}

/// What a served application answers.
pub fn get(base_url: &str, name: &str) -> String {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build();
    let answer = config.new_agent().get(format!("{base_url}/{name}")).call();
    answer.and_then(|mut answer| answer.body_mut().read_to_string()).map_or_else(
        |error| error.to_string(),
        |text| if text.is_empty() { "an empty answer".to_owned() } else { text },
    )
}
