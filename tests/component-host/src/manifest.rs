//! `spin.toml`, manifest version 2, as far as Akademi uses it.
//!
//! A key that is not known here is an error, so that a manifest which passes holds nothing that the tests
//! leave unchecked. Format: <https://spinframework.dev/v3/manifest-reference>.

use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::variables::is_variable_name;

/// A manifest, read and checked for what can be checked without the values of its variables.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpinManifest {
    pub spin_manifest_version: u32,
    pub application: Application,
    /// The application's variables; a component sees only those that it declares itself.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    pub trigger: Triggers,
    #[serde(default)]
    pub component: BTreeMap<String, Component>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    pub name: String,
    pub version: Option<String>,
    pub description: Option<String>,
    #[serde(default)]
    pub authors: Vec<String>,
}

/// A variable of the application: either required or with a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    #[serde(default)]
    pub required: bool,
    pub default: Option<String>,
    #[serde(default)]
    pub secret: bool,
    pub description: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    #[serde(default)]
    pub http: Vec<HttpTrigger>,
}

/// One route and the component that answers it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    pub id: Option<String>,
    /// `/exact`, `/with/:param` (one segment) or `/prefix/...` (any rest).
    pub route: String,
    pub component: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The component's file, relative to the manifest's folder.
    pub source: PathBuf,
    pub description: Option<String>,
    /// `scheme://host[:port]`, may hold `{{ variable }}`.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub sqlite_databases: BTreeSet<String>,
    /// What the component sees: name → template over the application's variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How `spin build` makes the component; not used here.
    pub build: Option<Build>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub command: Command,
    pub workdir: Option<String>,
    #[serde(default)]
    pub watch: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Command {
    One(String),
    Several(Vec<String>),
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    #[error("spin_manifest_version is {0}, only 2 is known")]
    Version(u32),
    #[error("{0:?} is no component id: kebab-case, each word beginning with a letter")]
    ComponentId(String),
    #[error("{0:?} is no variable name: lower-case snake_case")]
    VariableName(String),
    #[error("variable {0:?} must either be required or have a default")]
    NeitherRequiredNorDefault(String),
    #[error("route {route:?} leads to {component:?}, which is not declared")]
    UnknownComponent { route: String, component: String },
    #[error("no route leads to component {0:?}")]
    Unreachable(String),
    #[error("route {0:?}: {1}")]
    Route(String, String),
    #[error("route {0:?} is declared twice")]
    DuplicateRoute(String),
}

impl SpinManifest {
    /// Reads and checks a manifest file.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads and checks a manifest's text.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        if self.spin_manifest_version != 2 {
            return Err(ManifestError::Version(self.spin_manifest_version));
        }
        for (name, variable) in &self.variables {
            if !is_variable_name(name) {
                return Err(ManifestError::VariableName(name.clone()));
            }
            if variable.required == variable.default.is_some() {
                return Err(ManifestError::NeitherRequiredNorDefault(name.clone()));
            }
        }
        for (id, component) in &self.component {
            if !is_kebab_case(id) {
                return Err(ManifestError::ComponentId(id.clone()));
            }
            if let Some(name) = component.variables.keys().find(|name| !is_variable_name(name)) {
                return Err(ManifestError::VariableName(name.clone()));
            }
            if !self.trigger.http.iter().any(|trigger| &trigger.component == id) {
                return Err(ManifestError::Unreachable(id.clone()));
            }
        }
        for trigger in &self.trigger.http {
            if !self.component.contains_key(&trigger.component) {
                return Err(ManifestError::UnknownComponent {
                    route: trigger.route.clone(),
                    component: trigger.component.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Spin's component ids: words of letters and digits in one case, each beginning with a letter.
fn is_kebab_case(id: &str) -> bool {
    id.split('-').all(|word| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && (word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                || word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
    })
}
