//! What an entry's hash covers, byte for byte.
//!
//! SHA-256 over these fields in this order, each as its length in bytes (64 bits, big-endian) and its bytes:
//! `akademi/audit/1`, the hash before, the academy's id, the number, the entry's id, the moment in milliseconds, action,
//! actor, target, origin, sealed_for, change. Ids are their 16 bytes, numbers 64 bits big-endian in two's complement, texts
//! UTF-8; what is absent is empty, which no id and no JSON is.
//!
//! A change is hashed as canonical JSON: no white space, names in the order of their UTF-8 bytes and each once, numbers
//! in decimal without fraction or exponent, strings as RFC 8785 §3.2.2.2 writes them. PostgreSQL orders the names of a
//! `jsonb` in its own way and spells numbers anew; [`storable`] leaves nothing that comes back as another value.

use akademi_domain::ids::TenantId;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write;

use super::NewEntry;

/// SHA-256
pub type Hash = [u8; 32];

const LABEL: &[u8] = b"akademi/audit/1";

/// The hash of the entry `number` of `tenant` behind the one with the hash `previous`. The change must be [`storable`].
pub fn entry_hash(tenant: TenantId, number: i64, entry: &NewEntry, previous: &Hash) -> Hash {
    let id = |id: uuid::Uuid| id.into_bytes();
    let actor = entry.actor.map(|actor| id(actor.as_uuid()));
    let sealed_for = entry.sealed_for.map(|person| id(person.as_uuid()));
    let change = entry.change.as_ref().map(canonical).unwrap_or_default();
    let mut all = Sha256::new();
    for field in [
        LABEL,
        previous,
        &id(tenant.as_uuid()),
        &number.to_be_bytes(),
        &id(entry.id.as_uuid()),
        &entry.at.as_millis().to_be_bytes(),
        entry.action.as_bytes(),
        actor.as_ref().map_or(&[][..], |bytes| bytes),
        entry.target.as_bytes(),
        &entry.origin,
        sealed_for.as_ref().map_or(&[][..], |bytes| bytes),
        change.as_bytes(),
    ] {
        all.update((field.len() as u64).to_be_bytes());
        all.update(field);
    }
    all.finalize().into()
}

/// The value as PostgreSQL gives it back: numbers with a fraction or beyond 64 bits become text, a NUL in a text U+FFFD.
pub fn storable(value: Value) -> Value {
    let text = |text: String| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
    match value {
        Value::Number(number) if number.is_f64() => Value::String(number.to_string()),
        Value::String(string) => Value::String(text(string)),
        Value::Array(values) => Value::Array(values.into_iter().map(storable).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (text(name), storable(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// Canonical JSON of a [`storable`] value.
fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_canonical(value, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                // Writing to a String cannot fail. A string alone is written as RFC 8785 does.
                let _ = write!(out, "{}:", Value::from(name.as_str()));
                write_canonical(value, out);
            }
            out.push('}');
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::{
        ids::{AuditId, UserId},
        time::Timestamp,
    };
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn entry() -> NewEntry {
        NewEntry {
            id: AuditId::new(NOW, [1; 10]),
            at: NOW,
            action: "price.set".into(),
            actor: Some(UserId::new(NOW, [2; 10])),
            target: "course:1".into(),
            origin: vec![3; 40],
            sealed_for: Some(UserId::new(NOW, [2; 10])),
            change: Some(json!({ "before": { "amount": 1 }, "after": { "amount": 2 } })),
        }
    }

    fn hash(entry: &NewEntry) -> Hash {
        entry_hash(TenantId::new(NOW, [9; 10]), 1, entry, &[0; 32])
    }

    #[test]
    fn every_field_is_covered_and_none_passes_for_another() {
        let one = entry();
        let others = [
            NewEntry { id: AuditId::new(NOW, [4; 10]), ..one.clone() },
            NewEntry { at: NOW.plus_seconds(1), ..one.clone() },
            NewEntry { action: "price.se".into(), target: "tcourse:1".into(), ..one.clone() },
            NewEntry { action: "price.setcourse:1".into(), target: String::new(), ..one.clone() },
            NewEntry { actor: None, ..one.clone() },
            NewEntry { target: "course:2".into(), ..one.clone() },
            NewEntry { origin: vec![3; 39], ..one.clone() },
            NewEntry { sealed_for: None, ..one.clone() },
            NewEntry { actor: None, sealed_for: one.actor, ..one.clone() },
            NewEntry { change: None, ..one.clone() },
            NewEntry { change: Some(Value::Null), ..one.clone() },
            NewEntry {
                change: Some(json!({ "before": { "amount": "1" }, "after": { "amount": 2 } })),
                ..one.clone()
            },
        ];
        for other in &others {
            assert_ne!(hash(other), hash(&one), "{other:?}");
        }
        let tenant = TenantId::new(NOW, [9; 10]);
        assert_ne!(entry_hash(tenant, 2, &one, &[0; 32]), hash(&one));
        assert_ne!(entry_hash(tenant, 1, &one, &[1; 32]), hash(&one));
        assert_ne!(entry_hash(TenantId::new(NOW, [8; 10]), 1, &one, &[0; 32]), hash(&one));
        assert_eq!(hash(&entry()), hash(&one));
    }

    #[test]
    fn a_hash_is_what_the_description_says_of_these_bytes() {
        // As an independent program computed it from the module's description.
        let one = NewEntry { change: Some(json!({ "b": [1, null, "ş\n"], "a": -2 })), ..entry() };
        assert_eq!(canonical(one.change.as_ref().unwrap()), "{\"a\":-2,\"b\":[1,null,\"ş\\n\"]}");
        assert_eq!(
            hex::encode(hash(&one)),
            "ef87aeefea5eb1179e4666a390e743b53df97abdd51a26298a5a94f28af47649"
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_json_says_the_same_and_is_one_for_one_value(value in any_json()) {
            let stored = storable(value);
            let text = canonical(&stored);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &stored);
            prop_assert_eq!(canonical(&read), text);
            prop_assert_eq!(storable(stored.clone()), stored);
        }
    }
}
