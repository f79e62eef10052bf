//! An authenticator in software (WebAuthn level 3 §6), with its browser: for tests, which also have it lie.

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Its owner was there (WebAuthn §6.1).
pub const PRESENT: u8 = 0x01;
/// Its owner was verified.
pub const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// One passkey: ES256, with a counter.
pub struct Authenticator {
    key: EcdsaKeyPair,
    pub credential_id: Vec<u8>,
    pub counter: u32,
    user_handle: String,
}

/// What browser and authenticator say; an honest pair says what it was asked.
#[derive(Debug, Clone)]
pub struct Saying {
    pub origin: String,
    pub rp_id: String,
    pub challenge: String,
    /// `webauthn.create` or `webauthn.get`.
    pub kind: &'static str,
    pub cross_origin: bool,
    pub flags: u8,
}

impl Saying {
    /// What a page at `origin` has them say about these options, to create or to get.
    ///
    /// # Errors
    /// When the options are none.
    pub fn honest(origin: &str, options: &Value) -> anyhow::Result<Self> {
        let text = |pointer: &str| options.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (rp_id, kind) = match text("/rp/id") {
            Some(rp_id) => (rp_id, "webauthn.create"),
            None => (text("/rpId").context("nobody asks")?, "webauthn.get"),
        };
        let challenge = text("/challenge").context("nothing is to be signed")?;
        let flags = PRESENT | VERIFIED;
        Ok(Self { origin: origin.to_owned(), rp_id, challenge, kind, cross_origin: false, flags })
    }

    fn client_data(&self) -> Vec<u8> {
        let (kind, cross) = (self.kind, self.cross_origin);
        let said =
            json!({ "type": kind, "challenge": self.challenge, "origin": self.origin, "crossOrigin": cross });
        said.to_string().into_bytes()
    }

    fn authenticator_data(&self, counter: u32) -> Vec<u8> {
        let mut data = Sha256::digest(&self.rp_id).to_vec();
        data.push(self.flags);
        data.extend(counter.to_be_bytes());
        data
    }
}

impl Authenticator {
    /// A new key pair for whom the options name.
    ///
    /// # Errors
    /// When they name nobody.
    pub fn new(options: &Value) -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let broken = |_| anyhow::anyhow!("no key pair can be made");
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(broken)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let user_handle = options.pointer("/user/id").and_then(Value::as_str).context("for nobody")?;
        let credential_id = Sha256::digest(key.public_key()).to_vec();
        Ok(Self { key, credential_id, counter: 0, user_handle: user_handle.to_owned() })
    }

    /// The same key pair, as somebody has it who has copied the device.
    pub fn says_it_is(&mut self, user_handle: &[u8]) {
        self.user_handle = URL_SAFE_NO_PAD.encode(user_handle);
    }

    /// What `PublicKeyCredential.toJSON()` gives after a creation, with attestation `none` (§8.7).
    pub fn create(&mut self, saying: &Saying) -> Value {
        let attested = Saying { flags: saying.flags | ATTESTED, ..saying.clone() };
        let mut data = attested.authenticator_data(self.counter);
        data.extend([0; 16]);
        data.extend((self.credential_id.len() as u16).to_be_bytes());
        data.extend(&self.credential_id);
        data.extend(self.cose_key());
        // {"fmt": "none", "attStmt": {}, "authData": …} in CBOR (RFC 8949).
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend((data.len() as u16).to_be_bytes());
        object.extend(data);
        self.credential(json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(saying.client_data()),
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
            "transports": ["internal"],
        }))
    }

    /// What it gives after a request. It counts.
    ///
    /// # Errors
    /// When nothing can be signed.
    pub fn get(&mut self, saying: &Saying) -> anyhow::Result<Value> {
        self.counter += 1;
        let (data, client_data) = (saying.authenticator_data(self.counter), saying.client_data());
        let signed = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed);
        let signature = signature.map_err(|_| anyhow::anyhow!("nothing can be signed"))?;
        Ok(self.credential(json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature),
            "userHandle": self.user_handle,
        })))
    }

    fn credential(&self, response: Value) -> Value {
        let id = URL_SAFE_NO_PAD.encode(&self.credential_id);
        json!({ "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
                "clientExtensionResults": {}, "response": response })
    }

    /// {1: 2, 3: -7, -1: 1, -2: x, -3: y} in CBOR (RFC 9053 §7.1.1).
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = point.split_at(point.len() / 2);
        [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".as_slice(), x, b"\x22\x58\x20", y].concat()
    }
}
