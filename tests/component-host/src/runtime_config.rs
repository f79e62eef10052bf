//! What an operator gives to `spin up --runtime-config-file`, as far as Akademi uses it.
//!
//! As in a manifest, a key that is not known here is an error. Spin takes networks in CIDR notation too; this host knows
//! the word `private` only. Format: <https://spinframework.dev/v3/dynamic-configuration>.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A runtime configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    #[serde(default)]
    pub outbound_networking: OutboundNetworking,
    /// Database name → where it is.
    #[serde(default)]
    pub sqlite_database: BTreeMap<String, SqliteDatabase>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundNetworking {
    /// Where no component gets, whatever its manifest allows.
    #[serde(default)]
    pub block_networks: Vec<BlockedNetwork>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedNetwork {
    /// Every address that is not routed on the Internet.
    Private,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SqliteDatabase {
    /// A file on this machine, relative to the folder that the host is started in.
    Spin { path: PathBuf },
}

/// Why a runtime configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeConfigError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
}

impl RuntimeConfig {
    /// # Errors
    /// [`RuntimeConfigError`] when the file cannot be read, or says what this host does not know.
    pub fn read(path: &Path) -> Result<Self, RuntimeConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RuntimeConfigError::Read { path: path.to_owned(), source })?;
        Ok(toml::from_str(&text)?)
    }

    pub fn blocks_private_networks(&self) -> bool {
        self.outbound_networking.block_networks.contains(&BlockedNetwork::Private)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repositorys_own_configuration_blocks_private_networks_and_names_each_database() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = RuntimeConfig::read(&root.join("spin-runtime.toml")).unwrap();
        assert!(config.blocks_private_networks());
        let manifest = crate::manifest::SpinManifest::read(&root.join("spin.toml")).unwrap();
        let declared = manifest.component.values().flat_map(|component| &component.sqlite_databases);
        for name in declared {
            assert!(config.sqlite_database.contains_key(name), "{name}");
        }
    }

    #[test]
    fn a_configuration_that_says_what_is_not_known_is_refused() {
        for text in [
            "[outbound_networking]\nblock_networks = [\"privat\"]",
            "[outbound_networking]\nblock_network = [\"private\"]",
            "[sqlite_database.default]\ntype = \"libsql\"\nurl = \"https://a.example\"",
            "[key_value_store.default]\ntype = \"spin\"",
        ] {
            assert!(toml::from_str::<RuntimeConfig>(text).is_err(), "{text}");
        }
    }
}
