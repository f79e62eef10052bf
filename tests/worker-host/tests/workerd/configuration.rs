//! What the Worker is configured with.

use akademi_functions::{FUNCTIONS, Plane};
use std::collections::BTreeSet;

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
fn wrangler_toml_names_every_variable_of_the_edge() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wrangler.toml")).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let edge = FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge);
    let variables: Vec<_> = edge.flat_map(|function| function.variables).collect();
    let wanted = |secret: bool| -> BTreeSet<String> {
        let chosen = variables.iter().filter(|variable| variable.secret == secret);
        chosen.map(|variable| variable.name.to_ascii_uppercase()).collect()
    };
    let secrets = config["secrets"]["required"].as_array().unwrap();
    assert_eq!(
        secrets.iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(),
        wanted(true)
    );
    assert_eq!(config["vars"].as_table().unwrap().keys().cloned().collect::<BTreeSet<_>>(), wanted(false));
}
