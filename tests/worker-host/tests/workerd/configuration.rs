//! What the Workers are configured with.

use akademi_functions::{ROUTES, WORKERS, Worker};
use std::collections::BTreeSet;
use toml::Table;

use crate::client::{UMRANIYE, get, start, variables};

#[test]
fn a_missing_variable_is_named_in_the_log_and_nowhere_else() {
    let mut variables = variables();
    variables.remove("edge_master_key");
    let running = start(variables);
    let answer = get(&running, UMRANIYE, "/api/v1/academy").send();
    assert_eq!(answer.text("content-type"), "application/problem+json");
    let problem = answer.expect(503);
    assert!(!problem.to_string().to_lowercase().contains("edge_master_key"), "{problem}");
    let output = running.output();
    drop(running);
    assert!(output.text().contains("variable edge_master_key: is not set"), "{}", output.text());
}

#[test]
fn what_one_worker_lacks_takes_nothing_from_another() {
    let mut variables = variables();
    // Only a function of the second Worker reads it.
    variables.remove("dns_url");
    let running = start(variables);
    get(&running, UMRANIYE, "/api/v1/academy").send().expect(200);
    let answer = get(&running, UMRANIYE, "/api/v1/consents").send();
    assert_eq!(answer.text("content-type"), "application/problem+json");
    assert_eq!(answer.expect(503)["type"], "/problems/unavailable");
    let output = running.output();
    drop(running);
    assert!(output.text().contains("variable dns_url: is not set"), "{}", output.text());
}

/// What wrangler reads of a Worker.
fn configuration(worker: &Worker) -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    toml::from_str(&std::fs::read_to_string(format!("{path}{}", worker.configuration)).unwrap()).unwrap()
}

#[test]
fn a_worker_is_configured_with_every_variable_of_its_functions_and_no_other() {
    for worker in WORKERS {
        let config = configuration(worker);
        let variables: Vec<_> = worker.rows().flat_map(|function| function.variables).collect();
        let wanted = |secret: bool| -> BTreeSet<String> {
            let chosen = variables.iter().filter(|variable| variable.secret == secret);
            chosen.map(|variable| variable.name.to_ascii_uppercase()).collect()
        };
        let secrets = config["secrets"]["required"].as_array().unwrap();
        let secrets: BTreeSet<_> = secrets.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(secrets, wanted(true), "{}", worker.name);
        let plain: BTreeSet<_> = config["vars"].as_table().unwrap().keys().cloned().collect();
        assert_eq!(plain, wanted(false), "{}", worker.name);
    }
}

#[test]
fn only_the_first_worker_has_an_address_and_all_have_one_database() {
    let first = configuration(&WORKERS[0]);
    assert!(first.contains_key("routes"));
    let bound: Vec<_> = first["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| (service["binding"].as_str().unwrap(), service["service"].as_str().unwrap()))
        .collect();
    let others: Vec<_> = WORKERS[1..].iter().map(|worker| (worker.binding.unwrap(), worker.name)).collect();
    assert_eq!(bound, others);
    for worker in WORKERS {
        let config = configuration(worker);
        assert_eq!(config["name"].as_str(), Some(worker.name));
        assert_eq!(config["main"].as_str(), Some(format!("build/worker/{}/shim.js", worker.name).as_str()));
        assert_eq!(config["workers_dev"].as_bool(), Some(false), "{}", worker.name);
        for same in ["compatibility_date", "d1_databases", "observability"] {
            assert_eq!(config[same], first[same], "{}", worker.name);
        }
        let is_first = worker.name == WORKERS[0].name;
        assert_eq!((config.contains_key("routes"), config.contains_key("services")), (is_first, is_first));
        // Whoever answers a password's route counts its attempts.
        let limits = ROUTES.iter().any(|route| route.own_entry && worker.functions.contains(&route.function));
        assert_eq!(config.contains_key("ratelimits"), limits, "{}", worker.name);
    }
}
