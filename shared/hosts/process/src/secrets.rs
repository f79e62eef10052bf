//! The secrets of a local deployment: made at the first start, kept in its data folder, readable by its owner.

use akademi_api::token::TokenSigner;
use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{collections::BTreeMap, fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// The values of all variables, by name.
pub type Variables = BTreeMap<String, String>;

/// Reads the secrets of `folder`, or makes them.
///
/// # Errors
/// When the file cannot be read, written or understood.
pub fn load_or_create(folder: &Path) -> anyhow::Result<Variables> {
    let path = folder.join("secrets.json");
    if path.exists() {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is not as it was written", path.display()));
    }
    let variables = generate()?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(&serde_json::to_vec_pretty(&variables)?)?;
    file.sync_all()?;
    Ok(variables)
}

/// Fresh secrets for every variable that needs no address.
///
/// # Errors
/// When the system gives no randomness.
pub fn generate() -> anyhow::Result<Variables> {
    let key = || -> anyhow::Result<String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    };
    let signing = format!("k1:{}", key()?);
    let public = TokenSigner::from_config(&signing)?.verifier().to_config();
    let pairs = [
        ("token_signing_keys", signing),
        ("token_public_keys", public),
        ("plane_root_keys", format!("k1:{}", key()?)),
        ("edge_master_key", key()?),
        ("lambda_master_key", key()?),
    ];
    Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
