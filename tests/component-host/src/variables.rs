//! `spin:variables@3.0.0`: what a component reads of the application's configuration.

use std::{collections::BTreeMap, sync::Arc};
use wasmtime::component::{Accessor, HasData};

use crate::{
    bindings::spin::variables::variables::{Error, Host, HostWithStore},
    manifest::SpinManifest,
};

/// The values that one component sees, by name.
pub(crate) type Visible = Arc<BTreeMap<String, String>>;

/// Why the variables of an application have no values.
#[derive(Debug, thiserror::Error)]
pub enum VariableError {
    #[error("required variables without a value: {}", .0.join(", "))]
    Missing(Vec<String>),
    #[error("variable {0:?} has a value but is not declared in [variables]")]
    Undeclared(String),
    #[error("{template:?} names the variable {name:?}, which is not declared in [variables]")]
    UnknownInTemplate { template: String, name: String },
    #[error("{0:?} opens {{{{ without closing it, or the reverse")]
    Template(String),
}

/// The application's variables: given values first, then defaults.
pub(crate) fn resolve(
    manifest: &SpinManifest,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, VariableError> {
    if let Some(name) = given.keys().find(|name| !manifest.variables.contains_key(*name)) {
        return Err(VariableError::Undeclared(name.clone()));
    }
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, variable) in &manifest.variables {
        match given.get(name).or(variable.default.as_ref()) {
            Some(value) => {
                values.insert(name.clone(), value.clone());
            }
            None => missing.push(name.clone()),
        }
    }
    if missing.is_empty() { Ok(values) } else { Err(VariableError::Missing(missing)) }
}

/// Puts values in the place of `{{ name }}`. A value is not read as a template again.
pub(crate) fn expand(template: &str, values: &BTreeMap<String, String>) -> Result<String, VariableError> {
    let malformed = || VariableError::Template(template.to_owned());
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(malformed)?;
        if before.contains("}}") {
            return Err(malformed());
        }
        let name = name.trim();
        let value = values.get(name).ok_or_else(|| VariableError::UnknownInTemplate {
            template: template.to_owned(),
            name: name.to_owned(),
        })?;
        text.push_str(before);
        text.push_str(value);
        rest = after;
    }
    if rest.contains("}}") {
        return Err(malformed());
    }
    text.push_str(rest);
    Ok(text)
}

/// Spin's variable names: a lower-case letter first, then lower-case letters, digits and single underscores
/// that do not stand at the end.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

/// The linker's handle for [`Visible`].
pub(crate) struct Variables;

impl HasData for Variables {
    type Data<'a> = VariablesView;
}

/// What the host functions of this interface get from the store.
pub(crate) struct VariablesView(pub(crate) Visible);

impl Host for VariablesView {}

impl<T: Send> HostWithStore<T> for Variables {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        if !is_variable_name(&name) {
            return Ok(Err(Error::InvalidName(name)));
        }
        let visible = accessor.with(|mut access| access.get().0);
        Ok(visible.get(&name).cloned().ok_or(Error::Undefined(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_take_values_and_refuse_what_is_unknown_or_unclosed() {
        let values = BTreeMap::from([("host".to_owned(), "a.example".to_owned())]);
        assert_eq!(expand("plain", &values).unwrap(), "plain");
        assert_eq!(expand("https://{{ host }}/{{host}}", &values).unwrap(), "https://a.example/a.example");
        for bad in ["{{ host", "host }}", "}} {{ host }}", "{{ other }}"] {
            assert!(expand(bad, &values).is_err(), "{bad}");
        }
    }

    #[test]
    fn variable_names_are_lower_snake_case() {
        for good in ["a", "api_host", "v2"] {
            assert!(is_variable_name(good), "{good}");
        }
        for bad in ["", "A", "2v", "a__b", "a_", "_a", "a-b", "ı"] {
            assert!(!is_variable_name(bad), "{bad}");
        }
    }
}
