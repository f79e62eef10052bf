//! What several functions know of passkeys.

/// The field of a person under which a passkey's name is sealed.
pub const PASSKEY_NAME: &str = "passkey_name";
