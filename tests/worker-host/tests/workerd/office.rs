//! What the Worker behind the first is told.

use rusqlite::Connection;
use serde_json::json;

use crate::client::{UMRANIYE, post, start, variables};

const PROVIDER: &str = "
INSERT INTO identity_provider (tenant_id, id, name, kind)
VALUES ('01890000-0000-7000-8000-000000000001', 'okul', 'Okul', 'oidc')";

#[test]
fn another_worker_knows_the_address_of_whoever_asks() {
    let running = start(variables());
    let store = Connection::open(running.database_path()).unwrap();
    store.execute_batch(PROVIDER).unwrap();
    for address in ["192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        let begin =
            post(&running, UMRANIYE, "/api/v1/auth/providers/okul/start", json!({ "return_to": "/account" }));
        let begin = begin.header("sec-fetch-site", "same-origin").header("cf-connecting-ip", address);
        // The attempt is counted, and nobody is at the other plane's address.
        assert_eq!(begin.send().expect(503)["type"], "/problems/unavailable");
    }
    let counted = "SELECT json_group_array(failures) FROM (SELECT failures FROM throttle ORDER BY failures)";
    let counted: String = store.query_row(counted, [], |row| row.get(0)).unwrap();
    assert_eq!(counted, "[1,2]", "attempts by address");
}
