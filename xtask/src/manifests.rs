//! `spin.toml`, made from the table of functions.

use akademi_functions::{FUNCTIONS, Function, Plane, ROUTES, Variable};
use anyhow::bail;
use std::{collections::BTreeMap, fmt::Write, fs};

const SPIN: &str = "spin.toml";

/// Writes `spin.toml`, or says that it is stale.
///
/// # Errors
/// When it is stale and only asked, or cannot be written.
pub fn manifests(check: bool) -> anyhow::Result<()> {
    let wanted = spin_manifest();
    let found = fs::read_to_string(SPIN).unwrap_or_default();
    if found == wanted {
        println!("{SPIN} is up to date");
    } else if check {
        bail!("{SPIN} is not what the table of functions says: run `cargo xtask manifests`");
    } else {
        fs::write(SPIN, wanted)?;
        println!("wrote {SPIN}");
    }
    Ok(())
}

fn edge_functions() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge)
}

/// The manifest as Spin 4 reads it (manifest version 2).
fn spin_manifest() -> String {
    let mut text = String::from(
        "# Made from the table of functions by `cargo xtask manifests`: change shared/functions, not this file.\n\
         spin_manifest_version = 2\n\n[application]\nname = \"akademi\"\nversion = \"0.1.0\"\n\n[variables]\n",
    );
    let variables: BTreeMap<&str, Variable> = edge_functions()
        .flat_map(|function| function.variables)
        .map(|variable| (variable.name, *variable))
        .collect();
    for variable in variables.values() {
        let secret = if variable.secret { ", secret = true" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {}\n{} = {{ required = true{secret} }}", variable.meaning, variable.name);
    }
    // First of all routes: the crate that Spin finds routes with (routefinder 0.5) has no total order among routes
    // of which some hold dots, and one that stands later may hide behind the wildcard.
    text.push_str("\n# Whatever no other function answers\n");
    trigger(&mut text, "/...", "origin");
    for function in edge_functions() {
        let _ = writeln!(text, "\n# {}", function.name);
        for (path, own_entry) in paths(function.name).into_iter().filter(|_| function.name != "origin") {
            let component = if own_entry { own_entry_name(function.name) } else { function.name.to_owned() };
            trigger(&mut text, &spin_path(path), &component);
        }
        component(&mut text, function, function.name);
        if ROUTES.iter().any(|route| route.function == function.name && route.own_entry) {
            component(&mut text, function, &own_entry_name(function.name));
        }
    }
    text
}

/// The second entry of a component, for routes that would block the others.
fn own_entry_name(function: &str) -> String {
    format!("{function}-own")
}

/// Each path of a function once, and whether it has an entry of its own.
fn paths(function: &str) -> Vec<(&'static str, bool)> {
    let mut paths: Vec<(&str, bool)> = Vec::new();
    for route in ROUTES.iter().filter(|route| route.function == function) {
        if !paths.iter().any(|(path, _)| *path == route.path) {
            paths.push((route.path, route.own_entry));
        }
    }
    paths
}

/// `{name}` of axum is `:name` of Spin, `{*name}` is `...`.
fn spin_path(path: &str) -> String {
    let (path, rest) = path.split_once("/{*").map_or((path, ""), |(path, _)| (path, "/..."));
    path.replace('{', ":").replace('}', "") + rest
}

fn trigger(text: &mut String, route: &str, component: &str) {
    let _ = writeln!(text, "[[trigger.http]]\nroute = \"{route}\"\ncomponent = \"{component}\"\n");
}

fn component(text: &mut String, function: &Function, name: &str) {
    let quoted =
        |values: &[&str]| values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
    let databases: &[&str] = if function.database { &["default"] } else { &[] };
    let _ = writeln!(
        text,
        "[component.{name}]\nsource = \"build/spin/{}.wasm\"\nallowed_outbound_hosts = [{}]\nsqlite_databases = [{}]",
        function.name,
        quoted(function.outbound),
        quoted(databases),
    );
    let _ = writeln!(text, "[component.{name}.variables]");
    for variable in function.variables {
        let _ = writeln!(text, "{0} = \"{{{{ {0} }}}}\"", variable.name);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_manifest_is_what_the_table_says() {
        let committed = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spin.toml")).unwrap();
        assert!(committed == spin_manifest(), "spin.toml is stale: run `cargo xtask manifests`");
    }

    #[test]
    fn every_edge_route_has_a_trigger_and_every_variable_stands_once() {
        let manifest = spin_manifest();
        for route in ROUTES.iter().filter(|route| edge_functions().any(|f| f.name == route.function)) {
            let line = format!("route = \"{}\"", spin_path(route.path));
            let is_there = manifest.matches(&line).count() == 1 || route.function == "origin";
            assert!(is_there, "{}", route.path);
        }
        assert_eq!(manifest.matches("edge_master_key = { required = true, secret = true }").count(), 1);
    }
}
